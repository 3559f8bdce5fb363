"""Plots of error rates and their differences, with intervals: by system, profile, rule and bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from evaluation.plots.cut import cut_long_intervals
from evaluation.plots.style import (
    INK,
    axes_or_new,
    dodged,
    legend_above,
    log_ticks,
    rows_labelled,
    rows_named,
    style_of,
    whisker_across,
    whiskers_by_row,
    with_legend,
)
from evaluation.plots.texts import drawing, shown
from evaluation.scoring.compare import Comparison
from evaluation.scoring.scores import ALL, Score


@drawing
def wer_by_system(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """Dot and whisker: the WER of each system, in percent, with its interval."""
    ax = axes_or_new(ax, height=0.9 + 0.4 * len(scores))
    for row, one in enumerate(scores.values()):
        whisker_across(ax, row, (one.wer.rate, one.wer.low, one.wer.high), row)
    rows_named(ax, [*scores])
    ax.set_xlabel("word error rate, %")
    cut_long_intervals(ax, across=True)
    return ax


@drawing
def wer_by_profile(profiles: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """The WER of each system under each profile of the normaliser; from `scoring.scores.profiles`."""
    ax = axes_or_new(ax)
    tables = {
        name: table[table["utterances"] == ALL].set_index("profile") for name, table in profiles.items()
    }
    dodged(ax, tables)
    ax.set_xlabel("profile of the normaliser")
    return ax


@drawing
def wer_by_rule(rules: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """The WER after each rule of the normaliser, all earlier ones applied; from `scoring.scores.rules`.

    At the right, of one system, the points by which the rule changed the rate, where it did.
    """
    names = list(dict.fromkeys(str(name) for table in rules.values() for name in table.index))
    ax = axes_or_new(ax, width=6.4, height=0.9 + 0.28 * len(names))
    whiskers_by_row(ax, rules, names, ["wer", "wer_low", "wer_high"])
    ax.set(xlabel="word error rate after the rule and all above it, %", xlim=(0, None))
    if len(rules) == 1:
        _changes_beside(ax, next(iter(rules.values())))
    return with_legend(ax, len(rules))


@drawing
def differences(comparisons: Sequence[Comparison], ax: Axes | None = None) -> Axes:
    """Paired differences in WER, in points, with their intervals; right of zero, B is better."""
    ax = axes_or_new(ax, height=0.9 + 0.4 * len(comparisons))
    for row, one in enumerate(comparisons):
        whisker_across(ax, row, (one.wer.difference, one.wer.low, one.wer.high), 0)
    ax.axvline(0, color=INK, linewidth=1)
    rows_labelled(ax, [_pair(one) for one in comparisons])
    ax.set_xlabel("points of word error rate; left of 0, the first is better")
    return ax


@drawing
def wer_by_bin(bins: Mapping[str, pd.DataFrame], xlabel: str, ax: Axes | None = None) -> Axes:
    """The WER of each system against length, duration or noise; from `evaluation.beyond.breakdowns`.

    How many utterances a bin holds stands above it: those of the first system.
    """
    ax = axes_or_new(ax)
    dodged(ax, bins)
    first = next(iter(bins.values()))
    for place, n in enumerate(first["n_utterances"]):
        ax.annotate(
            f"{n:,}", (place, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", fontsize="x-small", color=INK, alpha=0.7,
        )  # fmt: skip
    ax.set_xlabel(shown(xlabel, most=60))
    return legend_above(ax, rise=0.06) if len(bins) > 1 else ax  # beside the numbers, not over the intervals


@drawing
def interval_width(widths: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Half the interval's width, in points, against the number of utterances: how many one needs.

    From `evaluation.beyond.breakdowns.width_by_n`. Dashed, as 1 / sqrt(n): what more utterances would give.
    """
    ax = axes_or_new(ax)
    for number, (name, table) in enumerate(widths.items()):
        if not len(table):
            continue  # too few utterances to tell
        style = style_of(number)
        ax.plot(table["n_utterances"], table["half_width"] * 100, label=shown(name), **style)
        last = table.iloc[-1]
        more = last["n_utterances"] * np.geomspace(1, 10, 5)
        ax.plot(
            more,
            last["half_width"] * 100 * np.sqrt(last["n_utterances"] / more),
            "--",
            color=style["color"],
            linewidth=1,
        )
    ax.set(xscale="log", yscale="log", xlabel="utterances", ylabel="± points of word error rate")
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    return with_legend(ax, len(widths))


def _changes_beside(ax: Axes, table: pd.DataFrame) -> None:
    points = 100 * table["difference"]
    changes = {float(row): f"{each:+.2f}" for row, each in enumerate(points) if abs(each) >= 0.005}
    for row, text in {-0.9: "points", **changes}.items():
        ax.annotate(
            text.replace("-", "−"), (1, row), (4, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize="small", color=INK,
        )  # fmt: skip


def _pair(one: Comparison) -> str:
    """Names of a comparison, on two lines where they are long."""
    a, b = shown(one.label_a, most=30), shown(one.label_b, most=30)
    return f"{a} − {b}" if len(a) + len(b) < 22 else f"{a}\n− {b}"
