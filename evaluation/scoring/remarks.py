"""Remarks beside a score, for people: how texts were compared, what failed, what the dataset left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.scoring.joined_words import compounds_remark
from evaluation.show.display import counted, decimal

if TYPE_CHECKING:
    from evaluation.scoring.scores import Score


def remarks(one: Score) -> list[str]:
    """Sentences on the normaliser, the failures and the exclusions of a score."""
    level = decimal(100 * one.options.level, 2).removesuffix("0").removesuffix(".0")
    how = f"Normaliser {one.normalizer}, profile {one.options.profile}{compounds_remark(one)}"
    found = [f"{how}; intervals of {level} %."]
    n_failed = len(one.failures)
    if n_failed:
        counts = "counts" if n_failed == 1 else "count"
        found.append(f"{counted(n_failed, 'utterance')} failed, and {counts} as all words deleted.")
    end = one.file.end
    if end is None:
        found.append("The run did not come to its end: some utterances are missing.")
    left_out = Counter(
        str(finding["reason"]) for finding in (end.findings if end else ()) if finding["excluded"]
    )
    if left_out:
        told = ", ".join(f"{counted(n, 'row')} ({reason})" for reason, n in left_out.items())
        found.append(f"Left out: {told}.")
    return found


def worst(one: Score, n: int) -> pd.DataFrame:
    """The utterances with the most word errors, the shorter first among equals; see `Score.worst`."""
    columns = {
        "normalized_reference": "reference",
        "normalized_hypothesis": "hypothesis",
        "errors": "errors",
        "n_words": "n_words",
        "failed": "failed",
    }
    wrong = one.utterances.loc[one.utterances["errors"] > 0, list(columns)].rename(columns=columns)
    return wrong.sort_values(["errors", "n_words"], ascending=[False, True], kind="stable").head(n)
