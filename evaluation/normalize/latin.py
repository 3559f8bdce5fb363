"""Latin words in Cyrillic, by tables and by rules of English reading; names in one Cyrillic spelling.

A Latin word is looked up as a name, as a frequent English word or abbreviation; without a vowel it is read
letter by letter; what is left is transliterated by letter groups. On the Cyrillic side only names of `NAMES`
(with the endings of a noun) and names of letters change, so no two Russian words meet here.
"""

# ruff: noqa: SIM905  the table reads best as text
from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evaluation.normalize.fractions import read_fractions
from evaluation.normalize.hesitations import drop_fillers, shorten_elongations
from evaluation.normalize.latin_words import (
    ABBREVIATIONS,
    AS_THEY_SOUND_1,
    AS_THEY_SOUND_2,
    B_NOUNS,
    ENGLISH,
    LETTER_NAMES,
    NAMES,
    NAMES_2,
    SPELLED_OUT,
)
from evaluation.normalize.number_words import CANONICAL
from evaluation.normalize.numbers import MAX_ROUNDS, READING_1, READING_2, Reading, unify_numbers
from evaluation.normalize.spelt import write_spelt
from evaluation.normalize.units import UNITS_1, lemmatize_units
from evaluation.normalize.years import complete_years

_LATIN = re.compile("[a-zß-ɏ]")
_NO_VOWEL = re.compile("[bcdfghjklmnpqrstvwxz]{1,5}")
_NOUN_ENDING = "(?:а|у|ом|е|ы|и|ов|ам|ами|ах|я|ю|ем|ой|ей)?"

# Letter groups, the first that fits at a position: pattern, Cyrillic. `^` and `$` are the word's ends, C a
# consonant, _ nothing. In this order: word beginnings, endings and digraphs; vowel groups; a vowel before
# consonant and silent e, which sounds as its letter's name; y; short a and u of one closed syllable; letters.
_GROUPS = """
^kn н  ^wr р  ^ps пс  ^x кс  ^wh(?=o) х  wh в
tions?$ шен  ssion шен  sion жен  ture чер  sure$ жер  ious иос  ous$ ос  eigh ей  igh ай  augh|ough о
gh(?=t) _  gh г
sch ш  tch ч  ch(?=r) х  shch щ  ch ч  ^rh|rh р  sh ш  zh ж  kh х  ph ф  th т  ck к  cc(?=[ei]) чч
qu кв  dg(?=e) дж  g(?=e$|es$) дж  gi(?=[aou])|g(?=y$) дж  c(?=[eiy]) с  c к  x кс  j дж  w(?=$) _  w в
eer|ear ир  air эйр  oor ор  our ор  ire$ айр  er(?=[^aeiou]|$) ер
(?<=^C)[iu]r(?=C{1,2}$)|(?<=^C{2})[iu]r(?=C{1,2}$) ер  ee|ea и  oo у  ai|ay эй  ei|ey(?=.) ей  ey$ и
oa оу  oe$ оу  ow(?=$|[^aeiou]*$) оу  ow ау  oul ул  ou ау  ew ью  ies$ ис  ie$ и  ie и  au|aw о
oi|oy ой  ue$ ю  ui у  uy ай
ind$ айнд  ild$ айлд
a(?=Ce[sd]?$) эй  i(?=Ce[sd]?$) ай  o(?=Ce[sd]?$) оу  u(?=Ce[sd]?$) ю  y(?=Ce[sd]?$) ай  (?<=C)le$ л
e(?=[sd]?$)(?<!^Ce)(?<=[a-z]{2}e) _  (?<=[^aeiou][oiu])s(?=e[sd]?$) з  y(?=[bp]er)|i(?=[bdgp]er) ай
ya я  yo йо  yu ю  ye е  ^y й  (?<=^C)y$ ай  (?<=^C{2})y$ ай  y и
(?<=^C)a(?=(?![rlw]|ft|st|sk|ss)C{1,3}$) э  (?<=^C{2})a(?=(?![rlw]|ft|st|sk|ss)C{1,3}$) э
^a(?=(?![rlw]|ft|st|sk|ss)C{1,3}$) э  a(?=(?![rlw]|ft|st|sk|ss)C{2}y$) э  (?<=^C)u(?=C{1,3}$) а
(?<=^C{2})u(?=C{1,3}$) а  ia$ ия  ^e э
a а  b б  d д  e е  f ф  g г  h х  i и  k к  l л  m м  n н  o о  p п  q к  r р  s с  t т  u у  v в  z з
""".split()
_CONSONANT = "[bcdfghjklmnpqrstvwxz]"
_COMPILED_GROUPS = tuple(
    (re.compile(pattern.replace("C", _CONSONANT)), cyrillic.strip("_"))
    for pattern, cyrillic in zip(_GROUPS[::2], _GROUPS[1::2], strict=True)
)


@dataclass(frozen=True, eq=False)
class Spellings:
    """Names and letters in Cyrillic, as a version of the normaliser has them.

    Attributes:
        letters: Letter or its name to the one name that stands for it.
        one_word: Spelling of a name or abbreviation in one word to the one that stands for it.
        two_words: Likewise of a name in two words.
        inflected: Regular expression of the Cyrillic spellings with a noun's ending: "ютубе".
        reading: How the version reads numbers.
        reread: Numbers and units that Latin words have become, read with their neighbours.
        b_is_particle: True if "б" is the letter only where something says so: "я б хотел".
    """

    letters: Mapping[str, str]
    one_word: Mapping[str, str]
    two_words: Mapping[tuple[str, ...], str]
    inflected: re.Pattern[str]
    reading: Reading
    reread: Callable[[str], str]
    b_is_particle: bool


def _spellings(
    names: Mapping[str, tuple[str, ...]],
    letters: Mapping[str, tuple[str, ...]],
    as_they_sound: dict[str, str],
    reading: Reading,
    reread: Callable[[str], str],
    *,
    b_is_particle: bool,
) -> Spellings:
    all_of = {spelling: name for name, others in names.items() for spelling in (name, *others)}
    one_word = {spelling: name for spelling, name in all_of.items() if " " not in spelling} | as_they_sound
    # Of one-word names in Cyrillic, longest first: "ютубе", "ютьюбом" are the name.
    inflected = sorted((s for s in one_word if not s.isascii() and len(s) > 3), key=len, reverse=True)
    return Spellings(
        letters={name: all_[0] for letter, all_ in letters.items() for name in (letter, *all_)},
        one_word=one_word,
        two_words={tuple(spelling.split()): name for spelling, name in all_of.items() if " " in spelling},
        inflected=re.compile("(" + "|".join(inflected) + ")" + _NOUN_ENDING),
        reading=reading,
        reread=reread,
        b_is_particle=b_is_particle,
    )


def _reread_1(text: str) -> str:
    return lemmatize_units(unify_numbers(text, READING_1), UNITS_1)


def _reread_2(text: str) -> str:
    text = write_spelt(drop_fillers(shorten_elongations(text)))
    return lemmatize_units(unify_numbers(complete_years(read_fractions(text))))


SPELLINGS_1 = _spellings(NAMES, LETTER_NAMES, AS_THEY_SOUND_1, READING_1, _reread_1, b_is_particle=False)
SPELLINGS_2 = _spellings(
    {name: (*NAMES.get(name, ()), *NAMES_2.get(name, ())) for name in (*NAMES, *NAMES_2)},
    # "эм" alone is a hesitation, so that the letter needs another name.
    LETTER_NAMES | {"m": ("м", "эм")},
    AS_THEY_SOUND_1 | AS_THEY_SOUND_2,
    READING_2,
    _reread_2,
    b_is_particle=True,
)


def transliterate(word: str) -> str:
    """A Latin word in Cyrillic by the letter groups alone.

    >>> transliterate("game"), transliterate("shocker"), transliterate("lumen"), transliterate("metallica")
    ('гэйм', 'шокер', 'лумен', 'металлика')
    """
    written: list[str] = []
    at = 0
    while at < len(word):
        for pattern, cyrillic in _COMPILED_GROUPS:
            match = pattern.match(word, at)
            if match:
                written.append(cyrillic)
                at = match.end()
                break
        else:
            written.append(word[at])
            at += 1
    return "".join(written)


def _plain(word: str) -> str:
    """The word without the accents of Latin letters: beyoncé is beyonce."""
    return "".join(unicodedata.normalize("NFD", char)[0] if "ß" <= char <= "ɏ" else char for char in word)


def _english(word: str) -> str | None:
    """A frequent English word, with the endings -s and -ing, or two such words written as one."""
    if word in ENGLISH:
        return ENGLISH[word]
    if word.endswith("s") and word[:-1] in ENGLISH and len(word) > 3:
        return ENGLISH[word[:-1]] + "с"
    if word.endswith("ing"):
        stem = ENGLISH.get(word[:-3]) or ENGLISH.get(word[:-3] + "e")
        if stem:
            return stem + "инг"
    for cut in range(3, len(word) - 2):
        if word[:cut] in ENGLISH and word[cut:] in ENGLISH:
            return ENGLISH[word[:cut]] + ENGLISH[word[cut:]]
    return None


@functools.lru_cache(maxsize=1 << 16)
def cyrillic_word(word: str, spellings: Spellings = SPELLINGS_2) -> str:
    """Cyrillic spelling of one word; may be several words."""
    word = _plain(word)
    known = spellings.letters.get(word) or spellings.one_word.get(word)
    if known is None and _LATIN.search(word):
        known = ABBREVIATIONS.get(word) or _english(word)
        if known is None and (word in SPELLED_OUT or _NO_VOWEL.fullmatch(word)):
            known = " ".join(spellings.letters[letter] for letter in word)
        return known or transliterate(word)
    if known is None and (match := spellings.inflected.fullmatch(word)):
        known = spellings.one_word[match[1]]
    return known or word


def _join_names(words: list[str], spellings: Spellings) -> list[str]:
    """Two words that are one name together, as that name."""
    joined: list[str] = []
    for word in words:
        name = spellings.two_words.get((joined[-1], word)) if joined else None
        if name is None:
            joined.append(word)
        else:
            joined[-1:] = name.split()
    return joined


def _is_letter_b(words: list[str], at: int) -> bool:
    """True if the "б" there is the letter: beside a number, or after a noun that a letter follows."""
    before = words[at - 1] if at else ""
    after = words[at + 1] if at + 1 < len(words) else ""
    return before in CANONICAL or after in CANONICAL or before in B_NOUNS


def _cyrillize_once(text: str, spellings: Spellings) -> str:
    words = _join_names(text.split(), spellings)
    written: list[str] = []
    for at, word in enumerate(words):
        if word == "б" and spellings.b_is_particle and not _is_letter_b(words, at):
            written.append(word)
        else:
            written += cyrillic_word(word, spellings).split()
    return " ".join(_join_names(written, spellings))


def cyrillize(text: str, spellings: Spellings = SPELLINGS_2) -> str:
    """Latin words in Cyrillic, names and letters in one spelling.

    Args:
        text: Lower case, without punctuation, numbers and units in their canonical form.
        spellings: Names and letters of the version of the normaliser.

    >>> cyrillize("в youtube the smokers"), cyrillize("в ютьюбе"), cyrillize("бар hd"), cyrillize("бар аш дэ")
    ('в ютуб зе смокерс', 'в ютуб', 'бар эйч ди', 'бар эйч ди')
    """
    for _ in range(MAX_ROUNDS):
        written = _cyrillize_once(text, spellings)
        if written == text:
            break
        # "tri" has become "три", "5 ga" a unit: read with their neighbours.
        text = spellings.reread(written)
    return text
