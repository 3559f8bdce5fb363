"""Rules about characters: case, Unicode form, the letter yo, punctuation, hyphens."""

from __future__ import annotations

import re
import unicodedata

HYPHENS = "-\u2010\u2011"
_APOSTROPHES = "'’ʼ`´‘"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]")
_MARKS = re.compile("[\u0300-\u036f]")  # those that no composed letter has taken up
# A hyphen joins two words only between letters or digits: a dash with spaces around it is punctuation.
_LOOSE_HYPHEN = re.compile(r"(?<!\w)-+|-+(?!\w)|-{2,}")
# д'артаньян, o'neil, don't: one word. Beside a digit it separates, as all that `signs` has not read does.
_INNER_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'+(?=[^\W\d_])")


def lower(text: str) -> str:
    """Lower case.

    >>> lower("АПЛ: Манчестер")
    'апл: манчестер'
    """
    return text.lower()


def compose(text: str) -> str:
    """Unicode NFC, without stress marks and invisible characters.

    NFC and not NFKD, which takes `й` apart and so turns it into `и` once the marks are dropped.

    >>> compose("до́м"), compose("и\u0306"), compose("сло\u00adво")
    ('дом', 'й', 'слово')
    """
    if text.isascii():
        return text
    # Invisible characters first: they may stand between a letter and its mark.
    return _MARKS.sub("", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))


def fold_yo(text: str) -> str:
    """`ё` written as `е`, as most texts do.

    >>> fold_yo("ещё")
    'еще'
    """
    return text.replace("ё", "е").replace("Ё", "Е")


class _Punctuation(dict[int, str]):
    """Character code to what stands for it; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in HYPHENS:
            kept = "-"
        elif char in _APOSTROPHES:
            kept = "'"
        else:
            kept = char if char.isalpha() or char.isdecimal() else " "
        self[code] = kept
        return kept


_PUNCTUATION = _Punctuation()


def drop_punctuation(text: str) -> str:
    """Letters, digits and the hyphens inside words; all else is a space, an inner apostrophe nothing.

    >>> drop_punctuation("видео-шоу «да»  – и/или")
    'видео-шоу да и или'
    """
    text = text.translate(_PUNCTUATION)
    if "'" in text:
        text = _INNER_APOSTROPHE.sub("", text).replace("'", " ")
    if "-" in text:
        text = _LOOSE_HYPHEN.sub(" ", text)
    return " ".join(text.split())


def split_hyphens(text: str) -> str:
    """A hyphen is a space.

    >>> split_hyphens("видео-шоу")
    'видео шоу'
    """
    return " ".join(text.replace("-", " ").split())
