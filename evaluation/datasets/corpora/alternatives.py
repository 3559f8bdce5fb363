"""Alternatives in a reference: NIST's ``{ a / b }``, of which one text has to be made."""

from __future__ import annotations

import re
from typing import Final

# Braces wherever they stand; a slash only as a word of its own: `24/7` and `{NOISE}` are left as they are.
_PART: Final = re.compile(r"[{}]|[^\s{}]+")
_NOTHING: Final = "@"


def first_alternative(text: str) -> str:
    """Text with the first of each group of alternatives, ``@`` being none; others are as they were.

    Braces without a slash between them, or that are not paired, are no group.

    >>> first_alternative("я { э / @ } пришел { { в / во } вторник / вчера }")
    'я э пришел в вторник'
    >>> first_alternative("да { @ / ну } нет {NOISE} 24/7")
    'да нет {NOISE} 24/7'
    """
    if "{" not in text:
        return text
    parts = [(match.group(), match.start(), match.end()) for match in _PART.finditer(text)]
    open_at: list[int] = []
    groups: dict[int, tuple[int, list[int]]] = {}
    slashes: list[list[int]] = []
    for index, (part, _, _) in enumerate(parts):
        if part == "{":
            open_at.append(index)
            slashes.append([])
        elif part == "/" and open_at:
            slashes[-1].append(index)
        elif part == "}" and open_at:
            start, inside = open_at.pop(), slashes.pop()
            if inside:
                groups[start] = (index, inside)
    return _chosen(text, parts, groups) if groups else text


def _chosen(text: str, parts: list[tuple[str, int, int]], groups: dict[int, tuple[int, list[int]]]) -> str:
    kept: list[tuple[int, int]] = []
    skip_to: dict[int, int] = {}  # a first slash leads to the end of its group
    index = 0
    while index < len(parts):
        part, start, end = parts[index]
        if index in groups:
            close, inside = groups[index]
            skip_to[inside[0]] = close
        elif index in skip_to:
            index = skip_to[index]
        elif part != _NOTHING:
            kept.append((start, end))
        index += 1
    return _joined(text, kept)


def _joined(text: str, kept: list[tuple[int, int]]) -> str:
    """Parts with a space between those that had one, or something that was left out, between them."""
    pieces: list[str] = []
    last = None
    for start, end in kept:
        if last is not None and last != start:
            pieces.append(" ")
        pieces.append(text[start:end])
        last = end
    return "".join(pieces)
