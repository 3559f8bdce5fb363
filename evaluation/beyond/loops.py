"""Repetition loops: a recogniser that says a word or a phrase over and over, which the reference does not.

A loop is a phrase of one to four words that the hypothesis has three times in a row or more, and more than
twice as often in a row as the reference has it: `да да да` said and heard is none, nor is one word too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.beyond.pooled import share
from evaluation.scoring.scores import Score

LONGEST_PHRASE = 4
"""Words of the longest phrase that is looked for."""

LEAST_TIMES = 3
"""Times in a row from which a phrase is a loop."""

_COLUMNS = ["id", "phrase", "n_times", "n_in_reference", "n_words"]


class Repeat(NamedTuple):
    """Phrase that stands several times in a row.

    Attributes:
        phrase: Words of the phrase.
        n_times: Times in a row.
        start: Index of its first word.
    """

    phrase: tuple[str, ...]
    n_times: int
    start: int


def repeats(words: Sequence[str]) -> list[Repeat]:
    """Phrases that stand three times in a row or more, from left to right, the shortest phrase first.

    >>> repeats("и вот и вот и вот и всё всё всё".split())
    [Repeat(phrase=('и', 'вот'), n_times=3, start=0), Repeat(phrase=('всё',), n_times=3, start=7)]
    """
    if len(words) - len(set(words)) < LEAST_TIMES - 1:  # each word of a phrase comes again twice
        return []
    found: list[Repeat] = []
    start = 0
    while start < len(words):
        repeat = _at(words, start)
        if repeat is None:
            start += 1
        else:
            found.append(repeat)
            start += len(repeat.phrase) * repeat.n_times
    return found


def loops(one: Score) -> pd.DataFrame:
    """Loops, the longest first, then in the file's order.

    Returns:
        One row per loop: `id`, `phrase`, `n_times`, `n_in_reference` (times in a row there; 0 for none), and
        `n_words`, words of the hypothesis beyond those that the reference accounts for.
    """
    table = one.utterances
    rows = []
    for name, reference, hypothesis in zip(
        table.index, table["normalized_reference"], table["normalized_hypothesis"], strict=True
    ):
        for repeat in repeats(hypothesis.split()):
            n_said = _times_in_a_row(reference.split(), repeat.phrase)
            if repeat.n_times > 2 * n_said:
                more = (repeat.n_times - n_said) * len(repeat.phrase)
                rows.append((name, " ".join(repeat.phrase), repeat.n_times, n_said, more))
    found = pd.DataFrame(rows, columns=_COLUMNS)
    return found.sort_values("n_words", ascending=False, kind="stable", ignore_index=True)


def looping(one: Score, found: pd.DataFrame | None = None) -> pd.DataFrame:
    """Share of the utterances that loop, with its interval.

    Args:
        one: Score of the system.
        found: Its `loops`, where they are at hand.

    Returns:
        Table of one row, indexed "loops": `n_utterances` with a loop, `n_loops`, `share` of all utterances
        with `share_low`, `share_high`, and `n_words` in loops beyond those of the references.
    """
    found = loops(one) if found is None else found
    with_one = one.utterances.index.isin(found["id"]).astype(np.int64)
    row: dict[str, float] = {"n_utterances": int(with_one.sum()), "n_loops": len(found)}
    row |= share(with_one, np.ones_like(with_one), one).cells("share")
    row["n_words"] = int(found["n_words"].sum())
    return pd.DataFrame([row], index=pd.Index(["loops"], name="what", dtype=object))


def _at(words: Sequence[str], start: int) -> Repeat | None:
    """Shortest phrase that begins here and stands three times in a row or more."""
    for length in range(1, LONGEST_PHRASE + 1):
        phrase = tuple(words[start : start + length])
        n_times = 1
        while tuple(words[start + n_times * length : start + (n_times + 1) * length]) == phrase:
            n_times += 1
        if n_times >= LEAST_TIMES:
            return Repeat(phrase, n_times, start)
    return None


def _times_in_a_row(words: Sequence[str], phrase: tuple[str, ...]) -> int:
    """Most times in a row that a text has a phrase."""
    length, most, start = len(phrase), 0, 0
    while start <= len(words) - length:
        n_times = 0
        while tuple(words[start + n_times * length : start + (n_times + 1) * length]) == phrase:
            n_times += 1
        most = max(most, n_times)
        # Nothing begins inside a run of a phrase that is no repetition itself; only at its last one.
        start += max(1, (n_times - 1) * length)
    return most
