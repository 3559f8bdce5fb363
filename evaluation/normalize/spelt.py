"""Rule about abbreviations that are written as they are said: `эфэсбэ` for ФСБ, `эсэмэска` for смска."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

import functools
import re

_NAMES = dict(
    zip(
        "бэ вэ гэ дэ жэ зэ эль эл эм эн пэ эр эс тэ эф фэ цэ ка ха че ша ща а о у э ю".split(),
        "б в г д ж з л л м н п р с т ф ф ц к х ч ш щ а о у э ю".split(),
        strict=True,
    )
)
_ANY = "|".join(_NAMES)
# Two letters with an "э" of their own at least: no Russian word is made of such.
_SPELT = re.compile(rf"((?:{_ANY})+?)(шн\w+|к(?:а|и|е|у|ой|ам|ами|ах)|(?:о)?вск\w+)?")
_NAME = re.compile(_ANY)
_AND_SO_ON = re.compile(r"\bи ?т(?:(д)|п|э дэ()|э пэ)\b")


def write_spelt(text: str) -> str:
    """Words that are the names of letters, with the letters; "и тд" and "и тэ дэ" in full.

    >>> write_spelt("кино про эфбээр и фээсбэшников"), write_spelt("эра и тэ дэ")
    ('кино про фбр и фсбшников', 'эра и так далее')
    """
    if "тд" in text or "тп" in text or "тэ " in text:
        text = _AND_SO_ON.sub(
            lambda match: "и тому подобное" if match.lastindex is None else "и так далее", text
        )
    if text.count("э") < 2:
        return text
    return " ".join(_letters(word) if word.count("э") > 1 else word for word in text.split())


@functools.lru_cache(maxsize=1 << 14)
def _letters(word: str) -> str:
    match = _SPELT.fullmatch(word)
    names = _NAME.findall(match[1]) if match else []
    # "Эмэм" would become the hesitation "мм", and be gone when normalised again.
    if match is None or set(names) == {"эм"} or sum(len(name) > 1 and "э" in name for name in names) < 2:
        return word
    return "".join(_NAMES[name] for name in names) + (match[2] or "")
