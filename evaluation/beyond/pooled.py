"""Intervals of statistics that are no error rate: shares, F1, calibration; any function of pooled counts.

Units are those of the score: speakers or sessions where they are drawn, else utterances. Of more than
5,000 units, 2,000 groups drawn at random take their place: the interval of a sum over independent units
does not change but for the noise of its width (1 / sqrt(2 * 2,000), 2 %), and 100,000 utterances take
milliseconds.

Source: K. M. Wolter, "Introduction to Variance Estimation", 2007, chapter 2 (random groups).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.scoring.scores import Score
from evaluation.statistics.intervals import interval, statistic_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Statistic = Callable[[FloatArray], FloatArray]

_MOST_UNITS = 5_000
_N_GROUPS = 2_000
_units: WeakKeyDictionary[Score, IntArray | None] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic and the ends of its interval, NaN where nothing is known.

    Attributes:
        value: Value over the whole set.
        low, high: Ends of the interval at the level of the score's options.
    """

    value: float
    low: float
    high: float

    def cells(self, name: str) -> dict[str, float]:
        """Cells of a table: `name`, `name_low`, `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


UNKNOWN = Estimate(value=math.nan, low=math.nan, high=math.nan)


def share(part: npt.ArrayLike, whole: npt.ArrayLike, one: Score) -> Estimate:
    """Pooled share, sum(part) / sum(whole), with its interval: a recall, a precision.

    Args:
        part: Counts of each utterance of the score. Shape (n_utterances,).
        whole: Counts that hold them. Shape (n_utterances,).
        one: Score, for its options and the units that are drawn.
    """
    found = interval(per_unit(part, one), per_unit(whole, one), one.options, bounded=True)
    return Estimate(value=found.rate, low=found.low, high=found.high)


def rate(events: npt.ArrayLike, amounts: npt.ArrayLike, one: Score, *, per: float = 1.0) -> Estimate:
    """Pooled rate, per * sum(events) / sum(amounts), with its interval: false alarms per hour.

    Args:
        events: Counts of each utterance. Shape (n_utterances,).
        amounts: What they are held against, whole numbers (milliseconds, words). Shape (n_utterances,).
        one: Score, for its options and the units that are drawn.
        per: Amount that the rate is of.
    """
    found = interval(per_unit(events, one), per_unit(amounts, one), one.options)
    return Estimate(value=per * found.rate, low=per * found.low, high=per * found.high)


def statistic(
    counts: npt.ArrayLike, function: Statistic, one: Score, *, bounded: bool = True, scale: float = 1.0
) -> Estimate:
    """Any statistic of pooled counts, with its interval.

    Args:
        counts: Counts, or sums that are not negative, of each utterance. Shape (n_utterances, k).
        function: From summed counts, shape (..., k), to the statistic, shape (...); NaN where there is none.
        one: Score, for its options and the units that are drawn.
        bounded: True for a statistic from 0 to 1.
        scale: Fixed-point scale of sums that are no whole numbers: 1e6 keeps six decimals of each utterance.
    """
    rows = np.asarray(counts, np.float64)
    value = float(function(rows.sum(axis=0)))
    if math.isnan(value):
        return UNKNOWN
    fixed = np.array([per_unit(column, one) for column in np.rint(rows * scale).T])
    low, high = statistic_interval(fixed.T, lambda sums: function(sums / scale), one.options, bounded=bounded)
    if bounded:
        low, high = np.clip([low, high], 0, 1).tolist()
    return Estimate(value=value, low=low, high=high)


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, NaN where the denominator is 0; no warning."""
    empty = denominator == 0
    return np.where(empty, np.nan, numerator / np.where(empty, 1, denominator))


def per_unit(counts: npt.ArrayLike, one: Score) -> IntArray:
    """Sums over the units that are drawn of what each utterance of the score has. Shape (n_units,)."""
    column, units = np.asarray(counts), units_of(one)
    if units is None:
        return column.astype(np.int64)
    return np.rint(np.bincount(units, weights=column)).astype(np.int64)


def units_of(one: Score) -> IntArray | None:
    """The unit of each utterance of a score, numbered; None where each utterance is one.

    The groups are drawn with a seed of their own: the same utterances share one for every statistic.
    """
    if one not in _units:
        _units[one] = _grouped(one.block_names, len(one.utterances))
    return _units[one]


def _grouped(names: list[str] | None, n_utterances: int) -> IntArray | None:
    if names is None:
        numbers, n_units = np.arange(n_utterances), n_utterances
    else:
        numbers, found = pd.factorize(pd.Series(names, dtype=object), use_na_sentinel=False)
        n_units = len(found)
    if n_units <= _MOST_UNITS:
        return None if names is None else numbers
    group_of = np.random.default_rng(0).permutation(n_units) % _N_GROUPS
    return np.asarray(group_of[numbers], np.int64)
