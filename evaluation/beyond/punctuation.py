"""Punctuation, capitals and names, through the words: a wrong word costs no mark, a wrong mark no word.

Both texts are split into words as the profile `verbatim` has them, and aligned. The place between two
neighbouring words of the reference is *judged* where both answer to neighbouring words of the hypothesis,
equal or substituted; so are the places before the end where the last words answer to each other. There a
mark is found, missing, or a false alarm. Beside a word that was left out or put in, nobody can say which
place is meant: those marks are counted, as not judged, and cost nothing. Case is judged on equal words.

Only references that are written with marks (or capitals) are judged, and only where at least a tenth of
the references are: a text without any is a transcript of another kind, not one whose marks are all wrong.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from evaluation.beyond.judged_writing import Writing, judged_writing
from evaluation.beyond.pooled import IntArray, share
from evaluation.beyond.retrieval import retrieval
from evaluation.beyond.written import MARKS
from evaluation.scoring.scores import Score

__all__ = ["ALL", "INSIDE", "Writing", "case_errors", "names", "punctuation", "writing"]

ALL: Final = "all"
INSIDE: Final = "inside sentences"


def writing(one: Score) -> Writing:
    """Writing of the references of a score: whether they have marks and capitals to be judged by."""
    return judged_writing(one).writing


def punctuation(one: Score) -> pd.DataFrame:
    """Recall, precision and F1 of each mark and of all; empty where the references have no punctuation.

    Returns:
        Table indexed by the name of the mark, those that occur in the order of `written.MARKS`, `ALL` last:
        columns as of `retrieval.retrieval`, all of judged places, and `n_not_judged`, marks of the reference
        beside a word that was left out or put in.
    """
    if not writing(one).has_punctuation:
        return pd.DataFrame()
    counts = judged_writing(one).marks
    rows = {
        MARKS[mark]: _mark_row(counts[:, number], one)
        for number, mark in enumerate(MARKS)
        if counts[:, number].any()
    }
    rows[ALL] = _mark_row(counts.sum(axis=1), one)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("mark")


def case_errors(one: Score) -> pd.DataFrame:
    """Case error rate, and recall and precision of capitals; empty where the references have no capitals.

    The case error rate is the share of equal words (such as have letters) that are not written in the same
    case: lower, first letter capital, all capitals, mixed. Recall, precision and F1 are those of words that
    begin with a capital.

    Returns:
        Table of two rows, `ALL` words and those `INSIDE` sentences, which neither begin the utterance nor
        follow a mark that ends a sentence in the reference: `n_words` (equal words judged), `n_wrong`,
        `rate` with `rate_low`, `rate_high`, and the columns of `retrieval.retrieval` about capitals.
    """
    if not writing(one).has_case:
        return pd.DataFrame()
    counts = judged_writing(one).cases
    rows = {}
    for place, part in ((ALL, counts), (INSIDE, counts[:, 1:])):
        n_words, n_wrong, found, ours, theirs = part.sum(axis=1).T
        cells: dict[str, float] = {"n_words": int(n_words.sum()), "n_wrong": int(n_wrong.sum())}
        rows[place] = cells | share(n_wrong, n_words, one).cells("rate") | retrieval(found, ours, theirs, one)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("words")


def names(one: Score) -> pd.DataFrame:
    """Error rate of names, as far as their capitals give them away; empty where there are no capitals.

    A name is a word of the reference with a capital inside a sentence: `Культура`, `СССР`. A word that
    begins a sentence may be one or not, and is in neither row. Wrong is a word that is substituted or
    deleted under the profile `verbatim`, whatever its case; insertions belong to no word.

    Returns:
        Table of two rows, "names" and "other words": `n_words`, `n_wrong`, `rate` with `rate_low`,
        `rate_high`.
    """
    if not writing(one).has_case:
        return pd.DataFrame()
    rows = {}
    for number, what in enumerate(("names", "other words")):
        n_words, n_wrong = judged_writing(one).names[:, number].T
        cells: dict[str, float] = {"n_words": int(n_words.sum()), "n_wrong": int(n_wrong.sum())}
        rows[what] = cells | share(n_wrong, n_words, one).cells("rate")
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("words")


def _mark_row(counts: IntArray, one: Score) -> dict[str, float]:
    found, ours, theirs, not_judged = counts.T
    return retrieval(found, ours, theirs, one) | {"n_not_judged": int(not_judged.sum())}
