"""Rule about years without their century: `двадцатый год`, `95-м году`."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

from evaluation.normalize.grammar import atom, value_of
from evaluation.normalize.number_words import NUMBER_WORDS
from evaluation.normalize.units import MONTHS

_YEAR = frozenset("год года году годом годе".split())
# "Двадцатый год подряд" counts years.
_COUNTED = frozenset(
    "подряд жизни века столетия тысячелетия обучения учебы службы работы брака войны эры правления".split()
)
_FIRST, _PIVOT, _LAST = 10, 30, 99  # "пятый год" is counted; 10-29 are of this century, 30-99 of the last
_TENS = range(20, 100, 10)


def complete_years(text: str) -> str:
    """Years of two digits with the century that they are of.

    Recognisers write "2020 года" for "двадцатого года". Completed is only what can be nothing but a year: an
    ordinal or digits before "год" in the singular, where the digits could not count years ("21 год", "22
    года" could, and stay, unless a month stands before them).

    >>> complete_years("двадцатого года"), complete_years("в 95 году"), complete_years("ему 21 год")
    ('две тысячи двадцатого года', 'в 1995 году', 'ему 21 год')
    """
    if "год" not in text:
        return text
    words = text.split()
    completed: list[str] = []
    for i, word in enumerate(words):
        if word in _YEAR and words[i + 1 : i + 2] and words[i + 1] in _COUNTED:
            pass
        elif word in _YEAR:
            _complete(completed, word)
        completed.append(word)
    return " ".join(completed)


def _complete(words: list[str], noun: str) -> None:
    """Put the century before the year that `words` end with, where it lacks."""
    value, size = _two_digits(words)
    before = words[len(words) - size - 1] if len(words) > size else ""
    if not _FIRST <= value <= _LAST or atom(before) is not None or before == "целая":
        return
    if before not in MONTHS and _may_count(value, noun):
        return
    century = 2000 if value < _PIVOT else 1900
    if size == 1 and words[-1].isdigit():
        words[-1] = str(century + value)
    else:
        at = len(words) - size
        words[at:at] = ["две", "тысячи"] if century == 2000 else ["тысяча", "девятьсот"]


def _two_digits(words: list[str]) -> tuple[int, int]:
    """Value of an ordinal, or of two digits, at the end, and how many words it takes; 0 if none."""
    last = words[-1] if words else ""
    if len(last) == 2 and last.isascii() and last.isdigit():
        return int(last), 1
    word = NUMBER_WORDS.get(last)
    if word is None or not word.ordinal or word.value > _LAST:
        return 0, 0
    tens = atom(words[-2]) if len(words) > 1 else None
    if word.value < _FIRST and tens is not None and value_of(tens) in _TENS and not words[-2].isdigit():
        return value_of(tens) + word.value, 2
    return word.value, 1


def _may_count(value: int, noun: str) -> bool:
    """True if the digits and the noun may say how many years: 21 год, 22 года."""
    unit = 0 if 10 < value % 100 < 20 else value % 10
    return (noun == "год" and unit == 1) or (noun == "года" and unit in (2, 3, 4))
