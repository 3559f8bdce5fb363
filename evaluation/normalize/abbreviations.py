"""Rule about abbreviations, of words and of units: `и т. д.`, `д. 5`, `120 В`. It goes before lower case.

Only what has one reading is read. `г.` is a city before a capital, a year or grams after a number; `ул.` is
read in the nominative, since nothing says the case.
"""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import re
from collections.abc import Callable

from evaluation.normalize.unit_words import LETTERED

_PHRASES = {
    "итд": "и так далее", "итп": "и тому подобное", "идр": "и другие", "ипр": "и прочее",
    "те": "то есть",
    "тк": "так как", "то": "таким образом", "втч": "в том числе", "нэ": "нашей эры", "напр": "например",
    "гн": "господин", "гжа": "госпожа", "др": "доктор", "прт": "проспект", "бр": "бульвар", "рн": "район",
    "колво": "количество", "ул": "улица", "обл": "область", "проф": "профессор", "акад": "академик",
    "тел": "телефон",
}  # fmt: skip
_PHRASE = re.compile(
    # Of small letters: "и Т. Д. Иванов" are initials.
    r"(?<![\w.-])(?:(?-i:[иИ]\s*т\s?\.\s?[дп])|и\s+(?:др|пр)(?=\.)|(?-i:[тТ]\s?\.\s?[ек])(?=[.\s])"
    r"|(?-i:т\s?\.\s?о)(?=\.)|в\s+т\s?\.\s?ч(?=\.)|н\s?\.\s?э(?=\.)|(?:напр|ул|обл|проф|акад)(?=\.)"
    r"|тел(?=\.?:?\s?[+0-9])|г-н|г-жа|д-р|пр-т|б-р|р-н|кол-во)(?:\.|(?!\w))",
    re.IGNORECASE,
)
_NOT_LETTERS = re.compile(r"[\W\d_]+")

# Before a number, and before a name; a number before them makes another word of some.
_BEFORE_NUMBER = {
    "д": "дом", "кв": "квартира", "корп": "корпус", "к": "корпус", "оф": "офис", "каб": "кабинет",
    "под": "подъезд", "гл": "глава", "ст": "статья", "п": "пункт", "рис": "рисунок", "табл": "таблица",
    "т": "том", "вып": "выпуск", "стр": "страница", "ч": "часть", "эт": "этаж",
}  # fmt: skip
_NUMBERED = re.compile(rf"(?<![\w.-])(?<!\d\s)({'|'.join(_BEFORE_NUMBER)})\.\s?(?=\d)", re.IGNORECASE)
# After a number only what measures nothing: д. 5 кв. 2, but 5 кв. м, 5 ч. 30 мин.
_NUMBERED_AGAIN = re.compile(r"(?<=\d\s)(кв|корп|к|оф|каб|под|ст|стр|п)\.\s?(?=\d)", re.IGNORECASE)
_BUILDING = re.compile(r"\b(?:д|дом\w*|корп|корпус\w*)\b", re.IGNORECASE)
_BEFORE_NAME = {"г": "город", "пл": "площадь", "пер": "переулок", "наб": "набережная", "пр": "проспект"}
_NAMED = re.compile(rf"(?<![\w.-])(?<!\d\s)({'|'.join(_BEFORE_NAME)})\.\s?(?=[А-ЯЁ][а-яё])")

# Units that lower case would make Russian words of, or each other.
_UNITS = {
    "кВ": "киловольт", "мВ": "милливольт", "мА": "миллиампер", "Па": "паскаль", "kV": "киловольт",
    "V": "вольт", "W": "ватт", "kW": "киловатт", "мА·ч": "ма ч", "А·ч": "а ч",
}  # fmt: skip
_UNIT = re.compile(rf"(?<=\d)\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![\w·])")
_LETTER = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d+)?)\s?([АВГЛТРЧ])(?!\w|\.\s?\w)(?=(\s+[\w«]+)?)")
_NAMES = {"Г": "гэ", "Л": "эль", "Т": "тэ", "Р": "эр", "Ч": "че"}
_OF_CLASS = frozenset("в из с для от до у ваш наш мой твой ученик ученица ученики учится класс".split())
_MAX_CLASS = 11  # years of school; above them "В" and "А" are volts and amperes
_LAST_WORD = re.compile(r"(\w+)\W*$")
_WORD = re.compile(r"[^\W\d_]{3}")
_DRAWN_O = re.compile(r"\bОоо+\b")  # ООО is a company, and so may be "ооо"
_DIGIT = re.compile("[0-9]")
_LAST = ("др.", "пр.", "э.", "в.")
_UNDOTTED = ("-", "тел ")


def _phrase(match: re.Match[str]) -> str:
    after = match.string[match.end() : match.end() + 1]
    glued = " " if after.isalnum() else ""  # ул.Ленина
    return _PHRASES[_NOT_LETTERS.sub("", match[0]).lower()] + glued


def _numbered(match: re.Match[str]) -> str:
    short = match[1].lower()
    if short == "стр" and _BUILDING.search(match.string, 0, match.start()):
        return "строение "
    return f"{_BEFORE_NUMBER[short]} "


def _letter(match: re.Match[str]) -> str:
    """A capital letter after a number: of a house or class, or a unit that is written with a capital."""
    number, letter, after = match[1], match[2], (match[3] or "").strip()
    last = _LAST_WORD.search(match.string, 0, match.start())
    before = last[1].lower() if last else ""
    if letter in _NAMES:
        return f"{number} {_NAMES[letter]}"
    of_class = float(number.replace(",", ".")) <= _MAX_CLASS and (before in _OF_CLASS or letter == "А")
    # "Серия 12 В ролях": a capital before a word may as well begin a sentence.
    begins = bool(after) and after not in ("и", "или", "на", "до")
    if before in LETTERED or of_class or after.startswith("класс") or begins:
        return match[0]
    return f"{number} {'вольт' if letter == 'В' else 'ампер'}"


_CENTURY = re.compile(r"(?<!\w)([IVXХ]+)\s?вв?\.")

_Replacement = str | Callable[[re.Match[str]], str]
_PATTERNS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (_PHRASE, _phrase),
    (_NAMED, lambda match: f"{_BEFORE_NAME[match[1]]} "),
    (_CENTURY, r"\1 век "),
)
_MONTHS = {
    "янв": "января", "фев": "февраля", "мар": "марта", "апр": "апреля", "авг": "августа", "сен": "сентября",
    "окт": "октября", "ноя": "ноября", "дек": "декабря",
}  # fmt: skip
_MONTH = re.compile(r"(?<=\d)\s(янв|февр?|мар|апр|авг|сент?|окт|нояб?|дек)\.", re.IGNORECASE)

_BESIDE_DIGITS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (_NUMBERED, _numbered),
    (_NUMBERED_AGAIN, _numbered),
    (re.compile(r"((?:\d|тыс|млн|млрд)\.?)\s?чел\.", re.IGNORECASE), r"\1 человек"),
    (_MONTH, lambda match: f" {_MONTHS[match[1].lower()[:3]]} "),
    (_UNIT, lambda match: f" {_UNITS[match[1]]}"),
)


def expand_abbreviations(text: str) -> str:
    """Text with its abbreviations in words, those of units that only capitals tell included.

    >>> expand_abbreviations("ул. Мира, д. 5, кв. 12 и т. д."), expand_abbreviations("120 В, дом 12 Г")
    ('улица Мира, дом 5, квартира 12 и так далее', '120 вольт, дом 12 гэ')
    """
    if "оо" in text:
        text = _DRAWN_O.sub("О", text)
    # Most sentences have one full stop, the last character.
    dotted = text.find(".", 0, -1) >= 0 or text.endswith(_LAST)
    if dotted or any(part in text for part in _UNDOTTED):
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
    if not _DIGIT.search(text):
        return text
    for pattern, replacement in _BESIDE_DIGITS:
        text = pattern.sub(replacement, text)
    # Where all is in capitals, nothing is told by them.
    shouted = text.isupper() and _WORD.search(text)
    return text if shouted else _LETTER.sub(_letter, text)
