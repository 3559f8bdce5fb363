"""The spellings that Cyrillic leaves open in foreign names, folded.

Transcribers write "мэнсон" and "менсон", "хеллсинг" and "хелсинг", "уилл" and "вилл" for one name; a Latin
name has no one Cyrillic spelling to be compared with unless these are one. All words of both sides change.
"""

from __future__ import annotations

import functools
import re

from evaluation.normalize.latin import cyrillic_word
from evaluation.normalize.number_words import CANONICAL, NUMBER_WORDS
from evaluation.normalize.units import UNITS

_CONSONANTS = "бвгджзйклмнпрстфхцчшщ"
_DOUBLED = _CONSONANTS.replace("н", "")  # "нн" tells Russian words apart: странной, страной
_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("^у(?=и[^й]|ай|ол|ор|эл|эй|эс)"), "в"),  # уильям, уолт; not уеду
    (re.compile(r"(?<![аеиоуыэюя])(?<!^)э"), "е"),  # мэнсон; not поэт, эго
    (re.compile(rf"ью(?=[{_CONSONANTS}])"), "ю"),  # мьюзик; not костью
    (re.compile("иа$"), "ия"),  # медиа
    (re.compile(rf"(?<=.)([{_DOUBLED}])\1+"), r"\1"),  # хеллсинг; not ввод
)


@functools.lru_cache(maxsize=1 << 16)
def fold_word(word: str) -> str:
    """One word with its open spellings folded; number words and units stay as they are.

    >>> fold_word("мэнсон"), fold_word("хеллсинг"), fold_word("мьюзик"), fold_word("уильям")
    ('менсон', 'хелсинг', 'мюзик', 'вильям')
    """
    if word in CANONICAL or word in UNITS:
        return word
    folded = word
    for pattern, replacement in _FOLDS:
        folded = pattern.sub(replacement, folded)
    # A misspelt word must not turn into a number or a name: normalising again would read it.
    taken = folded in NUMBER_WORDS or folded in UNITS or cyrillic_word(folded) != folded
    return word if taken else folded


def fold_spelling(text: str) -> str:
    """All words with their open spellings folded.

    >>> fold_spelling("мэрилин мэнсон")
    'мерилин менсон'
    """
    return " ".join(map(fold_word, text.split()))
