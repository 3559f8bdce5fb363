"""Remarks beside a score, for people: how texts were compared, what failed, what the dataset left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.records.losses import losses_of, losses_text
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
    found += losses_remarks({one.system: one})
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


def losses_remarks(scores: Mapping[str, Score]) -> list[str]:
    """Sentences on utterances that were not heard whole: one where all systems' records tell the same.

    Args:
        scores: Scores by a label of the system, which is named where the others tell something else.
    """
    told = {label: _losses_remark(one) for label, one in scores.items()}
    if len(set(told.values())) == 1:
        return [text for text in set(told.values()) if text]
    return [f"{label}: {text}" for label, text in told.items() if text]


def _losses_remark(one: Score) -> str:
    lossy = [record for record in one.file.records if losses_of(record)]
    if not lossy:
        return ""
    n_words = one.utterances["n_words"]
    n_lossy = int(n_words.loc[[record.id for record in lossy]].sum())
    return f"{losses_text(lossy, len(n_words), n_lossy, int(n_words.sum()))}."


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
