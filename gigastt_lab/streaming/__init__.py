"""Live streams: chunks of audio in, partial and final results out.

Lives here: the session, its input and feature buffer, partial results, endpointing, options.
May import: `recognition`, `audio`, `types`, `spec`, `errors`.
Public: `session.StreamingSession`, `options.StreamOptions`, `options.EndpointOptions`.
"""
