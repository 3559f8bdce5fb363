"""Long intervals cut where they would squeeze all values of a plot into a corner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer

_TIMES, _BEYOND = 2.5, 60.0  # of the highest rate, and points beyond it: whichever is less


def cut_long_intervals(ax: Axes, *, across: bool) -> None:
    """End the axis of rates early where an interval reaches far beyond all rates; an arrow marks such a one.

    Args:
        ax: Axes with rates in percent and their intervals, as `style` draws them.
        across: True if rates lie on the x axis.
    """
    bars = [one for one in ax.containers if isinstance(one, ErrorbarContainer)]
    side = 0 if across else 1
    parts = {id(line) for bar in bars for line in (bar.lines[0], *bar.lines[1])}
    drawn = [line.get_xydata() for line in ax.lines if id(line) not in parts]
    rates = np.concatenate([np.asarray(each, float)[:, side] for each in drawn]) if drawn else np.zeros(0)
    highest = max(rates[np.isfinite(rates)], default=0.0)
    end = min(_TIMES * highest, highest + _BEYOND)
    cut = [one for one in _ends(bars, side) if one[1] > end]
    if not highest > 0 or not cut:
        return
    (ax.set_xlim if across else ax.set_ylim)(-0.02 * end if across else 0, end)
    marker, edge = (">", ax.get_yaxis_transform()) if across else ("^", ax.get_xaxis_transform())
    style: dict[str, Any] = {"markersize": 5, "linestyle": "", "clip_on": False}
    for place, _, color in cut:
        x, y = (1, place) if across else (place, 1)
        ax.plot(x, y, marker, color=color, transform=edge, **style)
    axis = ax.xaxis if across else ax.yaxis
    axis.set_label_text(f"{axis.get_label_text()}\n(arrow: the interval goes on)")


def _ends(bars: list[ErrorbarContainer], side: int) -> Iterator[tuple[float, float, str]]:
    """Place, high end and colour of every interval that is known."""
    for bar in bars:
        for lines in bar.lines[2]:
            color = to_hex(np.asarray(lines.get_color())[0].tolist())
            for segment in lines.get_segments():
                if len(segment) and np.isfinite(segment).all():
                    yield float(segment[0, 1 - side]), float(segment[:, side].max()), color
