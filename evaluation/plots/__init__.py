"""Plots of scores, each with its intervals: functions that take an Axes, or make one, and return it.

Lives here: plots of error rates, errors, speed and audio, a subject a file; their style, and texts in them.
May import: `scoring`.
Public: the names below; matplotlib is imported here and in the studies' own `plots` alone.

A figure that they make belongs to no window and no backend: in a notebook, or to save it, take
`axes.figure`. Colours are Okabe and Ito's, told apart by colour-blind readers too, and every system has a
marker of its own. Values that are not known are not drawn.
"""

from evaluation.plots.audio import log_mel, speech, waveform
from evaluation.plots.beyond import marks, wer_by_group
from evaluation.plots.errors import calibration, confusions, disagreement, error_kinds
from evaluation.plots.rates import (
    differences,
    interval_width,
    wer_by_bin,
    wer_by_profile,
    wer_by_rule,
    wer_by_system,
)
from evaluation.plots.speed import latency, sizes, time_split, work_by_duration
from evaluation.plots.style import (
    COLORS,
    FAINT,
    INK,
    LINES,
    axes_or_new,
    log_ticks,
    rows_named,
    style_of,
    to_svg,
    with_legend,
)

__all__ = [
    "COLORS",
    "FAINT",
    "INK",
    "LINES",
    "axes_or_new",
    "calibration",
    "confusions",
    "differences",
    "disagreement",
    "error_kinds",
    "interval_width",
    "latency",
    "log_mel",
    "log_ticks",
    "marks",
    "rows_named",
    "sizes",
    "speech",
    "style_of",
    "time_split",
    "to_svg",
    "waveform",
    "wer_by_bin",
    "wer_by_group",
    "wer_by_profile",
    "wer_by_rule",
    "wer_by_system",
    "with_legend",
    "work_by_duration",
]
