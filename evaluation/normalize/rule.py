"""Step of the normaliser: a named function from text to text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One named step; a report can say what difference it made.

    Attributes:
        name: Short, stable name: reports and record files quote it.
        description: Description in one line, for people.
        apply: Function from text to text. Sees one text at a time, never the other side of the pair.
    """

    name: str
    description: str
    apply: Callable[[str], str]
