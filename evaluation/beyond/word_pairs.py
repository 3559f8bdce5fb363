"""Words of records beside the words of a timed reference: which are the same, and how far their times differ.

A word of a system and a word of the reference are a pair where the alignment with the fewest edits has them
equal, both normalised. Words that are one on one side and several on the other (`75`, `семьдесят пять`) are
a pair too: from the begin of the first to the end of the last. Of a word that is said twice and recognised
once, the alignment may take the other one; such a pair shows as an error of a second or so.

Times of records count from their utterance's begin, those of the reference from the recording's: where an
utterance is a piece, the second at which it begins (`Record.audio_start_s`) lies between them, and it has the
reference's words whose middle lies in it. Where the reference names utterances, not recordings, both are the
same.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluation.beyond.wordwise import spans
from evaluation.datasets.corpora.segments import TimedWord
from evaluation.records.assigning import bare_name
from evaluation.records.files import Record, RecordFile
from evaluation.scoring.options import Options
from evaluation.scoring.texts import normalized


@dataclass
class Pairs:
    """Pairs of words of a record file.

    Attributes:
        utterance: Number of each pair's record.
        starts, ends: Seconds by which the system's begin and end lie later than the reference's.
        n_reference: Words of the reference in the utterances that it knows.
        n_hypothesis: Words of the system there.
        unknown: Ids of records whose recording the reference does not have.
        untimed: Ids of records that the reference knows, with a text and no word times.
    """

    utterance: list[int] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    n_reference: int = 0
    n_hypothesis: int = 0
    unknown: list[str] = field(default_factory=list)
    untimed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Tokens:
    """Normalised words, and the number of the word that each comes from."""

    texts: list[str]
    owners: list[int]

    def begins(self, index: int) -> bool:
        """True where a word begins at a token, or all have ended."""
        return index in (0, len(self.owners)) or self.owners[index] != self.owners[index - 1]


def pairs_of(file: RecordFile, reference: Mapping[str, Sequence[TimedWord]], options: Options) -> Pairs:
    """Pairs of all records.

    Args:
        file: Record file, with words.
        reference: Words with times, in order, by recording or utterance.
        options: Options of the score: profile and version of the normaliser.
    """
    result = Pairs()
    prefix = f"{file.header.dataset.get('name', '')}/"
    known = _Reference(reference)
    for number, record in enumerate(file.records):
        found = known.of(record, prefix)
        if found is None:
            result.unknown.append(record.id)
            continue
        words, offset_s = found
        result.n_reference += len(words)
        result.n_hypothesis += len(record.words)
        if not record.words and record.hypothesis:
            result.untimed.append(record.id)
        for late_start_s, late_end_s in _pairs(words, record, offset_s, options):
            result.utterance.append(number)
            result.starts.append(late_start_s)
            result.ends.append(late_end_s)
    return result


class _Reference:
    """Words of a timed reference, by recording or utterance, found by time."""

    def __init__(self, reference: Mapping[str, Sequence[TimedWord]]) -> None:
        self._words = reference
        self._names = {bare_name(name): name for name in reference} | {name: name for name in reference}
        self._middles: dict[str, list[float]] = {}

    def of(self, record: Record, prefix: str) -> tuple[Sequence[TimedWord], float] | None:
        """Words of a record's utterance, and the second of theirs at which it begins; None: not known."""
        key = record.id.removeprefix(prefix)
        begin_s = record.audio_start_s
        if begin_s is None:
            names = [record.audio and bare_name(record.audio), key, record.id, bare_name(key)]
        elif key in self._words or record.id in self._words:
            return self._words.get(key, self._words.get(record.id, ())), 0.0  # a piece by its own name
        else:
            names = [record.audio and bare_name(record.audio), record.session, key, bare_name(key)]
        name = next((self._names[each] for each in names if each and each in self._names), None)
        if name is None:
            return None
        if begin_s is None:
            return self._words[name], 0.0
        return self._inside(name, begin_s, record.audio_s), begin_s

    def _inside(self, name: str, begin_s: float, duration_s: float | None) -> Sequence[TimedWord]:
        """Words of a recording whose middle lies in a piece."""
        words = self._words[name]
        if name not in self._middles:
            self._middles[name] = [(word.start_s + word.end_s) / 2 for word in words]
        middles = self._middles[name]
        end_s = math.inf if duration_s is None else begin_s + duration_s
        # Words are in order of their begins; one inside another, which no speaker says, may be missed.
        return words[bisect_left(middles, begin_s) : bisect_left(middles, end_s)]


def _pairs(
    words: Sequence[TimedWord], record: Record, offset_s: float, options: Options
) -> list[tuple[float, float]]:
    """Seconds by which begin and end of each pair lie later in the record."""
    ref = _tokens([word.text for word in words], options)
    hyp = _tokens([text for text, *_ in record.words], options)
    found = []
    for ref_first, hyp_first, n in _groups(ref, hyp):
        first, last = words[ref.owners[ref_first]], words[ref.owners[ref_first + n - 1]]
        heard_first, heard_last = (
            record.words[hyp.owners[hyp_first]],
            record.words[hyp.owners[hyp_first + n - 1]],
        )
        late_start_s = heard_first[1] + offset_s - first.start_s
        found.append((late_start_s, heard_last[2] + offset_s - last.end_s))
    return found


def _tokens(texts: Sequence[str], options: Options) -> _Tokens:
    tokens: list[str] = []
    owners: list[int] = []
    for number, text in enumerate(texts):
        parts = normalized(text, options.profile, options.normalizer).split()
        tokens += parts
        owners += [number] * len(parts)
    return _Tokens(tokens, owners)


def _groups(ref: _Tokens, hyp: _Tokens) -> list[tuple[int, int, int]]:
    """First tokens of both sides, and number of tokens, of each group of equal tokens that is whole words."""
    groups = []
    for span in spans(ref.texts, hyp.texts):
        if span.kind != "equal":
            continue
        shift, first = span.hyp_start - span.ref_start, None
        for index in range(span.ref_start, span.ref_end + 1):
            if ref.begins(index) and hyp.begins(index + shift):
                if first is not None:
                    groups.append((first, first + shift, index - first))
                first = index
    return groups
