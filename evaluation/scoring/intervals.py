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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

# Draws in memory at a time, 8 bytes each: small enough to stay in a processor's cache.
_CHUNK_DRAWS = 200_000


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """What was resampled, and how; to be printed beside the result.

    Attributes:
        n_utterances: Utterances, those without a reference unit too.
        n_reference: Reference words; or characters, or whatever was counted.
        n_blocks: Speakers or sessions that were drawn as wholes; None where utterances were drawn.
        n_resamples: How often.
        seed: Of the draws.
        level: Share of the resampled values that lie in the interval, e.g. 0.95.
    """

    n_utterances: int
    n_reference: int
    n_blocks: int | None
    n_resamples: int
    seed: int
    level: float


@dataclass(frozen=True, kw_only=True)
class Interval(Resampling):
    """A pooled rate and where it may lie.

    Attributes:
        rate: Sum of errors / sum of reference units; NaN without a unit.
        low, high: Ends of the interval; NaN with fewer than two utterances or blocks, or without a unit.
    """

    rate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Resampling):
    """The rate of system A minus that of B on the same utterances, and where it may lie.

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
    *,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    blocks: Sequence[Hashable] | None = None,
) -> Interval:
    """The pooled rate with its percentile interval.

    rate = sum(errors) / sum(totals), over all utterances; in each resample over those drawn. Resamples that
    hold no reference unit have no rate and are left out.

    Args:
        errors: Of each utterance.
        totals: Reference units of each utterance, in the same order; for a sentence error rate, ones.
        n_resamples: How often to draw; 1,000 settle the ends to a twentieth of the width or so.
        level: Share of the resampled rates to enclose.
        seed: Of the draws: the same seed and number of utterances draw the same resamples.
        blocks: The speaker or session of each utterance; blocks are then drawn as wholes.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    counts = _checked([errors], totals, n_resamples, level, blocks)
    units = _per_unit(counts, blocks)
    sums = _resampled(units, n_resamples, seed)
    rates = _rates(sums[:, 0], sums[:, -1])
    low, high = _percentiles(rates, level, len(units))
    total_errors, n_reference = counts.sum(axis=0).tolist()
    return Interval(
        rate=_rate(total_errors, n_reference),
        low=low,
        high=high,
        n_utterances=len(counts),
        n_reference=n_reference,
        n_blocks=None if blocks is None else len(units),
        n_resamples=n_resamples,
        seed=seed,
        level=level,
    )


def paired_difference(
    errors_a: Sequence[int] | Int64Array,
    errors_b: Sequence[int] | Int64Array,
    totals: Sequence[int] | Int64Array,
    *,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    blocks: Sequence[Hashable] | None = None,
) -> PairedDifference:
    """The difference of two systems' pooled rates with its interval, both on the same resamples.

    difference = (sum(errors_a) - sum(errors_b)) / sum(totals). What makes an utterance hard for both drops
    out of it, so the interval is narrower than two rates apart would suggest.

    Args:
        errors_a: Of system A, for each utterance.
        errors_b: Of system B, for the same utterances.
        totals: Reference units of each utterance.
        n_resamples: How often to draw.
        level: Share of the resampled differences to enclose.
        seed: Of the draws; `interval` with the same seed draws the same utterances.
        blocks: The speaker or session of each utterance; blocks are then drawn as wholes.

    Raises:
        ValueError: lengths that differ, negative counts, or options outside their ranges.
    """
    counts = _checked([errors_a, errors_b], totals, n_resamples, level, blocks)
    units = _per_unit(counts, blocks)
    sums = _resampled(units, n_resamples, seed)
    more_errors_of_a = sums[:, 0] - sums[:, 1]
    low, high = _percentiles(_rates(more_errors_of_a, sums[:, -1]), level, len(units))
    total_a, total_b, n_reference = counts.sum(axis=0).tolist()
    known = not math.isnan(low)
    rated = sums[:, -1] > 0
    return PairedDifference(
        rate_a=_rate(total_a, n_reference),
        rate_b=_rate(total_b, n_reference),
        difference=_rate(total_a - total_b, n_reference),
        low=low,
        high=high,
        share_a_better=float((more_errors_of_a[rated] < 0).mean()) if known else math.nan,
        share_equal=float((more_errors_of_a[rated] == 0).mean()) if known else math.nan,
        n_utterances=len(counts),
        n_reference=n_reference,
        n_blocks=None if blocks is None else len(units),
        n_resamples=n_resamples,
        seed=seed,
        level=level,
    )


def _checked(
    errors: Sequence[Sequence[int] | Int64Array],
    totals: Sequence[int] | Int64Array,
    n_resamples: int,
    level: float,
    blocks: Sequence[Hashable] | None,
) -> Int64Array:
    """The counts side by side, totals last. Shape (n_utterances, n_systems + 1)."""
    lengths = [len(column) for column in (*errors, totals, *([] if blocks is None else [blocks]))]
    if len(set(lengths)) > 1:
        raise ValueError(f"columns of {lengths} utterances; errors, totals and blocks must be as many")
    if n_resamples < 1:
        raise ValueError(f"n_resamples is {n_resamples}; draw at least once")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give a share between 0 and 1, such as 0.95")
    counts = np.array([*errors, totals], np.int64).T
    if counts.size and counts.min() < 0:
        raise ValueError(f"a count of {counts.min()}; errors and totals cannot be negative")
    return counts


def _per_unit(counts: Int64Array, blocks: Sequence[Hashable] | None) -> Int64Array:
    """What is drawn: the utterances, or the sums of the blocks in the order of their first utterance."""
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


def _percentiles(rates: Float64Array, level: float, n_units: int) -> tuple[float, float]:
    if n_units < 2 or not rates.size:
        return math.nan, math.nan
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
