"""Jobs: recordings that are worked on in the background, and whose results wait on disk. See `docs/jobs.md`.

Lives here: the routes, the queue and its workers, the store (SQLite), the directory of uploads.
May import: the server's modules that the routes of one request are made of; `formats`, `types`.
Public: `routes.router`, `queue.JobQueue`.
"""
