"""Russian speech recognition with GigaAM v3.

>>> import gigastt_lab
>>> engine = gigastt_lab.load_engine("demo")  # doctest: +SKIP
>>> engine.transcribe("speech.wav").text  # doctest: +SKIP
'Привет.'
"""

from gigastt_lab.engine import Engine, EngineInfo, load_engine
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
