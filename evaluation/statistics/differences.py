"""Differences of two systems' rates on the same utterances, with their intervals; see `intervals`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

from evaluation.statistics.facts import (
    FEWEST_UNITS,
    MIN_DIFFERING,
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
    difference_error,
    exact_ends,
    is_rounding,
    student_p,
    student_quantile,
)
from evaluation.statistics.units import Int64Array, checked, per_unit, resampled


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Resampling):
    """Difference of the rates of systems A and B on the same utterances, and its confidence interval.

    Attributes:
        rate_a: Pooled rate of A.
        rate_b: Pooled rate of B.
        difference: `rate_a - rate_b`; negative where A is better.
        low, high: Ends of its interval; NaN as in `Interval`.
        share_a_better: Confidence that A's rate is the lower: the share of resamples in which it is, or the
            probability by Student's t; NaN where there is no interval.
        share_equal: Share of resamples in which both have the same rate; 0 by Student's t.
        standard_error: Jackknife standard error of the difference; NaN where there is no interval.
        p_value: Chance of a difference so large or larger between systems that do not differ: Student's t
            over the blocks, two-sided; NaN where there is no interval.
        n_differing: Number of utterances in which the systems made different numbers of errors.
    """

    rate_a: float
    rate_b: float
    difference: float
    low: float
    high: float
    share_a_better: float
    share_equal: float
    standard_error: float = math.nan
    p_value: float = math.nan
    n_differing: int = 0

    @property
    def n_units(self) -> int:
        """Number of units that were taken as independent: blocks, or utterances."""
        return self.n_utterances if self.n_blocks is None else self.n_blocks


def paired_difference(
    errors_a: Sequence[int] | Int64Array,
    errors_b: Sequence[int] | Int64Array,
    totals: Sequence[int] | Int64Array,
    bootstrap: Bootstrap = BOOTSTRAP,
    *,
    blocks: Sequence[Hashable] | None = None,
    **changes: Unpack[BootstrapDict],
) -> PairedDifference:
    """Difference of two systems' pooled rates with its interval, both on the same utterances.

    difference = (sum(errors_a) - sum(errors_b)) / sum(totals). What makes an utterance hard for both drops
    out of it, so the interval is narrower than two rates apart would suggest.

    Args:
        errors_a: Errors of system A in each utterance.
        errors_b: Errors of system B in the same utterances.
        totals: Reference units of each utterance.
        bootstrap: Options of the interval; `interval` with the same seed draws the same utterances.
        blocks: The speaker or session of each utterance; blocks are then taken as wholes.
        **changes: Single options by keyword, in place of those in `bootstrap`.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    bootstrap = replace(bootstrap, **changes)
    counts = checked([errors_a, errors_b, totals], blocks)
    units = per_unit(counts, blocks)
    total_a, total_b, n_reference = counts.sum(axis=0).tolist()
    found = _widened(_difference_ends(units, bootstrap), counts, bootstrap)
    return PairedDifference(
        rate_a=rate_of(total_a, n_reference),
        rate_b=rate_of(total_b, n_reference),
        difference=rate_of(total_a - total_b, n_reference),
        low=found.low,
        high=found.high,
        share_a_better=found.share_a_better,
        share_equal=found.share_equal,
        standard_error=found.standard_error,
        p_value=found.p_value,
        n_differing=int((counts[:, 0] != counts[:, 1]).sum()),
        **facts_of(counts, units, blocks, bootstrap, found.method),
    )


@dataclass(frozen=True)
class _Difference:
    low: float = math.nan
    high: float = math.nan
    share_a_better: float = math.nan
    share_equal: float = math.nan
    standard_error: float = math.nan
    p_value: float = math.nan
    method: Used = "none"


def _difference_ends(units: Int64Array, bootstrap: Bootstrap) -> _Difference:
    told = units[units.any(axis=1)]  # an empty reference without an insertion says nothing
    total = int(told[:, 2].sum())
    if len(units) < 2 or not total:
        return _Difference()
    more = int((told[:, 0] - told[:, 1]).sum())
    error = difference_error(told) if len(told) > 1 else math.inf
    t = math.nan if is_rounding(error) else more / total / error
    n_free = len(told) - 1
    p_value = 2 * student_p(abs(t), n_free) if math.isfinite(error) and not math.isnan(t) else math.nan
    if not more:
        p_value = 1.0
    if method_for(int((told[:, 0] != told[:, 1]).sum()), bootstrap) == "bootstrap":
        return _resampled_difference(units, bootstrap, error, p_value)
    if math.isnan(t):  # the same difference in every block, most often none
        low, high = _exact_difference(more, total, bootstrap.level)
        return _Difference(low, high, float(more < 0), float(more == 0), error, p_value, "exact")
    if not math.isfinite(error) or len(told) < FEWEST_UNITS:
        return _Difference()
    reach = student_quantile(bootstrap.level, n_free) * error
    difference, share = more / total, student_p(t, n_free)
    return _Difference(difference - reach, difference + reach, share, 0.0, error, p_value, "jackknife")


def _widened(found: _Difference, counts: Int64Array, bootstrap: Bootstrap) -> _Difference:
    """The interval, not narrower than of systems that erred alike, where hardly an utterance differs.

    The spread of so few says next to nothing; and identical systems must not be less alike than these.
    """
    n_differing = int((counts[:, 0] != counts[:, 1]).sum())
    if bootstrap.method == "bootstrap" or not 0 < n_differing < MIN_DIFFERING or math.isnan(found.low):
        return found
    total = int(counts[:, 2].sum())
    middle = int((counts[:, 0] - counts[:, 1]).sum()) / total
    reach = max(middle - found.low, exact_ends(0, total, bootstrap.level)[1])
    return replace(found, low=middle - reach, high=middle + reach)


def _resampled_difference(
    units: Int64Array, bootstrap: Bootstrap, error: float, p_value: float
) -> _Difference:
    sums = resampled(units, bootstrap.n_resamples, bootstrap.seed)
    more, totals = sums[:, 0] - sums[:, 1], sums[:, 2]
    low, high = percentile_interval(rates_of(more, totals), bootstrap.level)
    more = more[totals > 0]
    better, equal = (float(each.mean()) if len(more) else math.nan for each in (more < 0, more == 0))
    return _Difference(low, high, better, equal, error, p_value, "bootstrap")


def _exact_difference(more: int, total: int, level: float) -> tuple[float, float]:
    """Ends where all blocks differ alike: what exact bounds of so many errors more, or of none, leave."""
    low, high = exact_ends(abs(more), total, level)
    return (-high, high) if not more else (low, high) if more > 0 else (-high, -low)
