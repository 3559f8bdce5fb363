"""Parts of a report, whatever it is written in: `report.html` and `report.markdown` write it."""

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
        name: Short name, unique in the report.
        svg: SVG element.
        caption: Caption that says what the plot shows.
    """

    name: str
    svg: str = field(repr=False)
    caption: str


@dataclass(frozen=True)
class Folded:
    """Details that are looked up rather than read: names and texts beside them.

    Attributes:
        title: Title, all that is shown while the rows are folded.
        rows: Names and texts.
        unfolded: True to show the rows from the start.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    unfolded: bool = False


@dataclass(frozen=True)
class Heard:
    """Hypothesis of one system for an utterance.

    Attributes:
        system: Label of the system.
        outcome: Number of errors, in words; or the reason why it failed.
        chunks: Alignment of the normalised texts.
        written: Hypothesis as it came; None where it failed.
    """

    system: str
    outcome: str
    chunks: tuple[Chunk, ...]
    written: str | None


@dataclass(frozen=True)
class Card:
    """One utterance to read and, where its audio is at hand, to hear.

    Attributes:
        id: Id of the utterance.
        reference: Reference as it came.
        about: Number of words and seconds, as text.
        heard: Hypotheses of the systems.
        audio: Encoded audio; None where it is not at hand, or too much.
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
        """Anchor for links inside the page."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


@dataclass(frozen=True)
class Tile:
    """One system's result at a glance: its name, one large number, smaller ones beneath."""

    name: str
    value: str
    beneath: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Content of a report.

    Attributes:
        title: Title of a few words.
        headline: Sentence that says what was measured on what.
        warnings: Warnings to read before any number.
        tiles: Tiles, one per system.
        sections: Sections in order.
    """

    title: str
    headline: str
    warnings: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
