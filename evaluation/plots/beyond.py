"""Plots of what a WER does not say: marks by their F1, groups by their WER."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from evaluation.plots.cut import cut_long_intervals
from evaluation.plots.style import axes_or_new, legend_above, whiskers_by_row
from evaluation.plots.texts import drawing, shown


@drawing
def marks(tables: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """F1 of each mark, in percent, with intervals; from `evaluation.beyond.punctuation.punctuation`."""
    names = _names(tables, n_last=1)
    ax = axes_or_new(ax, height=0.9 + 0.35 * len(names))
    whiskers_by_row(ax, tables, names, ["f1", "f1_low", "f1_high"])
    ax.set(xlabel="F1, %", xlim=(-2, 102))
    return legend_above(ax) if len(tables) > 1 else ax


@drawing
def wer_by_group(tables: Mapping[str, pd.DataFrame], xlabel: str, ax: Axes | None = None) -> Axes:
    """WER of each group, in percent, with intervals, the averages last; from `beyond.groups.by_group`."""
    names = _names(tables, n_last=2)
    ax = axes_or_new(ax, height=0.9 + 0.3 * len(names))
    whiskers_by_row(ax, tables, names, ["wer", "wer_low", "wer_high"])
    ax.set_xlabel(f"word error rate by {shown(xlabel)}, %")
    cut_long_intervals(ax, across=True)
    return legend_above(ax) if len(tables) > 1 else ax


def _names(tables: Mapping[str, pd.DataFrame], *, n_last: int) -> list[str]:
    """Labels of all tables: in the order of the longest one, what it lacks before its last ones."""
    longest = max(tables.values(), key=len)
    known = [str(label) for label in longest.index]
    others = dict.fromkeys(str(label) for table in tables.values() for label in table.index)
    more = [label for label in others if label not in known]
    return [*known[:-n_last], *more, *known[-n_last:]]
