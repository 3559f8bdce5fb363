"""Texts compared by alignment: a word that is missing is one error, wherever the others have moved to."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()


def word_errors(found: str | list[str], expected: str | list[str]) -> int:
    """Substitutions, deletions and insertions between two texts, or their words."""
    one, other = (words(text) if isinstance(text, str) else text for text in (found, expected))
    return Levenshtein.distance(one, other)
