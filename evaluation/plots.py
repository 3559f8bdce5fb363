"""Plots of scores, each with its intervals: functions that take an Axes, or make one, and return it.

A figure that they make belongs to no window and no backend: in a notebook, or to save it, take
`axes.figure`. Colours are Okabe and Ito's, told apart by colour-blind readers too, and every system has a
marker of its own. Values that are not known are not drawn.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from evaluation.compare import Comparison
from evaluation.scores import ALL, Score
from evaluation.speed import is_timed

# M. Okabe, K. Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
INK, FAINT = "#24292f", "#d0d4da"
_MARKERS = "os^Dv*"
LINES = ("-", "--", "-.", ":")
_HATCHES = ("", "//", "..", "xx", "\\\\")
_POINTS_AS_SHAPES = 500  # more of them become an image inside the vector graphic


def wer_by_system(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """Dot and whisker: the WER of each system, in percent, with its interval."""
    ax = axes_or_new(ax, height=0.9 + 0.4 * len(scores))
    for row, one in enumerate(scores.values()):
        _whisker_across(ax, row, (one.wer.rate, one.wer.low, one.wer.high), row)
    _rows(ax, [*scores])
    ax.set_xlabel("word error rate, %")
    return ax


def wer_by_profile(profiles: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """The WER of each system under each profile of the normaliser; from `evaluation.scores.profiles`."""
    ax = axes_or_new(ax)
    tables = {
        name: table[table["utterances"] == ALL].set_index("profile") for name, table in profiles.items()
    }
    _dodged(ax, tables)
    ax.set_xlabel("profile of the normaliser")
    return ax


def differences(comparisons: Sequence[Comparison], ax: Axes | None = None) -> Axes:
    """Paired differences in WER, in points, with their intervals; right of zero, B is better."""
    ax = axes_or_new(ax, height=0.9 + 0.4 * len(comparisons))
    for row, one in enumerate(comparisons):
        _whisker_across(ax, row, (one.wer.difference, one.wer.low, one.wer.high), 0)
    ax.axvline(0, color=INK, linewidth=1)
    names = [f"{one.label_a} − {one.label_b}" for one in comparisons]
    _rows(ax, [name if len(name) < 25 else name.replace(" − ", "\n− ") for name in names])
    ax.set_xlabel("points of word error rate; left of 0, the first is better")
    return ax


def wer_by_bin(bins: Mapping[str, pd.DataFrame], xlabel: str, ax: Axes | None = None) -> Axes:
    """The WER of each system against length, duration or noise; from `evaluation.breakdowns`.

    How many utterances a bin holds stands above it: those of the first system.
    """
    ax = axes_or_new(ax)
    _dodged(ax, bins)
    first = next(iter(bins.values()))
    for place, n in enumerate(first["n_utterances"]):
        ax.annotate(
            f"{n:,}", (place, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", fontsize="x-small", color=INK, alpha=0.7,
        )  # fmt: skip
    ax.set_xlabel(xlabel)
    return ax


def calibration(tables: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Share of words that are right against their confidence, with intervals; beneath, how many words.

    From `evaluation.breakdowns.calibration`. On the diagonal, confidence is what it says.
    """
    if ax is None:  # placed by hand: layouts do not see what hangs beneath
        ax = Figure((5.4, 4.0)).add_axes((0.13, 0.42, 0.84, 0.55))
    _clean(ax)
    beneath = ax.inset_axes((0, -0.38, 1, 0.3), sharex=ax)
    ax.plot([0, 1], [0, 1], color=INK, linewidth=1, alpha=0.5)
    for number, (name, table) in enumerate(tables.items()):
        _intervals(ax, table["confidence"], table[["right", "low", "high"]], number, label=name)
        width = 0.09 / len(tables)
        tenth = np.minimum((table["confidence"] * 10).astype(int), 9) / 10 + 0.005 + width / 2
        beneath.bar(tenth + number * width, table["n_words"], width, color=COLORS[number % len(COLORS)])
    ax.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share of words right", xlabel="confidence of the word")
    ax.xaxis.set_label_coords(0.5, -0.5)  # under both
    beneath.set_ylabel("words")
    ax.tick_params(labelbottom=False)
    beneath.tick_params(labelbottom=True)
    beneath.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    _clean(beneath)
    return with_legend(ax, len(tables))


def latency(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """The share of utterances that took at most so long, in milliseconds of work."""
    ax = axes_or_new(ax)
    shares = np.linspace(0, 1, 401)
    for number, (name, times) in enumerate(_timed(scores).items()):
        work_ms = np.quantile(times[:, 1] * 1000, shares, method="inverted_cdf")
        ax.step(
            work_ms, shares * 100, where="post", label=name, color=COLORS[number % len(COLORS)],
            linestyle=LINES[number % len(LINES)],
        )  # fmt: skip
    for percentile in (50, 95, 99):
        ax.axhline(percentile, color=INK, linewidth=0.6, alpha=0.35)
    ax.set(xlabel="work on one utterance, ms", ylabel="utterances, %", ylim=(0, 101))
    ax.set_yticks([0, 25, 50, 75, 95])
    low, high = ax.dataLim.intervalx
    if high > 10 * low > 0:
        ax.set_xscale("log")
        _log_ticks(ax.xaxis)
    return with_legend(ax, len(scores))


def work_by_duration(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """Milliseconds of work against seconds of audio, one dot per utterance; the line is the mean rate."""
    ax = axes_or_new(ax)
    for number, (name, times) in enumerate(_timed(scores).items()):
        color = COLORS[number % len(COLORS)]
        ax.plot(
            times[:, 0], times[:, 1] * 1000, _MARKERS[number % len(_MARKERS)], markersize=4, alpha=0.6,
            markeredgewidth=0, label=name, rasterized=len(times) > _POINTS_AS_SHAPES, color=color,
        )  # fmt: skip
        longest = times[:, 0].max()
        mean_ms = 1000 * longest * times[:, 1].sum() / times[:, 0].sum()
        ax.plot([0, longest], [0, mean_ms], linewidth=1, color=color)
    ax.set(xlabel="audio, s", ylabel="work, ms", xlim=(0, None), ylim=(0, None))
    return with_legend(ax, len(scores))


def time_split(stages: Mapping[str, tuple[float, Mapping[str, float]]], ax: Axes | None = None) -> Axes:
    """Milliseconds of work per second of audio, by stage, one bar per system.

    Args:
        stages: Of each system, seconds of audio, and seconds of work by stage.
        ax: Where to draw.
    """
    ax = axes_or_new(ax, height=1.3 + 0.45 * len(stages))
    for row, (audio_s, parts) in enumerate(stages.values()):
        left = 0.0
        for number, (stage, work_s) in enumerate(parts.items()):
            width = 1000 * work_s / audio_s
            fill: dict[str, Any] = {
                "color": COLORS[number % len(COLORS)],
                "hatch": _HATCHES[number % len(_HATCHES)],
            }
            ax.barh(row, width, 0.6, left, edgecolor="white", label="" if row else stage, **fill)
            left += width
    _rows(ax, list(stages))
    ax.set(xlabel="work per second of audio, ms", xlim=(0, None))
    ax.legend(
        frameon=False, ncols=5, loc="lower left", bbox_to_anchor=(0, 1), fontsize="small", labelcolor=INK,
        columnspacing=1, handlelength=1.3, handletextpad=0.4,
    )  # fmt: skip
    return ax


def interval_width(widths: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """How many utterances one needs: half the interval's width, in points, against their number.

    From `evaluation.breakdowns.width_by_n`. Dashed, as 1 / sqrt(n): what more utterances would give.
    """
    ax = axes_or_new(ax)
    for number, (name, table) in enumerate(widths.items()):
        style = style_of(number)
        ax.plot(table["n_utterances"], table["half_width"] * 100, label=name, **style)
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
    _log_ticks(ax.xaxis)
    _log_ticks(ax.yaxis)
    return with_legend(ax, len(widths))


def to_svg(ax: Axes) -> str:
    """The figure of an Axes as an SVG element without background, its letters drawn: it needs no font."""
    buffer = io.StringIO()
    figure = ax.figure
    assert isinstance(figure, Figure)  # not a part of one
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "gigastt_lab"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing, dpi=150)
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def axes_or_new(ax: Axes | None, *, width: float = 5.4, height: float = 3.0) -> Axes:
    """The given Axes, or one of a new figure of so many inches; in the style of all plots here."""
    ax = Figure((width, height), layout="constrained").subplots() if ax is None else ax
    _clean(ax)
    return ax


def _clean(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(color=FAINT, labelcolor=INK, labelsize="small")
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.grid(True, color=FAINT, linewidth=0.5, alpha=0.7)
    ax.set_axisbelow(True)


def _log_ticks(axis: Axis) -> None:
    """Plain numbers at 1, 2, 5, 10, ...: a narrow range has no power of ten in it."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def style_of(number: int) -> dict[str, Any]:
    """Colour, marker and line of the system of this number."""
    return {
        "color": COLORS[number % len(COLORS)], "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 5, "linewidth": 1.4,
    }  # fmt: skip


def with_legend(ax: Axes, n_systems: int) -> Axes:
    """The Axes, with a legend where there is more than one system to tell apart."""
    if n_systems > 1 and ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small", labelcolor=INK)
    return ax


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)  # the first on top
    ax.grid(False, axis="y")


def _whisker_across(ax: Axes, row: int, estimate: tuple[float, float, float], number: int) -> None:
    """One value with the ends of its interval, from shares to percent; without one, the dot alone."""
    value, low, high = (100 * share for share in estimate)
    color = style_of(number)["color"]
    ax.errorbar((low + high) / 2, row, xerr=(high - low) / 2, linestyle="", capsize=4, color=color)
    ax.plot(value, row, **style_of(number))


def _intervals(
    ax: Axes, x: npt.ArrayLike, estimates: pd.DataFrame, number: int, *, label: str, capsize: float = 0
) -> None:
    """A line of values, the first column, with intervals between the other two; those need not hold it."""
    value, low, high = estimates.to_numpy(float).T
    style = style_of(number)
    ax.errorbar(x, (low + high) / 2, (high - low) / 2, linestyle="", capsize=capsize, color=style["color"])
    ax.plot(x, value, label=label, **style)


def _dodged(ax: Axes, tables: Mapping[str, pd.DataFrame]) -> None:
    """WER with intervals at each label of the index, the systems side by side."""
    places = list(dict.fromkeys(label for table in tables.values() for label in table.index))
    for number, (name, table) in enumerate(tables.items()):
        at = np.array([places.index(label) for label in table.index], float)
        at += (number - (len(tables) - 1) / 2) * min(0.2, 0.6 / len(tables))
        _intervals(ax, at, 100 * table[["wer", "wer_low", "wer_high"]], number, label=name, capsize=3)
    ax.set_xticks(range(len(places)), places)
    ax.set_ylim(0, None)
    ax.set_ylabel("word error rate, %")
    ax.grid(False, axis="x")
    with_legend(ax, len(tables))


def _timed(scores: Mapping[str, Score]) -> dict[str, npt.NDArray[np.float64]]:
    """Seconds of audio and of work, shape (n, 2), of each system that has them."""
    rows = {
        name: [(record.audio_s, record.work_s) for record in one.file.records if is_timed(record)]
        for name, one in scores.items()
    }
    return {name: np.array(times, float) for name, times in rows.items() if times}
