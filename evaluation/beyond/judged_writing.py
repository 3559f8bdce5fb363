"""Marks and capitals of each utterance, counted through aligned words; `punctuation` makes rates of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from evaluation.beyond.pooled import IntArray
from evaluation.beyond.wordwise import counterparts, spans
from evaluation.beyond.written import CAPITAL, CAPITALS, CASELESS, ENDS, LOWER, MARKS, Written, written
from evaluation.scoring.scores import Score

_LEAST_SHARE: Final = 0.1
_NUMBER_OF: Final = {mark: number for number, mark in enumerate(MARKS)}
_WITHOUT_CAPITALS: Final = frozenset((LOWER, CASELESS))
_CAPITALISED: Final = frozenset((CAPITAL, CAPITALS))
_FOUND, _IN_REFERENCE, _IN_HYPOTHESIS, _NOT_JUDGED = range(4)


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Writing of the references: how many have marks, how many capitals.

    Attributes:
        n_utterances: Number of references with a word.
        n_punctuated: Number of those with a mark after a word.
        n_capitalised: Number of those with a capital letter.
    """

    n_utterances: int
    n_punctuated: int
    n_capitalised: int

    @property
    def has_punctuation(self) -> bool:
        """True if enough references have marks to be judged by."""
        return self.n_punctuated > 0 and self.n_punctuated >= _LEAST_SHARE * self.n_utterances

    @property
    def has_case(self) -> bool:
        """True if enough references have capitals to be judged by."""
        return self.n_capitalised > 0 and self.n_capitalised >= _LEAST_SHARE * self.n_utterances

    def sentences(self) -> list[str]:
        """Sentences on what the references lack, and how many are judged.

        >>> Writing(n_utterances=400, n_punctuated=0, n_capitalised=3).sentences()
        ['The references have no punctuation: 0 of 400 have a mark.', 'The references have no capitals: 3 of 400 have one.']
        """  # noqa: E501  a table that doctest compares
        n = self.n_utterances
        return [
            f"Marks are judged on the {self.n_punctuated} of {n} references that have one."
            if self.has_punctuation
            else f"The references have no punctuation: {self.n_punctuated} of {n} have a mark.",
            f"Capitals are judged on the {self.n_capitalised} of {n} references that have one."
            if self.has_case
            else f"The references have no capitals: {self.n_capitalised} of {n} have one.",
        ]


@dataclass(frozen=True, eq=False)
class JudgedWriting:
    """Marks and capitals of a score, counted in one pass over its texts.

    Attributes:
        writing: Writing of the references.
        marks: Counts by utterance, mark, and found, in reference, in hypothesis, not judged.
            Shape (n_utterances, n_marks, 4).
        cases: Counts by utterance, at the beginning of a sentence or inside, and words, wrong ones, capitals
            found, in reference, in hypothesis. Shape (n_utterances, 2, 5).
        names: Counts by utterance, capitalised inside a sentence or not, and words, wrong ones.
            Shape (n_utterances, 2, 2).
    """

    writing: Writing
    marks: IntArray
    cases: IntArray
    names: IntArray


_known: WeakKeyDictionary[Score, JudgedWriting] = WeakKeyDictionary()


def judged_writing(one: Score) -> JudgedWriting:
    """Marks and capitals of a score, counted once; the rule stands in `punctuation`."""
    if one not in _known:
        _known[one] = _counted(one.utterances)
    return _known[one]


def _counted(table: pd.DataFrame) -> JudgedWriting:
    n, n_words, n_punctuated, n_capitalised = len(table), 0, 0, 0
    marks: list[int] = []  # events as flat indices, which numpy counts at once
    capitalised: list[int] = []  # rows, and what is counted in each
    cases: list[list[int]] = []
    for row, (reference, hypothesis) in enumerate(zip(table["reference"], table["hypothesis"], strict=True)):
        ref = written(reference)
        has_mark = any(each.marks for each in ref)
        has_capital = not all(each.case in _WITHOUT_CAPITALS for each in ref)
        n_words += bool(ref)
        n_punctuated += has_mark
        n_capitalised += has_capital
        if has_mark or has_capital:
            hyp = written(hypothesis) if isinstance(hypothesis, str) else ()
            places = _answers(ref, hyp)
            if has_mark:
                marks += _mark_events(row, ref, hyp, places)
            if has_capital:
                capitalised.append(row)
                cases.append(_case_counts(ref, hyp, places))
    counted = np.zeros((n, 14), np.int64)
    counted[capitalised] = np.array(cases, np.int64).reshape(-1, 14)
    return JudgedWriting(
        Writing(n_utterances=n_words, n_punctuated=n_punctuated, n_capitalised=n_capitalised),
        np.bincount(np.array(marks, np.int64), minlength=n * len(MARKS) * 4).reshape(n, len(MARKS), 4),
        counted[:, :10].reshape(n, 2, 5),
        counted[:, 10:].reshape(n, 2, 2),
    )


def _answers(ref: Sequence[Written], hyp: Sequence[Written]) -> list[int]:
    """Index in the hypothesis of each word of the reference, -1 where deleted."""
    said, heard = [each.word for each in ref], [each.word for each in hyp]
    return list(range(len(ref))) if said == heard else counterparts(spans(said, heard), len(ref))


def _mark_events(
    row: int, ref: Sequence[Written], hyp: Sequence[Written], places: Sequence[int]
) -> list[int]:
    """Counted events of the marks of an utterance, as flat indices of `JudgedWriting.marks`."""
    events: list[int] = []
    after = [*places[1:], len(hyp)]  # the ends answer to each other
    for each, place, follower in zip(ref, places, after, strict=True):
        judged = place >= 0 and follower == place + 1
        ours, theirs = each.marks, hyp[place].marks if judged else ""
        if not ours and not theirs:
            continue
        for mark in ours if ours == theirs else dict.fromkeys(ours + theirs):
            base = (row * len(MARKS) + _NUMBER_OF[mark]) * 4
            if not judged:
                events.append(base + _NOT_JUDGED)
                continue
            kinds = (_IN_REFERENCE, _IN_HYPOTHESIS)
            there = [base + kind for kind, side in zip(kinds, (ours, theirs), strict=True) if mark in side]
            events += there if len(there) == 1 else [*there, base + _FOUND]
    return events


def _case_counts(ref: Sequence[Written], hyp: Sequence[Written], places: Sequence[int]) -> list[int]:
    """Counts of an utterance: ten of `JudgedWriting.cases`, then four of `JudgedWriting.names`."""
    counts = [0] * 14
    inside = 0
    for each, place in zip(ref, places, strict=True):
        equal = place >= 0 and hyp[place].word == each.word
        is_inside, case = inside, each.case
        inside = int(not each.marks or ENDS.isdisjoint(each.marks))
        if case == CASELESS:
            continue
        if is_inside:
            name = 10 if case != LOWER else 12
            counts[name] += 1
            counts[name + 1] += not equal
        if equal:
            base, heard = 5 * is_inside, hyp[place].case
            counts[base] += 1
            if case or heard:  # else both are lower
                ours, theirs = case in _CAPITALISED, heard in _CAPITALISED
                counts[base + 1] += case != heard
                counts[base + 2] += ours and theirs
                counts[base + 3] += ours
                counts[base + 4] += theirs
    return counts
