"""The spellings that Cyrillic leaves open in foreign names, folded.

Transcribers write "мэнсон" and "менсон", "хеллсинг" and "хелсинг", "уилл" and "вилл" for one name; a Latin
name has no one Cyrillic spelling to be compared with unless these are one. All words of both sides change.
"""

from __future__ import annotations

import functools
import re

from evaluation.normalize.hesitations import shorten_elongations
from evaluation.normalize.latin import SPELLINGS_1, SPELLINGS_2, Spellings, cyrillic_word
from evaluation.normalize.number_words import CANONICAL, NUMBER_WORDS

_CONSONANTS = "бвгджзйклмнпрстфхцчшщ"
_DOUBLED = _CONSONANTS.replace("н", "")  # "нн" tells Russian words apart: странной, страной
_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("^у(?=и[^й]|ай|ол|ор|эл|эй|эс)"), "в"),  # уильям, уолт; not уеду
    (re.compile(r"(?<![аеиоуыэюя])(?<!^)э"), "е"),  # мэнсон; not поэт, эго
    (re.compile(rf"ью(?=[{_CONSONANTS}])"), "ю"),  # мьюзик; not костью
    (re.compile("иа$"), "ия"),  # медиа
)
_ANY_DOUBLED = re.compile(rf"(?<=.)([{_DOUBLED}])\1+")  # хеллсинг; not ввод
# Where a prefix ends or Russian doubles a letter by itself, and what folding would make another Russian word:
# труппа and труп, балл and бал. Not "вилл" and its like, which are names too.
_RUSSIAN_DOUBLED = re.compile(
    "(?:не|на|по|за|вы|пере|при|про|до|о|у)?(?:подд|надд|отт|обб|расс|восс|исс|бесс|предд|роддо)|жж|сск|сся$|нью"
)
_KEPT = re.compile(
    "(?:мэр|сэр|пэр|балл|босс|будд|гамм|калл|колли|колосс|комм|мулл|мусс|прусс|ролл|росс|стелл|сумм|тратт|трупп|холл|"
    "контроллер|аллел|рифф|шелл|целл|вилл(?=[аеуыо])|карр(?=[аеуы])|касс)(?:а|у|ом|е|ы|и|ов|ам|ами|ах|ой|ою|ый|ого|ная|ные|ных|ному|ным|ак|ака|аку|аком|аки|аков)?|"
    "карри|каппа|льют|.*льют"
)


@functools.lru_cache(maxsize=1 << 16)
def fold_word(word: str, spellings: Spellings = SPELLINGS_2) -> str:
    """One word with its open spellings folded; number words and units stay as they are.

    >>> [fold_word(word) for word in ("мэнсон", "хеллсинг", "мьюзик", "уильям", "труппы")]
    ['менсон', 'хелсинг', 'мюзик', 'вильям', 'труппы']
    """
    units = spellings.reading.units.forms
    all_words = spellings is SPELLINGS_1
    if word in CANONICAL or word in units or (not all_words and _KEPT.fullmatch(word)):
        return word
    folded = word
    for pattern, replacement in _FOLDS:
        folded = pattern.sub(replacement, folded)
    folded = _ANY_DOUBLED.sub(r"\1", folded) if all_words else _fold_doubled(folded)
    # A misspelt word must not turn into a number or a name: normalising again would read it.
    taken = folded in NUMBER_WORDS or folded in units or cyrillic_word(folded, spellings) != folded
    # Nor into a drawn-out sound, which version 2 would make short.
    taken = taken or (not all_words and shorten_elongations(folded) != folded)
    return word if taken else folded


def _fold_doubled(word: str) -> str:
    """Doubled consonants folded, but for those that Russian has by itself: поддержать, вожжи."""
    if not _ANY_DOUBLED.search(word):
        return word
    kept = [match.end() for match in _RUSSIAN_DOUBLED.finditer(word)]
    return _ANY_DOUBLED.sub(
        lambda m: m[0] if any(m.start() < end <= m.end() + 1 for end in kept) else m[1], word
    )


def fold_spelling(text: str, spellings: Spellings = SPELLINGS_2) -> str:
    """All words with their open spellings folded.

    >>> fold_spelling("мэрилин мэнсон")
    'мерилин менсон'
    """
    return " ".join(fold_word(word, spellings) for word in text.split())
