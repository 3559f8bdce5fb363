"""Rule about fractions and decimals as they are said: `две трети`, `три четверти`, `пять десятых`."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import re

from evaluation.normalize.grammar import MAX_SPOKEN, Atom, atom, is_scale, numbers_in, read
from evaluation.normalize.number_words import NUMBER_WORDS, NumberWord

_THIRDS = frozenset("треть трети третей третью третям третями третях".split())
_QUARTERS = frozenset("четверть четверти четвертей четвертью четвертям четвертями четвертях".split())
_DENOMINATOR = re.compile(r"(десят|сот|тысячн)(?:ая|ых|ую|ой|ыми|ым)")
_BELOW = {"десят": 10, "сот": 100, "тысячн": 1000}
_WHOLE = frozenset("целая целых целую целой целые".split())
_ONE = frozenset("одна одну одной 1".split())
_TEMPERATURE = ("температур", "градус")
_OF_A_BODY = frozenset(map(str, range(34, 43)))
_RELEVANT = ("трет", "четверт", "десят", "сот", "тысячн", "на семь", "на 7", "температур", "градус")


def read_fractions(text: str) -> str:
    """Fractions with their denominators as ordinals, tenths and the like with the whole number before them.

    "2/3" says neither case nor "треть"; "пять десятых" is written 0,5.

    >>> read_fractions("две трети и три четверти"), read_fractions("пять десятых")
    ('две третьих и три четвертых', 'ноль целых пять десятых')
    """
    if not any(part in text for part in _RELEVANT):
        return text
    kept: list[str] = []
    words = text.split()
    for i, word in enumerate(words):
        before = _value(kept[-1]) if kept else None
        if word in _THIRDS and before in (1, 2):
            kept.append("третьих")
        elif word in _QUARTERS and before in (1, 3):
            kept.append("четвертых")
        elif (match := _DENOMINATOR.fullmatch(word)) and _agrees(word, kept):
            _make_decimal(kept, _BELOW[match[1]])
            kept.append(word)
        elif word == "и" and _is_temperature(kept, words, i + 1):
            kept.append("целых")
        elif (
            word == "на" and before is not None and words[i + 1 : i + 2] in (["7"], ["семь"]) and _is_24(kept)
        ):
            pass  # 24/7 is said with "на" and without
        else:
            kept.append(word)
    return " ".join(kept)


def _value(word: str) -> int | None:
    """Value of the last number word that is said for a word: 2 of "22"."""
    part = atom(word)
    if part is None or isinstance(part, NumberWord):
        return part and part.value
    return NUMBER_WORDS[read(part)[-1]].value


def _is_24(words: list[str]) -> bool:
    return words[-1] == "24" or words[-2:] == ["двадцать", "четыре"]


def _agrees(denominator: str, words: list[str]) -> bool:
    """True if the number has the denominator's number: одна десятая, две десятых."""
    one = bool(words) and words[-1] in _ONE
    return one == denominator.endswith(("ая", "ую", "ой"))


def _is_temperature(kept: list[str], words: list[str], start: int) -> bool:
    """True of "тридцать шесть и шесть" where degrees or temperature are spoken of: 36,6."""
    tenths = _value(words[start]) if start < len(words) else None
    if tenths is None or tenths > 9 or not any(word.startswith(_TEMPERATURE) for word in words):
        return False
    numbers = numbers_in([part for word in kept[-2:] if (part := _cardinal(word)) is not None])
    ends = start + 1 == len(words) or words[start + 1].startswith("градус")
    return ends and bool(kept) and _cardinal(kept[-1]) is not None and numbers[-1] in _OF_A_BODY


def _make_decimal(kept: list[str], below: int) -> None:
    """Write the whole number before the cardinal that `kept` ends with, if that can be tenths."""
    start = len(kept)
    parts: list[Atom] = []
    while start and (part := _cardinal(kept[start - 1])) is not None:
        parts.insert(0, part)
        start -= 1
    numbers = numbers_in(parts) if parts else []
    if len(numbers) != 1 or len(numbers[0]) > MAX_SPOKEN or not 0 < int(numbers[0]) < below:
        return
    before = kept[start - 1] if start else ""
    if before == "и" and start > 1 and _cardinal(kept[start - 2]) is not None:
        kept[start - 1] = "целых"
    elif before not in _WHOLE:
        kept[start:start] = ["ноль", "целых"]


def _cardinal(word: str) -> Atom | None:
    part = atom(word)
    ordinal = isinstance(part, NumberWord) and part.ordinal
    return None if part is None or ordinal or is_scale(part) else part
