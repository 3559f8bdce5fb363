"""Error rates of texts against their references: jiwer's alignment, edit counts, pooled WER, CER and SER.

Texts come normalised (`evaluation.normalize`): words are what whitespace separates, characters are all of the
text but whitespace at its ends. A space between words is a character too, as jiwer counts it: splitting or
joining a word costs one character.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import jiwer
from rapidfuzz.distance import Levenshtein

from evaluation.scoring.compounds import Edit, edits_with_joins

ChunkKind = Literal["equal", "substitute", "delete", "insert"]


@dataclass(frozen=True)
class Counts:
    """Edit counts: the fewest edits that turn a reference into a hypothesis; sums of them pool utterances.

    >>> Counts(hits=2, substitutions=1) + Counts(deletions=1, insertions=1)
    Counts(hits=2, substitutions=1, deletions=1, insertions=1)

    Attributes:
        hits: Units (words, or characters) of the reference that stand in the hypothesis.
        substitutions: Units with another one in their place.
        deletions: Units with nothing in their place.
        insertions: Units of the hypothesis with nothing in the reference to answer to.
    """

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        """S + D + I, the edit distance."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def n_reference(self) -> int:
        """Units of the reference: H + S + D."""
        return self.hits + self.substitutions + self.deletions

    @property
    def n_hypothesis(self) -> int:
        """Units of the hypothesis: H + S + I."""
        return self.hits + self.substitutions + self.insertions

    @property
    def rate(self) -> float:
        """(S + D + I) / (H + S + D), which insertions may take above 1.

        NaN without a reference unit: no rate can be given for it, be there insertions or not. (jiwer gives
        the number of insertions there.) In a sum its insertions count like all others.
        """
        return self.errors / self.n_reference if self.n_reference else math.nan

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


@dataclass(frozen=True)
class Chunk:
    """Chunk of an alignment: a run of words with one kind of edit.

    Attributes:
        kind: Kind of the edit, or "equal".
        reference: The reference's words; none where `kind` is "insert".
        hypothesis: The hypothesis' words; none where `kind` is "delete", else as many as in `reference`,
            or, of an insertion, as many as were inserted.
        start: Index of the first word in the reference; of an insertion, of the word that follows it.
    """

    kind: ChunkKind
    reference: tuple[str, ...]
    hypothesis: tuple[str, ...]
    start: int


@dataclass(frozen=True)
class ErrorRates:
    """Error rates of a set of utterances, pooled from its counts.

    Attributes:
        words: Word counts of each utterance, in the order given.
        characters: Character counts of each utterance, in the same order.
    """

    words: tuple[Counts, ...]
    characters: tuple[Counts, ...]

    @property
    def wer(self) -> float:
        """Word error rate: all errors of the set over all its reference words; NaN without one."""
        return pooled(self.words).rate

    @property
    def cer(self) -> float:
        """Character error rate: all errors of the set over all its reference characters; NaN without one."""
        return pooled(self.characters).rate

    @property
    def ser(self) -> float:
        """Sentence error rate: the share of utterances with a wrong word; NaN without utterances."""
        wrong = sum(count.errors > 0 for count in self.words)
        return wrong / len(self.words) if self.words else math.nan


def word_counts(reference: str, hypothesis: str, *, compounds: bool = False) -> Counts:
    """Edit counts of the words of one utterance.

    Args:
        reference: True text, normalised.
        hypothesis: Recognised text, normalised.
        compounds: True where words that only a space parts are no error. Then the words are counted as the
            reference parts them: H + S + D are its words, H + S + I are those of the hypothesis with joined
            words taken apart and parted words joined as in the reference.

    >>> word_counts("алиса включи свет", "алиса включить свет да")
    Counts(hits=2, substitutions=1, deletions=0, insertions=1)
    >>> word_counts("радио пираты на волне", "радиопираты на волне", compounds=True)
    Counts(hits=4, substitutions=0, deletions=0, insertions=0)
    """
    ref, hyp = reference.split(), hypothesis.split()
    edits = edits_with_joins(ref, hyp) if compounds and ref != hyp else None
    if edits is None:
        return _counts(ref, hyp)
    totals = Counter[str]()
    for edit in edits:
        totals[edit.kind] += edit.n_reference or 1
    return Counts(*(totals[kind] for kind in get_args(ChunkKind)))


def char_counts(reference: str, hypothesis: str) -> Counts:
    """Edit counts of the characters of one utterance, the spaces between words among them.

    >>> char_counts("не когда", "некогда")
    Counts(hits=7, substitutions=0, deletions=1, insertions=0)
    """
    return _counts(reference.strip(), hypothesis.strip())


def pooled(counts: Iterable[Counts]) -> Counts:
    """The sum of the counts; of none, zeros.

    >>> pooled([Counts(hits=1), Counts(hits=8, deletions=1)]).rate  # 1 error in 10 words
    0.1
    """
    rows = [(c.hits, c.substitutions, c.deletions, c.insertions) for c in counts]
    return Counts(*map(sum, zip(*rows, strict=True))) if rows else Counts()


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """Counts and pooled rates of a set of utterances.

    WER = sum of (S + D + I) / sum of reference words, over the whole set: a long utterance weighs more than
    a short one. An utterance with an empty reference adds its insertions to the errors and no word.

    Raises:
        ValueError: not as many hypotheses as references.

    Source: the convention of NIST's sclite and of jiwer, https://github.com/jitsi/jiwer.
    """
    if len(references) != len(hypotheses):
        raise ValueError(
            f"{len(references)} references and {len(hypotheses)} hypotheses; give one hypothesis, empty if "
            "nothing was recognised, for each reference"
        )
    pairs = list(zip(references, hypotheses, strict=True))
    return ErrorRates(
        tuple(word_counts(ref, hyp) for ref, hyp in pairs),
        tuple(char_counts(ref, hyp) for ref, hyp in pairs),
    )


def alignment(reference: str, hypothesis: str, *, compounds: bool = False) -> list[Chunk]:
    """Word alignment of a hypothesis to its reference: the runs of jiwer's alignment, in order.

    Several alignments may have the fewest edits; this one is what `word_counts` counts. It need not be the
    one with the most hits: of `а б в г` heard as `а х г д` the last three are substituted, not deleted and
    inserted around the `г`.

    Args:
        reference: True text, normalised.
        hypothesis: Recognised text, normalised.
        compounds: True where words that only a space parts are equal; they stand as the reference parts them,
            on both sides.

    >>> for chunk in alignment("алиса включи свет на кухне", "алиса включить свет на кухне да"):
    ...     print(chunk.kind, chunk.reference, chunk.hypothesis)
    equal ('алиса',) ('алиса',)
    substitute ('включи',) ('включить',)
    equal ('свет', 'на', 'кухне') ('свет', 'на', 'кухне')
    insert () ('да',)
    """
    ref, hyp = reference.split(), hypothesis.split()
    edits = edits_with_joins(ref, hyp) if compounds and ref != hyp else None
    if edits is not None:
        return _chunks(edits, ref, hyp)
    [chunks] = jiwer.process_words(" ".join(ref), " ".join(hyp)).alignments
    return [
        Chunk(
            cast(ChunkKind, chunk.type),
            tuple(ref[chunk.ref_start_idx : chunk.ref_end_idx]),
            tuple(hyp[chunk.hyp_start_idx : chunk.hyp_end_idx]),
            chunk.ref_start_idx,
        )
        for chunk in chunks
    ]


def _chunks(edits: Iterable[Edit], ref: list[str], hyp: list[str]) -> list[Chunk]:
    """Runs of edits of one kind."""
    chunks: list[Chunk] = []
    ref_at = hyp_at = 0
    for kind, run in itertools.groupby(edits, key=lambda edit: edit.kind):
        start, hyp_start = ref_at, hyp_at
        for edit in run:
            ref_at, hyp_at = ref_at + edit.n_reference, hyp_at + edit.n_hypothesis
        words = tuple(ref[start:ref_at])
        chunks.append(Chunk(kind, words, words if kind == "equal" else tuple(hyp[hyp_start:hyp_at]), start))
    return chunks


def _counts(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    # jiwer takes its opcodes from this very function; what it does around them costs several times as much.
    hits = substitutions = deletions = insertions = 0
    for chunk in Levenshtein.opcodes(reference, hypothesis):
        n_reference = chunk.src_end - chunk.src_start
        if chunk.tag == "equal":
            hits += n_reference
        elif chunk.tag == "replace":
            substitutions += n_reference
        elif chunk.tag == "delete":
            deletions += n_reference
        else:
            insertions += chunk.dest_end - chunk.dest_start
    return Counts(hits, substitutions, deletions, insertions)
