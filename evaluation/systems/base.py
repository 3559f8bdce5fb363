"""System and outcome: audio in, and for each utterance a text, or an error, with the seconds that it took.

Cheap to import, as each system's file imports it, and `speed_study` measures the memory of whoever does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gigastt_lab.errors import GigasttError, brief

if TYPE_CHECKING:
    from evaluation.datasets.audio import Audio
    from evaluation.records.stream_log import StreamLog
    from gigastt_lab.types import AudioWarning

logger = logging.getLogger(__name__)

Words = tuple[tuple[str, float, float, float], ...]
Item = TypeVar("Item")
Result = TypeVar("Result")


class SystemUnavailableError(GigasttError):
    """A system that cannot be started, or is gone: which one, why, what to do. It ends a run."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of a system for one utterance. Fields as of `records.files.Record`.

    `warnings` are those of the audio, as decoding gives them: `datasets.audio.decoded`, or a `Transcript`.
    """

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
    warnings: tuple[AudioWarning, ...] = ()


class System(Protocol):
    """Protocol of a speech recognition system: one configuration of one engine."""

    @property
    def name(self) -> str:
        """Short name, fit for a file's."""

    @property
    def info(self) -> dict[str, Any]:
        """Configuration that really runs, for the header of its records. Values that JSON can hold."""

    @property
    def batch_size(self) -> int:
        """Utterances that it takes at once; 1: strictly one at a time."""

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcomes, one for each utterance, in the order given; what fails is an outcome, too.

        Raises:
            SystemUnavailableError: it is gone, so that nothing can be said of these utterances.
        """


def together_or_each(
    transcribe: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
) -> list[Result | str]:
    """Results of a batch; if it fails as a whole, each one's alone, or its error's class and message."""
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
    """Word with its times and confidence as records hold it.

    To the millisecond and 1e-4: what a batch's other members change in the last bits, and nobody needs.
    """
    return text, round(float(start), 3), round(float(end), 3), round(float(confidence), 4)
