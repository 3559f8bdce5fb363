"""Units after a number: signs and abbreviations say no inflection, so the words lose theirs too."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

from evaluation.normalize.number_words import CANONICAL

# Sign -> the word it is read as. `signs` writes the word, here it meets the spoken forms.
CURRENCY_SIGNS = {"₽": "рубль", "$": "доллар", "€": "евро", "£": "фунт", "¥": "йена"}

_MASCULINE = ["", *"а у ом е ы ов ам ами ах".split()]
_FEMININE = "а ы е у ой ою ам ами ах".split()
# Lemma, stem, endings; a tuple of abbreviations that are read as the word when a number precedes them.
_DECLINED: tuple[tuple[str, str, list[str], tuple[str, ...]], ...] = (
    ("доллар", "доллар", _MASCULINE, ("долл", "usd")),
    ("цент", "цент", _MASCULINE, ()),
    ("фунт", "фунт", _MASCULINE, ()),
    ("процент", "процент", _MASCULINE, ()),
    ("градус", "градус", _MASCULINE, ()),
    ("грамм", "грамм", _MASCULINE, ("г", "гр")),
    ("килограмм", "килограмм", _MASCULINE, ("кг", "kg")),
    ("миллиграмм", "миллиграмм", _MASCULINE, ("мг",)),
    ("метр", "метр", _MASCULINE, ("м",)),
    ("километр", "километр", _MASCULINE, ("км", "km")),
    ("сантиметр", "сантиметр", _MASCULINE, ("см", "cm")),
    ("миллиметр", "миллиметр", _MASCULINE, ("мм", "mm")),
    ("литр", "литр", _MASCULINE, ("л",)),
    ("миллилитр", "миллилитр", _MASCULINE, ("мл",)),
    ("гигабайт", "гигабайт", _MASCULINE, ("гб", "gb")),
    ("мегабайт", "мегабайт", _MASCULINE, ("мб", "mb")),
    ("терабайт", "терабайт", _MASCULINE, ("тб", "tb")),
    ("ватт", "ватт", _MASCULINE, ("вт",)),
    ("киловатт", "киловатт", _MASCULINE, ("квт",)),
    ("час", "час", _MASCULINE, ("ч",)),
    ("год", "год", _MASCULINE, ("гг",)),
    ("гектар", "гектар", _MASCULINE, ("га",)),
    ("рубль", "рубл", "ь я ю ем е и ей ям ями ях".split(), ("руб", "р", "rub")),
    ("минута", "минут", [*_FEMININE, ""], ("мин",)),
    ("секунда", "секунд", [*_FEMININE, ""], ("сек",)),
    ("йена", "йен", [*_FEMININE, ""], ()),
    ("тонна", "тонн", [*_FEMININE, ""], ("т",)),
    ("штука", "штук", [*"а и е у ой ою ам ами ах".split(), ""], ("шт",)),
    ("копейка", "копе", "йка йки йке йку йкой йкою ек йкам йками йках".split(), ("коп",)),
    ("евро", "евро", [""], ("eur",)),
)

UNITS: dict[str, str] = {
    **{stem + ending: lemma for lemma, stem, endings, _ in _DECLINED for ending in endings},
    **{short: lemma for lemma, _, _, shorts in _DECLINED for short in shorts},
}
"""Form or abbreviation to lemma."""

MONTHS = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()
CURRENCIES = frozenset({"рубль", "доллар", "евро", "фунт", "йена", "копейка", "цент"})
# Abbreviations that make a decimal of "2.5" before them and are read as a currency, in a regular expression.
CURRENCY_PATTERN = r"(?:[₽$€£¥]|руб(?!\w)|р(?!\w)|долл(?!\w)|рубл\w+|доллар\w*|евро(?!\w))"
COINS = {"рубль": "копейка", "доллар": "цент", "евро": "цент", "фунт": "пенс", "йена": "сен"}

_ADJECTIVE_ENDINGS = ("ых", "их", "ый", "ий", "ого", "его", "ым", "им", "ыми", "ими", "ом", "ая", "ую", "ой")
_NUMBER_NOUN = {"номер", *(f"номер{ending}" for ending in _MASCULINE)}
_NUMBERS = CANONICAL | {"целая"}


def lemmatize_units(text: str) -> str:
    """Unit words and abbreviations in their dictionary form where a number precedes them.

    One adjective may stand between number and currency: "триста сингапурских долларов".

    >>> lemmatize_units("сто рублей и пять кг за курс рублей")
    'сто рубль и пять килограмм за курс рублей'
    """
    words = text.split()
    if not _NUMBERS.intersection(words):
        return text
    kept: list[str] = []
    for i, word in enumerate(words):
        before = kept[-1] if kept else ""
        lemma = UNITS.get(word)
        if lemma and (before in _NUMBERS or (lemma in CURRENCIES and _adjective_after_number(kept))):
            kept.append(lemma)
        elif word in _NUMBER_NOUN and i + 1 < len(words) and words[i + 1] in CANONICAL:
            kept.append("номер")
        elif word == "цельсия" and before == "градус":
            pass  # the sign says it or does not: 5° and 5 °C are both read either way
        elif _after_number(kept) and _square_metre(before, word):
            kept[-1:] = ["квадратный", "метр"]
        else:
            kept.append(word)
    return " ".join(kept)


def _square_metre(before: str, word: str) -> bool:
    spoken = before.startswith("квадратн") and UNITS.get(word) == "метр"
    return spoken or (before == "кв" and word == "м")


def _after_number(kept: list[str]) -> bool:
    return len(kept) > 1 and kept[-2] in _NUMBERS


def _adjective_after_number(kept: list[str]) -> bool:
    return _after_number(kept) and kept[-1].endswith(_ADJECTIVE_ENDINGS)
