"""What a system is to the evaluation: audio in, for each utterance an outcome with what it took."""

from __future__ import annotations

import io
import logging
import re
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from evaluation.streaming.log import StreamLog
from evaluation.streams import brief
from gigastt_lab.audio import decode_audio
from gigastt_lab.errors import AudioError, GigasttError
from gigastt_lab.models import DEMO_CLIPS_DIRECTORY
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

logger = logging.getLogger(__name__)

Audio = Path | bytes
Words = tuple[tuple[str, float, float, float], ...]
Item = TypeVar("Item")
Result = TypeVar("Result")


class SystemUnavailableError(GigasttError):
    """A system that cannot be started, or is gone: which one, why, what to do. It ends a run."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a system made of one utterance. Fields as of `records.Record`."""

    hypothesis: str | None = None
    error: str | None = None
    words: Words = ()
    n_tokens: int | None = None
    audio_s: float | None = None
    decode_s: float | None = None
    features_s: float | None = None
    encoder_s: float | None = None
    search_s: float | None = None
    work_s: float | None = None
    stream: StreamLog | None = None


class System(Protocol):
    """One configuration of one engine."""

    @property
    def name(self) -> str:
        """Short, and fit for a file's name."""

    @property
    def info(self) -> dict[str, Any]:
        """What it really runs: for the header of its records. Values that JSON can hold."""

    @property
    def batch_size(self) -> int:
        """Utterances that it takes at once; 1: strictly one at a time."""

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """One outcome for each, in the order given; what fails is an outcome, too.

        Raises:
            SystemUnavailableError: it is gone, so that nothing can be said of these utterances.
        """


@dataclass(frozen=True)
class Decoded:
    """The samples of an utterance.

    Attributes:
        waveform: Mono, at 16 kHz, shape (n_samples,); None where the file cannot be decoded.
        decode_s: Seconds of work that took.
        error: Why not.
    """

    waveform: Float32Array | None = field(repr=False)
    decode_s: float
    error: str | None = None

    @property
    def audio_s(self) -> float | None:
        """Seconds of audio."""
        return None if self.waveform is None else len(self.waveform) / GIGAAM_V3.sample_rate


def decoded(audio: Audio) -> Decoded:
    """The samples of one utterance, of any length, or what is wrong with it."""
    started = time.perf_counter()
    waveform, error = None, None
    try:
        waveform = decode_audio(audio)
    except (AudioError, MemoryError) as failure:
        error = brief(failure)
    return Decoded(waveform, time.perf_counter() - started, error)


def together_or_each(
    transcribe: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
) -> list[Result | str]:
    """The results of a batch; if it fails as a whole, each one's alone, or its error's class and message."""
    if not items:
        return []
    try:
        return list(transcribe(items))
    except SystemUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is: one utterance must not end a run of hours
        if len(items) == 1:
            return [brief(error)]
        logger.warning("a batch of %d failed (%s): taking them one by one", len(items), brief(error))
    return [result for item in items for result in together_or_each(transcribe, [item])]


def rounded(text: str, start: float, end: float, confidence: float) -> tuple[str, float, float, float]:
    """A word as records hold it.

    To the millisecond and 1e-4: what a batch's other members change in the last bits, and nobody needs.
    """
    return text, round(float(start), 3), round(float(end), 3), round(float(confidence), 4)


def safe_name(text: str) -> str:
    """A text as part of a file's name, on any file system.

    >>> safe_name("onnx-asr v0.12: модель/1"), safe_name("..")
    ('onnx-asr-v0.12-модель-1', 'unnamed')
    """
    return re.sub(r"[^\w.+-]+", "-", text).strip(".-")[:100] or "unnamed"


def warm_up(system: System) -> str:
    """Put a short clip through a system, before any clock starts; two where it takes several at once.

    Returns:
        What was put through it, for people.

    Raises:
        SystemUnavailableError: it fails on it.
    """
    clip = decode_audio(min(DEMO_CLIPS_DIRECTORY.glob("*.flac")))
    n_clips = min(2, system.batch_size)
    for outcome in system.transcribe([as_wav(clip)] * n_clips):
        if outcome.error is not None:
            raise SystemUnavailableError(
                f"{system.name} failed on a packaged clip, before anything was measured: {outcome.error}"
            )
    return f"{n_clips} x {len(clip) / GIGAAM_V3.sample_rate:.1f} s"


def as_wav(waveform: Float32Array) -> bytes:
    """A WAV file of mono samples in [-1, 1] at 16 kHz."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(GIGAAM_V3.sample_rate)
        file.writeframes(np.clip(waveform * 32768, -32768, 32767).astype("<i2").tobytes())
    return content.getvalue()
