"""One versioned normaliser for Russian word error rates; both sides go through the same function.

Lives here: the profiles, the versions, and a rule or a table of words a file.
May import: nothing of this project.
Public: `normalize`, `normalize_each`, `PROFILES`, `RULES`, `RULES_OF`, `VERSIONS`, `NORMALIZER_VERSION`.

A recogniser may write "В 21:00, $300" and the reference "в двадцать один ноль ноль триста долларов". Both
are right, so both have to become one text before words are counted. That also forgives some real errors:
``docs/normalizer.md`` lists them, rule by rule, with measured shares.

**Profiles.** `verbatim` forgives case, `ё`, punctuation, hyphens. `numbers` (the default) also makes number
words and digits comparable, abbreviations, units and hesitations. `numbers+latin` also compares Latin names
with Cyrillic spellings. All are rows of `RULES`, and `normalize_each` gives the text after every rule, so
that a report can say what each of them changed.

**What may be merged.** A function of one text at a time can make two spoken forms meet only if it maps both
to one output. We merge two spoken forms only where one written form stands for both ("10:30": "десять
тридцать", "десять часов тридцать минут") and no recogniser takes one for the other by ear. Hence "два три"
is not 23.

**Canonical numbers are words**: digits are written out, number words become nominative masculine cardinals
("третьего" -> "три", "двадцатью" -> "двадцать", "5" -> "пять"). Words and not digits, because WER counts
words: the reference keeps about the number of words that were spoken, and of a number with one wrong part
the other parts still count as right.

**Versions.** What a version makes of a text never changes; a change that can change a rate is a new version,
and records scored by an old one can be scored by it again: `normalize(text, profile, "1")`. Normalising twice
gives what normalising once gives, under every profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

from evaluation.normalize.rule import Rule
from evaluation.normalize.versions import RULES_1, RULES_2

__all__ = [
    "DEFAULT_PROFILE",
    "NORMALIZER_VERSION",
    "PROFILES",
    "PROFILE_RULES",
    "PROFILE_RULES_OF",
    "RULES",
    "RULES_OF",
    "VERSIONS",
    "Profile",
    "Rule",
    "has_digit_or_latin",
    "normalize",
    "normalize_each",
    "normalize_with",
    "profile_rules",
    "rules_of",
]

NORMALIZER_VERSION = "2"
"""Changes with every change that can change a rate; a report quotes it."""

Profile = Literal["verbatim", "numbers", "numbers+latin"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
DEFAULT_PROFILE: Profile = "numbers"

RULES_OF: dict[str, tuple[Rule, ...]] = {"1": RULES_1, "2": RULES_2}
"""All rules of each version, in the order in which they apply."""

RULES: tuple[Rule, ...] = RULES_OF[NORMALIZER_VERSION]
"""Rules of the present version; signs go before the punctuation that they are made of."""

VERSIONS: tuple[str, ...] = tuple(RULES_OF)
"""Versions that texts can be normalised by, oldest first; the last is `NORMALIZER_VERSION`."""

_VERBATIM = ("case", "unicode", "yo", "punctuation", "hyphen")
_LATIN_ONLY = ("latin", "spelling")


def _rows(rules: tuple[Rule, ...]) -> dict[Profile, tuple[Rule, ...]]:
    return {
        "verbatim": tuple(rule for rule in rules if rule.name in _VERBATIM),
        "numbers": tuple(rule for rule in rules if rule.name not in _LATIN_ONLY),
        "numbers+latin": rules,
    }


PROFILE_RULES_OF: dict[str, dict[Profile, tuple[Rule, ...]]] = {
    version: _rows(rules) for version, rules in RULES_OF.items()
}
"""Rules of each profile, in their order, by version."""

PROFILE_RULES: dict[Profile, tuple[Rule, ...]] = PROFILE_RULES_OF[NORMALIZER_VERSION]
"""Rules of each profile of the present version, in their order."""

_DIGIT_OR_LATIN = re.compile("[0-9A-Za-z]")


def rules_of(version: str = NORMALIZER_VERSION) -> tuple[Rule, ...]:
    """All rules of a version, in the order in which they apply.

    Raises:
        ValueError: there is no such version.
    """
    if version not in RULES_OF:
        raise ValueError(f"no version {version!r} of the normaliser; there are {', '.join(VERSIONS)}")
    return RULES_OF[version]


def profile_rules(profile: Profile, version: str = NORMALIZER_VERSION) -> tuple[Rule, ...]:
    """Rules of a profile in a version, in the order in which they apply.

    Raises:
        ValueError: there is no such profile, or no such version.
    """
    if profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
    rules_of(version)
    return PROFILE_RULES_OF[version][profile]


def normalize(text: str, profile: Profile = DEFAULT_PROFILE, version: str = NORMALIZER_VERSION) -> str:
    """The text as it is compared: words joined by single spaces; "" where nothing is left.

    Normalising the result again gives the result.

    Args:
        text: Reference or hypothesis as it came.
        profile: One of `PROFILES`.
        version: One of `VERSIONS`; an older one gives the text that it always gave.

    Raises:
        ValueError: there is no such profile, or no such version.

    >>> normalize("Найди «Ёлки-2», сезон №3!", "verbatim"), normalize("Эпизод 21-й в 10:30.")
    ('найди елки 2 сезон 3', 'эпизод двадцать один в десять тридцать')
    >>> normalize("Включи YouTube в 4K", "numbers+latin"), normalize("…")
    ('включи ютуб в четыре ка', '')
    """
    return normalize_with(text, profile_rules(profile, version))


def normalize_with(text: str, rules: Iterable[Rule]) -> str:
    """The text after the given rules, in the order given; without any, its words as split at white space.

    >>> normalize_with("Ещё  раз.", RULES_OF["1"][:1]), normalize_with("Ещё  раз.", ())
    ('ещё раз.', 'Ещё раз.')
    """
    for rule in rules:
        text = rule.apply(text)
    return " ".join(text.split())


def normalize_each(text: str, version: str = NORMALIZER_VERSION) -> tuple[str, ...]:
    """The text after each rule of a version, all earlier ones applied: what a report compares rule by rule.

    Raises:
        ValueError: there is no such version.

    >>> normalize_each("Ещё 3 раза.", "1")[:3], normalize_each("Ещё 3 раза.")[-1]
    (('ещё 3 раза.', 'ещё 3 раза.', 'еще 3 раза.'), 'еще три раза')
    """
    texts: list[str] = []
    told = " ".join(text.split())
    for rule in rules_of(version):
        changed = rule.apply(text)
        if changed != text:  # most rules change nothing
            text, told = changed, " ".join(changed.split())
        texts.append(told)
    return tuple(texts)


def has_digit_or_latin(text: str) -> bool:
    """True if a raw text has a digit or a Latin letter; where neither side has one, writing plays no part.

    >>> has_digit_or_latin("канал 5"), has_digit_or_latin("HD"), has_digit_or_latin("Канал пять!")
    (True, True, False)
    """
    return _DIGIT_OR_LATIN.search(text) is not None
