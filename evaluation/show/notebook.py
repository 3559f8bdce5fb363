"""Notebook display of this package's tables, sentences and pages: HTML, every text escaped."""

from __future__ import annotations

import html
import itertools
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from evaluation.show.display import as_html, render_html

# What is important here is so to notebooks' own styles, which set all cells to the right.
_STYLE: Final = (
    "<style>"
    ".gigastt-lab{overflow-x:auto}"
    ".gigastt-lab table{border-collapse:collapse;margin:.4em 0 1em;font-variant-numeric:tabular-nums}"
    ".gigastt-lab :is(th,td){text-align:left!important;padding:.25em .7em;vertical-align:top}"
    ".gigastt-lab thead th{vertical-align:bottom!important}"
    ".gigastt-lab tbody th{min-width:7em}"
    ".gigastt-lab .number{text-align:right!important;white-space:nowrap}"
    ".gigastt-lab p{margin:.3em 0}"
    "</style>"
)
_MOST_BYTES: Final = 12_000_000
"""Size of a page inside a notebook: about what a report with its audio takes at most."""


class Title(str):
    """Title of a table, in bold."""

    __slots__ = ()


@dataclass(frozen=True)
class Shown:
    """HTML fragment that a notebook shows; made by `shown`."""

    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


@dataclass(frozen=True)
class Page:
    """A whole page, shown in a frame of its own: neither its styles nor the notebook's reach each other.

    Attributes:
        html: HTML of the page.
        height_px: Height of the frame, in pixels.
    """

    html: str = field(repr=False)
    height_px: int = 620

    def _repr_html_(self) -> str:
        return page_frame(self.html, height_px=self.height_px)


def shown(*parts: str | pd.DataFrame) -> Shown:
    """Sentences and tables of strings, one after the other: `shown(summary_table(summarize(scores)))`."""
    return Shown(framed(*parts))


def framed(*parts: str | pd.DataFrame) -> str:
    """Sentences and tables of strings (`evaluation.show.tables`) as one HTML fragment."""
    return f'<div class="gigastt-lab">{_STYLE}{"".join(map(_part, parts))}</div>'


def page_frame(page: str, *, height_px: int) -> str:
    """A page inside a frame that runs no script; a page too large for a notebook is only named."""
    if len(page) > _MOST_BYTES:
        return framed(f"a page of {len(page) / 1e6:.0f} MB, too large to show here; open the file instead")
    return (
        f'<iframe sandbox srcdoc="{html.escape(page)}" '
        f'style="width:100%;height:{height_px}px;border:1px solid #d0d4da;border-radius:6px"></iframe>'
    )


def _part(part: str | pd.DataFrame) -> str:
    if isinstance(part, pd.DataFrame):
        return render_html(part)
    text = as_html(part)
    return f"<p><b>{text}</b></p>" if isinstance(part, Title) else f"<p>{text}</p>"


def first_words(text: str, n: int = 12) -> str:
    """The beginning of a long text.

    >>> first_words("раз два три", 2)
    'раз два …'
    """
    words = list(itertools.islice(text.split(), n + 1))
    return " ".join(words[:n]) + (" …" if len(words) > n else "")
