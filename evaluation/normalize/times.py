"""Times of day as they are said: hours, or hours and minutes, in one order of words."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

from evaluation.normalize.grammar import Atom, atom, numbers_in, read

WHOLE = frozenset("целая целых целую целой целые".split())
_HOURS = frozenset("час часа часу часом часе часы часов часам часами часах ч".split())
_DAY_PARTS = ("утра", "вечера")  # not "дня", "ночи": "два дня" are two days
_MINUTES = frozenset("минута минуты минуте минуту минутой минут минутам минутами минутах мин".split())


def number_parts(words: list[str], start: int) -> tuple[list[Atom], int]:
    """The number parts from `start` on, and where they end."""
    end = start
    parts: list[Atom] = []
    while end < len(words) and words[end] != "семью" and (part := atom(words[end])) is not None:
        parts.append(part)
        end += 1
    return parts, end


def clock(numbers: list[str], words: list[str], end: int) -> tuple[list[str], int] | None:
    """Hours, or hours and minutes, where `numbers` are followed by them. None: no time of day."""
    hour = numbers[0]
    if len(hour) > 2 or int(hour) > 24 or (hour[0] == "0" and hour != "0"):
        return None
    named = end < len(words) and words[end] in _HOURS
    full = numbers[1:] in (["00"], ["0", "0"])
    if not full and (len(numbers) != 1 or not named):
        return None
    minutes = minutes_from(words, end + 1) if named else None
    if minutes is None:
        end += named
        in_day = hour != "1" and end < len(words) and words[end] in _DAY_PARTS
        return read(hour) if in_day else _full_hour(hour), end
    return said_time(hour, minutes[0]), minutes[1]


def said_time(hour: str, minutes: str) -> list[str]:
    """Hour and minutes as they are said, whatever their digits would be as one number."""
    return [*read(hour), *read(minutes)]


def _full_hour(hour: str) -> list[str]:
    return ["час"] if hour == "1" else [*read(hour), "час"]


def minutes_from(words: list[str], start: int) -> tuple[str, int] | None:
    """Minutes after an hour as two digits, and where they end; "минут" itself may be missing."""
    parts, end = number_parts(words, start)
    digits = "".join(numbers_in(parts))
    if not parts or len(digits) > 2 or int(digits) > 59 or int(digits) == 0:
        return None
    if end < len(words) and words[end] in _MINUTES:
        end += 1
    elif len(digits) == 1:
        return None
    if end < len(words) and (atom(words[end]) is not None or words[end] in WHOLE):
        return None  # more numbers: not a time, and they must not run together
    return digits.zfill(2), end
