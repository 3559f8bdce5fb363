"""The words of the generated sentences: a frequency list, inflected, and short lists of our own."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import pymorphy3
import wordfreq

FREQUENCY_RANKS = 30_000  # words of the frequency list that are looked at

# Stems that a demonstration should not say.
_UNWANTED = re.compile(
    r"^(ху[йеёия]|пизд|[её]б[аиоу]|бля|муд[аоие]к|секс|порн|шлюх|жоп|сра[тл]|говн|дерьм|насил|убий|труп|"
    r"террор|наркот|нацис|фашис|гитлер|расстрел|суицид|эрот|гей|лесби|проститут|сперм|пенис|член|трах|дроч)"
)

FEMALE_NAMES = (
    "Анна Мария Елена Ольга Наталья Екатерина Татьяна Ирина Светлана Юлия Дарья Алина Виктория Полина "
    "Софья Ксения Вера Надежда Людмила Галина Валентина Лариса Марина Евгения Алла Зоя Нина Тамара"
).split()
MALE_NAMES = (
    "Александр Сергей Дмитрий Алексей Андрей Михаил Иван Николай Максим Артём Никита Павел Роман Егор "
    "Владимир Виктор Олег Игорь Юрий Антон Денис Кирилл Константин Борис Григорий Степан Фёдор Тимур"
).split()
SURNAME_STEMS = (
    "Иванов Петров Смирнов Кузнецов Попов Васильев Соколов Михайлов Новиков Фёдоров Морозов Волков "
    "Алексеев Лебедев Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин "
    "Захаров Зайцев Соловьёв Борисов Яковлев Григорьев Романов Воробьёв Сергеев Масленников Панфилов"
).split()
PATRONYMIC_STEMS = (
    "Александров Сергеев Дмитриев Алексеев Андреев Михайлов Иванов Николаев Максимов Павлов Романов "
    "Владимиров Викторов Олегов Игорев Юрьев Антонов Денисов Борисов Григорьев Степанов Фёдоров Витальев"
).split()
CITIES = (
    "Москва Казань Самара Пермь Уфа Омск Томск Тула Сочи Минск Воронеж Краснодар Новосибирск "
    "Екатеринбург Челябинск Красноярск Волгоград Саратов Тюмень Ижевск Барнаул Иркутск Хабаровск Ярославль "
    "Владивосток Калининград Рязань Астрахань Пенза Липецк Киров Калуга Смоленск Мурманск Тверь Псков"
).split()
COUNTRIES = (
    "Россия Франция Германия Италия Испания Китай Япония Индия Бразилия Турция Греция Египет Норвегия "
    "Швеция Канада Мексика Казахстан Грузия Армения Польша"
).split()
ASSISTANTS = ("Афина", "Салют", "Джой", "Сбер", "Алиса", "Маруся")
CURRENCIES = ("рубль", "доллар", "евро", "юань", "тенге", "фунт", "франк", "манат", "лари", "шекель", "песо")
PRODUCTS = (
    "яблоко хлеб молоко сыр масло рис гречка сахар соль мука чай кофе сок вода курица рыба картофель "
    "морковь лук огурец помидор банан апельсин лимон груша торт печенье шоколад мороженое йогурт кефир "
    "творог сметана яйцо колбаса пицца салат мёд варенье корм порошок мыло шампунь тетрадь ручка лампа"
).split()
GENRES = (
    "комедия драма боевик триллер мелодрама фантастика детектив мультфильм вестерн мюзикл "
    "приключение биография сказка"
).split()
MUSIC = ("рок", "джаз", "поп", "рэп", "блюз", "шансон", "классика", "фолк", "регги", "металл", "техно")
TITLES = (
    "Ночной дозор;Белое солнце;Тихий Дон;Война и мир;Иван Васильевич;Кавказская пленница;Грань будущего;"
    "Исходный код;Железный человек;Звёздный десант;Плохие парни;Мистер Робот;Королевский гамбит;Офицеры;"
    "Ирония судьбы;Служебный роман;Один дома;Назад в будущее;Остров сокровищ;Чужой;Матрица;Начало;Игра;"
    "Лёд;Движение вверх;Легенда;Маша и Медведь;Смешарики;Три богатыря;Снежная королева;Ёлки;Кухня;"
    "Бриллиантовая рука;Джентльмены удачи;Мастер и Маргарита;Анна Каренина;Вишнёвый сад;Ревизор"
).split(";")
CHANNELS = (
    "Россия;Культура;Матч;Карусель;Звезда;Мир;Домашний;Пятница;Спас;Дорама;Моя планета;Наука;История;Кино"
).split(";")
RELATIVES = "мама папа брат сестра бабушка дедушка жена муж сын дочь друг подруга коллега сосед".split()
MONTHS_GENITIVE = (
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
).split()
WEEKDAYS = "понедельник вторник среда четверг пятница суббота воскресенье".split()


# What the dictionary inflects wrongly: after 1, after 2, after 5.
_FORMS_AFTER_NUMBERS = {
    "шекель": ("шекель", "шекеля", "шекелей"),
    **{word: (word, word, word) for word in ("евро", "тенге", "лари", "песо")},
}
_NAME_TAGS = {"Name", "Surn", "Patr", "Geox"}  # pymorphy3's marks of proper names


@functools.cache
def analyzer() -> Any:
    """The morphological analyser (pymorphy3), loaded once."""
    return pymorphy3.MorphAnalyzer()


@functools.cache
def inflect(word: str, *grammemes: str) -> str:
    """`word` in another form, its capital kept; unchanged where the dictionary has no such form.

    >>> inflect("Москва", "loct")
    'Москве'
    """
    parses = analyzer().parse(word)
    capital = word[:1].isupper()
    preferred = [p for p in parses if {"nomn", "sing"} <= set(p.tag.grammemes)] or parses
    if capital:
        named = [p for p in preferred if _NAME_TAGS & set(p.tag.grammemes)]
        preferred = named or preferred
    form = preferred[0].inflect(set(grammemes))
    text = form.word if form is not None else word.lower()
    return text[:1].upper() + text[1:] if capital else text


@functools.cache
def is_name(word: str) -> bool:
    """True if `word` is a person's name or a place, in any form."""
    return word[:1].isupper() and bool(_NAME_TAGS & set(analyzer().parse(word)[0].tag.grammemes))


@functools.cache
def agree(word: str, count: int) -> str:
    """`word` as it stands after the number `count`.

    >>> agree("рубль", 5), agree("рубль", 2), agree("рубль", 21)
    ('рублей', 'рубля', 'рубль')
    >>> agree("тенге", 400), agree("шекель", 5), agree("лари", 2)
    ('тенге', 'шекелей', 'лари')
    """
    if word in _FORMS_AFTER_NUMBERS:
        one, few, many = _FORMS_AFTER_NUMBERS[word]
        if count % 10 == 1 and count % 100 != 11:
            return one
        return few if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else many
    parses = analyzer().parse(word)
    nouns = [p for p in parses if p.tag.POS == "NOUN" and "nomn" in p.tag] or parses
    return str(nouns[0].make_agree_with_number(count).word)


@dataclass(frozen=True)
class Noun:
    """A common noun: its parse, gender and whether it is animate."""

    lemma: str
    gender: str
    animate: bool


@dataclass(frozen=True)
class OpenLexicon:
    """Common words by what they do in a sentence. Lemmas, most frequent first."""

    nouns: tuple[Noun, ...]
    adjectives: tuple[str, ...]
    transitive: tuple[str, ...]  # verbs that take an object
    intransitive: tuple[str, ...]
    adverbs: tuple[str, ...]


@functools.cache
def open_lexicon() -> OpenLexicon:
    """The lexicon of the open sentences, from the frequency list `wordfreq` ships for Russian."""
    nouns: dict[str, Noun] = {}
    kinds: dict[str, dict[str, None]] = {kind: {} for kind in ("ADJF", "tran", "intr", "ADVB")}
    for word in wordfreq.top_n_list("ru", FREQUENCY_RANKS):
        if not re.fullmatch("[а-яё]{3,14}", word) or _UNWANTED.match(word):
            continue
        parse = analyzer().parse(word)[0]
        lemma, tag = parse.normal_form, parse.tag
        if parse.score < 0.4 or _UNWANTED.match(lemma) or {"Name", "Surn", "Patr", "Geox", "Orgn", "Trad",
                                                          "Abbr", "Infr", "Slng", "Erro"} & set(tag.grammemes):  # fmt: skip
            continue
        if tag.POS == "NOUN" and tag.gender and "Pltm" not in tag and "Fixd" not in tag:
            nouns.setdefault(lemma, Noun(lemma, tag.gender, tag.animacy == "anim"))
        elif tag.POS == "ADJF" and "Apro" not in tag and "Anum" not in tag:
            kinds["ADJF"].setdefault(lemma)
        elif tag.POS in ("VERB", "INFN") and "Impe" not in tag:
            kinds["tran" if tag.transitivity == "tran" else "intr"].setdefault(lemma)
        elif tag.POS == "ADVB" and "Prnt" not in tag and "Ques" not in tag:
            kinds["ADVB"].setdefault(lemma)
    return OpenLexicon(
        tuple(nouns.values()),
        tuple(kinds["ADJF"]),
        tuple(kinds["tran"]),
        tuple(kinds["intr"]),
        tuple(kinds["ADVB"]),
    )
