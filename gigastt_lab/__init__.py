"""Russian speech recognition with GigaAM v3.

>>> import gigastt_lab
>>> engine = gigastt_lab.load_engine("demo")  # doctest: +SKIP
>>> engine.transcribe("speech.wav").text  # doctest: +SKIP
'Привет.'
"""

import importlib
from typing import TYPE_CHECKING, Any

from gigastt_lab.errors import (
    AudioError,
    AudioNotFoundError,
    AudioTooLongError,
    GigasttError,
    ModelError,
    ModelNotFoundError,
    ProviderError,
)
from gigastt_lab.streaming.options import EndpointOptions, StreamOptions
from gigastt_lab.types import Part, Segment, StreamResult, Timings, Transcript, Word

if TYPE_CHECKING:
    from gigastt_lab.engine import Engine, EngineInfo, load_engine
    from gigastt_lab.recognition.windows import WindowOptions
    from gigastt_lab.streaming.session import StreamingSession

__all__ = [
    "AudioError",
    "AudioNotFoundError",
    "AudioTooLongError",
    "EndpointOptions",
    "Engine",
    "EngineInfo",
    "GigasttError",
    "ModelError",
    "ModelNotFoundError",
    "Part",
    "ProviderError",
    "Segment",
    "StreamOptions",
    "StreamResult",
    "StreamingSession",
    "Timings",
    "Transcript",
    "WindowOptions",
    "Word",
    "load_engine",
]


_LATE = {
    "Engine": "engine",
    "EngineInfo": "engine",
    "StreamingSession": "streaming",
    "WindowOptions": "windows",
    "load_engine": "engine",
}


def __getattr__(name: str) -> Any:
    """The engine's names, loaded on first use: `--help` and tools without a model need no ONNX Runtime."""
    if name in _LATE:
        return getattr(importlib.import_module(f"gigastt_lab.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
