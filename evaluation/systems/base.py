"""What a system is to the evaluation: audio in, for each utterance an outcome with what it took."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from evaluation.datasets.audio import Audio, as_wav
from evaluation.records.stream_log import StreamLog
from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.errors import GigasttError, brief
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.spec import GIGAAM_V3

logger = logging.getLogger(__name__)

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
