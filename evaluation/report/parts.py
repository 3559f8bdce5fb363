"""What a report is made of, whatever it is written in: `report_html` and `report_markdown` write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import pandas as pd

from evaluation.scoring.metrics import Chunk


@dataclass(frozen=True)
class Paragraph:
    """A sentence or a few; a note is printed smaller."""

    text: str
    note: bool = False


@dataclass(frozen=True)
class Table:
    """A table of strings, and what it shows."""

    content: pd.DataFrame
    caption: str = ""


@dataclass(frozen=True)
class Plot:
    """An SVG element from `evaluation.plots.to_svg`.

    Attributes:
        name: Short; unique in the report.
        svg: The element.
        caption: What it shows.
    """

    name: str
    svg: str = field(repr=False)
    caption: str


@dataclass(frozen=True)
class Folded:
    """Details that are looked up rather than read: names and texts beside them.

    Attributes:
        title: What is shown while it is folded.
        rows: Names and texts.
        unfolded: Whether to show them from the start.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    unfolded: bool = False


@dataclass(frozen=True)
class Heard:
    """What one system made of an utterance.

    Attributes:
        system: Its label.
        outcome: Errors, in words; or why it failed.
        chunks: Alignment of the normalised texts.
        written: Its hypothesis as it came; None where it failed.
    """

    system: str
    outcome: str
    chunks: tuple[Chunk, ...]
    written: str | None


@dataclass(frozen=True)
class Card:
    """One utterance to read and, where its audio is at hand, to hear.

    Attributes:
        id: Of the utterance.
        reference: As it came.
        about: Its length, in words.
        heard: What the systems made of it.
        audio: Encoded content; None where it is not at hand, or too much.
    """

    id: str
    reference: str
    about: str
    heard: tuple[Heard, ...]
    audio: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Row:
    """Parts that may stand side by side."""

    parts: tuple[Part, ...]


Part: TypeAlias = "Paragraph | Table | Plot | Folded | Card | Row"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; `listed` where the list of contents names it."""

    title: str
    parts: tuple[Part, ...]
    listed: bool = True

    @property
    def anchor(self) -> str:
        """For links inside the page."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


@dataclass(frozen=True)
class Tile:
    """One system's result at a glance: its name, one large number, smaller ones beneath."""

    name: str
    value: str
    beneath: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes:
        title: In a few words.
        headline: What was measured on what, in a sentence.
        warnings: What to know before reading a number.
        tiles: One per system.
        sections: In order.
    """

    title: str
    headline: str
    warnings: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
