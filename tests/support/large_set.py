"""A large made set of pairs of texts: `python -m tests.support.large_set N OUT.jsonl ...`.

It shows whether the evaluation takes so much, and in what time. Words are made of Russian syllables and
endings and fall off in frequency as words do; a tenth of the hypotheses' words are wrong; some references
spell numbers and names that a hypothesis writes in digits and in Latin. Each file is a system on the same
references.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ONSETS = (
    "",
    "б",
    "в",
    "вл",
    "г",
    "гр",
    "д",
    "др",
    "ж",
    "з",
    "к",
    "кр",
    "л",
    "м",
    "н",
    "п",
    "пр",
    "р",
    "с",
    "ст",
    "т",
    "тр",
    "х",
    "ч",
    "ш",
)
_VOWELS = ("а", "е", "и", "о", "у", "ы", "я", "ю", "ё")
_ENDINGS = ("", "й", "т", "ть", "ла", "ми", "х", "го", "му", "ок", "ия", "ов", "ется", "ного", "ными")
_COMMON = (
    "и",
    "в",
    "на",
    "не",
    "что",
    "с",
    "я",
    "включи",
    "мне",
    "это",
    "а",
    "как",
    "по",
    "сейчас",
    "найди",
    "фильм",
)
_SPOKEN = {
    "пять": "5", "двадцать один": "21", "сто тридцать": "130", "две тысячи двадцатый год": "2020 год",
    "первый канал": "1 канал", "сорок рублей": "40 ₽", "десять процентов": "10%",
    "эм ти ви": "MTV", "ютуб": "YouTube",
}  # fmt: skip


def rows(n: int, *, system: str, seed: int = 0, error_rate: float = 0.1) -> Iterator[dict[str, Any]]:
    """`n` rows as `eval import` reads them; the references are those of every system."""
    same, own = random.Random(1), random.Random(f"{system} {seed}")
    words = _vocabulary(same, 30_000)
    weights = [1 / (rank + 3) for rank in range(len(words))]
    lengths = same.choices(range(1, 14), k=n)
    picked = iter(same.choices(words, weights, k=sum(lengths)))
    for number, length in enumerate(lengths):
        reference = [next(picked) for _ in range(length)]
        hypothesis = [word for each in reference for word in _heard(each, words, own, error_rate)]
        if same.random() < 0.08:
            spoken = same.choice([*_SPOKEN])
            at = same.randrange(length + 1)
            reference.insert(at, spoken)
            hypothesis.insert(min(at, len(hypothesis)), own.choice([spoken, _SPOKEN[spoken]]))
        text = " ".join(hypothesis)
        yield {
            "system": system,
            "id": f"{number:06d}",
            "reference": " ".join(reference),
            "hypothesis": text.capitalize() + "." if own.random() < 0.5 else text,
            "duration": round(0.4 * length + same.random(), 2),
            "speaker": f"s{number % 400}",
        }


def write(path: Path, n: int, *, system: str, seed: int = 0) -> None:
    """Write a JSONL file of `n` rows."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(
            json.dumps(row, ensure_ascii=False) + "\n" for row in rows(n, system=system, seed=seed)
        )


def _vocabulary(rng: random.Random, n: int) -> list[str]:
    made = dict.fromkeys(_COMMON)
    while len(made) < n:
        syllables = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.randrange(1, 5)))
        made["".join(syllables) + rng.choice(_ENDINGS)] = None
    return [*made]


def _heard(word: str, words: list[str], rng: random.Random, error_rate: float) -> list[str]:
    """The word, or what was heard in its place: another one, none, or one more."""
    if rng.random() >= error_rate:
        return [word]
    kind = rng.random()
    if kind < 0.6:
        return [rng.choice(words)]
    if kind < 0.75 and len(word) > 3:
        return [word[:-1]]
    return [] if kind < 0.9 else [word, rng.choice(words)]


if __name__ == "__main__":
    for path in map(Path, sys.argv[2:]):
        write(path, int(sys.argv[1]), system=path.stem)
