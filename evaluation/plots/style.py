"""Style of all plots: colours, marks, axes without clutter, intervals, and the way into a page as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from evaluation.plots.cut import cut_long_intervals
from evaluation.plots.texts import shown, without_formulas

# M. Okabe, K. Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/, without their yellow, which is
# hard to see on white; grey in place of black, so that it can be seen on dark pages, too.
COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a")
INK, FAINT = "#24292f", "#d0d4da"
MARKERS: Final = "os^DvPX"
LINES: Final = ("-", "--", "-.", ":")
_LETTERS_ACROSS = 60  # that fit beside each other under an axis
HATCHES: Final = ("", "//", "..", "xx", "\\\\")


def to_svg(ax: Axes) -> str:
    """The figure of an Axes as an SVG element without background, its letters drawn: it needs no font."""
    buffer = io.StringIO()
    figure = ax.figure
    assert isinstance(figure, Figure)  # not a part of one
    without_formulas([figure])
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "gigastt_lab", "text.parse_math": False}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing, dpi=150)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def axes_or_new(ax: Axes | None, *, width: float = 5.4, height: float = 3.0) -> Axes:
    """The given Axes, or one of a new figure of so many inches; in the style of all plots here."""
    ax = Figure((width, height), layout="constrained").subplots() if ax is None else ax
    return clean(ax)


def clean(ax: Axes) -> Axes:
    """The Axes, in the style of all plots here."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(color=FAINT, labelcolor=INK, labelsize="small")
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.grid(True, color=FAINT, linewidth=0.5, alpha=0.7)
    ax.set_axisbelow(True)
    return ax


def log_ticks(axis: Axis) -> None:
    """Plain numbers at 1, 2, 5, 10, ...: a narrow range has no power of ten in it."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def style_of(number: int) -> dict[str, Any]:
    """Colour, marker and line of the system of this number."""
    return {
        "color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)],
        "markersize": 5, "linewidth": 1.4,
    }  # fmt: skip


def line_of(number: int) -> dict[str, Any]:
    """Colour and line style of a curve of this number, which has no markers."""
    return {"color": COLORS[number % len(COLORS)], "linestyle": LINES[number % len(LINES)]}


def fill_of(number: int) -> dict[str, Any]:
    """Colour and hatch of bars of this number."""
    return {"color": COLORS[number % len(COLORS)], "hatch": HATCHES[number % len(HATCHES)]}


def with_legend(ax: Axes, n_systems: int) -> Axes:
    """The Axes, with a legend where there is more than one system to tell apart."""
    if n_systems > 1 and ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small", labelcolor=INK)
    return ax


def legend_above(ax: Axes, *, rise: float = 0) -> Axes:
    """The Axes, with a legend in one line above, where it covers nothing; `rise`: in heights of the Axes."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(
            frameon=False, ncols=5, loc="lower left", bbox_to_anchor=(0, 1 + rise), fontsize="small",
            labelcolor=INK, columnspacing=1, handlelength=1.3, handletextpad=0.4,
        )  # fmt: skip
    return ax


def rows_named(ax: Axes, names: Sequence[str]) -> None:
    """One row for each name, the first on top."""
    rows_labelled(ax, [shown(name) for name in names])


def rows_labelled(ax: Axes, labels: Sequence[str]) -> None:
    """One row for each label, as it is: its texts have been through `shown`."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(max(len(labels), 1) - 0.5, -0.5)
    ax.grid(False, axis="y")


def whisker_across(
    ax: Axes, row: float, estimate: tuple[float, float, float], number: int, *, label: str | None = None
) -> None:
    """One value with the ends of its interval, from shares to percent; without one, the dot alone."""
    value, low, high = (100 * share for share in estimate)
    color = style_of(number)["color"]
    ax.errorbar((low + high) / 2, row, xerr=(high - low) / 2, linestyle="", capsize=4, color=color)
    named = "" if label is None else shown(label)
    ax.plot(value, row, label=named, **style_of(number) | {"linestyle": ""})


def whiskers_by_row(
    ax: Axes, tables: Mapping[str, pd.DataFrame], rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Values with intervals in a row for each label of the index, the systems beneath each other.

    Args:
        ax: Axes to draw on.
        tables: Table of each system, indexed by labels that are among `rows`.
        rows: Labels of the rows, the first on top.
        columns: Columns of the value and of the ends of its interval, all shares.
    """
    for number, (name, table) in enumerate(tables.items()):
        shift = (number - (len(tables) - 1) / 2) * 0.5 / len(tables)
        for label, row in table.iterrows():
            value, low, high = (row[column] for column in columns)
            first = name if label == table.index[0] else None
            whisker_across(ax, rows.index(str(label)) + shift, (value, low, high), number, label=first)
    rows_named(ax, rows)


def shares_within(ax: Axes, values: Mapping[str, npt.NDArray[np.float64]]) -> None:
    """Cumulative distributions: the share, in percent, of each system's values that are at most so large."""
    shares = np.linspace(0, 1, 401)
    for number, (name, each) in enumerate(values.items()):
        if len(each):
            at_most = np.quantile(each, shares, method="inverted_cdf")
            ax.step(at_most, shares * 100, where="post", label=shown(name), **line_of(number))
    for percentile in (50, 95, 99):
        ax.axhline(percentile, color=INK, linewidth=0.6, alpha=0.35)
    ax.set_ylim(0, 101)
    ax.set_yticks([0, 25, 50, 75, 95])


def points_with_intervals(
    ax: Axes, x: npt.ArrayLike, estimates: pd.DataFrame, number: int, *, label: str, capsize: float = 0
) -> None:
    """A line of values, the first column, with intervals between the other two; those need not hold it."""
    value, low, high = estimates.to_numpy(float).T
    style = style_of(number)
    ax.errorbar(x, (low + high) / 2, (high - low) / 2, linestyle="", capsize=capsize, color=style["color"])
    ax.plot(x, value, label=shown(label), **style)


def dodged(ax: Axes, tables: Mapping[str, pd.DataFrame]) -> None:
    """WER with intervals at each label of the index, the systems side by side."""
    places = list(dict.fromkeys(label for table in tables.values() for label in table.index))
    for number, (name, table) in enumerate(tables.items()):
        at = np.array([places.index(label) for label in table.index], float)
        at += (number - (len(tables) - 1) / 2) * min(0.2, 0.6 / len(tables))
        columns = table[["wer", "wer_low", "wer_high"]]
        points_with_intervals(ax, at, 100 * columns, number, label=name, capsize=3)
    labels = [shown(place) for place in places]
    ax.set_xticks(range(len(places)), labels)
    if sum(map(len, labels)) > _LETTERS_ACROSS:
        ax.tick_params(axis="x", rotation=30)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")
    ax.set_ylim(0, None)
    ax.set_ylabel("word error rate, %")
    cut_long_intervals(ax, across=False)
    ax.grid(False, axis="x")
    with_legend(ax, len(tables))
