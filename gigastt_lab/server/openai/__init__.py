"""OpenAI's API, as far as its own clients need it: `POST /v1/audio/transcriptions`, the shape of errors.

Lives here: the route, the fields of its form, its answers and events, errors as OpenAI's clients read them.
May import: what `server` may, and `server`'s own modules but `app` and `middleware`.
Public: `route.router`, `errors.content_for`.
"""
