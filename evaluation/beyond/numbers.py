"""Numbers: how many of the reference's are heard right, word for word, and how many are made up.

A number is a run of number words of the normalised text, such as `двадцать один`; digits are number words
once normalised. Numbers side by side are one. It is found where all its words stand in the hypothesis, equal,
and no number word joins them there; else it is deleted where no number word answers to it, or substituted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluation.beyond.pooled import IntArray, share
from evaluation.beyond.retrieval import retrieval
from evaluation.beyond.wordwise import Span, counterparts, spans
from evaluation.normalize.number_words import NUMBER_WORDS
from evaluation.scoring.scores import Score

_FAMILY = "семью"  # where it is a number, the normaliser has made "семь" of it
_POINT = "целая"
_Runs = Sequence[tuple[int, int]]
_WORDS = frozenset(NUMBER_WORDS) - {_FAMILY}


def is_number(word: str) -> bool:
    """True of a word of a number, in digits or not.

    >>> [is_number(word) for word in ("пять", "1986", "свет", "семью")]
    [True, True, False, False]
    """
    return word in _WORDS or word.isdecimal()


def runs(words: Sequence[str]) -> list[tuple[int, int]]:
    """Numbers of a text: first word, and the one after the last; a decimal mark between two joins them.

    >>> runs("ровно в двадцать один ноль ноль за две целая пять".split())
    [(2, 6), (7, 10)]
    """
    if _WORDS.isdisjoint(words) and not any(map(str.isdecimal, words)):
        return []  # most texts have none
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(words):
        last = first
        while last < len(words) and (is_number(words[last]) or _joins(words, first, last)):
            last += 1
        if last > first:
            found.append((first, last))
        first = last + 1
    return found


def _joins(words: Sequence[str], first: int, place: int) -> bool:
    """True of a decimal mark inside the number that begins at `first`."""
    return words[place] == _POINT and place > first and is_number("".join(words[place + 1 : place + 2]))


def numbers(one: Score) -> pd.DataFrame:
    """Numbers that were heard right, with intervals.

    Returns:
        Table of one row, indexed "numbers": the columns of `retrieval.retrieval`; `n_substituted`,
        `n_deleted` (of the reference), `n_made_up` (of the hypothesis, where no number answers), and the
        word error rate of the number words, `word_errors` with its ends: substituted or deleted words of
        the reference's numbers over all of them. Empty where neither side has a number.
    """
    counts = _counts(one)
    found, ours, theirs, substituted, made_up, wrong_words, n_words = counts.T
    if not (ours.any() or theirs.any()):
        return pd.DataFrame()
    row = retrieval(found, ours, theirs, one)
    row |= {
        "n_substituted": int(substituted.sum()),
        "n_deleted": int((ours - found - substituted).sum()),
        "n_made_up": int(made_up.sum()),
    }
    row |= share(wrong_words, n_words, one).cells("word_errors")
    return pd.DataFrame([row], index=pd.Index(["numbers"], name="what", dtype=object))


def _counts(one: Score) -> IntArray:
    """Counts of each utterance. Shape (n_utterances, 7)."""
    table = one.utterances
    counts = np.zeros((len(table), 7), np.int64)
    pairs = zip(table["normalized_reference"], table["normalized_hypothesis"], strict=True)
    for row, (reference, hypothesis) in enumerate(pairs):
        ref, hyp = reference.split(), hypothesis.split()
        ours, theirs = runs(ref), runs(hyp)
        if ours or theirs:
            counts[row] = _of_one(ref, hyp, (ours, theirs), spans(ref, hyp, compounds=one.options.compounds))
    return counts


def _of_one(
    ref: Sequence[str], hyp: Sequence[str], numbers_of: tuple[_Runs, _Runs], aligned: Sequence[Span]
) -> tuple[int, ...]:
    ours, theirs = numbers_of
    places, right = counterparts(aligned, len(ref)), _right(aligned, len(ref))
    heard = set(theirs)
    answered = {place for first, last in ours for place in places[first:last] if place >= 0}
    found = substituted = 0
    for first, last in ours:
        equal = all(right[first:last])
        if equal and (places[first], places[last - 1] + 1) in heard:
            found += 1
        elif equal or any(is_number(hyp[place]) for place in places[first:last] if place >= 0):
            substituted += 1
    made_up = sum(answered.isdisjoint(range(first, last)) for first, last in theirs)
    n_words = sum(last - first for first, last in ours)
    wrong = n_words - sum(sum(right[first:last]) for first, last in ours)
    return found, len(ours), len(theirs), substituted, made_up, wrong, n_words


def _right(aligned: Sequence[Span], n: int) -> list[bool]:
    right = [False] * n
    for span in aligned:
        if span.kind in ("equal", "join"):
            right[span.ref_start : span.ref_end] = [True] * (span.ref_end - span.ref_start)
    return right
