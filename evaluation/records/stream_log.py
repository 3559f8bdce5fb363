"""Log of one stream, as it happened: raw, so that measures can be taken of it as often as wanted.

Times are seconds on the stream's clock, which begins with the first sample: sample k is spoken at k / 16000.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, get_args

from gigastt_lab.types import EndReason, ResultKind

_DIGITS: Final = 5  # of a second: 10 microseconds
_EPSILON_S: Final = 1e-4  # what rounding may take; less than a sample and a half


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """One result of a stream.

    Attributes:
        kind: Partial or final.
        utterance: Number of the utterance in the stream.
        text: Text, as shown.
        at_s: Second at which it was there.
        heard_s: Seconds of the stream that it needed; None where the system does not tell.
        stable: Length of the stable prefix of `text`, in characters; None where the system does not tell.
        start_s: Second of the stream at which the utterance begins; None where the system does not tell.
        reason: Why the utterance ended. Where the system does not tell, a final before the stop was sent
            came by silence. None in a partial.
    """

    kind: ResultKind
    utterance: int
    text: str
    at_s: float
    heard_s: float | None = None
    stable: int | None = None
    start_s: float | None = None
    reason: EndReason | None = None


@dataclass(frozen=True, kw_only=True)
class StreamLog:
    """Log of one stream from its first sample to its end.

    Attributes:
        clip_s: Seconds of the clip; what was streamed after it is faint noise.
        chunks: Two seconds for each piece of audio: where in the stream it ends, which is when a microphone
            would hand it over, and when it was really handed over: later, where the work is slower than the
            speech.
        stopped_s: Second at which the stream was stopped.
        speech: Onset and end of speech in the clip; None where none was found.
        events: The results, in the order in which they came.
    """

    clip_s: float
    chunks: tuple[tuple[float, float], ...] = field(repr=False)
    stopped_s: float
    speech: tuple[float, float] | None
    events: tuple[StreamEvent, ...]

    @property
    def streamed_s(self) -> float:
        """Seconds that were streamed, the noise after the clip among them."""
        return self.chunks[-1][0] if self.chunks else 0.0

    def arrival_of(self, position_s: float) -> float:
        """Second at which a microphone hands over the audio up to `position_s`: with its chunk's end."""
        at = bisect_left(self.chunks, position_s - _EPSILON_S, key=lambda chunk: chunk[0])
        return self.chunks[min(at, len(self.chunks) - 1)][0] if self.chunks else position_s


def utterances_of(events: Iterable[StreamEvent]) -> list[list[StreamEvent]]:
    """The results of each utterance, in the order in which they came."""
    found: dict[int, list[StreamEvent]] = {}
    for event in events:
        found.setdefault(event.utterance, []).append(event)
    return list(found.values())


def packed(log: StreamLog) -> dict[str, Any]:
    """Log as JSON holds it: times rounded, nothing that is None."""
    content = asdict(log)
    content["events"] = [{name: value for name, value in event.items() if value is not None} for event in
                         content["events"]]  # fmt: skip
    rounded: dict[str, Any] = _rounded(content)
    return rounded


def unpacked(content: Mapping[str, Any]) -> StreamLog:
    """Log out of what `packed` made.

    Raises:
        TypeError, KeyError, ValueError: it is no such thing.
    """
    events = tuple(StreamEvent(**event) for event in content["events"])
    for event in events:
        if event.kind not in get_args(ResultKind):
            raise ValueError(f"an event of kind {event.kind!r}")
    onset_and_end = content.get("speech")
    return StreamLog(
        clip_s=content["clip_s"],
        chunks=tuple((end_s, handed_s) for end_s, handed_s in content["chunks"]),
        stopped_s=content["stopped_s"],
        speech=None if onset_and_end is None else (onset_and_end[0], onset_and_end[1]),
        events=events,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
