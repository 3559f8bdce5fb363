"""Rules about drawn-out sounds and hesitations: `о-о-о`, `дааа`, `э-э`, `ммм`. They go before hyphens do.

A hesitation is no word that anybody means, and some transcribers write it, others do not: it goes on both
sides. The list is short on purpose: "а", "ну", "вот", "угу", "хм" are answers or words.
"""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import re

from evaluation.normalize.grammar import atom

FILLERS = "э, ээ, эээ ...; эм, эмм, ээм ...; мм, ммм ...; э-э, м-м, э-м"
"""What is dropped, in words; after a number "мм" are millimetres, beside a letter's name "эм" is one."""

_LETTER = "[а-я]"
# да-а-а, ну-у; not в-вот, where a word begins anew.
_DRAWN_WITH_HYPHENS = re.compile(rf"(?<={_LETTER})({_LETTER})(?:-\1+)+(?!{_LETTER})")
_HUMMED = re.compile(r"\bм+(?:-м+)+\b")
# Two may be a preposition said anew; some write о-о-о, others "о о о".
_SOUND = re.compile(r"\b([аоуыэ])(?:[ -]\1){2,}\b")
_REPEATED = tuple(f"{sound}{mark}{sound}" for sound in "аоуыэ" for mark in " -")
_THREE = re.compile(r"([а-я])(?<![эм])\1{2,}")  # эээ and ммм are hesitations
_TWICE = re.compile("([аоуеиы])\\1|([а-я])\\2\\2")
# Words that a second vowel alone draws out; "нее" (ё) and "все" are none of them.
_DRAWN_WORDS = dict(
    zip(
        "даа нуу воот таак оой аай неет оо аа уу".split(),
        "да ну вот так ой ай нет о а у".split(),
        strict=True,
    )
)
# Words, and the abbreviation of a company.
_THREE_IN_DICTIONARY = re.compile("^ооо$|шеее|змеее|ссср")
_FILLER = re.compile(r"э+м*|м{2,}")
_HAS_FILLER = re.compile(r"\b(?:э+м*|м{2,})\b")
_LETTER_NAMES = frozenset(
    "бэ вэ гэ дэ жэ зэ зе ка эль эл эн пэ эр эс тэ эф ха цэ ша ща би си ди ти ви пи джи эй эйч аш ай джей "
    "кей кью ар икс зет буква буквы букву букве буквой".split()
)


def shorten_elongations(text: str) -> str:
    """Sounds that are drawn out in writing, short: of three equal letters and more one is left.

    Args:
        text: Lower case, with the hyphens inside words.

    >>> shorten_elongations("о-о-о дааа ну-у да-да в-вот ссср")
    'о да ну да-да в-вот ссср'
    >>> shorten_elongations("о о о ооо"), shorten_elongations("о о")  # ООО is a company
    ('о ооо', 'о о')
    """
    if "-" in text:
        text = _HUMMED.sub("мм", _DRAWN_WITH_HYPHENS.sub(r"\1", text))
    if any(pair in text for pair in _REPEATED):
        text = _SOUND.sub(r"\1", text)
    if _TWICE.search(text):
        text = " ".join(_short(word) if _TWICE.search(word) else word for word in text.split())
    return text


def _short(word: str) -> str:
    """One word without the letters that draw it out."""
    if not _THREE_IN_DICTIONARY.search(word):
        word = _THREE.sub(r"\1", word)
    return "-".join(_DRAWN_WORDS.get(part, part) for part in word.split("-"))


def drop_fillers(text: str) -> str:
    """Words without hesitations.

    >>> drop_fillers("э э включи эм пять мм м ммм да"), drop_fillers("эм ти ви и эф эм")
    ('включи пять мм м да', 'эм ти ви и эф эм')
    """
    if not (("э" in text or "мм" in text) and _HAS_FILLER.search(text)):
        return text
    words = ["", "", *text.split(), ""]
    kept = " ".join(
        word
        for at, word in enumerate(words[2:-1], start=2)
        if not (_FILLER.fullmatch(word) and not _is_meant(words[at - 2 : at], word, words[at + 1]))
    )
    return _SOUND.sub(r"\1", kept)


def _is_meant(before: list[str], word: str, after: str) -> bool:
    """True of millimetres after a number, and of a letter's name beside another."""
    if word == "мм":
        full_hour = before[1] == "00" or (before[0] == before[1] and before[1] in ("0", "ноль"))
        return atom(before[1]) is not None and not full_hour
    return word in ("э", "эм") and (before[1] in _LETTER_NAMES or after in _LETTER_NAMES)
