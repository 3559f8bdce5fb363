"""Live streams: chunks of audio in, partial and final results out.

Lives here: the session, its input and feature buffer, partial results, endpointing, options.
May import: `recognition`, `audio`, `types`, `spec`, `errors`.
Public: `session.StreamingSession`, `options.StreamOptions`, `options.EndpointOptions`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from gigastt_lab.streaming.options import EndpointOptions as EndpointOptions
    from gigastt_lab.streaming.options import StreamOptions as StreamOptions
    from gigastt_lab.streaming.session import StreamingSession as StreamingSession

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "EndpointOptions": "options:EndpointOptions",
        "StreamOptions": "options:StreamOptions",
        "StreamingSession": "session:StreamingSession",
    },
    was="session",
)
