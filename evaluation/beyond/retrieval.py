"""Recall, precision and F1 of things to be found: marks, numbers, keywords."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evaluation.beyond.pooled import UNKNOWN, Estimate, FloatArray, IntArray, ratio, share, statistic
from evaluation.scoring.scores import Score


def f1(sums: FloatArray) -> FloatArray:
    """F1, the harmonic mean of precision and recall, of (found, in the references, in the hypotheses).

    >>> f1(np.array([3.0, 4.0, 6.0])).item()
    0.6
    """
    found, n_reference, n_hypothesis = np.moveaxis(sums, -1, 0)
    return ratio(2 * found, n_reference + n_hypothesis)


def retrieval(
    found: npt.ArrayLike, in_reference: npt.ArrayLike, in_hypothesis: npt.ArrayLike, one: Score
) -> dict[str, float]:
    """Cells of one row: counts, and recall, precision and F1 with their intervals; NaN where undefined.

    Args:
        found: Things of each reference that its hypothesis has, too. Shape (n_utterances,).
        in_reference: Things in each reference. Shape (n_utterances,).
        in_hypothesis: Things in each hypothesis. Shape (n_utterances,).
        one: Score, for its options and the units that are drawn.

    Returns:
        `n_reference`, `n_hypothesis`, `n_found`; `recall` with `recall_low` and `recall_high`, likewise
        `precision` and `f1`.
    """
    counts = np.array([found, in_reference, in_hypothesis], np.int64)
    hits, ours, theirs = counts
    cells: dict[str, float] = {
        "n_reference": int(ours.sum()),
        "n_hypothesis": int(theirs.sum()),
        "n_found": int(hits.sum()),
    }
    cells |= share(hits, ours, one).cells("recall")
    cells |= share(hits, theirs, one).cells("precision")
    return cells | _f1(counts, one).cells("f1")


def _f1(counts: IntArray, one: Score) -> Estimate:
    """F1 with its interval; where nothing or all is found, the exact bound of the side with fewer things."""
    found, ours, theirs = counts.sum(axis=1).tolist()
    if 0 < found < max(ours, theirs):
        return statistic(counts.T, f1, one)
    sides = [side for side in counts[1:] if side.any()]
    return share(counts[0], min(sides, key=np.sum), one) if sides else UNKNOWN
