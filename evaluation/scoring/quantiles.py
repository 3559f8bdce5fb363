"""Percentiles of latencies, and how sure their median is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from evaluation.scoring.intervals import Float64Array, Int64Array


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """A latency over all streams, in seconds; NaN of nothing.

    Attributes:
        n: How many were measured.
        p50, p95, p99: Percentiles.
        low, high: Interval of the median, streams being drawn; NaN with fewer than two streams.
        values: All of them.
    """

    n: int
    p50: float
    p95: float
    p99: float
    low: float
    high: float
    values: tuple[float, ...] = field(repr=False)


def quantiles(
    groups: Sequence[Sequence[float]], *, n_resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Quantiles:
    """Percentiles of all values, and the median's percentile bootstrap interval.

    What is drawn are groups: the values of one stream hang together.

    >>> found = quantiles([(1.0,), (2.0,), (), (3.0,)])
    >>> found.n, found.p50, found.low, found.high
    (3, 2.0, 1.0, 3.0)
    """
    values = np.array([value for group in groups for value in group])
    if not len(values):
        return Quantiles(
            n=0, p50=math.nan, p95=math.nan, p99=math.nan, low=math.nan, high=math.nan, values=()
        )
    p50, p95, p99 = np.quantile(values, [0.5, 0.95, 0.99]).tolist()
    low = high = math.nan
    filled = [group for group in groups if len(group)]
    if len(filled) > 1:
        group_of = np.repeat(np.arange(len(filled)), [len(group) for group in filled])
        medians = _resampled_medians(values, group_of, n_resamples, seed)
        low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2]).tolist()
    found = tuple(values.tolist())
    return Quantiles(n=len(found), p50=p50, p95=p95, p99=p99, low=low, high=high, values=found)


def _resampled_medians(
    values: Float64Array, group_of: Int64Array, n_resamples: int, seed: int
) -> Float64Array:
    """The median of each resample: of all values of the groups drawn, as often as each was. Shape (n,)."""
    rng = np.random.default_rng(seed)
    order = np.argsort(values, kind="stable")
    n_groups = int(group_of[-1]) + 1
    medians = np.empty(n_resamples)
    for row in range(n_resamples):
        n_drawn = np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups)
        up_to = np.cumsum(n_drawn[group_of[order]])
        medians[row] = values[order[np.searchsorted(up_to, up_to[-1] / 2)]]
    return medians
