"""Deletion runs: words left out in a row, which a rate counts like as many scattered ones.

A run is what the alignment has deleted without a word between. An utterance that failed has no hypothesis
and is no run: it is counted apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.beyond.pooled import Estimate, share
from evaluation.beyond.wordwise import spans
from evaluation.scoring.scores import Score

LENGTHS = (3, 5)
"""Lengths from which runs are told apart, in words."""

_EVERY = Estimate(value=1.0, low=1.0, high=1.0)  # by definition
_COLUMNS = ["id", "n_words", "start", "n_reference", "words"]


def deletion_runs(one: Score) -> pd.DataFrame:
    """Runs of deleted words, the longest first, then in the file's order.

    Returns:
        One row per run: `id`, `n_words`, `start` (index of its first word in the reference), `n_reference`
        (words of the reference), `words` (those deleted).
    """
    table = one.utterances
    rows = []
    for row in table[(table["deletions"] > 0) & ~table["failed"]].itertuples():
        ref = row.normalized_reference.split()
        for span in spans(ref, row.normalized_hypothesis.split(), compounds=one.options.compounds):
            if span.kind == "delete":
                words = ref[span.ref_start : span.ref_end]
                rows.append((row.Index, len(words), span.ref_start, len(ref), " ".join(words)))
    found = pd.DataFrame(rows, columns=_COLUMNS)
    return found.sort_values("n_words", ascending=False, kind="stable", ignore_index=True)


def deletions(one: Score, runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Share of the deletions that stand in runs, with intervals.

    Args:
        one: Score of the system.
        runs: Its `deletion_runs`, where they are at hand.

    Returns:
        Table indexed by the least length of the runs, 1 (all deletions) and those of `LENGTHS`: `n_runs`,
        `n_words`; `share` of the deleted words and `of_words`, of all words of the references, both with
        `_low` and `_high`; `longest`, in words; `n_failed`, utterances left out. Empty without a deletion.
    """
    runs = deletion_runs(one) if runs is None else runs
    if not len(runs):
        return pd.DataFrame()
    place_of = {name: place for place, name in enumerate(one.utterances.index)}
    places = runs["id"].map(place_of).to_numpy(np.int64)
    lengths = runs["n_words"].to_numpy(np.int64)
    n = len(one.utterances)
    n_words = np.where(one.utterances["failed"], 0, one.utterances["n_words"])
    every = np.bincount(places, weights=lengths, minlength=n)
    rows = {}
    for least in (1, *LENGTHS):
        chosen = lengths >= least
        inside = np.bincount(places[chosen], weights=lengths[chosen], minlength=n)
        cells: dict[str, float] = {"n_runs": int(chosen.sum()), "n_words": int(lengths[chosen].sum())}
        cells |= (share(inside, every, one) if least > 1 else _EVERY).cells("share") | share(
            inside, n_words, one
        ).cells("of_words")
        rows[least] = cells | {"longest": int(lengths.max()), "n_failed": int(one.utterances["failed"].sum())}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("at_least")
