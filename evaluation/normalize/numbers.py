"""Number words and digits -> one canonical row of number words. The package's docstring argues for it."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import re

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
from evaluation.normalize.units import MONTHS, UNITS

_DIGIT = re.compile(r"[0-9]")
_WHOLE = frozenset("целая целых целую целой целые".split())
_ONE_AND_A_HALF = frozenset("полтора полторы полутора".split())
_DENOMINATOR = re.compile(r"(?:десят|сот|тысячн)(?:ая|ых|ую|ой|ые|ым|ыми)")
_HOURS = frozenset("час часа часу часом часе часы часов часам часами часах ч".split())
_DAY_PARTS = ("утра", "вечера")  # not "дня", "ночи": "два дня" are two days
_MINUTES = frozenset("минута минуты минуте минуту минутой минут минутам минутами минутах мин".split())
# "семью" is "a family" too; after these, inside a number or before a plural instrumental it is the number.
_BEFORE_SEVEN = frozenset("с со над под перед между".split())
_WORDS = frozenset(NUMBER_WORDS) | _ONE_AND_A_HALF
MAX_ROUNDS = 8  # of reading one's own output again; real texts need one, made-up ones three


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


def _parts(words: list[str], start: int) -> tuple[list[Atom], int]:
    """The number parts from `start` on, and where they end."""
    end = start
    parts: list[Atom] = []
    while end < len(words) and words[end] != "семью" and (part := atom(words[end])) is not None:
        parts.append(part)
        end += 1
    return parts, end


def _fraction(parts: list[Atom]) -> tuple[str, bool, int]:
    """The digits after the mark, whether they were said one by one, and how many parts they took."""
    for n_parts in range(len(parts), 0, -1):
        numbers = numbers_in(parts[:n_parts])
        if len(numbers) == 1 or all(len(number) == 1 for number in numbers):
            return "".join(numbers), len(numbers) > 1, n_parts
    return "", False, 0


def _decimal(
    whole: list[str], words: list[str], start: int, *, counted: bool
) -> tuple[list[str], int] | None:
    """A decimal whose fraction starts at `start`: its words and where it ends. None: no fraction there."""
    parts, end = _parts(words, start)
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
    return [*say(whole, counted=counted), "целая", *fraction, *scaled], start + n_parts


def _clock(numbers: list[str], words: list[str], end: int) -> tuple[list[str], int] | None:
    """Hours, or hours and minutes, where `numbers` are followed by them. None: no time of day."""
    hour = numbers[0]
    if len(hour) > 2 or int(hour) > 24 or (hour[0] == "0" and hour != "0"):
        return None
    named = end < len(words) and words[end] in _HOURS
    full = numbers[1:] in (["00"], ["0", "0"])
    if not full and (len(numbers) != 1 or not named):
        return None
    minutes = _minutes(words, end + 1) if named else None
    if minutes is None:
        end += named
        in_day = hour != "1" and end < len(words) and words[end] in _DAY_PARTS
        return read(hour) if in_day else _full_hour(hour), end
    return _said_time(hour, minutes[0]), minutes[1]


def _said_time(hour: str, minutes: str) -> list[str]:
    """Hour and minutes as they are said, whatever their digits would be as one number."""
    return [*read(hour), *read(minutes)]


def _full_hour(hour: str) -> list[str]:
    return ["час"] if hour == "1" else [*read(hour), "час"]


def _minutes(words: list[str], start: int) -> tuple[str, int] | None:
    """Minutes after an hour as two digits, and where they end; "минут" itself may be missing."""
    parts, end = _parts(words, start)
    digits = "".join(numbers_in(parts))
    if not parts or len(digits) > 2 or int(digits) > 59 or int(digits) == 0:
        return None
    if end < len(words) and words[end] in _MINUTES:
        end += 1
    elif len(digits) == 1:
        return None
    if end < len(words) and (atom(words[end]) is not None or words[end] in _WHOLE):
        return None  # more numbers: not a time, and they must not run together
    return digits.zfill(2), end


def _ends_in_number(words: list[str]) -> bool:
    return bool(words) and (words[-1] in CANONICAL or words[-1] == "целая")


def _unify_once(text: str) -> str:
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
        parts, end = _parts(words, at)
        found: tuple[list[str], int] | None = None
        if parts:
            numbers = numbers_in(parts)
            after = words[end] if end < len(words) else ""
            counted = any(map(is_scale, parts))
            measured = after in UNITS or after in MONTHS
            if after in _WHOLE:
                found = _decimal(numbers, words, end + 1, counted=counted)
            if found is None and UNITS.get(after) == "год" and [*map(len, numbers)] == [2, 2]:
                numbers = ["".join(numbers)]  # "двадцать тринадцатый год"
            found = found or _clock(numbers, words, end)
            found = found or (say(numbers, counted=counted, measured=measured), end)
        elif words[at] == "час" and not _ends_in_number(unified) and (minutes := _minutes(words, at + 1)):
            found = _said_time("1", minutes[0]), minutes[1]  # "час тридцать" is 1:30
        new, at = found or ([words[at]], at + 1)
        unified += new
    return " ".join(unified)


def unify_numbers(text: str) -> str:
    """All numbers as canonical number words, whether they came as words or as digits.

    Args:
        text: Lower case with `е` for `ё`, without punctuation, one space between words.

    >>> unify_numbers("эпизод 31 двадцать первого мая"), unify_numbers("в двадцать один ноль ноль")
    ('эпизод тридцать один двадцать один мая', 'в двадцать один час')
    """
    # Words of odd rows ("пятьдесят", then "2,5 миллиарда") read anew once they stand together. Until nothing
    # changes, so that normalising twice is normalising once; ordinary texts are done after the first round.
    for _ in range(MAX_ROUNDS):
        unified = _unify_once(text)
        if unified == text:
            break
        text = unified
    return text
