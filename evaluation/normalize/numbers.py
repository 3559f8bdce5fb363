"""Number words and digits -> one canonical row of number words. The package's docstring argues for it."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from evaluation.normalize.fractions import read_fractions
from evaluation.normalize.grammar import (
    MAX_COUNTED,
    MAX_SPOKEN,
    Atom,
    atom,
    count,
    is_scale,
    numbers_in,
    read,
    say,
    value_of,
)
from evaluation.normalize.number_words import (
    CANONICAL,
    LEMMAS,
    NUMBER_WORDS,
    SCALE_ABBREVIATIONS,
    SCALES,
    split_compound,
)
from evaluation.normalize.times import WHOLE, clock, minutes_from, number_parts, said_time
from evaluation.normalize.units import MONTHS, UNITS_1, UNITS_2, UnitTable

_DIGIT = re.compile(r"[0-9]")
_ONE_AND_A_HALF = frozenset("полтора полторы полутора".split())
_DENOMINATOR = re.compile(r"(?:десят|сот|тысячн)(?:ая|ых|ую|ой|ые|ым|ыми)")
# "семью" is "a family" too; after these, inside a number or before a plural instrumental it is the number.
_BEFORE_SEVEN = frozenset("с со над под перед между".split())
_WORDS = frozenset(NUMBER_WORDS) | _ONE_AND_A_HALF
# What says that the numbers after it are one code: "код тридцать восемь десять" is 3810.
_CODES = frozenset(
    "код кода коду кодом коде коды пин pin пинкод пинкода пинкодом карта карты карте карту картой карт "
    "пароль "
    "пароля паролю паролем пароле индекс индекса индексу индексом комбинация комбинации комбинацию".split()
)
_NEAR = 3  # words
MAX_ROUNDS = 8  # of reading one's own output again; real texts need one, made-up ones three


@dataclass(frozen=True, eq=False)
class Reading:
    """Conventions by which a version of the normaliser reads numbers.

    Attributes:
        units: Units that may follow a number.
        codes_by_word: True if numbers side by side are one code only after a word that says so, or with a
            zero among them; False if it takes no more than pairs of digits.
        is_year: True of a value that two numbers of two digits may make before "год": "двадцать
            тринадцатый год".
        short_decimals: True if "0,5" is read "ноль пять", without "целых".
        again: What is done to a text before its numbers are read once more.
        hourly: Units that "час" belongs to and begins no time after: "киловатт час".
    """

    units: UnitTable
    codes_by_word: bool
    short_decimals: bool
    is_year: Callable[[int], bool]
    again: Callable[[str], str]
    hourly: frozenset[str] = frozenset()


def _is_year(value: int) -> bool:
    """True if the value is a year, and not two decades: "60-70-е годы", "двадцатые тридцатые годы"."""
    first, second = divmod(value, 100)
    return 1000 <= value <= 2100 and second != first + 10


READING_1 = Reading(UNITS_1, codes_by_word=False, short_decimals=False, is_year=lambda _: True, again=str)
READING_2 = Reading(
    UNITS_2,
    codes_by_word=True,
    short_decimals=True,
    is_year=_is_year,
    again=read_fractions,
    hourly=frozenset({"киловатт", "ампер", "миллиампер"}),
)


def _is_seven(before: str, after: str) -> bool:
    """True if "семью" between these words is the number: "двадцатью семью", "с семью", "семью замками"."""
    part = atom(before)
    value = 0 if part is None or len(before) > MAX_COUNTED else value_of(part)
    return before in _BEFORE_SEVEN or (value >= 20 and value % 10 == 0) or after.endswith(("ами", "ями"))


def _prepare(words: list[str]) -> list[str]:
    """One word per part: compounds split, halves and marks written as decimals, "семью" decided."""
    prepared: list[str] = []
    for i, word in enumerate(words):
        number_before = bool(prepared) and atom(prepared[-1]) is not None
        after = words[i + 1] if i + 1 < len(words) else ""
        number_after = bool(after) and atom(after) is not None
        if word in _ONE_AND_A_HALF:
            prepared += ["1", "целая", "5"]
        elif (
            word == "половиной"
            and prepared[-1:] == ["с"]
            and len(prepared) > 1
            and atom(prepared[-2]) is not None
        ):
            prepared[-1:] = ["целая", "5"]
        elif word == "запятая" and number_before and number_after:
            prepared.append("целая")
        elif word == "точка" and number_before and number_after:
            pass  # "пять точка один" is written 5.1, and that is also read without the word
        elif word in SCALE_ABBREVIATIONS and number_before:
            prepared.append(SCALES[SCALE_ABBREVIATIONS[word]])
        elif word == "семью" and _is_seven(prepared[-1] if prepared else "", after):
            prepared.append("семь")
        else:
            prepared += split_compound(word)
    return prepared


def _fraction(parts: list[Atom]) -> tuple[str, bool, int]:
    """The digits after the mark, whether they were said one by one, and how many parts they took."""
    for n_parts in range(len(parts), 0, -1):
        numbers = numbers_in(parts[:n_parts])
        if len(numbers) == 1 or all(len(number) == 1 for number in numbers):
            return "".join(numbers), len(numbers) > 1, n_parts
    return "", False, 0


def _decimal(
    whole: list[str], words: list[str], start: int, *, counted: bool, short: bool
) -> tuple[list[str], int] | None:
    """A decimal whose fraction starts at `start`: its words and where it ends. None: no fraction there."""
    parts, end = number_parts(words, start)
    if not parts or is_scale(parts[0]):
        return None
    closing = [
        i for i in range(1, len(parts)) if is_scale(parts[i]) or _DENOMINATOR.fullmatch(words[start + i])
    ]
    limit = closing[0] if closing else len(parts)
    digits, spelled, n_parts = _fraction(parts[:limit])
    scale = 0
    if n_parts == limit < len(parts):
        if _DENOMINATOR.fullmatch(words[start + n_parts]):
            digits = digits.zfill(len(str(value_of(parts[n_parts]))) - 1)
            n_parts += 1
        if n_parts < len(parts) and is_scale(parts[n_parts]):
            scale = value_of(parts[n_parts])
            n_parts += 1
    if scale and len(whole) == 1 and start + n_parts == end and len(whole[0] + digits) <= MAX_COUNTED:
        value, rest = divmod(int(whole[0] + digits) * scale, 10 ** len(digits))
        if not rest:
            return count(str(value)), end
    by_digit = spelled or len(digits) > MAX_SPOKEN or digits[0] == "0"
    fraction = [LEMMAS[int(digit)] for digit in digits] if by_digit else read(digits)
    scaled = [SCALES[scale]] if scale else []
    if short and whole == ["0"] and not scale and int(digits):
        return [LEMMAS[0], *fraction], start + n_parts
    return [*say(whole, counted=counted), "целая", *fraction, *scaled], start + n_parts


def _ends_in_number(words: list[str]) -> bool:
    return bool(words) and (words[-1] in CANONICAL or words[-1] == "целая")


def _unify_once(text: str, reading: Reading) -> str:
    words = text.split()
    if (
        _DIGIT.search(text) is None
        and _WORDS.isdisjoint(words)
        and all(len(split_compound(w)) == 1 for w in words)
    ):
        return text
    words = _prepare(words)
    unified: list[str] = []
    at = 0
    while at < len(words):
        parts, end = number_parts(words, at)
        found: tuple[list[str], int] | None = None
        if parts:
            numbers = numbers_in(parts)
            after = words[end] if end < len(words) else ""
            counted = any(map(is_scale, parts))
            measured = after in reading.units.forms or after in MONTHS
            if after in WHOLE:
                found = _decimal(numbers, words, end + 1, counted=counted, short=reading.short_decimals)
            if found is None and reading.units.forms.get(after) == "год" and [*map(len, numbers)] == [2, 2]:
                year = "".join(numbers)  # "двадцать тринадцатый год"
                numbers = [year] if reading.is_year(int(year)) else numbers
            found = found or clock(numbers, words, end)
            if found is None:
                coded = not _CODES.isdisjoint(unified[-_NEAR:]) if reading.codes_by_word else None
                found = say(numbers, counted=counted, measured=measured, coded=coded), end
        elif (
            words[at] == "час"
            and not _ends_in_number(unified)
            and reading.hourly.isdisjoint(unified[-1:])
            and (minutes := minutes_from(words, at + 1))
        ):
            found = said_time("1", minutes[0]), minutes[1]  # "час тридцать" is 1:30
        new, at = found or ([words[at]], at + 1)
        unified += new
    return " ".join(unified)


def unify_numbers(text: str, reading: Reading = READING_2) -> str:
    """All numbers as canonical number words, whether they came as words or as digits.

    Args:
        text: Lower case with `е` for `ё`, without punctuation, one space between words.
        reading: How the version of the normaliser reads numbers.

    >>> unify_numbers("эпизод 31 двадцать первого мая"), unify_numbers("в двадцать один ноль ноль")
    ('эпизод тридцать один двадцать один мая', 'в двадцать один час')
    """
    # Words of odd rows ("пятьдесят", then "2,5 миллиарда") read anew once they stand together. Until nothing
    # changes, so that normalising twice is normalising once; ordinary texts are done after the first round.
    for _ in range(MAX_ROUNDS):
        unified = _unify_once(text, reading)
        if unified == text:
            break
        text = reading.again(unified)
    return text
