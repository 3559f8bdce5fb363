"""NIST's time marked conversations (CTM): ``file channel begin duration word [confidence]``, a word a line.

Lines that begin with ``;;`` are comments. Of alternatives (``<ALT_BEGIN>``, ``<ALT>``, ``<ALT_END>``) the
first is read. ``<eps>``, which Kaldi writes for silence, is no word.

Source: NIST SCTK, `doc/infmts.htm`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from evaluation.datasets.corpora.fields import Place, fields_of, lines_of, seconds_in
from evaluation.datasets.corpora.recordings import Beside
from evaluation.datasets.corpora.segments import Segment, TimedWord, opened
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

NO_WORDS: Final = frozenset({"<eps>", "@"})
_N_FIELDS: Final = 5
_ALTERNATIVES: Final = frozenset({"<ALT_BEGIN>", "<ALT>", "<ALT_END>"})


def read_ctm(path: Path, failure: type[GigasttError] = DatasetError) -> list[TimedWord]:
    """Words of a CTM file, in its order.

    Raises:
        GigasttError: a `failure`: a line that is no word, by its number.
    """
    return [_word(where, fields, failure) for where, fields in _first_alternatives(path, failure)]


def recognises(path: Path) -> bool:
    """True of a CTM file."""
    return path.suffix.lower() == ".ctm" and path.is_file()


def open_ctm(path: Path, wanted: Wanted) -> Opened:
    """The CTM file as a dataset: whole recordings, the reference of each its words; audio looked for beside.

    Raises:
        DatasetError: as `read_ctm` does, or as `corpora.segments.opened`.
    """
    beside = Beside(path)
    segments = whole_recordings(read_ctm(path), str(path))
    return opened(path, [path], segments, lambda segment: beside.find(segment.recording))


def whole_recordings(words: Sequence[TimedWord], where: str) -> list[Segment]:
    """Recordings of words, in the order of their first words; a segment for each channel."""
    by_recording: dict[tuple[str, str | None], list[TimedWord]] = {}
    for word in words:
        by_recording.setdefault((word.recording, word.channel), []).append(word)
    n_channels = Counter(recording for recording, _ in by_recording)
    segments = []
    for (recording, channel), found in by_recording.items():
        text = " ".join(word.text for word in sorted(found, key=lambda word: word.start_s))
        key = recording if n_channels[recording] == 1 else f"{recording}-{channel}"
        segments.append(Segment(key=key, recording=recording, channel=channel, text=text, where=where))
    return segments


def _first_alternatives(path: Path, failure: type[GigasttError]) -> Iterator[tuple[Place, list[str]]]:
    """Lines of words; of alternatives, those of the first."""
    in_other = False
    for where, line in lines_of(path, failure):
        fields = fields_of(line)
        if len(fields) < _N_FIELDS:
            raise failure(
                f"{where}: {len(fields)} fields; a word is file, channel, begin, duration, the word, and "
                "perhaps its confidence"
            )
        word = fields[4]
        if word[0] == "<" and (mark := word.upper()) in _ALTERNATIVES:
            in_other = mark == "<ALT>"
        elif not in_other and word not in NO_WORDS:
            yield where, fields


def _word(where: Place, fields: list[str], failure: type[GigasttError]) -> TimedWord:
    recording, channel, begin, duration, text, *more = fields
    start_s = seconds_in(begin, "begin", where, failure)
    return TimedWord(
        recording=recording,
        channel=channel,
        text=text,
        start_s=start_s,
        end_s=start_s + seconds_in(duration, "duration", where, failure),
        confidence=_confidence(more[0] if more else "NA", where, failure),
    )


def _confidence(text: str, where: Place, failure: type[GigasttError]) -> float | None:
    if text.upper() in {"NA", "-", "NULL"}:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise failure(f"{where}: the confidence {text!r} is no number; NA stands for none")
    return value
