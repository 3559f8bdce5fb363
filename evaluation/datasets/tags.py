"""Marks of noise in references, which nobody says: `<unk>`, `[шум]`, `(неразб.)`, `{laugh}`.

Punctuation is dropped before scoring, so that `[шум]` would become the word `шум`, and a deletion by every
system. The rule "drop" takes these out of a reference:

- what stands in `<...>` or `[...]`, up to three words of it, whatever it is: `<unk>`, `[посторонний шум]`;
- what stands in `{...}`, `(...)` or `*...*` and begins with a word of `NAMES` or is one of `SHORT_NAMES`:
  `(неразборчиво)`, `{laugh}`, `*кашель*`. Others may be speech: `(да)` stays.

A mark inside a word, as in `при[кашель]вет`, parts it. An utterance of marks alone keeps its audio and has an
empty reference: what a system hears in it are insertions. The rule "keep" leaves references as they are.
"""

from __future__ import annotations

import re
from typing import Final, Literal

TagRule = Literal["drop", "keep"]

# Beginnings of words, so that all their forms count.
NAMES: Final = (
    "шум", "смех", "смеет", "смею", "кашел", "кашля", "вздох", "вдох", "выдох", "дыхан", "музык", "тишин",
    "пауз", "неразб", "нрзб", "неслыш", "невнят", "непонят", "аплодис", "плач", "чих", "щелч", "стук", "звон",
    "гудок", "гудк", "помех", "посторонн", "хмык", "свист", "крик", "зев", "перебив", "иностранн",
    "noise", "nois", "laugh", "cough", "breath", "inhal", "exhal", "sigh", "music", "silence", "inaudib",
    "unintellig", "unknown", "crosstalk", "overlap", "applau", "sneez", "click", "lipsmack", "hesitat",
    "background", "foreign", "vocali", "sniff", "throat", "beep",
)  # fmt: skip
SHORT_NAMES: Final = (
    "unk",
    "sil",
    "spn",
    "nsn",
    "pause",
    "lip",
    "smack",
    "bg",
    "hes",
    "nps",
    "нпс",
    "звук",
    "вой",
)

_WORDS: Final = r"[^\s<>\[\]{}()*]+(?:\s+[^\s<>\[\]{}()*]+){0,2}"
_ANY: Final = rf"<(?!\s){_WORDS}>|\[\s*{_WORDS}\s*\]"  # `a < b` is none
_NAMED: Final = "|".join(NAMES).replace("е", "[её]")
_KNOWN: Final = rf"[/%_#-]*(?:(?:{_NAMED})\w*|(?:{'|'.join(SHORT_NAMES)})\b)[^<>\[\]{{}}()*]{{0,40}}?"
_TAG: Final = re.compile(rf"{_ANY}|\{{\s*{_KNOWN}\}}|\(\s*{_KNOWN}\)|\*\s*{_KNOWN}\*", re.IGNORECASE)


def without_tags(text: str) -> str:
    """The text without marks of noise; itself where it has none.

    >>> without_tags("да <unk> нет [шум], (неразб.) ну {laugh} (вот)")
    'да нет, ну (вот)'
    >>> without_tags("[музыка]")
    ''
    >>> without_tags("a < b  и b > a")
    'a < b  и b > a'
    """
    if not _TAG.search(text):
        return text
    spaced = re.sub(r"\s+", " ", _TAG.sub(" ", text)).strip()
    return re.sub(r"\s+([.,;:!?…])", r"\1", spaced)
