"""What one step of the normaliser is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One named step; a report can say what difference it made.

    Attributes:
        name: Short and stable: reports and record files quote it.
        description: One line for people.
        apply: Text to text. Sees one text at a time, never the other side of the pair.
    """

    name: str
    description: str
    apply: Callable[[str], str]
