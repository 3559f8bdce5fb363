"""Open sentences over a broad lexicon: a small grammar with agreement, over the frequency list's words."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from gigastt_lab.training import lexicon as lx

T = TypeVar("T")

_PREPOSITIONS = (
    ("в", "loct"), ("на", "loct"), ("о", "loct"), ("при", "loct"), ("с", "ablt"), ("под", "ablt"), ("над", "ablt"),
    ("за", "ablt"), ("перед", "ablt"), ("между", "ablt"), ("к", "datv"), ("по", "datv"), ("благодаря", "datv"),
    ("из", "gent"), ("от", "gent"), ("до", "gent"), ("для", "gent"), ("без", "gent"), ("около", "gent"),
    ("после", "gent"), ("против", "gent"), ("ради", "gent"), ("вместо", "gent"), ("через", "accs"), ("про", "accs"),
)  # fmt: skip
_PERSONS = (
    ("я", ("1per", "sing")), ("ты", ("2per", "sing")), ("он", ("3per", "sing")), ("она", ("3per", "sing")),
    ("мы", ("1per", "plur")), ("вы", ("2per", "plur")), ("они", ("3per", "plur")),
)  # fmt: skip
_MODALS = (
    "нужно",
    "можно",
    "надо",
    "нельзя",
    "пора",
    "хочу",
    "хочется",
    "придётся",
    "стоит",
    "следует",
    "легко",
)
_LINKS = ("и", "но", "потому что", "когда", "если", "а", "чтобы потом", "хотя", "пока", "поэтому")
_ASKING = ("почему", "когда", "зачем", "где", "откуда", "разве", "неужели", "как")


def utterance(rng: Random) -> tuple[str, str]:
    """One open sentence: as written, as spoken (the same, for it has no digits)."""
    shape = rng.random()
    if shape < 0.14:
        text, mark = f"{rng.choice(_ASKING)} {_clause(rng)}", "?"
    elif shape < 0.36:
        text, mark = f"{_clause(rng)}, {rng.choice(_LINKS)} {_clause(rng)}", "."
    elif shape < 0.46:
        text, mark = (
            f"{_noun_phrase(rng, 'nomn')}, {_noun_phrase(rng, 'nomn')} и {_noun_phrase(rng, 'nomn')}",
            ".",
        )
    else:
        text, mark = _clause(rng), "."
    text = text[0].upper() + text[1:] + mark
    return text, text


def _frequent(rng: Random, words: Sequence[T]) -> T:
    """A word, the frequent ones more often: the density falls as rank ** (-2 / 3)."""
    return words[int(len(words) * rng.random() ** 3)]


def _clause(rng: Random) -> str:
    lexicon = lx.open_lexicon()
    if rng.random() < 0.2:
        subject, finite = rng.choice(_MODALS), lx.inflect(_frequent(rng, lexicon.transitive), "INFN")
        tail = _noun_phrase(rng, "accs")
    elif rng.random() < 0.55:
        subject, finite = _subject_and_verb(rng, _frequent(rng, lexicon.transitive))
        tail = _noun_phrase(rng, "accs")
    else:
        subject, finite = _subject_and_verb(rng, _frequent(rng, lexicon.intransitive))
        tail = _prepositional(rng)
    parts = [subject, finite, tail]
    if rng.random() < 0.3:
        parts.insert(rng.randint(1, 2), _frequent(rng, lexicon.adverbs))
    if rng.random() < 0.3:
        parts.append(_prepositional(rng))
    return " ".join(parts)


def _subject_and_verb(rng: Random, verb: str) -> tuple[str, str]:
    perfective = "perf" in lx.analyzer().parse(verb)[0].tag
    if rng.random() < 0.45:
        pronoun, (person, number) = rng.choice(_PERSONS)
        if rng.random() < 0.5:
            tense = "futr" if perfective else "pres"
            return pronoun, lx.inflect(verb, tense, person, number)
        gender = {"он": "masc", "она": "femn"}.get(pronoun, rng.choice(("masc", "femn")))
        return pronoun, _past(verb, number, gender)
    noun = _frequent(rng, lx.open_lexicon().nouns)
    number = rng.choice(("sing", "sing", "plur"))
    subject = _phrase(rng, noun, "nomn", number)
    if rng.random() < 0.4 and not perfective:
        return subject, lx.inflect(verb, "pres", "3per", number)
    return subject, _past(verb, number, noun.gender)


def _past(verb: str, number: str, gender: str) -> str:
    return lx.inflect(verb, "past", "plur") if number == "plur" else lx.inflect(verb, "past", "sing", gender)


def _noun_phrase(rng: Random, case: str) -> str:
    noun = _frequent(rng, lx.open_lexicon().nouns)
    phrase = _phrase(rng, noun, case, rng.choice(("sing", "sing", "plur")))
    if rng.random() < 0.15:
        phrase += " " + _phrase(rng, _frequent(rng, lx.open_lexicon().nouns), "gent", "sing")
    return phrase


def _phrase(rng: Random, noun: lx.Noun, case: str, number: str) -> str:
    text = lx.inflect(noun.lemma, case, number)
    if rng.random() > 0.4:
        return text
    adjective = _frequent(rng, lx.open_lexicon().adjectives)
    agreement = [case, number] + ([noun.gender] if number == "sing" else [])
    if case == "accs" and (number == "plur" or noun.gender == "masc"):
        agreement.append("anim" if noun.animate else "inan")
    return f"{lx.inflect(adjective, *agreement)} {text}"


def _prepositional(rng: Random) -> str:
    preposition, case = rng.choice(_PREPOSITIONS)
    phrase = _noun_phrase(rng, case)
    if preposition in ("в", "с", "к") and phrase[:1] == preposition[:1] and phrase[1:2] not in "аеёиоуыэюя":
        preposition += {"в": "о", "с": "о", "к": "о"}[preposition]
    return f"{preposition} {phrase}"
