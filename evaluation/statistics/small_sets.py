"""Intervals of small sets: the delete-one-block jackknife with Student's t, and exact bounds.

A percentile bootstrap of few blocks is too narrow and too low: it never draws a speaker whom the set lacks.
The jackknife leaves out one block at a time, measures the spread on the log scale, where rates are nearly
symmetric, and takes Student's t with as many degrees of freedom as there are blocks less one.
`docs/statistics.md` has the measured coverage of both.

Sources: B. Efron, C. Stein, "The jackknife estimate of variance", Annals of Statistics 1981; J. Tukey, 1958
(the t with G - 1); C. Clopper, E. Pearson, Biometrika 1934, and F. Garwood, Biometrika 1936 (exact bounds).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from evaluation.statistics.units import Float64Array, Int64Array, per_unit

Statistic = Callable[[Float64Array], Float64Array]
"""Statistic of summed counts, shape (..., n_columns) to (...)."""

NONE = (math.nan, math.nan)


def student_quantile(level: float, n_free: int) -> float:
    """Quantile of Student's t that |t| stays below with probability `level`.

    >>> round(student_quantile(0.95, 4), 3)
    2.776
    """
    from scipy.special import stdtrit

    return float(stdtrit(n_free, (1 + level) / 2))


def student_p(t: float, n_free: int) -> float:
    """Probability that Student's t lies above `t`: the p-value of a one-sided test.

    >>> round(student_p(2.776, 4), 3)
    0.025
    """
    from scipy.special import stdtr

    return float(stdtr(n_free, -t))


def exact_ends(errors: int, total: int, level: float) -> tuple[float, float]:
    """Exact ends for a rate of errors that fall independently of each other.

    Clopper and Pearson's where there are at most as many errors as reference units, else Garwood's.

    >>> [round(end, 5) for end in exact_ends(0, 1000, 0.95)]
    [0.0, 0.00368]
    """
    from scipy.special import betaincinv, gammaincinv

    if not total:
        return NONE
    tail = (1 - level) / 2
    if errors > total:
        return float(gammaincinv(errors, tail)) / total, float(gammaincinv(errors + 1, 1 - tail)) / total
    low = float(betaincinv(errors, total - errors + 1, tail)) if errors else 0.0
    high = float(betaincinv(errors + 1, total - errors, 1 - tail)) if errors < total else 1.0
    return low, high


def ratio_error(units: Int64Array, *, bounded: bool) -> float:
    """Jackknife standard error of log(sum of errors / sum of totals), or of its logit where `bounded`.

    Args:
        units: Errors and totals of each block, shape (n_blocks, 2); some errors.
        bounded: True for a share, which cannot exceed 1.
    """
    errors, totals = units.T.astype(float)
    n_blocks, total_errors, total = len(units), errors.sum(), totals.sum()
    rest_errors, rest = total_errors - errors, total - totals
    others = rest - rest_errors
    if (rest_errors <= 0).any() or (rest <= 0).any() or (bounded and (others <= 0).any()):
        # One block holds all errors: the log of what remains has no value. The linear term has.
        rate = total_errors / total
        spread = math.sqrt(n_blocks / (n_blocks - 1) * float(((errors - rate * totals) ** 2).sum()))
        return spread / float(total_errors * (max(1 - rate, 1 / total) if bounded else 1.0))
    logs = np.log(rest_errors / others) if bounded else np.log(rest_errors / rest)
    return jackknife_error(logs)


def rate_error(counts: Int64Array, blocks: Sequence[Hashable] | None) -> float:
    """Jackknife standard error of a pooled rate; NaN without an error or with fewer than two blocks.

    Args:
        counts: Errors and totals of each utterance, shape (n_utterances, 2).
        blocks: The speaker or session of each utterance, which are then taken as wholes.
    """
    units = per_unit(counts, blocks)
    units = units[units.any(axis=1)]
    errors, total = units.sum(axis=0).tolist()
    if len(units) < 2 or not errors or not total:
        return math.nan
    return float(errors / total) * ratio_error(units, bounded=False)


def jackknife_error(without_one: Float64Array) -> float:
    """Standard error of a statistic from its values without each of the blocks. Shape (n_blocks,)."""
    n_blocks = len(without_one)
    return math.sqrt((n_blocks - 1) / n_blocks * float(((without_one - without_one.mean()) ** 2).sum()))


def ratio_ends(units: Int64Array, level: float, *, bounded: bool) -> tuple[float, float]:
    """Ends of the interval of sum of errors / sum of totals, log (or logit) scale; see `ratio_error`."""
    rate = float(units[:, 0].sum() / units[:, 1].sum())
    reach = student_quantile(level, len(units) - 1) * ratio_error(units, bounded=bounded)
    if not bounded:
        return rate * math.exp(-reach), rate * math.exp(min(reach, 700.0))
    odds = rate / max(1 - rate, 1e-300)
    low, high = odds * math.exp(-min(reach, 700.0)), odds * math.exp(min(reach, 700.0))
    return low / (1 + low), (high / (1 + high) if math.isfinite(high) else 1.0)


def difference_error(units: Int64Array) -> float:
    """Jackknife standard error of (errors of A - errors of B) / totals.

    Args:
        units: Errors of A, errors of B and totals of each block, shape (n_blocks, 3).
    """
    more, totals = (units[:, 0] - units[:, 1]).astype(float), units[:, 2].astype(float)
    rest = totals.sum() - totals
    if (rest <= 0).any():
        return math.inf
    return jackknife_error((more.sum() - more) / rest)


def statistic_ends(
    units: Int64Array, statistic: Statistic, level: float, *, bounded: bool
) -> tuple[float, float]:
    """Ends of the interval of any statistic of summed counts; on the logit scale where it is a share.

    Falls back to the plain scale, cut at 0 and 1, where a value without one block is 0, 1 or none.
    """
    total = units.sum(axis=0, dtype=np.int64)
    value = float(statistic(total.astype(float)))
    without_one = statistic((total - units).astype(float))
    without_one = without_one[np.isfinite(without_one)]
    if len(without_one) < 2 or not math.isfinite(value):
        return NONE
    t = student_quantile(level, len(units) - 1)
    if bounded and 0 < value < 1 and ((without_one > 0) & (without_one < 1)).all():
        middle = math.log(value / (1 - value))
        reach = t * jackknife_error(np.log(without_one / (1 - without_one)))
        low, high = (1 / (1 + math.exp(min(-end, 700.0))) for end in (middle - reach, middle + reach))
        return low, high
    reach = t * jackknife_error(without_one)
    low, high = value - reach, value + reach
    return (max(0.0, low), min(1.0, high)) if bounded else (low, high)


def is_rounding(error: float) -> bool:
    """True if a standard error is nothing but rounding."""
    return error < 1e-12
