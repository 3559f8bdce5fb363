"""MAPSSWE, the matched-pairs test of NIST: do two systems' word errors differ by more than chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evaluation.scoring.metrics import Chunk

# Words in a row that both systems have right between two segments; the default of sc_stats.
_MIN_GOOD_WORDS = 2
MIN_SEGMENTS: Final = 50
"""Fewer segments give no p-value: the statistic is normal only in the long run."""


@dataclass(frozen=True)
class Mapsswe:
    """Result of a matched-pairs sentence-segment word error test.

    Attributes:
        n_segments: Number of stretches of speech in which either system erred.
        mean_difference: Errors of A minus errors of B in a segment, on average.
        z: The statistic, standard normal if neither system is better; NaN where it is not defined.
        p_value: Chance of a |z| so large or larger if neither is better (two-sided); NaN where z is.
    """

    n_segments: int
    mean_difference: float
    z: float
    p_value: float

    def objection(self, n_blocks: int | None) -> str | None:
        """Condition that the test does not meet, so that its p-value says nothing; None where it meets all.

        Args:
            n_blocks: Number of speakers or sessions that the segments come from; None where not known.
        """
        if self.n_segments < MIN_SEGMENTS:
            return f"it needs {MIN_SEGMENTS} segments or more"
        if n_blocks is not None:
            return f"it takes segments as independent, and these come from {n_blocks} speakers or sessions"
        return None


def mapsswe(alignments_a: Sequence[Sequence[Chunk]], alignments_b: Sequence[Sequence[Chunk]]) -> Mapsswe:
    """MAPSSWE test of two systems: do they differ by more than chance, segment by segment?

    Utterances are cut into segments that hold every error of either system, parted by two or more words in
    a row that both have right, so that an error does not reach into the next segment. With Z the errors of
    A minus those of B in a segment, z = mean(Z) / sqrt(var(Z) / n), var over n - 1, is taken as standard
    normal, and p = erfc(|z| / sqrt(2)). That needs some fifty segments to be true.

    Without an error there is nothing to tell apart: z is 0 and p is 1; so where both systems err equally
    often in every segment. z is NaN with a single segment, and where all differ by the same amount.

    Args:
        alignments_a: Alignment of system A for each utterance, from `metrics.alignment`.
        alignments_b: Alignment of system B for the same utterances with the same references.

    Raises:
        ValueError: not the same utterances.

    Source: L. Gillick, S. Cox, "Some statistical issues in the comparison of speech recognition algorithms",
    ICASSP 1989; segments as in SCTK's sc_stats, https://github.com/usnistgov/SCTK src/sclite/mtchprs.c,
    test_comp_sents with min_good 2. Where sc_stats overlooks an insertion of the second system after the last
    reference word, and calls z 0 where all segments differ alike, this does not.
    """
    if len(alignments_a) != len(alignments_b):
        raise ValueError(
            f"{len(alignments_a)} alignments of A and {len(alignments_b)} of B; "
            "give both for the same utterances"
        )
    differences = [
        errors_a - errors_b
        for a, b in zip(alignments_a, alignments_b, strict=True)
        for errors_a, errors_b in _segments(a, b)
    ]
    n_segments = len(differences)
    if not any(differences):
        return Mapsswe(n_segments, 0.0, 0.0, 1.0)
    mean = sum(differences) / n_segments
    if len(set(differences)) == 1:
        return Mapsswe(n_segments, mean, math.nan, math.nan)
    z = mean / (float(np.std(differences, ddof=1)) / math.sqrt(n_segments))
    return Mapsswe(n_segments, mean, z, math.erfc(abs(z) / math.sqrt(2)))


def _segments(chunks_a: Sequence[Chunk], chunks_b: Sequence[Chunk]) -> list[tuple[int, int]]:
    """Errors of A and of B in each segment of one utterance."""
    words_a, insertions_a = _errors_by_place(chunks_a)
    words_b, insertions_b = _errors_by_place(chunks_b)
    if len(words_a) != len(words_b):
        raise ValueError(
            f"an utterance with {len(words_a)} reference words for A and {len(words_b)} for B; "
            "align both systems to the same reference"
        )
    # What may go wrong, in order of time: insertions before a word, the word, and so on to insertions at
    # the end; and how many words that is.
    places = [(insertions_a[0], insertions_b[0], 0)]
    for index in range(len(words_a)):
        places.append((words_a[index], words_b[index], 1))
        places.append((insertions_a[index + 1], insertions_b[index + 1], 0))
    segments: list[tuple[int, int]] = []
    n_good = _MIN_GOOD_WORDS  # so many, or the utterance's beginning: the next error opens a segment
    for errors_a, errors_b, n_words in places:
        if not errors_a and not errors_b:
            n_good += n_words
            continue
        if n_good >= _MIN_GOOD_WORDS:
            segments.append((0, 0))
        segments[-1] = (segments[-1][0] + errors_a, segments[-1][1] + errors_b)
        n_good = 0
    return segments


def _errors_by_place(chunks: Sequence[Chunk]) -> tuple[list[int], list[int]]:
    """Errors of each reference word, 0 or 1; and insertions at each place before, between and after."""
    n_words = sum(len(chunk.reference) for chunk in chunks)
    words, insertions = [0] * n_words, [0] * (n_words + 1)
    for chunk in chunks:
        if chunk.kind == "insert":
            insertions[chunk.start] += len(chunk.hypothesis)
        elif chunk.kind != "equal":
            for index in range(chunk.start, chunk.start + len(chunk.reference)):
                words[index] = 1
    return words, insertions
