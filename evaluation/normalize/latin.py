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

from evaluation.normalize.latin_words import ABBREVIATIONS, ENGLISH, LETTER_NAMES, NAMES, SPELLED_OUT
from evaluation.normalize.numbers import MAX_ROUNDS, unify_numbers
from evaluation.normalize.units import lemmatize_units

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

_LETTERS = {name: names[0] for letter, names in LETTER_NAMES.items() for name in (letter, *names)}
_SPELLINGS = {
    spelling: canonical for canonical, spellings in NAMES.items() for spelling in (canonical, *spellings)
}
_ONE_WORD = {spelling: canonical for spelling, canonical in _SPELLINGS.items() if " " not in spelling}
_ONE_WORD["мтв"] = ABBREVIATIONS["mtv"]  # written as it sounds to some, as it is spelt to others
_TWO_WORDS = {tuple(spelling.split()): name for spelling, name in _SPELLINGS.items() if " " in spelling}
_STARTS_PAIR = frozenset(first for first, _ in _TWO_WORDS)
# Of one-word names in Cyrillic, longest first: "ютубе", "ютьюбом" are the name.
_INFLECTED = re.compile(
    "("
    + "|".join(sorted((s for s in _ONE_WORD if not s.isascii() and len(s) > 3), key=len, reverse=True))
    + ")"
    + _NOUN_ENDING
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
def cyrillic_word(word: str) -> str:
    """Cyrillic spelling of one word; may be several words."""
    word = _plain(word)
    known = _LETTERS.get(word) or _ONE_WORD.get(word)
    if known is None and _LATIN.search(word):
        known = ABBREVIATIONS.get(word) or _english(word)
        if known is None and (word in SPELLED_OUT or _NO_VOWEL.fullmatch(word)):
            known = " ".join(_LETTERS[letter] for letter in word)
        return known or transliterate(word)
    if known is None and (match := _INFLECTED.fullmatch(word)):
        known = _ONE_WORD[match[1]]
    return known or word


def _join_names(words: list[str]) -> list[str]:
    """Two words that are one name together, as that name."""
    joined: list[str] = []
    for word in words:
        pair = (joined[-1], word) if joined and joined[-1] in _STARTS_PAIR else None
        if pair in _TWO_WORDS:
            joined[-1:] = _TWO_WORDS[pair].split()
        else:
            joined.append(word)
    return joined


def _cyrillize_once(text: str) -> str:
    words = text.split()
    return " ".join(
        _join_names([part for word in _join_names(words) for part in cyrillic_word(word).split()])
    )


def cyrillize(text: str) -> str:
    """Latin words in Cyrillic, names and letters in one spelling.

    Args:
        text: Lower case, without punctuation, numbers and units in their canonical form.

    >>> cyrillize("в youtube the smokers"), cyrillize("в ютьюбе"), cyrillize("бар hd"), cyrillize("бар аш дэ")
    ('в ютуб зе смокерс', 'в ютуб', 'бар эйч ди', 'бар эйч ди')
    """
    for _ in range(MAX_ROUNDS):
        written = _cyrillize_once(text)
        if written == text:
            break
        # "tri" has become "три", "5 ga" a unit: read with their neighbours.
        text = lemmatize_units(unify_numbers(written))
    return text
