"""Facts of an interval, the choice of its method, and what all methods share."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from evaluation.statistics.options import Bootstrap
from evaluation.statistics.units import Float64Array, Int64Array

Used = Literal["bootstrap", "jackknife", "exact", "none"]
"""Method that an interval was made by; "none" where there is none."""

FEW_UNITS: Final = 200
"""Below so many blocks with an error the percentile bootstrap covers less than 93 % (docs/statistics.md)."""

FEWEST_UNITS: Final = 3
"""Fewer blocks give no interval: Student's t with one degree of freedom would reach to anywhere."""

MIN_DIFFERING: Final = 6
"""Fewer utterances with different errors tell nothing: if all spoke for one system, chance alone would do the
same in 2 of 2**5 cases, more than 5 %."""


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """Facts of an interval, to be printed beside it.

    Attributes:
        n_utterances: Number of utterances, those without a reference unit too.
        n_reference: Number of reference words; or characters, or whatever was counted.
        n_blocks: Number of speakers or sessions that were taken as wholes; None where utterances were.
        n_resamples: Number of resamples, if the bootstrap was used.
        seed: Seed of the draws, likewise.
        level: Confidence level: share of such intervals that hold the true value, e.g. 0.95.
        method: Method of the interval.
    """

    n_utterances: int
    n_reference: int
    n_blocks: int | None
    n_resamples: int
    seed: int
    level: float
    method: Used = "bootstrap"


def method_of(found: Resampling, blocks: str = "utterance") -> str:
    """Method of an interval in few words, with what it was taken over, for a cell of a table.

    Args:
        found: Interval or difference.
        blocks: Kind of the units: speaker, session or utterance.

    >>> facts = Resampling(n_utterances=24, n_reference=99, n_blocks=9, n_resamples=1, seed=0, level=0.95,
    ...                    method="jackknife")
    >>> method_of(facts, "speaker")
    'jackknife t, 9 speakers'
    """
    n_units = found.n_utterances if found.n_blocks is None else found.n_blocks
    kind = "utterance" if found.n_blocks is None or blocks == "auto" else blocks
    names = {"jackknife": "jackknife t", "none": "none"}
    return f"{names.get(found.method, found.method)}, {n_units:,} {kind}{'' if n_units == 1 else 's'}"


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


def method_for(n_telling: int, bootstrap: Bootstrap) -> Literal["bootstrap", "jackknife"]:
    """Method for so many blocks that tell something: that have an error, or on which the systems differ."""
    if bootstrap.method != "auto":
        return bootstrap.method
    return "jackknife" if n_telling < FEW_UNITS else "bootstrap"


def facts_of(
    counts: Int64Array,
    units: Int64Array,
    blocks: Sequence[Hashable] | None,
    bootstrap: Bootstrap,
    method: Used,
) -> dict[str, Any]:
    """Fields of a `Resampling`."""
    return asdict(
        Resampling(
            n_utterances=len(counts),
            n_reference=int(counts[:, -1].sum()),
            n_blocks=None if blocks is None else len(units),
            n_resamples=bootstrap.n_resamples,
            seed=bootstrap.seed,
            level=bootstrap.level,
            method=method,
        )
    )


def rate_of(errors: int, total: int) -> float:
    """Rate; NaN without a reference unit."""
    return errors / total if total else math.nan


def rates_of(errors: Int64Array, totals: Int64Array) -> Float64Array:
    """Rates of the resamples that have a reference unit."""
    rated = totals > 0
    rates: Float64Array = errors[rated] / totals[rated]
    return rates
