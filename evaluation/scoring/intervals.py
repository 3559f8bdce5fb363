"""Confidence intervals of rates and of their differences: the percentile bootstrap. A test: `mapsswe`.

The bootstrap draws as many utterances as there are, with replacement, and computes the pooled rate anew;
the interval is what lies between two percentiles of many such rates. It takes utterances as independent.
Where several come from one speaker or session they are not, and the interval is too narrow: give `blocks`,
and whole speakers are drawn instead. A set without speaker ids (Golos) leaves no choice; say so beside it.

What it cannot say: of fewer than two utterances (or blocks) there is no interval, and NaN stands in its
place. Where every utterance has the same rate, say without any error, the interval has no width, which is
true of the sample and not of the world: with 0 errors in n words the rate may well be 3 / n.

Source: M. Bisani, H. Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation",
ICASSP 2004, section 2 (the interval) and 3 (the difference on the same resamples).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt

from evaluation.scoring.options import BOOTSTRAP, Bootstrap, BootstrapDict

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

# Draws in memory at a time, 8 bytes each: small enough to stay in a processor's cache.
_CHUNK_DRAWS = 200_000


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """Facts of a resampling, to be printed beside its result.

    Attributes:
        n_utterances: Number of utterances, those without a reference unit too.
        n_reference: Number of reference words; or characters, or whatever was counted.
        n_blocks: Number of speakers or sessions that were drawn as wholes; None where utterances were drawn.
        n_resamples: Number of resamples.
        seed: Seed of the draws.
        level: Confidence level: share of the resampled values that lie in the interval, e.g. 0.95.
    """

    n_utterances: int
    n_reference: int
    n_blocks: int | None
    n_resamples: int
    seed: int
    level: float


@dataclass(frozen=True, kw_only=True)
class Interval(Resampling):
    """Pooled rate and its confidence interval.

    Attributes:
        rate: Sum of errors / sum of reference units; NaN without a unit.
        low, high: Ends of the interval; NaN with fewer than two utterances or blocks, or without a unit.
    """

    rate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Resampling):
    """Difference of the rates of systems A and B on the same utterances, and its confidence interval.

    Attributes:
        rate_a: Pooled rate of A.
        rate_b: Pooled rate of B.
        difference: `rate_a - rate_b`; negative where A is better.
        low, high: Ends of its interval; NaN as in `Interval`.
        share_a_better: Share of resamples in which A's rate is the lower; NaN where the interval is.
        share_equal: Share of resamples in which both have the same rate; NaN where the interval is.
    """

    rate_a: float
    rate_b: float
    difference: float
    low: float
    high: float
    share_a_better: float
    share_equal: float


def interval(
    errors: Sequence[int] | Int64Array,
    totals: Sequence[int] | Int64Array,
    bootstrap: Bootstrap = BOOTSTRAP,
    *,
    blocks: Sequence[Hashable] | None = None,
    **changes: Unpack[BootstrapDict],
) -> Interval:
    """Pooled rate with its percentile interval.

    rate = sum(errors) / sum(totals), over all utterances; in each resample over those drawn. Resamples that
    hold no reference unit have no rate and are left out.

    Args:
        errors: Errors in each utterance.
        totals: Reference units of each utterance, in the same order; for a sentence error rate, ones.
        bootstrap: Options of the bootstrap.
        blocks: The speaker or session of each utterance; blocks are then drawn as wholes.
        **changes: Single options by keyword, in place of those in `bootstrap`.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    drawn = _drawn([errors], totals, replace(bootstrap, **changes), blocks)
    low, high = percentile_interval(_rates(drawn.sums[:, 0], drawn.sums[:, -1]), drawn.resampling.level)
    n_errors, n_reference = drawn.totals
    return Interval(rate=_rate(n_errors, n_reference), low=low, high=high, **asdict(drawn.resampling))


def paired_difference(
    errors_a: Sequence[int] | Int64Array,
    errors_b: Sequence[int] | Int64Array,
    totals: Sequence[int] | Int64Array,
    bootstrap: Bootstrap = BOOTSTRAP,
    *,
    blocks: Sequence[Hashable] | None = None,
    **changes: Unpack[BootstrapDict],
) -> PairedDifference:
    """Difference of two systems' pooled rates with its interval, both on the same resamples.

    difference = (sum(errors_a) - sum(errors_b)) / sum(totals). What makes an utterance hard for both drops
    out of it, so the interval is narrower than two rates apart would suggest.

    Args:
        errors_a: Errors of system A in each utterance.
        errors_b: Errors of system B in the same utterances.
        totals: Reference units of each utterance.
        bootstrap: Options of the bootstrap; `interval` with the same seed draws the same utterances.
        blocks: The speaker or session of each utterance; blocks are then drawn as wholes.
        **changes: Single options by keyword, in place of those in `bootstrap`.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    drawn = _drawn([errors_a, errors_b], totals, replace(bootstrap, **changes), blocks)
    more_errors_of_a, resampled_totals = drawn.sums[:, 0] - drawn.sums[:, 1], drawn.sums[:, -1]
    low, high = percentile_interval(_rates(more_errors_of_a, resampled_totals), drawn.resampling.level)
    total_a, total_b, n_reference = drawn.totals
    known = not math.isnan(low)
    rated = resampled_totals > 0
    return PairedDifference(
        rate_a=_rate(total_a, n_reference),
        rate_b=_rate(total_b, n_reference),
        difference=_rate(total_a - total_b, n_reference),
        low=low,
        high=high,
        share_a_better=float((more_errors_of_a[rated] < 0).mean()) if known else math.nan,
        share_equal=float((more_errors_of_a[rated] == 0).mean()) if known else math.nan,
        **asdict(drawn.resampling),
    )


def percentile_interval(values: npt.ArrayLike, level: float) -> tuple[float, float]:
    """Ends of the interval that holds the middle share `level` of the values; NaN without a value.

    >>> percentile_interval([1, 2, 3, 4, 5], 0.5), percentile_interval([], 0.5)
    ((2.0, 4.0), (nan, nan))
    """
    found = np.asarray(values, float)
    if not found.size:
        return math.nan, math.nan
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high


@dataclass(frozen=True)
class _Drawn:
    """Sums of the counts, the totals' last: of all utterances, and of each resample, shape (n, n_columns)."""

    totals: list[int]
    sums: Int64Array
    resampling: Resampling


def _drawn(
    errors: Sequence[Sequence[int] | Int64Array],
    totals: Sequence[int] | Int64Array,
    bootstrap: Bootstrap,
    blocks: Sequence[Hashable] | None,
) -> _Drawn:
    counts = _checked(errors, totals, blocks)
    units = _per_unit(counts, blocks)
    sums: list[int] = counts.sum(axis=0).tolist()
    resampling = Resampling(
        n_utterances=len(counts),
        n_reference=sums[-1],
        n_blocks=None if blocks is None else len(units),
        n_resamples=bootstrap.n_resamples,
        seed=bootstrap.seed,
        level=bootstrap.level,
    )
    return _Drawn(sums, _resampled(units, bootstrap.n_resamples, bootstrap.seed), resampling)


def _checked(
    errors: Sequence[Sequence[int] | Int64Array],
    totals: Sequence[int] | Int64Array,
    blocks: Sequence[Hashable] | None,
) -> Int64Array:
    """Counts side by side, totals last. Shape (n_utterances, n_systems + 1)."""
    lengths = [len(column) for column in (*errors, totals, *([] if blocks is None else [blocks]))]
    if len(set(lengths)) > 1:
        raise ValueError(f"columns of {lengths} utterances; errors, totals and blocks must be as many")
    counts = np.array([*errors, totals], np.int64).T
    if counts.size and counts.min() < 0:
        raise ValueError(f"a count of {counts.min()}; errors and totals cannot be negative")
    return counts


def _per_unit(counts: Int64Array, blocks: Sequence[Hashable] | None) -> Int64Array:
    """Counts of the units drawn: utterances, or the blocks' sums in the order of their first utterance."""
    if blocks is None:
        return counts
    index_of: dict[Hashable, int] = {}
    indices = [index_of.setdefault(block, len(index_of)) for block in blocks]
    sums = np.zeros((len(index_of), counts.shape[1]), np.int64)
    np.add.at(sums, indices, counts)
    return sums


def _resampled(units: Int64Array, n_resamples: int, seed: int) -> Int64Array:
    """Sums over each resample. Shape (n_resamples, n_columns)."""
    sums = np.zeros((n_resamples, units.shape[1]), np.int64)
    if len(units) < 2:
        return sums
    columns = np.ascontiguousarray(units.T)
    start = 0
    for picks in _draws(len(units), n_resamples, seed):
        for column, values in enumerate(columns):
            sums[start : start + len(picks), column] = values[picks].sum(axis=1)
        start += len(picks)
    return sums


def _draws(n_units: int, n_resamples: int, seed: int) -> Iterator[Int64Array]:
    """Indices of the units drawn, some resamples at a time; how many does not change what is drawn."""
    rng = np.random.default_rng(seed)
    n_rows = max(1, _CHUNK_DRAWS // n_units)
    for start in range(0, n_resamples, n_rows):
        yield rng.integers(0, n_units, (min(n_rows, n_resamples - start), n_units))


def _rate(errors: int, total: int) -> float:
    return errors / total if total else math.nan


def _rates(errors: Int64Array, totals: Int64Array) -> Float64Array:
    rated = totals > 0
    rates: Float64Array = errors[rated] / totals[rated]
    return rates
