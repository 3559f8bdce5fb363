"""Tables that are wider than the terminal: cut into blocks of columns, each led by the first one."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

_GAP = "  "
_LEAST_WIDTH = 40  # of a terminal: in a narrower one, nothing could be read


class Column(NamedTuple):
    """One column: its name and its cells, and True if these are numbers, which stand to the right."""

    texts: Sequence[str]
    right: bool


def terminal_width() -> int | None:
    """Characters in a line of the terminal that stdout is, or that COLUMNS says; None of a file or a pipe."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not is_terminal and not os.environ.get("COLUMNS"):
        return None
    return max(_LEAST_WIDTH, shutil.get_terminal_size().columns)


def lines_of(columns: Sequence[Column], width: int | None) -> list[str]:
    """Lines of a table: aligned, and none longer than `width`, None for any length.

    >>> table = [Column(["Name", "one", "two"], False), Column(["A", "1", "2"], True)]
    >>> lines_of(table, None)
    ['Name  A', 'one   1', 'two   2']
    """
    if not columns:
        return []
    if width is None or _width(columns) <= width:
        return _aligned(columns)
    first, *others = columns
    first = _folded(first, width // 2)
    others = [_folded(column, width - _width([first, Column([""], False)])) for column in others]
    blocks: list[list[Column]] = []
    for column in others:
        if not blocks or _width([*blocks[-1], column]) > width:
            blocks.append([first])
        blocks[-1].append(column)
    lines: list[str] = []
    for block in blocks or [[first]]:
        lines += ["", *_aligned(block)] if lines else _aligned(block)
    return lines


def _aligned(columns: Sequence[Column]) -> list[str]:
    widths = [_width([column]) for column in columns]
    lines: list[str] = []
    for row in zip(*(column.texts for column in columns), strict=True):
        cells = [text.split("\n") for text in row]
        for i in range(max(map(len, cells))):
            parts = [cell[i] if i < len(cell) else "" for cell in cells]
            placed = [
                part.rjust(width) if column.right else part.ljust(width)
                for part, width, column in zip(parts, widths, columns, strict=True)
            ]
            lines.append(_GAP.join(placed).rstrip())
    return lines


def _width(columns: Sequence[Column]) -> int:
    longest = [max(len(line) for text in column.texts for line in text.split("\n")) for column in columns]
    return sum(longest) + len(_GAP) * (len(columns) - 1)


def _folded(column: Column, width: int) -> Column:
    """A column whose cells take several lines where they have to."""
    texts = ["\n".join(textwrap.wrap(text, max(1, width), break_on_hyphens=False)) for text in column.texts]
    return Column(texts, column.right)
