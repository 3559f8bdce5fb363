"""What version 1 made of texts when version 2 came: `python -m tests.evaluation.normalize.golden_version_1`.

Records quote a version and are scored by it for good, so its output must never change. Digests of many made
texts tell that it did; the sample below shows what it was. Nothing here is to be written anew but for a
version that nobody has released.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from evaluation.normalize import PROFILES, normalize, normalize_each

PIECES = """
один двух третьего четыре пятью седьмой сорока сто двухсот тысяча миллионов ноль полтора целых
десятых с половиной запятая точка час часов минут тыс млн рублей ₽ % $ кг г р м год 2020 процентов
фильм и в the TV HD 4K XX век I iPhone ютубе № No - + , . : 00 05 12 20 100 700 85 1000 12345 0 007
21:00 10:30 2,5 12,50 5-летний 20-го 12.05.2020 1/2 семью друзьями двухтысячный цельсия ° квадратных
метров ка ё минус tri k года Г В т.д. 120 б я труппы мэр эм э-э о-о-о дааа треть тенге ₸ 5% гц ru
дом номера YouTube hello world-wide уилл хелло́ балл 1:30 16:9 км/ч м² 3х4 48 57 38 десятый +7 902
123-45-67 $1,000 1.5 литра гг. 1995 хал подделка сумма дрожжи
""".split()  # noqa: SIM905  a word list reads best as text

DIGEST = "7793ad9f95f96bf51894dac5c9abc6bd14b13ae28eb1526f64717598f96d176e"
GOLOS_DIGEST = "a7484608050f0e735c8d1c8f3a285ea81f5592f0695e6a4ee5c94eccd7a7fba2"

SAMPLE = (
    (
        "Отправь 5000 ₸ и 12,50 €.",
        "отправь пять тысяча и двенадцать евро пятьдесят цент",
        "отправь пять тысяча и двенадцать евро пятьдесят цент",
    ),
    (
        "Э-э, включи сорок восемь пятьдесят семь",
        "э э включи четыре тысяча восемьсот пятьдесят семь",
        "э э включи четыре тысяча восемьсот пятьдесят семь",
    ),
    (
        "тридцать восемь десятый сезон",
        "три тысяча восемьсот десять сезон",
        "три тысяча восемьсот десять сезон",
    ),
    (
        "в двадцатом году, 2020 года",
        "в двадцать год два тысяча двадцать год",
        "в двадцать год два тысяча двадцать год",
    ),
    (
        "ноль пять литра, 0,5 литра",
        "ноль пять литр ноль целая пять литр",
        "ноль пять литр ноль целая пять литр",
    ),
    ("две трети и 2/3", "два трети и два три", "два трети и два три"),
    ("24/7 и т. д.", "двадцать четыре семь и т д", "двадцать четыре семь и ти ди"),
    ("д. 5, 120 В, 5 ГГц", "д пять сто двадцать в пять ггц", "ди пять сто двадцать в пять ггц"),
    ("дом 12 Г, кабинет 5 А", "дом двенадцать грамм кабинет пять а", "дом двенадцать грамм кабинет пять а"),
    ("я б хотел труппы и баллы", "я б хотел труппы и баллы", "я би хотел трупы и балы"),
    ("О-о-о, дааа, ммм", "о о о дааа ммм", "о о о дааа ммм"),
    ("тиви и TV на YouTube", "тиви и tv на youtube", "тиви и тв на ютуб"),
    (
        "Мэр и сэр, сумма 15 250 р.",
        "мэр и сэр сумма пятнадцать тысяча двести пятьдесят рубль",
        "мер и сер сума пятнадцать тысяча двести пятьдесят рубль",
    ),
    (
        "в 21:00 на 70%, $300",
        "в двадцать один час на семьдесят процент триста доллар",
        "в двадцать один час на семьдесят процент триста доллар",
    ),
    ("хал век", "xал век", "ксал век"),
    (
        "+7 (902) 123-45-67",
        "плюс семь девять ноль два один два три четыре пять шесть семь",
        "плюс семь девять ноль два один два три четыре пять шесть семь",
    ),
)
"""Text, then what `numbers` and `numbers+latin` of version 1 make of it."""


def made_texts(number: int) -> Iterator[str]:
    """Texts in an order that nobody says, the same on every machine: a linear congruential generator."""
    state = 1

    def draw(below: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % below

    for _ in range(number):
        separator = (" ", " ", " ", "-", ", ")[draw(5)]
        yield separator.join(PIECES[draw(len(PIECES))] for _ in range(1 + draw(8)))


def digest(texts: Iterable[str]) -> str:
    """SHA-256 of what version 1 makes of texts, under every profile and after every rule."""
    total = hashlib.sha256()
    for text in texts:
        for result in (*(normalize(text, profile, "1") for profile in PROFILES), *normalize_each(text, "1")):
            total.update(f"{result}\n".encode())
    return total.hexdigest()


def golos_texts() -> list[str] | None:
    """Texts of the real pairs; None where they are not at hand."""
    path = Path(os.environ.get("GIGASTT_TEST_GOLOS", ""), "hypotheses.jsonl")
    if not os.environ.get("GIGASTT_TEST_GOLOS") or not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [text for row in rows for text in (row["reference"], row["hypothesis"])]


if __name__ == "__main__":
    sys.stdout.write(f"{digest(made_texts(3000))}\n{digest(golos_texts() or [])}\n")
