"""Russian speech recognition with GigaAM v3.

>>> import gigastt_lab
>>> engine = gigastt_lab.load_engine("demo")  # doctest: +SKIP
>>> engine.transcribe("speech.wav").text  # doctest: +SKIP
'Привет.'
"""

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
from gigastt_lab.types import Segment, Timings, Transcript, Word

if TYPE_CHECKING:
    from gigastt_lab.engine import Engine, EngineInfo, load_engine

__all__ = [
    "AudioError",
    "AudioNotFoundError",
    "AudioTooLongError",
    "Engine",
    "EngineInfo",
    "GigasttError",
    "ModelError",
    "ModelNotFoundError",
    "ProviderError",
    "Segment",
    "Timings",
    "Transcript",
    "Word",
    "load_engine",
]


def __getattr__(name: str) -> Any:
    """The engine's names, loaded on first use: `--help` and tools without a model need no ONNX Runtime."""
    if name in {"Engine", "EngineInfo", "load_engine"}:
        from gigastt_lab import engine  # noqa: PLC0415

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
