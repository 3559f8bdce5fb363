"""Roman numerals -> digits, where they can hardly be anything else."""

from __future__ import annotations

import re

_ROMAN = re.compile(r"x{0,3}(?:ix|iv|v?i{0,3})")
_VALUES = {"i": 1, "v": 5, "x": 10}
_LATIN = re.compile(r"[a-z]")
_HAS_ROMAN = re.compile(r"\b[ivx]+\b")
# Cyrillic look-alikes are typed for the Latin letters before "век".
_CYRILLIC = str.maketrans("хі", "xi")
_MIXED = re.compile("[xхiіv]+")
_CENTURY = re.compile(r"век(?:а|у|ом|е|и|ов|ам|ами|ах)?")


def _value(numeral: str) -> int:
    values = [_VALUES[char] for char in numeral]
    following = [*values[1:], 0]
    return sum(-one if one < after else one for one, after in zip(values, following, strict=True))


def _is_long(word: str) -> bool:
    return len(word) > 1 and word != "xxx" and _ROMAN.fullmatch(word) is not None


def _is_numeral(word: str, before: str, after: str) -> bool:
    """True if the word is a numeral between its neighbours; `before` is what has become of that one."""
    if not word or not _ROMAN.fullmatch(word):
        return False
    if _CENTURY.fullmatch(after) or _is_long(word):
        return True
    # A lone letter is a numeral after a Russian name ("Петр I"), not in an English title. X has its own name.
    english = _LATIN.search(before) or (_LATIN.search(after) and not _is_long(after))
    return word in ("i", "v") and bool(before) and not english


def _read_once(words: list[str]) -> list[str]:
    read: list[str] = []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        before = read[-1] if read else ""
        read.append(str(_value(word)) if _is_numeral(word, before, after) else word)
    return read


def read_roman_1(text: str) -> str:
    """`read_roman` of version 1, which writes `х` as `x` in any word before "век"."""
    return _read(text, re.compile(".*"))


def read_roman(text: str) -> str:
    """Roman numerals up to 39 as digits.

    Args:
        text: Lower case, one space between words.

    >>> read_roman("рокки iv и петр i в xx веке"), read_roman("i love you")
    ('рокки 4 и петр 1 в 20 веке', 'i love you')
    """
    return _read(text, _MIXED)


def _read(text: str, mixed: re.Pattern[str]) -> str:
    if not _HAS_ROMAN.search(text) and "х" not in text:
        return text
    words = text.split()
    for i in range(len(words) - 1):
        if _CENTURY.fullmatch(words[i + 1]) and "х" in words[i] and mixed.fullmatch(words[i]):
            words[i] = words[i].translate(_CYRILLIC)
    previous: list[str] = []
    while words != previous:  # a numeral read makes its neighbours clearer: "I I век"
        previous = words
        words = _read_once(words)
    return " ".join(words)
