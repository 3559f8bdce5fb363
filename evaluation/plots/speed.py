"""Plots of speed and size: latency, work against duration, the split of time, sizes of files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from evaluation.plots.style import (
    COLORS,
    INK,
    MARKERS,
    axes_or_new,
    fill_of,
    legend_above,
    log_ticks,
    rows_named,
    shares_within,
    with_legend,
)
from evaluation.plots.texts import drawing, shown
from evaluation.scoring.latency import is_timed
from evaluation.scoring.scores import Score

_POINTS_AS_SHAPES = 500  # more of them become an image inside the vector graphic


@drawing
def latency(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """Cumulative distribution of latency: the share of utterances that took at most so many ms of work."""
    ax = axes_or_new(ax)
    shares_within(ax, {name: times[:, 1] * 1000 for name, times in _timed(scores).items()})
    ax.set(xlabel="work on one utterance, ms", ylabel="utterances, %")
    low, high = ax.dataLim.intervalx
    if high > 10 * low > 0:
        ax.set_xscale("log")
        log_ticks(ax.xaxis)
    return with_legend(ax, len(scores))


@drawing
def work_by_duration(scores: Mapping[str, Score], ax: Axes | None = None) -> Axes:
    """Milliseconds of work against seconds of audio, one dot per utterance; the line is the mean rate."""
    ax = axes_or_new(ax)
    for number, (name, times) in enumerate(_timed(scores).items()):
        color = COLORS[number % len(COLORS)]
        ax.plot(
            times[:, 0], times[:, 1] * 1000, MARKERS[number % len(MARKERS)], markersize=4, alpha=0.6,
            markeredgewidth=0, label=shown(name), rasterized=len(times) > _POINTS_AS_SHAPES, color=color,
        )  # fmt: skip
        longest = times[:, 0].max()
        mean_ms = 1000 * longest * times[:, 1].sum() / times[:, 0].sum()
        ax.plot([0, longest], [0, mean_ms], linewidth=1, color=color)
    ax.set(xlabel="audio, s", ylabel="work, ms", xlim=(0, None), ylim=(0, None))
    return with_legend(ax, len(scores))


@drawing
def time_split(stages: Mapping[str, tuple[float, Mapping[str, float]]], ax: Axes | None = None) -> Axes:
    """Milliseconds of work per second of audio, by stage, one bar per system.

    Args:
        stages: Seconds of audio, and seconds of work by stage, by system.
        ax: Axes to draw on; by default of a new figure.
    """
    ax = axes_or_new(ax, height=1.3 + 0.45 * len(stages))
    for row, (audio_s, parts) in enumerate(stages.values()):
        left = 0.0
        for number, (stage, work_s) in enumerate(parts.items()):
            width = 1000 * work_s / audio_s
            label = "" if row else shown(stage)
            ax.barh(row, width, 0.6, left, edgecolor="white", label=label, **fill_of(number))
            left += width
    rows_named(ax, list(stages))
    ax.set(xlabel="work per second of audio, ms", xlim=(0, None))
    return legend_above(ax)


@drawing
def sizes(n_bytes: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Megabytes of files, and how many percent of the first each is."""
    ax = axes_or_new(ax, height=0.9 + 0.35 * len(n_bytes))
    first = next(iter(n_bytes.values()), 0)
    for row, value in enumerate(n_bytes.values()):
        ax.barh(row, value / 1e6, 0.6, color=COLORS[row % len(COLORS)])
        share = f" ({value / first:.0%})" if row and first else ""
        ax.annotate(
            f"{value / 1e6:,.1f}{share}", (value / 1e6, row), (4, 0), textcoords="offset points", va="center",
            fontsize="small", color=INK,
        )  # fmt: skip
    rows_named(ax, [*n_bytes])
    ax.set(xlabel="size of the file, MB", xlim=(0, 1.2 * max(n_bytes.values(), default=1) / 1e6))
    return ax


def _timed(scores: Mapping[str, Score]) -> dict[str, npt.NDArray[np.float64]]:
    """Seconds of audio and of work, shape (n, 2), of each system that has them."""
    rows = {
        name: [(record.audio_s, record.work_s) for record in one.file.records if is_timed(record)]
        for name, one in scores.items()
    }
    return {name: np.array(times, float) for name, times in rows.items() if times}
