"""Plots of speed and memory, as in `evaluation.plots`: contestants keep their colour from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.plots import COLORS, FAINT, INK, LINES, axes_or_new, log_ticks, rows_named, style_of
from evaluation.speed_study.limit import Limit
from evaluation.speed_study.memory import Footprint
from evaluation.speed_study.results import Found
from evaluation.speed_study.rounds import Spread, Timing
from evaluation.speed_study.sections import OURS
from evaluation.speed_study.tables import by_label
from gigastt_lab.models.files import Precision

_DPI: Final = 150
_WIDTH: Final = 8.0
_MARKERS: Final = "os^DvPX*h<>"  # more than there are colours
_PRECISIONS: Final[tuple[Precision, ...]] = ("int8", "fp32")
_HATCHES: Final = ("", "//", "..", "xx", "\\\\")


def write_plots(found: Found, folder: Path) -> list[Path]:
    """Write the plots whose sections were measured, as PNG; returns the paths."""
    present = [entry.contestant.label for entry in found.entries if entry.error is None]
    numbers = {label: number for number, label in enumerate(present)}
    drawn: dict[str, Axes] = {}
    if found.end_to_end:
        drawn["rtfx"] = rtfx_by_length(found.end_to_end, found.limits, numbers)
    if found.batch:
        drawn["batch"] = rtfx_by_batch(found.batch, numbers)
    if found.growth:
        drawn["growth"] = work_by_length(found.growth, numbers)
    if found.starts:
        drawn["memory"] = memory_bars([each for each in found.footprints if each.peak_bytes])
    paths = []
    for name, ax in drawn.items():
        paths.append(folder / f"speed_{name}.png")
        figure = ax.figure
        assert isinstance(figure, Figure)  # not a part of one
        figure.savefig(paths[-1], dpi=_DPI)
    return paths


def rtfx_by_length(
    timings: Sequence[Timing], limits: Sequence[Limit], numbers: Mapping[str, int], ax: Axes | None = None
) -> Axes:
    """Seconds of audio per second, each contestant at each length, and the machine's limit as a line.

    Args:
        timings: Timings of files, one at a time.
        limits: Limits of the machine at some of the lengths, or none.
        numbers: Numbers of the contestants by label, for their colours.
        ax: Axes to draw on; None: new ones.
    """
    ax = axes_or_new(ax, width=_WIDTH, height=3.6)
    lengths = list(dict.fromkeys(timing.audio_s for timing in timings))
    known = {label: its for label, its in by_label(timings).items() if any(each.wall_s for each in its)}
    for place, (label, its) in enumerate(known.items()):
        shift = (place - (len(known) - 1) / 2) * 0.7 / len(known)
        at = [lengths.index(timing.audio_s) + shift for timing in its]
        _points(ax, at, [timing.rtfx for timing in its], label, numbers, line=False)
    for number, precision in enumerate(_PRECISIONS):
        for place, limit in enumerate(limits):
            middle = lengths.index(limit.audio_s) if limit.audio_s in lengths else place
            ax.plot(
                [middle - 0.42, middle + 0.42], [limit.rtfx(precision)] * 2, color=INK, linewidth=1.2,
                linestyle=LINES[number], label="" if place else f"limit of {precision.upper()}",
            )  # fmt: skip
    ax.set_yscale("log")  # the limit is several times what anybody reaches
    log_ticks(ax.yaxis)
    ax.set_xticks(range(len(lengths)), [f"{length:g} s" for length in lengths])
    ax.set(xlabel="audio, one file at a time", ylabel="seconds of audio per second")
    ax.grid(False, axis="x")
    return _legend_beside(ax)


def latency_by_length(timings: Sequence[Timing], numbers: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Seconds from the file to its text against its length, one file at a time; both axes logarithmic."""
    ax = axes_or_new(ax, width=_WIDTH, height=3.6)
    by_length = sorted(timings, key=lambda timing: timing.audio_s)
    for label, its in by_label(by_length).items():
        seconds = [_scaled(timing.wall_ms, 0.001) for timing in its]
        _points(ax, [timing.audio_s for timing in its], seconds, label, numbers)
    ax.set(xscale="log", yscale="log", xlabel="audio, s", ylabel="from file to text, s")
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    return _legend_beside(ax)


def times_ours(found: Found, ax: Axes | None = None) -> Axes:
    """Time of others as a multiple of the engine's over the same files, one row each, by length.

    The engine is taken in the same precision; right of 1, it is the faster.
    """
    its: dict[str, list[tuple[float, Spread]]] = {}
    for timing in found.end_to_end:
        multiple = found.times_ours(timing, found.end_to_end)
        if not np.isnan(multiple.median):
            its.setdefault(timing.label, []).append((timing.audio_s, multiple))
    ax = _across(its, ax)
    ax.axvline(1, color=INK, linewidth=1)
    ax.set(xlabel="time, as a multiple of the engine's", xlim=(0, None))
    return _legend_beside(ax)


def share_of_limit(found: Found, ax: Axes | None = None) -> Axes:
    """Percentage of the machine's own limit that each reaches, one row each, by length."""
    its: dict[str, list[tuple[float, Spread]]] = {}
    for timing in found.end_to_end:
        share = _scaled(timing.rtfx, 100 / found.limit_rtfx(timing))
        if not np.isnan(share.median):
            its.setdefault(timing.label, []).append((timing.audio_s, share))
    ax = _across(its, ax)
    ax.set(xlabel="of the speed that products alone allow, %", xlim=(0, 100))
    return _legend_beside(ax)


def rtfx_by_threads(founds: Sequence[Found], audio_s: float, ax: Axes | None = None) -> Axes:
    """Seconds of audio per second against threads, from measurements with different numbers of them.

    Args:
        founds: Measurements on one machine; the engine's files of `audio_s` are taken of each.
        audio_s: Length of the files in seconds.
        ax: Axes to draw on; None: new ones.
    """
    ax = axes_or_new(ax)
    its: dict[str, dict[int, Spread]] = {}
    for found in founds:
        for timing in found.end_to_end:
            if timing.label.startswith(OURS) and timing.audio_s == audio_s and timing.wall_s:
                its.setdefault(timing.label, {})[found.threads] = timing.rtfx
    for number, (label, by_threads) in enumerate(its.items()):
        counts = sorted(by_threads)
        _points(ax, counts, [by_threads[n] for n in counts], label, {label: number})
    counts = sorted({n for by_threads in its.values() for n in by_threads})
    ax.set_xticks(counts, [str(n) for n in counts])
    ax.set(xlabel=f"threads; files of {audio_s:g} s", ylabel="seconds of audio per second", ylim=(0, None))
    return _legend_beside(ax)


def rtfx_by_provider(founds: Mapping[str, Found], audio_s: float, ax: Axes | None = None) -> Axes:
    """Seconds of audio per second of the engine on each execution provider, one row each.

    Args:
        founds: Measurements by the name to give the machine or the model.
        audio_s: Length of the files in seconds.
        ax: Axes to draw on; None: new ones.
    """
    its: dict[str, list[tuple[float, Spread]]] = {}
    for name, found in founds.items():
        providers = {entry.contestant.label: entry.contestant.provider for entry in found.entries}
        for timing in found.end_to_end:
            if timing.label.startswith(OURS) and timing.audio_s == audio_s and timing.wall_s:
                row = f"{providers[timing.label]}: {timing.label.removeprefix(OURS)}"
                its[f"{row} ({name})" if len(founds) > 1 else row] = [(audio_s, timing.rtfx)]
    ax = _across(its, ax)
    ax.set(xlabel="seconds of audio per second", xlim=(0, None))
    return _legend_beside(ax)


def rtfx_by_batch(timings: Sequence[Timing], numbers: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Seconds of audio per second by the number of utterances at once."""
    ax = axes_or_new(ax, width=_WIDTH, height=3.2)
    sizes = sorted({timing.n_utterances for timing in timings})
    for label, its in by_label(timings).items():
        at = [float(sizes.index(timing.n_utterances)) for timing in its]
        _points(ax, at, [timing.rtfx for timing in its], label, numbers)
    ax.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    ax.set(xlabel="utterances of 2 to 12 s at once", ylabel="seconds of audio per second", ylim=(0, None))
    return _legend_beside(ax)


def work_by_length(timings: Sequence[Timing], numbers: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Milliseconds of CPU per second of audio against its length: level where work grows as audio does."""
    ax = axes_or_new(ax, width=_WIDTH, height=3.2)
    for label, its in by_label(timings).items():
        at = [timing.audio_s for timing in its]
        _points(ax, at, [timing.cpu_ms_per_s for timing in its], label, numbers)
    ax.set(xlabel="audio, s", ylabel="CPU per second of audio, ms", xlim=(0, None), ylim=(0, None))
    return _legend_beside(ax)


def memory_bars(footprints: Sequence[Footprint], ax: Axes | None = None) -> Axes:
    """Resident memory of fresh processes in MB: when loaded, and the peak of each length of audio."""
    lengths = sorted({audio_s for each in footprints for audio_s in each.peak_bytes})
    n_bars = 1 + len(lengths)
    ax = axes_or_new(ax, width=_WIDTH, height=0.9 + 0.16 * (n_bars + 1) * len(footprints))
    rows = np.arange(len(footprints), dtype=float)
    height = 0.8 / n_bars
    values = {"loaded": [each.loaded_bytes for each in footprints]} | {
        f"peak, {length:g} s": [each.peak_bytes.get(length, float("nan")) for each in footprints]
        for length in lengths
    }
    for number, (name, its) in enumerate(values.items()):
        at = rows + (number - (n_bars - 1) / 2) * height
        fill: dict[str, Any] = {
            "color": COLORS[number % len(COLORS)],
            "hatch": _HATCHES[number % len(_HATCHES)],
        }
        ax.barh(at, np.array(its) / 1e6, height, label=name, edgecolor="white", **fill)
    rows_named(ax, [each.label for each in footprints])
    ax.set(xlabel="resident memory, MB", xlim=(0, None))
    return _legend_beside(ax)


def _across(its: Mapping[str, Sequence[tuple[float, Spread]]], ax: Axes | None) -> Axes:
    """A row for each, with a dot and the quartiles for each length of audio, which has its own colour."""
    ax = axes_or_new(ax, width=_WIDTH, height=1.0 + 0.42 * max(1, len(its)))
    lengths = list(dict.fromkeys(audio_s for spreads in its.values() for audio_s, _ in spreads))
    for number, length in enumerate(lengths):
        shift = (number - (len(lengths) - 1) / 2) * 0.6 / len(lengths)
        rows, found = [], []
        for row, spreads in enumerate(its.values()):
            for audio_s, value in spreads:
                if audio_s == length:
                    rows.append(row + shift)
                    found.append(value)
        low, median, high = np.array([(each.low, each.median, each.high) for each in found]).T
        style = style_of(number) | {"linestyle": "", "zorder": 3}
        ax.errorbar(
            (low + high) / 2, rows, xerr=(high - low) / 2, linestyle="", capsize=3, color=style["color"]
        )
        ax.plot(median, rows, label=f"{length:g} s of audio", **style)
    rows_named(ax, [*its])
    return ax


def _scaled(value: Spread, factor: float) -> Spread:
    return Spread(value.median * factor, value.low * factor, value.high * factor)


def _points(
    ax: Axes,
    at: Sequence[float],
    spreads: Sequence[Spread],
    label: str,
    numbers: Mapping[str, int],
    *,
    line: bool = True,
) -> None:
    """Medians, with the quartiles as whiskers; what is not known is not drawn."""
    number = numbers.get(label, len(numbers))
    style = style_of(number) | {"marker": _MARKERS[number % len(_MARKERS)]}
    if not line:
        style["linestyle"] = ""
    low, median, high = np.array([(each.low, each.median, each.high) for each in spreads]).T
    ax.errorbar(at, (low + high) / 2, (high - low) / 2, linestyle="", capsize=3, color=style["color"])
    if not np.isnan(median).all():
        ax.plot(at, median, label=label, **style)


def _legend_beside(ax: Axes) -> Axes:
    """A legend that covers nothing."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(
            frameon=False, fontsize="small", labelcolor=INK, loc="upper left", bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0, edgecolor=FAINT,
        )  # fmt: skip
    return ax
