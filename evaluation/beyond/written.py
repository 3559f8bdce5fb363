"""Words of a text as they are written: their case, and the marks that follow them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from evaluation.normalize.letters import compose, drop_punctuation, fold_yo, split_hyphens

MARKS: Final = {
    ".": "period",
    ",": "comma",
    "?": "question mark",
    "!": "exclamation mark",
    ":": "colon",
    ";": "semicolon",
    "–": "dash",
    "…": "ellipsis",
}
"""Mark, and its name in tables."""

ENDS: Final = frozenset(".?!…")
"""Marks that end a sentence."""

LOWER, CAPITAL, CAPITALS, MIXED, CASELESS = range(5)
"""Case of a word: дом, Дом, ДОМ, iPhone, 75."""

_LAST_LETTER: Final = re.compile(r"(.*[^\W_])(.*)", re.DOTALL)
_DOTS: Final = re.compile(r"\.{2,}")
_DASHES: Final = frozenset("-‐‑–—―")


class Written(NamedTuple):
    """Word as it is written.

    Attributes:
        word: Word of the profile `verbatim`.
        case: One of `LOWER`, `CAPITAL`, `CAPITALS`, `MIXED`, `CASELESS`.
        marks: Marks between it and the next word, each once, as keys of `MARKS`; "" for none.
    """

    word: str
    case: int
    marks: str


@lru_cache(2**16)
def written(text: str) -> tuple[Written, ...]:
    """Words of a raw text with their case and the marks after them.

    A mark belongs to the word before it, whatever quotes or brackets stand between; one before the first
    word belongs to none. A dash is one that stands apart: in `кто-то` there is a hyphen. A mark inside a
    word (`21:00`, `2,5`) is part of it.

    >>> [(each.word, each.marks) for each in written("Он сказал: «Да, ЕЩЁ!» – и ушёл...")]
    [('он', ''), ('сказал', ':'), ('да', ','), ('еще', '!–'), ('и', ''), ('ушел', '…')]
    >>> [each.case for each in written("Он 5 лет в СССР, купил iPhone")]
    [1, 4, 0, 0, 2, 0, 3]
    """
    words: list[Written] = []
    for token in compose(text).split():
        found, loose = _of_token(token)
        if found:
            words += found
        elif words:
            words[-1] = _with_marks(words[-1], loose)
    return tuple(words)


@lru_cache(2**16)
def _of_token(token: str) -> tuple[tuple[Written, ...], str]:
    """Words of what stands between spaces, with its marks; the marks alone where it has no word."""
    match = _LAST_LETTER.match(token)
    core, tail = match.groups() if match else ("", token)
    words = [Written(fold_yo(piece.lower()), _case(piece), "") for piece in _pieces(core)]
    marks = _marks(tail, apart=not core)
    if words:
        words[-1] = _with_marks(words[-1], marks)
    return tuple(words), marks


def _with_marks(word: Written, marks: str) -> Written:
    """The word followed by more marks, each once."""
    return word._replace(marks=word.marks + "".join(mark for mark in marks if mark not in word.marks))


def _pieces(core: str) -> list[str]:
    """Words of a token: several where a hyphen or another sign parts them."""
    return [core] if core.isalpha() else split_hyphens(drop_punctuation(core)).split()


def _marks(tail: str, *, apart: bool) -> str:
    if apart and tail and _DASHES.issuperset(tail):
        return "–"
    tail = _DOTS.sub("…", tail).replace("—", "–").replace("―", "–")
    return "".join(dict.fromkeys(char for char in tail if char in MARKS))


def _case(word: str) -> int:
    if word.islower():
        return LOWER
    if word.isupper():
        return CAPITALS if sum(map(str.isalpha, word)) > 1 else CAPITAL
    if word[0].isupper() and word[1:].islower():
        return CAPITAL
    return MIXED if any(map(str.isalpha, word)) else CASELESS
