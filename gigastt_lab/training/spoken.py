"""Numbers as people say them. A synthesizer reads "15 сезон" as a cardinal: we write the words."""

from __future__ import annotations

import functools

from num2words import num2words

FEMININE = {"один": "одна", "два": "две"}


@functools.cache
def cardinal(number: int, *, gender: str = "m") -> str:
    """The cardinal in words, nominative.

    >>> cardinal(2013), cardinal(22, gender="f")
    ('две тысячи тринадцать', 'двадцать две')
    """
    words = str(num2words(number, lang="ru")).split()
    if gender == "f":
        words[-1] = FEMININE.get(words[-1], words[-1])
    elif gender == "n" and words[-1] == "один":
        words[-1] = "одно"
    return " ".join(words)


@functools.cache
def ordinal(number: int, *, gender: str = "m", case: str = "n") -> str:
    """The ordinal in words; gender m, f or n, case by num2words's letter (n, g, d, a, i, p).

    >>> ordinal(15), ordinal(3, gender="f", case="a")
    ('пятнадцатый', 'третью')
    """
    return str(num2words(number, lang="ru", to="ordinal", gender=gender, case=case))


def digit_groups(groups: list[str]) -> str:
    """Digit groups of a phone number, read group by group; leading zeros are spoken.

    >>> digit_groups(["8", "905", "07"])
    'восемь девятьсот пять ноль семь'
    """
    words = []
    for group in groups:
        zeros = len(group) - len(group.lstrip("0"))
        words += ["ноль"] * zeros
        if group[zeros:]:
            words.append(cardinal(int(group)))
    return " ".join(words)
