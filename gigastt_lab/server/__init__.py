"""The server: gigastt 2.0.13's production API over this package's engine. See `docs/server-behavior.md`.

Lives here: the application and its routes, WebSocket, permits, limits, security, metrics, options, the page.
May import: `engine`, `prepare`, `streaming`, `audio`, `runtime`, `models`, and what stands below.
Public: `app.create_app`, `config.ServerConfig`, `run.run`; FastAPI is imported nowhere else.
"""
