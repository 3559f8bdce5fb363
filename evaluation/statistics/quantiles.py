"""Percentiles of latencies, with an interval of their median."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from evaluation.show.display import DASH, decimal
from evaluation.statistics.intervals import Float64Array, Int64Array, percentile_interval
from evaluation.statistics.options import BOOTSTRAP, Bootstrap


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """Percentiles of a latency over all streams, in seconds; NaN of nothing.

    Attributes:
        n: Number of values.
        p50, p95, p99: Percentiles.
        low, high: Ends of the interval of the median, streams being drawn; NaN with fewer than two streams.
        values: All values.
    """

    n: int
    p50: float
    p95: float
    p99: float
    low: float
    high: float
    values: tuple[float, ...] = field(repr=False)

    def to_text(self) -> str:
        """p50 / p95 / p99 in milliseconds, as people read them."""
        if not self.n:
            return DASH
        return " / ".join(decimal(1000 * value, 0) for value in (self.p50, self.p95, self.p99))


def p50_p95_p99(values: Sequence[float] | Float64Array) -> tuple[float, float, float]:
    """Median, 95th and 99th percentile, between two values by linear interpolation; NaN without a value.

    >>> p50_p95_p99([1.0, 2.0, 3.0])[0], p50_p95_p99([])
    (2.0, (nan, nan, nan))
    """
    if not len(values):
        return math.nan, math.nan, math.nan
    p50, p95, p99 = np.quantile(values, [0.5, 0.95, 0.99]).tolist()
    return p50, p95, p99


def quantiles(groups: Sequence[Sequence[float]], bootstrap: Bootstrap = BOOTSTRAP) -> Quantiles:
    """Percentiles of all values, and the median's percentile bootstrap interval.

    What is drawn are groups: the values of one stream hang together.

    >>> found = quantiles([(1.0,), (2.0,), (), (3.0,)])
    >>> found.n, found.p50, found.low, found.high
    (3, 2.0, 1.0, 3.0)
    """
    values = np.array([value for group in groups for value in group])
    p50, p95, p99 = p50_p95_p99(values)
    low = high = math.nan
    filled = [group for group in groups if len(group)]
    if len(filled) > 1:
        group_of = np.repeat(np.arange(len(filled)), [len(group) for group in filled])
        medians = _resampled_medians(values, group_of, bootstrap)
        low, high = percentile_interval(medians, bootstrap.level)
    found = tuple(values.tolist())
    return Quantiles(n=len(found), p50=p50, p95=p95, p99=p99, low=low, high=high, values=found)


def _resampled_medians(values: Float64Array, group_of: Int64Array, bootstrap: Bootstrap) -> Float64Array:
    """The median of each resample: of all values of the groups drawn, as often as each was. Shape (n,)."""
    rng = np.random.default_rng(bootstrap.seed)
    order = np.argsort(values, kind="stable")
    n_groups = int(group_of[-1]) + 1
    medians = np.empty(bootstrap.n_resamples)
    for row in range(bootstrap.n_resamples):
        n_drawn = np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups)
        up_to = np.cumsum(n_drawn[group_of[order]])
        medians[row] = values[order[np.searchsorted(up_to, up_to[-1] / 2)]]
    return medians
