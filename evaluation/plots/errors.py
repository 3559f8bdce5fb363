"""Plots of errors: their kinds, confusions, disagreement of two systems, calibration of confidences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evaluation.plots.style import (
    COLORS,
    INK,
    axes_or_new,
    clean,
    fill_of,
    legend_above,
    points_with_intervals,
    rows_labelled,
    whiskers_by_row,
    with_legend,
)
from evaluation.plots.texts import drawing, shown
from evaluation.scoring.compare import Comparison

_KINDS: Final = ("substitution", "deletion", "insertion")
_NO_WORD: Final = "∅"


@drawing
def calibration(tables: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Calibration: share of right words against their confidence, with intervals; beneath, how many words.

    From `evaluation.beyond.breakdowns.calibration`. On the diagonal, confidence is what it says.
    """
    if ax is None:  # placed by hand: layouts do not see what hangs beneath
        ax = Figure((5.4, 4.0)).add_axes((0.13, 0.42, 0.84, 0.55))
    clean(ax)
    beneath = ax.inset_axes((0, -0.38, 1, 0.3), sharex=ax)
    ax.plot([0, 1], [0, 1], color=INK, linewidth=1, alpha=0.5)
    for number, (name, table) in enumerate(tables.items()):
        points_with_intervals(
            ax, table["confidence"], table[["right", "low", "high"]], number, label=name
        )  # fmt: skip
        width = 0.09 / len(tables)
        tenth = np.minimum((table["confidence"] * 10).astype(int), 9) / 10 + 0.005 + width / 2
        beneath.bar(tenth + number * width, table["n_words"], width, color=COLORS[number % len(COLORS)])
    ax.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share of words right", xlabel="confidence of the word")
    ax.xaxis.set_label_coords(0.5, -0.5)  # under both
    beneath.set_ylabel("words")
    ax.tick_params(labelbottom=False)
    beneath.tick_params(labelbottom=True)
    beneath.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    clean(beneath)
    return with_legend(ax, len(tables))


@drawing
def confusions(table: pd.DataFrame, ax: Axes | None = None, *, n: int = 12) -> Axes:
    """The commonest errors and how often each was made; from `evaluation.beyond.breakdowns.confusions`.

    Args:
        table: Table of one row per edit.
        ax: Axes to draw on; by default of a new figure.
        n: Number of edits to show.
    """
    shown = table.head(n)
    ax = axes_or_new(ax, width=6.4, height=1.2 + 0.27 * max(1, len(shown)))
    for number, kind in enumerate(_KINDS):
        rows = np.flatnonzero(shown["kind"] == kind)
        if len(rows):
            ax.barh(rows, shown["count"].iloc[rows], 0.7, label=kind, edgecolor="white", **fill_of(number))
    pairs = zip(shown["reference"], shown["hypothesis"], strict=True)
    rows_labelled(ax, [f"{_word(ref)} → {_word(hyp)}" for ref, hyp in pairs])
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set(xlabel="times", xlim=(0, 1.05 * shown["count"].max() if len(shown) else 1))
    return legend_above(ax)


@drawing
def error_kinds(tables: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Substitutions, deletions and insertions per 100 words, with intervals.

    Args:
        tables: Table of each system, from `evaluation.beyond.breakdowns.by_kind`.
        ax: Axes to draw on; by default of a new figure.
    """
    ax = axes_or_new(ax, height=1.1 + 0.35 * len(_KINDS))
    names = list(dict.fromkeys(str(kind) for table in tables.values() for kind in table.index))
    whiskers_by_row(ax, tables, names, ["rate", "low", "high"])
    ax.set(xlabel="per 100 reference words", xlim=(-0.02 * ax.get_xlim()[1], None))  # no dot on the edge
    return with_legend(ax, len(tables))


@drawing
def disagreement(one: Comparison, ax: Axes | None = None) -> Axes:
    """Disagreement: word errors of two systems on the same utterances, and how many have so many of each.

    On the diagonal both made as many; above it, B made more.
    """
    pairs = pd.DataFrame(
        {"a": one.a.utterances["errors"].to_numpy(), "b": one.b.utterances["errors"].to_numpy()}
    )
    counts = pairs.value_counts().sort_index().reset_index(name="n")
    ax = axes_or_new(ax, width=4.4, height=4.0)
    most = max(int(pairs.to_numpy().max()) if len(pairs) else 0, 1)
    ax.plot([-0.5, most + 0.5], [-0.5, most + 0.5], color=INK, linewidth=1, alpha=0.5)
    same = (counts["a"] == counts["b"]).to_numpy()
    for rows, color in ((same, COLORS[5]), (~same, COLORS[4])):
        chosen = counts[rows]
        ax.scatter(chosen["a"], chosen["b"], 60 + 40 * np.sqrt(chosen["n"]), color=color, zorder=2)
    for row in counts.itertuples():
        ax.annotate(f"{row.n:,}", (row.a, row.b), ha="center", va="center", fontsize="small", color="black")
    ax.set(
        xlabel=f"word errors of {shown(one.label_a)}", ylabel=f"word errors of {shown(one.label_b)}",
        xlim=(-0.5, most + 0.5), ylim=(-0.5, most + 0.5), aspect="equal",
    )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    for label, place, side in ((one.label_a, (0, 1), "left"), (one.label_b, (1, 0), "right")):
        ax.annotate(
            f"{shown(label, most=24)} has fewer", place, (0, 3 if place[1] else 4), xycoords="axes fraction",
            textcoords="offset points", ha=side, va="bottom", fontsize="small", color=INK,
        )  # fmt: skip
    return ax


def _word(word: str) -> str:
    """A word in half a row, or the sign that there is none."""
    return shown(word, most=19) if word else _NO_WORD
