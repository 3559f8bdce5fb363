"""Plots of streams, as in `evaluation.plots`: what latency costs, its distribution, how a text settles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from evaluation.plots.style import (
    COLORS,
    INK,
    axes_or_new,
    line_of,
    shares_within,
    style_of,
    with_legend,
)
from evaluation.records.stream_log import StreamEvent, StreamLog, utterances_of
from evaluation.stream_study.study import LATENCIES, StreamScore

Cost = Literal["finals", "last partials", "work"]
_COSTS: dict[Cost, str] = {
    "finals": "WER of finals, %",
    "last partials": "WER of last partials, %",
    "work": "work per second of audio, ms",
}
_SETTLED, _TAKEN_BACK = COLORS[5], COLORS[1]
_LETTERS_ACROSS = 95  # of the small print, in the width of a raster


def trade_off(
    streams: Mapping[str, StreamScore],
    latency: str,
    cost: Cost,
    ax: Axes | None = None,
    *,
    file_path: Mapping[str, float] | None = None,
) -> Axes:
    """Trade-off of error rate or work against latency: the median of a latency, with intervals of both.

    Args:
        streams: Scores by label.
        latency: Name of the latency, one of `LATENCIES`.
        cost: Quantity on the other axis; work has no interval.
        ax: Axes to draw on; by default of a new figure.
        file_path: WER of whole files, a share, by name; drawn as dashed lines.
    """
    ax = axes_or_new(ax)
    for number, (name, one) in enumerate(streams.items()):
        found = one.latencies[latency]
        if not found.n:
            continue
        value, low, high = _cost(one, cost)
        style = style_of(number) | {"linestyle": ""}
        ax.errorbar(
            1000 * found.p50, value, xerr=_around(1000 * found.p50, 1000 * found.low, 1000 * found.high),
            yerr=_around(value, low, high), capsize=3, elinewidth=1.2, label=name, **style,
        )  # fmt: skip
    for wer in dict.fromkeys((file_path or {}).values()):
        ax.axhline(100 * wer, color=INK, linestyle="--", linewidth=1, alpha=0.6)
        ax.annotate("whole files", (0, 100 * wer), (3, 3), xycoords=("axes fraction", "data"),
                    textcoords="offset points", fontsize="small", color=INK)  # fmt: skip
    ax.set(xlabel=f"{LATENCIES[latency]}, median, ms", ylabel=_COSTS[cost])
    ax.set_xlim(0, 1.05 * ax.get_xlim()[1])  # no mark on the edge
    ax.set_ylim(0, 1.05 * ax.get_ylim()[1])
    return with_legend(ax, len(streams))


def latency_shares(streams: Mapping[str, StreamScore], latency: str, ax: Axes | None = None) -> Axes:
    """Cumulative distribution of a latency: the share of results that came within so long."""
    ax = axes_or_new(ax)
    shares_within(ax, {name: 1000 * np.array(one.latencies[latency].values) for name, one in streams.items()})
    ax.set(xlabel=f"{LATENCIES[latency]}, ms", ylabel="share, %")
    return with_legend(ax, len(streams))


def settling(times_s: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """The share of words that stay as they are, against the time since something first stood in their place.

    Args:
        times_s: Settling times by system, in seconds, from `evaluation.stream_study.measures.settling_s`.
        ax: Axes to draw on; by default of a new figure.
    """
    ax = axes_or_new(ax)
    known = {name: np.sort(times) for name, times in times_s.items() if len(times)}
    ends_s = 1.05 * max([*(float(times[-1]) for times in known.values()), 0.5])
    for number, (name, times) in enumerate(known.items()):
        at = np.concatenate([[0.0], times, [ends_s]])
        shares = 100 * np.searchsorted(times, at, side="right") / len(times)
        ax.step(at, shares, where="post", label=name, linewidth=1.6, **line_of(number))
    least = min((100 * float(np.mean(times <= 0)) for times in known.values()), default=0.0)
    ax.set_ylim(max(0.0, 10 * (least // 10) - 10), 101)  # most words never change: what is left is looked at
    ax.set(xlabel="seconds since the word first showed", ylabel="words that stay, %", xlim=(0, ends_s))
    return with_legend(ax, len(known))


def behind(logs: Mapping[str, StreamLog], ax: Axes | None = None) -> Axes:
    """Lateness of the audio handed over, in ms, in the course of a stream: one log for each system."""
    ax = axes_or_new(ax)
    for number, (name, log) in enumerate(logs.items()):
        ends, handed = np.array(log.chunks).T
        ax.step(ends, 1000 * (handed - ends), where="post", label=name, linewidth=1.2, **line_of(number))
    ax.set(xlabel="seconds of the stream", ylabel="behind, ms", xlim=(0, None), ylim=(0, None))
    return with_legend(ax, len(logs))


@dataclass(frozen=True)
class _Run:
    """A word that stands in one place for a while."""

    row: int
    start_s: float
    end_s: float
    word: str
    state: Literal["settled", "taken back", "final"]


def raster(log: StreamLog, ax: Axes | None = None) -> Axes:
    """Raster of a stream whose text settles: a row for each word, time from left to right.

    Orange words were taken back later, with all that stood behind them; blue ones stayed; the dark ones are
    final. What stood there is written on the orange, where there is room; the final words stand at the left.
    """
    utterances = utterances_of(log.events)
    heights = [max(len(event.text.split()) for event in results) for results in utterances]
    ax = axes_or_new(ax, width=6.6, height=1.2 + 0.22 * max(1, sum(heights)))
    ends_s = max([log.streamed_s if not log.events else log.events[-1].at_s + 0.4, 0.5])
    names: list[str] = []
    for results, height in zip(utterances, heights, strict=True):
        for run in _runs(results, len(names), ends_s):
            _draw(ax, run, writable=(run.end_s - run.start_s) / ends_s * _LETTERS_ACROSS)
        words = results[-1].text.split()
        names += [*words, *[""] * (height - len(words))]
    for at_s, what in _marks(log):
        ax.axvline(at_s, color=INK, linewidth=1, linestyle=":")
        ax.annotate(what, (at_s, 1), (2, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                    fontsize="x-small", color=INK)  # fmt: skip
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set(xlabel="seconds of the stream", xlim=(0, ends_s))
    ax.grid(False, axis="y")
    return ax


def _draw(ax: Axes, run: _Run, *, writable: float) -> None:
    """Draw one run; with its word, where that is short enough."""
    color = {"settled": _SETTLED, "taken back": _TAKEN_BACK, "final": COLORS[0]}[run.state]
    ax.barh(run.row, run.end_s - run.start_s, 0.8, run.start_s, color=color, linewidth=0)
    ax.plot([run.start_s] * 2, [run.row - 0.4, run.row + 0.4], color="white", linewidth=1)
    if run.state == "taken back" and len(run.word) <= writable:
        ax.annotate(run.word, (run.start_s, run.row), (2, 0), textcoords="offset points", va="center",
                    fontsize="x-small", color="black", annotation_clip=True)  # fmt: skip


def _runs(results: Sequence[StreamEvent], first_row: int, ends_s: float) -> Iterator[_Run]:
    """Runs of the words: the same word in one place and in the same state is one run."""
    texts = [event.text.split() for event in results]
    until = [*(event.at_s for event in results[1:]), ends_s]
    for row in range(max(map(len, texts))):
        run: _Run | None = None
        for at, (event, words) in enumerate(zip(results, texts, strict=True)):
            if row >= len(words):
                if run is not None:
                    yield run
                run = None
                continue
            stays = all(later[: row + 1] == words[: row + 1] for later in texts[at + 1 :])
            state: Literal["settled", "taken back", "final"] = (
                "final" if event.kind == "final" else "settled" if stays else "taken back"
            )
            if run is not None and (run.word, run.state) == (words[row], state):
                run = _Run(run.row, run.start_s, until[at], run.word, state)
                continue
            if run is not None:
                yield run
            run = _Run(first_row + row, event.at_s, until[at], words[row], state)
        if run is not None:
            yield run


def _marks(log: StreamLog) -> list[tuple[float, str]]:
    """Moments that the results are to be seen against."""
    return [] if log.speech is None else [(log.speech[0], "onset"), (log.speech[1], "end of speech")]


def _cost(one: StreamScore, cost: Cost) -> tuple[float, float, float]:
    if cost == "work":
        return 1000 * one.work_per_s, float("nan"), float("nan")
    wer = one.finals.wer if cost == "finals" else one.last_partials.wer
    return 100 * wer.rate, 100 * wer.low, 100 * wer.high


def _around(value: float, low: float, high: float) -> list[list[float]] | None:
    """Errors as matplotlib takes them; None without an interval. The interval need not hold the value."""
    return None if np.isnan([low, high]).any() else [[max(0, value - low)], [max(0, high - value)]]
