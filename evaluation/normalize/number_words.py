"""Every form of every Russian number word, and its value.

Forms by the paradigms of the academic grammar; `tests/evaluation/normalize/test_forms.py` holds them
against pymorphy3's dictionary. Written with `е` for `ё`: the letter is folded before.
"""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import functools
import re
from typing import NamedTuple


class NumberWord(NamedTuple):
    """One number word.

    Attributes:
        value: Value: 0-19, a ten, a hundred, or a power of 1000.
        ordinal: True of an ordinal, which closes the number it stands in.
    """

    value: int
    ordinal: bool = False


_UNITS = "ноль один два три четыре пять шесть семь восемь девять".split()
_TEENS = (
    "десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать "
    "шестнадцать семнадцать восемнадцать девятнадцать"
).split()
_TENS = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто".split()
_HUNDREDS = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот".split()
SCALES = {10**3: "тысяча", 10**6: "миллион", 10**9: "миллиард", 10**12: "триллион"}

LEMMAS: dict[int, str] = {
    **dict(enumerate(_UNITS + _TEENS)),
    **dict(zip(range(20, 100, 10), _TENS, strict=True)),
    **dict(zip(range(100, 1000, 100), _HUNDREDS, strict=True)),
    **SCALES,
}
"""Value of a number word to its canonical form, the nominative (masculine) cardinal."""

CANONICAL = frozenset(LEMMAS.values())
# After a number only; alone they are not words that anyone says.
SCALE_ABBREVIATIONS = {"тыс": 10**3, "млн": 10**6, "млрд": 10**9, "трлн": 10**12}

_IRREGULAR = {
    0: "ноль ноля нолю нолем ноле ноли нолей нолям нолями нолях нуль нуля нулю нулем нуле нули нулей",
    1: "один одна одно одного одной одному одним одном одну одною одни одних одними",
    2: "два две двух двум двумя",
    3: "три трех трем тремя",
    4: "четыре четырех четырем четырьмя",
    8: "восемь восьми восемью восьмью",
    40: "сорок сорока",
    90: "девяносто девяноста",
    100: "сто ста",
    200: "двести двухсот двумстам двумястами двухстах",
    300: "триста трехсот тремстам тремястами трехстах",
    400: "четыреста четырехсот четыремстам четырьмястами четырехстах",
    1000: (
        "тысяча тысячи тысяче тысячу тысячей тысячею тысячью тысяч тысячам тысячами тысячах "
        "тыща тыщи тыще тыщу тыщей тыщею тыщ тыщам тыщами тыщах"
    ),
}
_OBLIQUE_STEMS = {5: "пят", 6: "шест", 7: "сем", 8: "восьм", 9: "девят"}
_INSTRUMENTAL = {5: ("пятью",), 6: ("шестью",), 7: ("семью",), 8: ("восемью", "восьмью"), 9: ("девятью",)}
_ADJECTIVE_ENDINGS = "ый ой ого ому ым ом ая ую ою ое ые ых ыми".split()
_THIRD_ENDINGS = "ий ьего ьему ьим ьем ья ьей ью ьею ье ьи ьих ьими".split()
_SCALE_ENDINGS = ["", *"а у ом е ы ов ам ами ах".split()]
_ORDINAL_STEMS = {
    0: "нулев",
    1: "перв",
    2: "втор",
    4: "четверт",
    7: "седьм",
    8: "восьм",
    40: "сороков",
    100: "сот",
}

# Genitives that open a compound: пятилетний, двухтысячный, двадцатипятилетие, трехсотый.
PREFIXES: dict[str, int] = {
    "одно": 1,
    "двух": 2,
    "трех": 3,
    "четырех": 4,
    **{f"{stem}и": value for value, stem in _OBLIQUE_STEMS.items()},
    **{f"{word[:-1]}и": 10 + i for i, word in enumerate(_TEENS)},
    "двадцати": 20,
    "тридцати": 30,
    "сорока": 40,
    **{f"{stem}идесяти": 10 * value for value, stem in _OBLIQUE_STEMS.items() if value != 9},
    "девяносто": 90,
    "сто": 100,
    "двухсот": 200,
    "трехсот": 300,
    "четырехсот": 400,
    **{f"{stem}исот": 100 * value for value, stem in _OBLIQUE_STEMS.items()},
    "тысяче": 1000,
}
_PREFIX = "|".join(sorted(PREFIXES, key=len, reverse=True))
# What such a compound goes on with, where writers put digits before it: 5-летний, 2-комнатная.
_COMPOUND = re.compile(
    rf"((?:{_PREFIX})+)((?:лет[ник]|комнатн|этажн|минутн|часов|дневн|недельн|месячн|литров|процентн|рублев|серийн|"
    r"кратн|звездочн|звездн|местн|дверн|метров|километров|миллиметров|сантиметров|градусн|ядерн|дюймов|томн|"
    r"балльн|секундн|килограммов|граммов)\w+)"
)
_ONE_PREFIX = re.compile(_PREFIX)


def _plain_cardinals() -> dict[str, int]:
    """Cardinals below a thousand that follow one of three patterns."""
    forms: dict[str, int] = {}
    for value in (*range(5, 8), *range(9, 20), 20, 30):
        stem = LEMMAS[value][:-1]  # пят-ь, пят-и, пят-ью
        forms |= dict.fromkeys((f"{stem}ь", f"{stem}и", f"{stem}ью"), value)
    for value in range(5, 9):
        stem = _OBLIQUE_STEMS[value]
        instrumentals = [f"{form}десятью" for form in (*_INSTRUMENTAL[value], f"{stem}и")]
        forms |= dict.fromkeys((LEMMAS[10 * value], f"{stem}идесяти", *instrumentals), 10 * value)
    for value in range(5, 10):
        stem = _OBLIQUE_STEMS[value]
        oblique = [f"{stem}и{ending}" for ending in ("сот", "стам", "стах")]
        instrumentals = [f"{form}стами" for form in (*_INSTRUMENTAL[value], f"{stem}и")]
        forms |= dict.fromkeys((LEMMAS[100 * value], *oblique, *instrumentals), 100 * value)
    return forms


def _cardinals() -> dict[str, int]:
    forms = _plain_cardinals()
    for value, words in _IRREGULAR.items():
        forms |= dict.fromkeys(words.split(), value)
    for value in (10**6, 10**9, 10**12):
        forms |= {SCALES[value] + ending: value for ending in _SCALE_ENDINGS}
    return forms


def _ordinals() -> dict[str, int]:
    stems = {word[:-1]: value for value, word in LEMMAS.items() if 5 <= value <= 30 and value not in (7, 8)}
    stems |= {stem: value for value, stem in _ORDINAL_STEMS.items()}
    stems |= {f"{stem}идесят": 10 * value for value, stem in _OBLIQUE_STEMS.items() if value != 9}
    stems |= {"девяност": 90, "двухсот": 200, "трехсот": 300, "четырехсот": 400}
    stems |= {f"{stem}исот": 100 * value for value, stem in _OBLIQUE_STEMS.items()}
    stems |= {"тысячн": 10**3, "миллионн": 10**6, "миллиардн": 10**9}
    forms = {stem + ending: value for stem, value in stems.items() for ending in _ADJECTIVE_ENDINGS}
    return forms | {f"трет{ending}": 3 for ending in _THIRD_ENDINGS}


# Cardinals last: "пятью" and its like belong to them.
NUMBER_WORDS: dict[str, NumberWord] = {
    **{form: NumberWord(value, True) for form, value in _ordinals().items()},
    **{form: NumberWord(value) for form, value in _cardinals().items()},
}
"""Form to what it is worth; about 900 forms."""

_SCALE_ORDINAL = re.compile(rf"((?:{_PREFIX})+)((?:тысяч|миллион|миллиард)н\w+)")


@functools.lru_cache(maxsize=1 << 16)
def split_compound(word: str) -> tuple[str, ...]:
    """A compound of a number taken apart, its number as number words; other words alone.

    >>> split_compound("двадцатипятилетний"), split_compound("двухтысячного"), split_compound("столица")
    (('двадцать', 'пять', 'летний'), ('два', 'тысячного'), ('столица',))
    """
    match = _COMPOUND.fullmatch(word) or _SCALE_ORDINAL.fullmatch(word)
    if not match or word in NUMBER_WORDS:
        return (word,)
    return (*(LEMMAS[PREFIXES[part]] for part in _ONE_PREFIX.findall(match[1])), match[2])
