"""Words of units and currencies in all their forms, and the nouns of addresses: data, no logic."""

# ruff: noqa: SIM905  word lists read best as text
from __future__ import annotations

Declined = tuple[str, str, list[str], tuple[str, ...]]
"""Lemma, stem, endings; the abbreviations that are read as the word when a number precedes them."""

MASCULINE = ["", *"а у ом е ы ов ам ами ах".split()]
FEMININE = "а ы е у ой ою ам ами ах".split()
_SOFT = "ь я ю ем е и ей ям ями ях".split()
_IN_YA = "я и е ю ей ею й ям ями ях".split()
_SOFT_YA = "я и е ю ей ею ь ям ями ях".split()


def _nouns(text: str, endings: list[str], drop: int = 0) -> tuple[Declined, ...]:
    """Nouns of one pattern, each with its abbreviations: `франк chf; ампер`; stems lack `drop` letters."""
    rows = [[*line.split(), ""][:2] for line in text.split(";")]
    return tuple(
        (lemma, lemma[: len(lemma) - drop], endings, tuple(filter(None, short.split(","))))
        for lemma, short in rows
    )


DECLINED_1: tuple[Declined, ...] = (
    ("доллар", "доллар", MASCULINE, ("долл", "usd")),
    ("цент", "цент", MASCULINE, ()),
    ("фунт", "фунт", MASCULINE, ()),
    ("процент", "процент", MASCULINE, ()),
    ("градус", "градус", MASCULINE, ()),
    ("грамм", "грамм", MASCULINE, ("г", "гр")),
    ("килограмм", "килограмм", MASCULINE, ("кг", "kg")),
    ("миллиграмм", "миллиграмм", MASCULINE, ("мг",)),
    ("метр", "метр", MASCULINE, ("м",)),
    ("километр", "километр", MASCULINE, ("км", "km")),
    ("сантиметр", "сантиметр", MASCULINE, ("см", "cm")),
    ("миллиметр", "миллиметр", MASCULINE, ("мм", "mm")),
    ("литр", "литр", MASCULINE, ("л",)),
    ("миллилитр", "миллилитр", MASCULINE, ("мл",)),
    ("гигабайт", "гигабайт", MASCULINE, ("гб", "gb")),
    ("мегабайт", "мегабайт", MASCULINE, ("мб", "mb")),
    ("терабайт", "терабайт", MASCULINE, ("тб", "tb")),
    ("ватт", "ватт", MASCULINE, ("вт",)),
    ("киловатт", "киловатт", MASCULINE, ("квт",)),
    ("час", "час", MASCULINE, ("ч",)),
    ("год", "год", MASCULINE, ("гг",)),
    ("гектар", "гектар", MASCULINE, ("га",)),
    ("рубль", "рубл", "ь я ю ем е и ей ям ями ях".split(), ("руб", "р", "rub")),
    ("минута", "минут", [*FEMININE, ""], ("мин",)),
    ("секунда", "секунд", [*FEMININE, ""], ("сек",)),
    ("йена", "йен", [*FEMININE, ""], ()),
    ("тонна", "тонн", [*FEMININE, ""], ("т",)),
    ("штука", "штук", [*"а и е у ой ою ам ами ах".split(), ""], ("шт",)),
    ("копейка", "копе", "йка йки йке йку йкой йкою ек йкам йками йках".split(), ("коп",)),
    ("евро", "евро", [""], ("eur",)),
)
"""Units of version 1."""

CURRENCIES_2: tuple[Declined, ...] = (
    *_nouns(
        "франк chf; динар; дирхам aed; риал; реал brl; манат azn; форинт huf; донг vnd; бат thb; боливар;"
        "тугрик mnt; биткоин btc; драм amd; пенс; сум uzs; сом kgs; лев bgn",
        MASCULINE,
    ),
    *_nouns("лира try; крона czk,sek,nok,dkk; вона krw", [*FEMININE, ""], 1),
    *_nouns("юань cny; шекель ils", _SOFT, 1),
    *_nouns("тенге kzt,тг; песо mxn; лари gel; рубль byn; фунт gbp", [""]),
    ("гривна", "грив", "на ны не ну ной ною ен нам нами нах".split(), ("грн", "uah")),
    ("рупия", "рупи", _IN_YA, ("inr",)),
    ("злотый", "злот", "ый ого ому ым ом ые ых ыми".split(), ("pln",)),
    ("лей", "ле", "й я ю ем е и ев ям ями ях".split(), ("mdl",)),
    ("биткоин", "биткойн", MASCULINE, ()),
    *_nouns("франк; тугрик; донг", ["и"]),
    ("йена", "иен", [*FEMININE, ""], ("jpy",)),
)
"""Currencies that version 2 has besides those of version 1."""

SIGNS_2: dict[str, str] = dict(
    zip(
        "₸₴₺₩₹₿₪₫₱₾֏₼฿",
        "тенге гривна лира вона рупия биткоин шекель донг песо лари драм манат бат".split(),
        strict=True,
    )
)
"""Signs of currencies that version 2 has besides those of version 1."""

MEASURES_2: tuple[Declined, ...] = (
    *_nouns(
        "бит; байт; килобит кбит,kbit; мегабит мбит,mbit,mbps; гигабит гбит,gbit,gbps; килобайт кб,kb;"
        "герц гц,hz; килогерц кгц,khz; мегагерц мгц,mhz; гигагерц ггц,ghz; терагерц тгц;"
        "вольт; киловольт; милливольт; ампер; миллиампер; ом; килоом; мегаом; "
        "мегаватт; милливатт; гигаватт; микрометр мкм; нанометр нм; дециметр дм; микрограмм мкг;"
        "миллиграмм mg; литр; миллилитр ml; децибел дб,db; люмен лм; люкс лк; дюйм; центнер; оборот; век",
        MASCULINE,
    ),
    *_nouns(
        "джоуль; килоджоуль кдж; паскаль; килопаскаль кпа; мегапаскаль мпа; пиксель; мегапиксель мп", _SOFT, 1
    ),
    *_nouns("герц; килогерц; мегагерц; гигагерц; терагерц", ["ем", "ев"]),
    *_nouns("калория; килокалория ккал; унция", _IN_YA, 1),
    *_nouns("неделя нед; миля", _SOFT_YA, 1),
    *_nouns("сила", [*FEMININE, ""], 1),
    *_nouns("атмосфера атм; миллисекунда мс,ms; микросекунда мкс; наносекунда нс", [*FEMININE, ""], 1),
    ("месяц", "месяц", ["", *"а у ем е ы ев ам ами ах".split()], ("мес",)),
    ("этаж", "этаж", ["", *"а у ом е и ей ам ами ах".split()], ("эт",)),
    ("сутки", "сут", "ки ок кам ками ках".split(), ("сут",)),
)
"""Units that version 2 has besides those of version 1; `abbreviations` reads А and В."""

PAIRS_1: dict[str, tuple[str, frozenset[str]]] = {"квадратн": ("квадратный", frozenset({"метр"}))}
"""Stem of an adjective between number and unit, its lemma, the units."""

PAIRS_2: dict[str, tuple[str, frozenset[str]]] = {
    "квадратн": ("квадратный", frozenset({"метр", "километр", "сантиметр", "миллиметр", "дюйм"})),
    "кубическ": ("кубический", frozenset({"метр", "километр", "сантиметр", "миллиметр", "дюйм"})),
    "лошадин": ("лошадиный", frozenset({"сила"})),
    "киловатт": ("киловатт", frozenset({"час"})),
    "миллиампер": ("миллиампер", frozenset({"час"})),
    "ампер": ("ампер", frozenset({"час"})),
}

_NUMBERED = {
    "номер": MASCULINE,
    "дом": MASCULINE,
    "корпус": MASCULINE,
    "подъезд": MASCULINE,
    "офис": MASCULINE,
    "кабинет": MASCULINE,
    "пункт": MASCULINE,
    "том": MASCULINE,
    "квартир": [*FEMININE, ""],
    "страниц": ["а", *"ы е у ей ею ам ами ах".split(), ""],
    "глав": [*FEMININE, ""],
    "строени": "е я ю ем и й ям ями ях".split(),
    "стать": "я и е ю ей ею ям ями ях".split(),
}
NUMBERED_1: dict[str, str] = {f"номер{ending}": "номер" for ending in MASCULINE}
"""Form of a noun that a number follows to its lemma: its abbreviation (№, д., кв.) says no inflection."""

NUMBERED_2: dict[str, str] = {
    stem + ending: stem + endings[0] for stem, endings in _NUMBERED.items() for ending in endings
} | {"статей": "статья"}

LETTERED = frozenset(NUMBERED_2) | frozenset(
    "класс класса классе литера литеры аудитория аудитории палата палаты палате группа группы группе школа "
    "школы школе блок секция подъезд вход павильон участок ул улица улицы улице проспект переулок".split()
)
"""Words before a number after which a letter is no unit: `дом 12 г`, `кабинет 5 м`."""

LETTER_NAMES_2: dict[str, str] = dict(zip("бэ вэ гэ дэ жэ эль тэ эр че".split(), "бвгджлтрч", strict=True))
"""Names of the letters that follow a number in addresses and school classes."""
