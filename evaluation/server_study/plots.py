"""Plots of the server, as in `evaluation.plots`: latency, rate and memory; and a soak over its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from evaluation.plots import COLORS, FAINT, INK, LINES, axes_or_new, style_of, with_legend
from evaluation.server_study.benchmark import Benchmark
from evaluation.server_study.load import Load
from evaluation.server_study.memory import TARGET, Memory
from evaluation.server_study.process import Footprint
from evaluation.server_study.sampling import MOST_GROWTH, WARM_UP, Sample, memory_change

_DPI = 150
_PERCENTILES: dict[str, Callable[[Load], float]] = {
    "p99": lambda each: each.latency.p99,
    "p95": lambda each: each.latency.p95,
    "p50": lambda each: each.latency.p50,
}
_MOST_PARTS = 40  # of the time of a soak
_IN_PART = 20  # probes at least: a p95 of fewer is the longest of them


def benchmark_figure(found: Benchmark) -> Figure:
    """Latency and rate by the number of clients; memory by the number of permits, where it was measured."""
    n_panels = 2 + bool(found.memory)
    figure = Figure((3.7 * n_panels, 3.2), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, n_panels))
    latency_by_clients(found.loads, axes[0])
    rate_by_clients(found.loads, axes[1])
    if found.memory:
        memory_by_permits(found.memory, axes[2])
    return figure


def latency_by_clients(loads: Sequence[Load], ax: Axes | None = None) -> Axes:
    """Percentiles of the latency in milliseconds; the median's interval."""
    ax = axes_or_new(ax)
    places = np.arange(len(loads))
    for number, (name, value) in enumerate(_PERCENTILES.items()):
        ax.plot(places, [1000 * value(each) for each in loads], label=name, **style_of(2 - number))
    _whiskers(ax, places, [(1000 * each.latency.low, 1000 * each.latency.high) for each in loads])
    return with_legend(_by_count(ax, [each.n_clients for each in loads], "clients", "latency, ms"), 3)


def rate_by_clients(loads: Sequence[Load], ax: Axes | None = None) -> Axes:
    """Requests per second with their intervals."""
    ax = axes_or_new(ax)
    places = np.arange(len(loads))
    ax.plot(places, [1000 * each.rate.rate for each in loads], **style_of(0))
    _whiskers(ax, places, [(1000 * each.rate.low, 1000 * each.rate.high) for each in loads])
    return _by_count(ax, [each.n_clients for each in loads], "clients", "requests per second")


def memory_by_permits(memory: Sequence[Memory], ax: Axes | None = None) -> Axes:
    """Resident memory when loaded, after the load, and at its peak, in MB; grey: the target's limit."""
    ax = axes_or_new(ax)
    known = sorted((each for each in memory if each.worked), key=lambda each: each.pool_size)
    places = np.arange(len(known))
    kinds: dict[str, Callable[[Memory], float]] = {
        "peak": lambda each: _megabytes(each.worked, "peak_bytes"),
        "after load": lambda each: _megabytes(each.worked, "resident_bytes"),
        "loaded": lambda each: _megabytes(each.loaded, "resident_bytes"),
    }
    for number, (name, value) in enumerate(kinds.items()):
        ax.plot(places, [value(each) for each in known], label=name, **style_of(2 - number))
    # Where memory stays at its peak, both marks are to be seen.
    ax.lines[0].set(markersize=9, markerfacecolor="none", linestyle=":")
    if known:
        limit = (1 + TARGET) * kinds["after load"](known[0])
        _limit(ax, limit, f"after load of {known[0].pool_size}, +{TARGET:.0%}")
    return with_legend(
        _by_count(ax, [each.pool_size for each in known], "permits (--pool-size)", "memory, MB"), 3
    )


def soak_figure(samples: Sequence[Sample], seconds: float) -> Figure:
    """Memory, descriptors and threads, and the probe's latency over the time of a soak."""
    figure = Figure((7.4, 6.6), layout="constrained")
    memory, counts, probes = figure.subplots(3, 1, sharex=True)
    memory_over_time(samples, seconds, memory)
    counts_over_time(samples, seconds, counts)
    probes_over_time(samples, seconds, probes)
    unit, _ = _unit(seconds)
    probes.set_xlabel(f"time, {unit}")
    return figure


def memory_over_time(samples: Sequence[Sample], seconds: float, ax: Axes | None = None) -> Axes:
    """Resident memory in MB; dashed, the limit of what it may grow to after the warm-up, which is shaded."""
    ax = axes_or_new(ax)
    known = [each for each in samples if each.footprint is not None]
    resident = [_megabytes(each.footprint, "resident_bytes") for each in known]
    ax.plot(_times(known, seconds), resident, color=COLORS[0], linewidth=1.2)
    ax.set_ylim(0, None)
    change = memory_change(samples, seconds)
    if change is not None:
        _limit(ax, (1 + MOST_GROWTH) * change.before_bytes / 1e6, f"+{MOST_GROWTH:.0%} since the warm-up")
    return _over_time(ax, samples, seconds, "resident memory, MB")


def counts_over_time(samples: Sequence[Sample], seconds: float, ax: Axes | None = None) -> Axes:
    """Open descriptors, and threads."""
    ax = axes_or_new(ax)
    known = [each for each in samples if each.footprint is not None]
    attributes = {"open descriptors": "n_descriptors", "threads": "n_threads"}
    for number, (name, attribute) in enumerate(attributes.items()):
        counts = [getattr(each.footprint, attribute) for each in known]
        style: dict[str, Any] = {"color": COLORS[number], "linestyle": LINES[number], "linewidth": 1.2}
        ax.plot(_times(known, seconds), counts, label=name, **style)
    ax.set_ylim(0, None)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return _legend_above(_over_time(ax, samples, seconds, "count"))


def probes_over_time(samples: Sequence[Sample], seconds: float, ax: Axes | None = None) -> Axes:
    """Latency of each probe, a dot, and p50 and p95 of parts of the time."""
    ax = axes_or_new(ax)
    known = [each for each in samples if each.probe_s is not None]
    at = np.array(_times(known, seconds))
    took_ms = np.array([1000 * (each.probe_s or 0.0) for each in known])
    dots: dict[str, Any] = {"color": INK, "alpha": 0.3, "markersize": 5, "markeredgewidth": 0}
    ax.plot(at, took_ms, ".", label="one probe", **dots)
    parts = np.array_split(np.arange(len(at)), max(1, min(_MOST_PARTS, len(at) // _IN_PART)))
    for number, percentile in enumerate((95, 50) if len(at) >= _IN_PART else ()):
        values = [np.percentile(took_ms[part], percentile) for part in parts]
        ax.plot([at[part].mean() for part in parts], values, label=f"p{percentile}", **style_of(1 - number))
    ax.set_yscale("log")  # one that waits for a permit takes a hundred times as long as one that does not
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    return _legend_above(_over_time(ax, samples, seconds, "probe latency, ms"))


def write_png(figure: Figure, path: Path) -> Path:
    """Write a figure; returns the path."""
    figure.savefig(path, dpi=_DPI)
    return path


def _by_count(ax: Axes, counts: Sequence[int], xlabel: str, ylabel: str) -> Axes:
    """Equal steps from count to count, and zero at the bottom."""
    ax.set_xticks(range(len(counts)), [str(count) for count in counts])
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(-0.3, len(counts) - 0.7), ylim=(0, None))
    return ax


def _whiskers(ax: Axes, places: npt.ArrayLike, ends: Sequence[tuple[float, float]]) -> None:
    """Intervals, in the colour of the first line; those that are not known are not drawn."""
    low, high = np.array(ends, float).reshape(-1, 2).T
    ax.errorbar(places, (low + high) / 2, (high - low) / 2, linestyle="", capsize=4, color=COLORS[0])


def _limit(ax: Axes, value: float, text: str) -> None:
    """A line that something is to stay below, with room for its name."""
    ax.set_ylim(0, 1.15 * max(value, ax.dataLim.ymax))
    ax.axhline(value, color=INK, linestyle="--", linewidth=1, alpha=0.6)
    ax.annotate(text, (0, value), (3, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                fontsize="x-small", color=INK)  # fmt: skip


def _over_time(ax: Axes, samples: Sequence[Sample], seconds: float, ylabel: str) -> Axes:
    """The time of a soak from left to right, its warm-up shaded."""
    _, scale = _unit(seconds)
    ax.axvspan(0, WARM_UP * seconds / scale, color=FAINT, alpha=0.4, linewidth=0)
    ax.annotate("warm-up", (0, 0), (3, 3), xycoords="axes fraction", textcoords="offset points",
                fontsize="x-small", color=INK, alpha=0.7)  # fmt: skip
    ax.set(ylabel=ylabel, xlim=(0, max([seconds, *(each.at_s for each in samples)]) / scale))
    return ax


def _legend_above(ax: Axes) -> Axes:
    """A legend that covers nothing."""
    ax.legend(frameon=False, fontsize="small", labelcolor=INK, ncols=3, loc="lower right",
              bbox_to_anchor=(1, 1), borderaxespad=0)  # fmt: skip
    return ax


def _times(samples: Sequence[Sample], seconds: float) -> list[float]:
    """Times at which samples were taken, in the unit of the axis."""
    _, scale = _unit(seconds)
    return [each.at_s / scale for each in samples]


def _unit(seconds: float) -> tuple[str, float]:
    """Unit to show the time in, and how many seconds it has."""
    return ("min", 60.0) if seconds >= 180 else ("s", 1.0)


def _megabytes(found: Footprint | None, attribute: str) -> float:
    return float("nan") if found is None else float(getattr(found, attribute)) / 1e6
