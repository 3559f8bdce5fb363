"""Error rates of groups of utterances: of each source, speaker, or whatever a dataset says; and their mean.

The micro average is the WER of all utterances, to which a group contributes by its words; the macro average
is the mean of the groups' WERs, to which each contributes alike. Of its interval: speakers, sessions and
columns with more than 50 groups are a sample of such, so the groups themselves are drawn; a few groups
(sources) are all there are, and utterances are drawn inside them.
"""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.beyond.pooled import Estimate, FloatArray, IntArray, ratio, units_of
from evaluation.scoring.counting import ScoreError, word_interval
from evaluation.scoring.scores import Score
from evaluation.statistics.intervals import statistic_interval

NO_GROUP: Final = "(none)"
MICRO: Final = "all, micro"
MACRO: Final = "mean of groups, macro"
_FIELDS: Final = ("speaker", "session")
_MOST_FIXED: Final = 50
_SCALE: Final = 1e6

Names = npt.NDArray[np.object_]


def columns(one: Score) -> list[str]:
    """Columns that utterances can be grouped by: `speaker` and `session` where known, then the metadata's."""
    records = one.file.records
    known = [name for name in _FIELDS if any(getattr(record, name) is not None for record in records)]
    return [*known, *dict.fromkeys(name for record in records for name in record.metadata)]


def groups_of(one: Score, column: str) -> Names:
    """Group of each utterance, `NO_GROUP` where the column says nothing. Shape (n_utterances,).

    Raises:
        ScoreError: there is no such column.
    """
    known = columns(one)
    if column not in known:
        told = f"it has {', '.join(known)}" if known else "it states none, neither speakers nor metadata"
        raise ScoreError(f"{one.file.path} has no column {column!r} to group by; {told}")
    records = one.file.records
    values = (
        [getattr(record, column) for record in records]
        if column in _FIELDS and any(getattr(record, column) is not None for record in records)
        else [record.metadata.get(column) for record in records]
    )
    names = [NO_GROUP if value is None or not str(value).strip() else str(value) for value in values]
    return np.array(names, dtype=object)


def by_group(one: Score, column: str) -> pd.DataFrame:
    """WER of each group, and both averages.

    Args:
        one: Score of the system.
        column: `speaker`, `session`, or a column of the metadata.

    Returns:
        Table indexed by group, by name (numbers by size) with `NO_GROUP` last, then `MICRO` and `MACRO`:
        `n_utterances`, `n_words`, `wer` with `wer_low`, `wer_high`. A group whose references have no word
        has no rate and no part in the macro average.

    Raises:
        ScoreError: there is no such column.
    """
    names = groups_of(one, column)
    codes, found = pd.factorize(names)
    order = sorted(range(len(found)), key=lambda number: _rank(str(found[number])))
    members = np.split(
        np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=len(found)))[:-1]
    )
    rows = {str(found[number]): _row(one, members[number], column) for number in order}
    table = one.utterances
    rows[MICRO] = {"n_utterances": len(table), "n_words": one.wer.n_reference} | Estimate(
        value=one.wer.rate, low=one.wer.low, high=one.wer.high
    ).cells("wer")
    rows[MACRO] = {"n_utterances": len(table), "n_words": one.wer.n_reference} | _macro(
        one, codes, len(found), column
    ).cells("wer")
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(column)


def _row(one: Score, chosen: IntArray, column: str) -> dict[str, float]:
    blocks = one.block_names
    if blocks is not None and column != one.options.blocks:
        blocks = [blocks[place] for place in chosen]
    else:  # within one speaker, utterances are what there is to draw
        blocks = None
    found = word_interval(one.utterances.iloc[chosen], one.options, blocks)
    cells: dict[str, float] = {"n_utterances": len(chosen), "n_words": found.n_reference}
    return cells | Estimate(value=found.rate, low=found.low, high=found.high).cells("wer")


def _macro(one: Score, codes: IntArray, n_groups: int, column: str) -> Estimate:
    errors, n_words = (
        np.bincount(codes, weights=one.utterances[name], minlength=n_groups) for name in ("errors", "n_words")
    )
    rated = n_words > 0
    rates = errors[rated] / n_words[rated]
    if not errors.any() or not len(rates):  # both averages are 0, or none: so are their ends
        return Estimate(value=one.wer.rate, low=one.wer.low, high=one.wer.high)
    value = float(rates.mean())
    mean = _mean
    if column in _FIELDS or len(rates) > _MOST_FIXED:
        drawn = np.rint(np.array([rates, np.ones_like(rates)]) * _SCALE).astype(np.int64).T
    else:
        drawn, mean = _by_unit(one, codes, n_groups), _mean_rate
        n_units = (drawn[:, n_groups:] > 0).sum(axis=0)
        if (n_units == 1).any():  # of one speaker, or utterance, nobody knows how others would do
            return Estimate(value=value, low=math.nan, high=math.nan)
    # On the log scale, as the rates' own intervals: the mean of few groups is skewed to the right.
    ends = statistic_interval(drawn, lambda sums: _log(mean(sums)), one.options, bounded=False)
    low, high = np.exp(ends).tolist()
    return Estimate(value=value, low=low, high=high)


def _by_unit(one: Score, codes: IntArray, n_groups: int) -> IntArray:
    """Errors of each group, then words of each, of every unit that is drawn. Shape (n_units, 2 * n)."""
    units = units_of(one)
    units = np.arange(len(codes)) if units is None else units
    places, shape = units * n_groups + codes, (int(units.max()) + 1, n_groups)
    columns = [
        np.bincount(places, weights=one.utterances[name], minlength=shape[0] * n_groups).reshape(shape)
        for name in ("errors", "n_words")
    ]
    return np.concatenate(columns, axis=1).astype(np.int64)


def _log(values: FloatArray) -> FloatArray:
    """Logarithm; NaN of what has none."""
    return np.log(np.where(values > 0, values, np.nan))


def _mean(sums: FloatArray) -> FloatArray:
    return ratio(sums[..., 0], sums[..., 1])


def _mean_rate(sums: FloatArray) -> FloatArray:
    """Mean of the rates of the groups that were drawn at all."""
    errors, n_words = np.split(sums, 2, axis=-1)
    rates = ratio(errors, n_words)
    there = ~np.isnan(rates)
    return ratio(np.where(there, rates, 0).sum(axis=-1), there.sum(axis=-1))


def _rank(name: str) -> tuple[bool, list[tuple[bool, float, str]]]:
    """Order of names: numbers inside them by size, the group without a name last."""
    parts = [part for part in re.split(r"(\d+)", name.casefold()) if part]
    return name == NO_GROUP, [
        (not part.isdecimal(), float(part) if part.isdecimal() else 0.0, part) for part in parts
    ]
