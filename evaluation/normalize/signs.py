"""The signs and marks with which digits are written, turned into the words with which they are read.

Runs before punctuation is dropped: afterwards "2,5", "2.5" and "2 5" are one. What it writes is plain
words and bare digit strings; `numbers` reads those. Every pattern needs a digit or a sign, so ordinary
sentences pass through untouched.
"""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import re
from collections.abc import Callable

from evaluation.normalize.more_signs import ADDITIONS_2, RELEVANT_2, Additions, Replacement
from evaluation.normalize.number_words import SCALES
from evaluation.normalize.units import COINS, MONTHS, UNITS_1, UNITS_2, UnitTable

_AMOUNT = r"[0-9]+(?:\s[0-9]{3}(?![0-9]))*(?:[.,][0-9]+)?"
_SCALE = r"(?:тыс(?:яч\w*)?|млн|млрд|миллион\w*|миллиард\w*)\b\.?"
# With two digits after the point these follow a time or a month: "в 10.30 часов", "05.2020 года".
_MEASURED_TIME = r"(?=\s?(?:час(?:а|у|ом|е|ы|ов|ам|ами|ах)?|ч|год(?:а|у|ом|е|ы|ов|ам|ами|ах)?)(?!\w))"
# Endings that are written after digits: 3-й, 20-го, 90-е, 5-ти, 2-х.
_SUFFIXES = (
    "ый ий ой й ая яя я ое ее е ые ие ого его го ому ему му "
    "ым им м ом ем ую юю ю ых их ух х ыми ими ми мя ью ти и"
).split()
_SUFFIX = "|".join(sorted(_SUFFIXES, key=len, reverse=True))
# Glued to the digits only those that are no unit or word of their own: 5м is five metres.
_GLUED_SUFFIX = "ый|ий|ой|й|ая|ое|ые|ого|го|ому|му|ую|ых|ыми|х|е|я|ти"
_SPACE = "[ \u00a0\u2009\u202f]"
_YEAR = "(?:1[0-9]{3}|20[0-9]{2}|2100)"


def _measured(units: UnitTable) -> str:
    """Pattern of what makes a decimal of "2.5" before it; else that is a version, a time, a date."""
    words = "|".join([*sorted(units.forms, key=len, reverse=True), "раз(?:а|ам|ами)?", r"балл\w*"])
    return (
        rf"(?=\s?(?:[%°℃]|{units.priced}|{_SCALE}|процент|градус"
        rf"|(?!(?:час|год|ч\b|гг\b))(?:{words})(?!\w)))"
    )


def _thousands(signs: str) -> Callable[[re.Match[str]], str]:
    def joined(match: re.Match[str]) -> str:
        """Digits grouped in thousands as one string; uneven millions with their scales."""
        groups = match[0].split()
        before = match.string[: match.start()].rstrip()
        if len(groups) == 2 or set(groups[1:]) == {"000"} or before.endswith(tuple(signs)):
            return "".join(groups)
        scales = (SCALES[10**6], SCALES[10**3], "")
        named = [f"{int(group)} {scale}" for group, scale in zip(groups, scales, strict=True) if int(group)]
        return " ".join(named).strip()

    return joined


def _money(units: UnitTable) -> Callable[[re.Match[str]], str]:
    def said(match: re.Match[str]) -> str:
        whole, coins, currency = match[1], match[2], match[3]
        lemma = units.signs.get(currency) or units.forms.get(currency, currency)
        small = "" if coins == "00" else f" {coins.lstrip('0')} {COINS.get(lemma, 'копейка')}"
        return f"{whole} {lemma}{small} "

    return said


def _date(match: re.Match[str]) -> str:
    day, month, year = int(match[1]), int(match[2]), match[3]
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return f"{match[1]} {match[2]} {year}"
    return f"{day} {MONTHS[month - 1]} {year} год "


def _time(match: re.Match[str]) -> str:
    hour, rest = match[1], match[2].replace(":", " ")
    # "09:30" is spoken without its zero; "00:30" with it.
    return f"{hour.lstrip('0') if hour.strip('0') else hour}{rest}"


def _patterns(units: UnitTable) -> tuple[tuple[str, Replacement], ...]:
    """Patterns and what stands for them, in the order in which they apply."""
    signs = "".join(units.signs)
    measured = _measured(units)
    return (
        (r"№\s*|\bno\.?\s*(?=[0-9])", " номер "),
        (r"½", " 1/2 "),
        (r"¼", " 1/4 "),
        (r"¾", " 3/4 "),
        # Not with a sign before or more digits after: "+7 902 123 45 67", "8 902 123-45-67".
        (
            rf"(?<![\w.,:/+])(?<![0-9)]\s)(?<!(?<![0-9]{{3}})[-−–])[1-9][0-9]{{0,2}}(?:{_SPACE}[0-9]{{3}}){{1,2}}"
            rf"(?![0-9])(?!\s?[0-9(/])(?!\s?[-‑–—]\s?[0-9]+(?!{_SPACE}[0-9]{{3}}(?![0-9]))(?![0-9]))",
            _thousands(signs),
        ),
        (rf"(?<=[{signs}])\s?[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?![0-9,])", lambda m: m[0].replace(",", "")),
        (
            rf"(?<![0-9.,])[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?=\s?{units.priced})",
            lambda m: m[0].replace(",", ""),
        ),
        (rf"(?<![0-9])(?<![0-9]\s)([{signs}])\s?({_AMOUNT}(?:\s?{_SCALE})?)", r" \2 \1 "),
        (rf"(?<![0-9.])([0-9]{{1,3}})\.([0-9]{{3}})(?=\s?{units.priced})", r"\1\2"),
        (rf"([0-9])[.,]([0-9]{{2}})\s?({units.priced})\.?", _money(units)),
        (
            r"(?<![0-9.])([0-9]{1,2})\.([0-9]{2})\.((?:19|20)[0-9]{2})(?:\s?г(?:ода|\.|(?!\w)))?(?![0-9.])",
            _date,
        ),
        (r"(?<![0-9:])([0-9]{1,2})((?::[0-9]{2}){1,2})(?![0-9:])", _time),
        (rf"(?<![0-9])({_YEAR})\s?гг(?:\.|(?!\w))", r"\1 год "),
        (rf"(?<![0-9])({_YEAR})-?(?:го|му|й|м)\s?г(?:\.|(?!\w))", r"\1 год "),
        # After other words 1500 г are grams.
        (rf"(?<!\w)((?:в|с|до|к|от|{'|'.join(MONTHS)})\s)({_YEAR})\s?г(?:\.|(?!\w))", r"\1\2 год "),
        (r"(?<![0-9,])([0-9]+),([0-9]+)(?![0-9,]|,[0-9])", r"\1 целая \2"),
        (rf"(?<![0-9.])([0-9]+)\.([0-9]+)(?![0-9.]){measured}", r"\1 целая \2"),
        (rf"(?<![0-9.])([0-9]+)\.([0-9])(?![0-9.]){_MEASURED_TIME}", r"\1 целая \2"),
        (r"(?<![\w.,)%])(?<![\w.,)%]\s)[-−–](?=[0-9])", " минус "),
        (r"(?<=[0-9])(?:\s[xх×]\s|[xх×])(?=[0-9])", " на "),
        (r"км\s?/\s?ч(?:ас)?(?!\w)", "км в час "),
        (r"м\s?/\s?с(?!\w)", "м в секунду "),
        (r"(?<![^\W\d_])м[²2](?!\w)", " квадратный метр "),
        (r"(?<![^\W\d_])м³", " кубический метр "),
        (r"%", " процент "),
        (r"°\s?[cс](?!\w)|[°℃]", " градус "),
        (rf"[{signs}]", lambda m: f" {units.signs[m[0]]} "),
        (r"\+", " плюс "),
        (r"(?<=[0-9*])#", " решетка "),
        (r"(?<!\w)\*(?=[0-9#])", " звездочка "),
        (r"(?<=[a-z0-9])\s?&\s?(?=[a-z0-9])", " and "),
        (r"&", " и "),
        (rf"(?<=[0-9])(?:[-‑–]\s?(?:{_SUFFIX})|(?:{_GLUED_SUFFIX}))(?!\w)", ""),
        # The format names 4K, 2K, 8K are read with the letter's name.
        (r"(?<=[0-9])\s?[кk](?!\w)", " ка"),
        (r"(?<=[0-9])[-‑]?(?=[^\W\d_])|(?<=[^\W\d_])[-‑]?(?=[0-9])", " "),
    )


def _reader(units: UnitTable, additions: Additions, relevant_too: str) -> Callable[[str], str]:
    first = [(hint, re.compile(pattern), replacement) for hint, pattern, replacement in additions]
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in _patterns(units)]
    relevant = re.compile(rf"[0-9%№+°℃½¼¾²³&#{''.join(units.signs)}]{relevant_too}")

    def read(text: str) -> str:
        """Signs and marks around digits as words."""
        if not relevant.search(text):
            return text
        for hint, pattern, replacement in first:
            if hint in text:
                text = pattern.sub(replacement, text)
        for pattern, replacement in compiled:
            text = pattern.sub(replacement, text)
        return " ".join(text.split())

    return read


read_signs_1 = _reader(UNITS_1, (), "")
_read_signs_2 = _reader(UNITS_2, ADDITIONS_2, f"|{RELEVANT_2}")


def read_signs(text: str) -> str:
    """Signs and marks around digits as words.

    >>> read_signs("в 21:00 на 70%, $300 и 2,5 кг, 20-го"), read_signs("₸500 на mail.ru")
    ('в 21 00 на 70 процент , 300 доллар и 2 целая 5 кг, 20', '500 тенге на mail точка ru')
    """
    return _read_signs_2(text)
