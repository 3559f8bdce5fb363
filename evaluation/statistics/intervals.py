"""Confidence intervals of rates, of their differences, and of any statistic of summed counts.

**Which method.** Few blocks: the delete-one-block jackknife with Student's t (`small_sets`). Many: the
percentile bootstrap, which draws as many blocks as there are, with replacement, computes the pooled rate
anew, and takes what lies between two percentiles of many such rates. Not one error, or the same rate in
every block: exact bounds, as the sample's own spread says nothing. `facts.Resampling.method` says which it
was, and every table names it. Measured coverage: ``docs/statistics.md``.

**What is a block.** An utterance; but where several come from one speaker or session they are not
independent, and the interval would be too narrow: give `blocks`, and whole speakers are taken. A set without
speaker ids (Golos) leaves no choice; say so beside it.

Of fewer than three utterances (or blocks), or two by the bootstrap, there is no interval, and NaN stands in
its place.

Source: M. Bisani, H. Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation",
ICASSP 2004, section 2 (the interval) and 3 (the difference on the same resamples).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt

from evaluation.statistics.differences import PairedDifference, paired_difference
from evaluation.statistics.facts import (
    FEW_UNITS,
    FEWEST_UNITS,
    Resampling,
    Used,
    facts_of,
    method_for,
    percentile_interval,
    rate_of,
    rates_of,
)
from evaluation.statistics.options import BOOTSTRAP, Bootstrap, BootstrapDict
from evaluation.statistics.small_sets import (
    NONE,
    Statistic,
    exact_ends,
    is_rounding,
    ratio_ends,
    ratio_error,
    statistic_ends,
)
from evaluation.statistics.units import Float64Array, Int64Array, checked, per_unit, resampled

__all__ = [
    "FEW_UNITS",
    "Float64Array",
    "Int64Array",
    "Interval",
    "PairedDifference",
    "Resampling",
    "interval",
    "paired_difference",
    "percentile_interval",
    "statistic_interval",
]


@dataclass(frozen=True, kw_only=True)
class Interval(Resampling):
    """Pooled rate and its confidence interval.

    Attributes:
        rate: Sum of errors / sum of reference units; NaN without a unit.
        low, high: Ends of the interval; NaN with fewer than three utterances or blocks, or without a unit.
    """

    rate: float
    low: float
    high: float

    def __str__(self) -> str:
        from evaluation.show.display import estimate  # which needs pandas

        return f"{estimate(self.rate, self.low, self.high)} %"


def interval(
    errors: Sequence[int] | Int64Array,
    totals: Sequence[int] | Int64Array,
    bootstrap: Bootstrap = BOOTSTRAP,
    *,
    blocks: Sequence[Hashable] | None = None,
    bounded: bool = False,
    **changes: Unpack[BootstrapDict],
) -> Interval:
    """Pooled rate with its interval.

    rate = sum(errors) / sum(totals), over all utterances. Resamples of the bootstrap that hold no reference
    unit have no rate and are left out.

    Args:
        errors: Errors in each utterance.
        totals: Reference units of each utterance, in the same order; for a sentence error rate, ones.
        bootstrap: Options of the interval.
        blocks: The speaker or session of each utterance; blocks are then taken as wholes.
        bounded: True for a share, which cannot exceed 1, such as a sentence error rate.
        **changes: Single options by keyword, in place of those in `bootstrap`.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    bootstrap = replace(bootstrap, **changes)
    counts = checked([errors, totals], blocks)
    units = per_unit(counts, blocks)
    low, high, method = _rate_ends(units, bootstrap, bounded)
    n_errors, n_reference = counts.sum(axis=0).tolist()
    facts = facts_of(counts, units, blocks, bootstrap, method)
    return Interval(rate=rate_of(n_errors, n_reference), low=low, high=high, **facts)


def statistic_interval(
    counts: npt.ArrayLike,
    statistic: Statistic,
    bootstrap: Bootstrap = BOOTSTRAP,
    *,
    blocks: Sequence[Hashable] | None = None,
    bounded: bool = True,
    **changes: Unpack[BootstrapDict],
) -> tuple[float, float]:
    """Ends of the interval of any statistic of summed counts, such as an F1 score.

    Args:
        counts: Counts of each utterance. Shape (n_utterances, n_columns).
        statistic: Function of summed counts, shape (..., n_columns) to (...); NaN where it has no value.
        bootstrap: Options of the interval.
        blocks: The speaker or session of each utterance; blocks are then taken as wholes.
        bounded: True for a share, which lies from 0 to 1.
        **changes: Single options by keyword, in place of those in `bootstrap`.

    Returns:
        Both ends; NaN with fewer than three blocks, or where the statistic has no value.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    bootstrap = replace(bootstrap, **changes)
    units = per_unit(checked([*np.asarray(counts).T], blocks), blocks)
    told = units[units.any(axis=1)]
    if len(told) < 2:
        return NONE
    if method_for(len(told), bootstrap) == "jackknife":
        if len(told) < FEWEST_UNITS:
            return NONE
        return statistic_ends(told, statistic, bootstrap.level, bounded=bounded)
    sums = resampled(units, bootstrap.n_resamples, bootstrap.seed)
    values = np.asarray(statistic(sums.astype(float)), float)
    return percentile_interval(values[np.isfinite(values)], bootstrap.level)


def _rate_ends(units: Int64Array, bootstrap: Bootstrap, bounded: bool) -> tuple[float, float, Used]:
    told = units[units.any(axis=1)]  # an empty reference without an insertion says nothing
    errors, total = told.sum(axis=0).tolist() if len(told) else (0, 0)
    if len(units) < 2 or not total:
        return *NONE, "none"
    if method_for(int((told[:, 0] > 0).sum()), bootstrap) == "bootstrap":
        sums = resampled(units, bootstrap.n_resamples, bootstrap.seed)
        return *percentile_interval(rates_of(sums[:, 0], sums[:, 1]), bootstrap.level), "bootstrap"
    all_wrong = bounded and errors == total
    if not errors or all_wrong or (len(told) > 1 and is_rounding(ratio_error(told, bounded=False))):
        return *exact_ends(errors, total, bootstrap.level), "exact"
    if len(told) < FEWEST_UNITS:
        return *NONE, "none"
    return *ratio_ends(told, bootstrap.level, bounded=bounded), "jackknife"
