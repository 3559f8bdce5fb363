"""Units after a number: signs and abbreviations say no inflection, so the words lose theirs too."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evaluation.normalize import unit_words
from evaluation.normalize.number_words import CANONICAL
from evaluation.normalize.unit_words import Declined

MONTHS = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
COINS = {"рубль": "копейка", "доллар": "цент", "евро": "цент", "фунт": "пенс", "йена": "сен"}


@dataclass(frozen=True, eq=False)
class UnitTable:
    """Units and currencies of a version of the normaliser, and what stands beside their numbers.

    Attributes:
        forms: Form or abbreviation to lemma.
        currencies: Lemmas of the currencies.
        signs: Sign of a currency to its lemma; `signs` writes it, here it meets the spoken forms.
        priced: Regular expression of what makes a price of "2.50" before it.
        pairs: Stem of an adjective between number and unit, its lemma, the units.
        numbered: Form of a noun that its number follows ("дома 5") to its lemma.
        lettered: Words before a number after which a letter is no unit ("дом 12 г").
        letters: Names of letters after a number, and the letter.
    """

    forms: dict[str, str]
    currencies: frozenset[str]
    signs: Mapping[str, str]
    priced: str
    pairs: Mapping[str, tuple[str, frozenset[str]]]
    numbered: Mapping[str, str]
    lettered: frozenset[str] = frozenset()
    letters: Mapping[str, str] = field(default_factory=dict)


def _forms(rows: Iterable[Declined]) -> dict[str, str]:
    rows = tuple(rows)
    return {stem + ending: lemma for lemma, stem, endings, _ in rows for ending in endings} | {
        short: lemma for lemma, _, _, shorts in rows for short in shorts
    }


_SIGNS_1 = {"₽": "рубль", "$": "доллар", "€": "евро", "£": "фунт", "¥": "йена"}
_PRICED_1 = r"руб(?!\w)|р(?!\w)|долл(?!\w)|рубл\w+|доллар\w*|евро(?!\w)"

UNITS_1 = UnitTable(
    forms=_forms(unit_words.DECLINED_1),
    currencies=frozenset({"рубль", "доллар", "евро", "фунт", "йена", "копейка", "цент"}),
    signs=_SIGNS_1,
    priced=rf"(?:[₽$€£¥]|{_PRICED_1})",
    pairs=unit_words.PAIRS_1,
    numbered=unit_words.NUMBERED_1,
)
_SIGNS_2 = _SIGNS_1 | unit_words.SIGNS_2
UNITS_2 = UnitTable(
    forms=UNITS_1.forms | _forms((*unit_words.CURRENCIES_2, *unit_words.MEASURES_2)),
    currencies=UNITS_1.currencies | {lemma for lemma, *_ in unit_words.CURRENCIES_2},
    signs=_SIGNS_2,
    priced=rf"(?:[{''.join(_SIGNS_2)}]|{_PRICED_1}|грн(?!\w)|гривн\w+|гривен(?!\w))",
    pairs=unit_words.PAIRS_2,
    numbered=unit_words.NUMBERED_2,
    lettered=unit_words.LETTERED,
    letters=unit_words.LETTER_NAMES_2,
)

UNITS: Mapping[str, str] = UNITS_2.forms
"""Form or abbreviation to lemma."""

CURRENCIES = UNITS_2.currencies
CURRENCY_SIGNS = UNITS_2.signs

_ADJECTIVE_ENDINGS = ("ых", "их", "ый", "ий", "ого", "его", "ым", "им", "ыми", "ими", "ом", "ая", "ую", "ой")
_NUMBERS = CANONICAL | {"целая"}


def lemmatize_units(text: str, units: UnitTable = UNITS_2) -> str:
    """Unit words and abbreviations in their dictionary form where a number precedes them.

    One adjective may stand between number and currency: "триста сингапурских долларов".

    >>> lemmatize_units("сто рублей и пять кг за курс рублей"), lemmatize_units("дом пять г")
    ('сто рубль и пять килограмм за курс рублей', 'дом пять г')
    """
    words = text.split()
    if not _NUMBERS.intersection(words):
        return text
    kept: list[str] = []
    for i, word in enumerate(words):
        before = kept[-1] if kept else ""
        lemma = units.forms.get(word)
        if before in _NUMBERS and (letter := _letter(kept, words, i, units)):
            kept.append(letter)
        elif lemma and (before in _NUMBERS or (lemma in units.currencies and _adjective_after_number(kept))):
            kept.append(lemma)
        elif word in units.numbered and i + 1 < len(words) and words[i + 1] in CANONICAL:
            kept.append(units.numbered[word])
        elif word == "цельсия" and before == "градус":
            pass  # the sign says it or does not: 5° and 5 °C are both read either way
        elif _after_number(kept) and (pair := _pair(before, word, units)):
            kept[-1:] = pair
        else:
            kept.append(word)
    return " ".join(kept)


def _letter(kept: list[str], words: list[str], at: int, units: UnitTable) -> str:
    """The letter that stands after the number of a house or class; "" where the word is none."""
    word = words[at]
    letter = units.letters.get(word, word if len(word) == 1 else "")
    if not letter or not units.lettered:
        return ""
    after = words[at + 1] if at + 1 < len(words) else ""
    if after in ("э", "эм"):
        return ""  # "вэ эм" is spelt, and "эм" no hesitation there
    if letter not in units.forms:
        return letter  # no unit anywhere: 5 б is "пять бэ" too
    start = len(kept)
    while start and kept[start - 1] in _NUMBERS:
        start -= 1
    named = after.startswith("класс") or (start > 0 and kept[start - 1] in units.lettered)
    return letter if named else ""


def _pair(before: str, word: str, units: UnitTable) -> list[str]:
    """Lemmas of an adjective and its unit, "квадратных метров"; none where the two are no such pair."""
    lemma = units.forms.get(word)
    if before == "кв" and word == "м":
        return ["квадратный", "метр"]
    for stem, (adjective, of) in units.pairs.items():
        if before.startswith(stem) and lemma in of:
            return [adjective, str(lemma)]
    return []


def _after_number(kept: list[str]) -> bool:
    return len(kept) > 1 and kept[-2] in _NUMBERS


def _adjective_after_number(kept: list[str]) -> bool:
    return _after_number(kept) and kept[-1].endswith(_ADJECTIVE_ENDINGS)
