"""Segments of recordings with their texts, as corpus files state them, and the rows that they become.

A segment is an utterance: a stretch of a recording, or all of it, whose reference is the segment's text. Of a
recording with several channels nothing is read: reading mixes channels into one, and the words of both
speakers would stand against the reference of either.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from evaluation.datasets.manifests import RowList, digest_of_sizes
from evaluation.datasets.opening import Opened
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import DatasetError, Row
from gigastt_lab.errors import GigasttError

logger = logging.getLogger(__name__)

_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Segment of a recording.

    Attributes:
        key: Part of the utterance's id that tells it from others of the corpus.
        recording: Name of the recording, by which files of hypotheses call it.
        text: Text of the segment; None where nobody wrote it down, or where it is not to be scored.
        start_s, end_s: Seconds of the recording between which it lies; both None of a whole recording. An end
            of None: that of the recording.
        channel: Channel as the file names it; None where it names none.
        speaker, session: Names as the file has them.
        duration_s: Seconds of a whole recording as the corpus states them.
        audio: Path of the recording as the corpus has it; None where it names none.
        name: Further name by which hypotheses may call the segment; None where it has none.
        metadata: What else the corpus says of the segment.
        where: Place in the file, for messages.
    """

    key: str
    recording: str
    text: str | None
    start_s: float | None = None
    end_s: float | None = None
    channel: str | None = None
    speaker: str | None = None
    session: str | None = None
    duration_s: float | None = None
    audio: str | None = None
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @property
    def is_whole(self) -> bool:
        """True of a whole recording."""
        return self.start_s is None


class TimedWord(NamedTuple):
    """Word with its times; a tuple, since a corpus has a million of them.

    Attributes:
        recording: Name of the recording.
        channel: Channel as the file names it; None where it names none.
        text: Word as written.
        start_s, end_s: Seconds of the recording.
        confidence: Confidence, 0 to 1 as a rule; None where not stated.
    """

    recording: str
    channel: str | None
    text: str
    start_s: float
    end_s: float
    confidence: float | None = None


def check_channels(segments: Sequence[Segment], failure: type[GigasttError]) -> None:
    """Raise a `failure` where one recording has segments on several channels; warn of second channels."""
    channels: dict[str, Segment] = {}
    second = next((each for each in segments if (each.channel or "").upper() in {"2", "B"}), None)
    if second is not None:
        logger.warning(
            "%s: %r is of channel %s; channels are mixed into one when read: if the file has others, make "
            "one of each",
            second.where, second.recording, second.channel,
        )  # fmt: skip
    for segment in segments:
        first = channels.setdefault(segment.recording, segment)
        if first.channel != segment.channel:
            raise failure(
                f"{segment.where}: {segment.recording!r} has segments on the channels {first.channel!r} and "
                f"{segment.channel!r}; channels are mixed into one when read: make a file of each"
            )


def check_keys(segments: Sequence[Segment], failure: type[GigasttError]) -> None:
    """Raise a `failure` where two segments have one key."""
    first: dict[str, Segment] = {}
    for segment in segments:
        there = first.setdefault(segment.key, segment)
        if there is not segment:
            raise failure(
                f"{segment.where}: the id {segment.key!r} was in {there.where} already; keep one of them"
            )


def opened(
    path: Path,
    files: Sequence[Path],
    segments: Sequence[Segment],
    find: Callable[[Segment], Path | None],
    *,
    split: str | None = None,
) -> Opened:
    """Dataset of segments; its revision: a SHA-256 of the corpus files, and a digest of the audio's sizes.

    Args:
        path: Path of the corpus, for messages.
        files: Files that the segments were read from.
        segments: Segments in their order.
        find: Function that gives the audio file of a segment; None where it is not there.
        split: Split that was opened.

    Raises:
        DatasetError: two segments with one key, a recording with segments on several channels, or not one
            audio file that is there.
    """
    check_keys(segments, DatasetError)
    check_channels(segments, DatasetError)
    found: dict[tuple[str, str | None], Path | None] = {}
    for segment in segments:
        audio_key = (segment.recording, segment.audio)
        if audio_key not in found:
            found[audio_key] = find(segment)
    if not segments:
        raise DatasetError(f"{str(path)!r} holds no utterance")
    if not any(found.values()):
        first = segments[0].audio or segments[0].recording
        raise DatasetError(
            f"{str(path)!r}: not one of its {len(found)} recordings is there; the first one is {first!r}. "
            "Relative paths are relative to the file that names them; what is named without a path is looked "
            "for beside that file, in the folders there, and in folders called wav or audio next to its own"
        )
    rows = [
        _row(number, segment, found[segment.recording, segment.audio])
        for number, segment in enumerate(segments)
    ]
    return Opened(RowList(rows), f"{_sha256(files)}, audio {digest_of_sizes(rows)}", split)


def _row(number: int, segment: Segment, file: Path | None) -> Row:
    whole = segment.start_s is None
    audio = file if whole or file is None else Piece(file, segment.start_s or 0.0, segment.end_s)
    duration_s = segment.duration_s
    if segment.start_s is not None and segment.end_s is not None:
        duration_s = segment.end_s - segment.start_s
    return Row(
        number,
        segment.key,
        audio,
        segment.text,
        segment.audio or (file.name if file is not None else segment.recording),
        segment.speaker,
        segment.session or (None if whole else segment.recording),
        duration_s,
        segment.metadata,
    )


def _sha256(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
