"""Assistant-style utterances: commands, prices, times, phone digits, names, greetings, as Golos has them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from gigastt_lab.training import lexicon as lx
from gigastt_lab.training.spoken import cardinal, digit_groups, ordinal

Pair = tuple[str, str]  # (as the end-to-end head writes it, as it is spoken), both with punctuation

_ORDINAL_WORDS_TO = 10  # "третий сезон" stays words, "15 сезон" becomes digits


def _same(text: str) -> Pair:
    return text, text


def _join(*parts: Pair | str) -> Pair:
    pairs = [_same(part) if isinstance(part, str) else part for part in parts]
    pairs = [pair for pair in pairs if pair[0]]
    return " ".join(p[0] for p in pairs), " ".join(p[1] for p in pairs)


def _number(rng: Random, low: int, high: int, *, gender: str = "m") -> tuple[int, Pair]:
    n = rng.randint(low, high)
    return n, (grouped(n), cardinal(n, gender=gender))


def grouped(number: int) -> str:
    """Digits as GigaAM writes them: thousands apart.

    >>> grouped(60000), grouped(2013)
    ('60 000', '2 013')
    """
    return f"{number:,}".replace(",", " ")


def _amount(rng: Random) -> Pair:
    """A sum of money."""
    number = rng.choice(
        [rng.randint(1, 99), rng.randint(1, 9) * 100, rng.randint(1, 99) * 50, rng.randint(1, 90) * 1000]
    )
    currency = rng.choice(("рубль",) * 8 + lx.CURRENCIES)
    spoken = f"{cardinal(number)} {lx.agree(currency, number)}"
    written = (
        f"{grouped(number)} ₽" if currency == "рубль" else f"{grouped(number)} {lx.agree(currency, number)}"
    )
    return written, spoken


def _time(rng: Random) -> Pair:
    """A time of day after "в" or "на"."""
    hour, minute = rng.randint(1, 23), rng.choice((0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55))
    if rng.random() < 0.35:
        part = "утра" if hour < 12 else "вечера"
        hour = (hour - 1) % 12 + 1
        return f"{hour} {part}", f"{cardinal(hour)} {part}"
    minutes = "ноль ноль" if minute == 0 else ("ноль " if minute < 10 else "") + cardinal(minute)
    return f"{hour}:{minute:02d}", f"{cardinal(hour)} {minutes}"


def _date(rng: Random, case: str) -> Pair:
    day, month = rng.randint(1, 28), rng.choice(lx.MONTHS_GENITIVE)
    return f"{day} {month}", f"{ordinal(day, gender='n', case=case)} {month}"


def _season(rng: Random) -> Pair:
    n = rng.randint(1, 25)
    if rng.random() < 0.5:
        return f"сезон {n}", f"сезон {cardinal(n)}"
    words = ordinal(n)
    return (words if n <= _ORDINAL_WORDS_TO else str(n)) + " сезон", f"{words} сезон"


def _episode(rng: Random) -> Pair:
    n = rng.randint(1, 60)
    if rng.random() < 0.5:
        return f"серия {n}", f"серия {cardinal(n)}"
    words = ordinal(n, gender="f")
    return (words if n <= _ORDINAL_WORDS_TO else str(n)) + " серия", f"{words} серия"


def _person(rng: Random, case: str = "nomn") -> str:
    female = rng.random() < 0.5
    gender = "femn" if female else "masc"
    first = rng.choice(lx.FEMALE_NAMES if female else lx.MALE_NAMES)
    last = rng.choice(lx.SURNAME_STEMS) + ("а" if female else "")
    middle = rng.choice(lx.PATRONYMIC_STEMS) + ("на" if female else "ич")
    parts = rng.choice(([first], [first, last], [first, middle], [first, middle, last], [last]))
    return " ".join(lx.inflect(part, case, "sing", gender) if case != "nomn" else part for part in parts)


def _title(rng: Random) -> str:
    title = rng.choice(lx.TITLES)
    return f"«{title}»" if rng.random() < 0.4 else title


def _phone(rng: Random) -> Pair:
    """A phone number, or a piece of one, in spoken groups."""
    sizes = rng.choice(((1, 3, 3, 2, 2), (3, 3, 2, 2), (3, 2, 2), (2, 2, 2), (3, 3), (4, 2), (1, 3, 3)))
    groups = [str(rng.randrange(10**size)).zfill(size) for size in sizes]
    return " ".join(groups), digit_groups(groups)


def _address(rng: Random) -> str:
    return rng.choice(("",) * 3 + tuple(f"{name}," for name in lx.ASSISTANTS))


def _play(rng: Random) -> Pair:
    verb = rng.choice(
        "Включи Покажи Найди Запусти Поставь Открой Ищи Включай Хочу_посмотреть Давай_посмотрим".split()
    )
    kind = rng.choice(("", "фильм", "сериал", "кино", "мультик", "передачу"))
    tail = rng.choice(((lambda: ""),) * 3 + ((lambda: _season(rng)), (lambda: _episode(rng))))()
    return _join(verb.replace("_", " "), kind, _title(rng), tail)


def _channel(rng: Random) -> Pair:
    verb = rng.choice("Включи Покажи Переключи_на Открой Найди".split()).replace("_", " ")
    return _join(verb, rng.choice(("канал", "телеканал")), rng.choice(lx.CHANNELS))


def _genre(rng: Random) -> Pair:
    genre = lx.inflect(rng.choice(lx.GENRES), "accs" if rng.random() < 0.6 else "gent")
    text = rng.choice((
        f"Посоветуй {genre}", f"Хочу посмотреть {genre} с {_person(rng, 'ablt')}", f"Найди хорошую {genre}",
        f"Покажи лучшие фильмы {rng.choice(range(1990, 2024, 5))} года", f"Включи музыку в стиле {rng.choice(lx.MUSIC)}",
        f"Поставь {lx.inflect(rng.choice(lx.MUSIC), 'accs')}", f"Найди песню {_person(rng, 'gent')}",
        f"Фильмы с {_person(rng, 'ablt')}", f"Включи новый альбом {_person(rng, 'gent')}",
    ))  # fmt: skip
    years = [word for word in text.split() if word.isdigit()]
    spoken = text.replace(years[0], ordinal(int(years[0]), case="g")) if years else text
    return text, spoken


def _transfer(rng: Random) -> Pair:
    to = lx.inflect(rng.choice(lx.RELATIVES), "datv") if rng.random() < 0.5 else _person(rng, "datv")
    verb = rng.choice("Переведи Отправь Перечисли Скинь Хочу_перевести".split()).replace("_", " ")
    return _join(verb, _amount(rng), to) if rng.random() < 0.5 else _join(verb, to, _amount(rng))


def _price(rng: Random) -> Pair:
    what = rng.choice(lx.PRODUCTS)
    return rng.choice((
        lambda: _join(_amount(rng), "сколько будет стоить"), lambda: _join(_amount(rng), "это сколько в рублях"),
        lambda: _same(f"Сколько стоит {what}"), lambda: _join("Пополни баланс на", _amount(rng)),
        lambda: _join("Сумма покупки", _amount(rng)),
        lambda: _same(f"Какой сегодня курс {lx.inflect(rng.choice(lx.CURRENCIES), 'gent')}"),
        lambda: _join("Положи на телефон", _amount(rng)),
    ))()  # fmt: skip


def _order(rng: Random) -> Pair:
    what = rng.choice(lx.PRODUCTS)
    accusative = lx.inflect(what, "accs")
    genitive = lx.inflect(what, "gent", "plur") if rng.random() < 0.5 else lx.inflect(what, "gent")
    n, kilograms = _number(rng, 1, 30)
    unit = rng.choice(("килограмм", "литр", "пачка", "бутылка"))
    gender = "f" if unit[-1] == "а" else "m"
    return rng.choice((
        lambda: _same(f"Закажи {accusative}"), lambda: _same(f"Купить {accusative}"),
        lambda: _same(f"Хочу заказать на дом доставку {genitive}"),
        lambda: _join("Закажи", (kilograms[0], cardinal(n, gender=gender)), lx.agree(unit, n), genitive),
        lambda: _same(f"Добавь в корзину {accusative} и {lx.inflect(rng.choice(lx.PRODUCTS), 'accs')}"),
    ))()  # fmt: skip


def _alarm(rng: Random) -> Pair:
    percent = rng.randrange(5, 101, 5)
    minutes = rng.randint(1, 59)
    minute_words = cardinal(minutes, gender="f").replace("одна", "одну")
    minute_noun = "минуту" if minutes % 10 == 1 and minutes != 11 else lx.agree("минута", minutes)
    return rng.choice((
        lambda: _join("Поставь будильник на", _time(rng)), lambda: _join("Разбуди меня в", _time(rng)),
        lambda: _join("Перенеси будильник на", _time(rng)),
        lambda: _join("Напомни", _date(rng, "g"), "в", _time(rng), f"позвонить {_person(rng, 'datv')}"),
        lambda: _join("Засеки", (f"{minutes} {minute_noun}", f"{minute_words} {minute_noun}")),
        lambda: _join("Сделай", rng.choice(("громкость", "яркость")), "на",
                      (f"{percent}%", f"{cardinal(percent)} {lx.agree('процент', percent)}")),
        lambda: _same(f"Какая погода в {lx.inflect(rng.choice(lx.CITIES), 'loct')} "
                      + rng.choice(("сегодня", "завтра", "на выходных", "в " + lx.inflect(rng.choice(lx.WEEKDAYS), "accs")))),
    ))()  # fmt: skip


def _call(rng: Random) -> Pair:
    return rng.choice((
        lambda: _same(f"Позвони {_person(rng, 'datv')}"), lambda: _join("Набери номер", _phone(rng)),
        lambda: _same(f"Напиши {lx.inflect(rng.choice(lx.RELATIVES), 'datv')}, что я скоро буду"),
        lambda: _phone(rng), lambda: _phone(rng), lambda: _same(_person(rng)), lambda: _same(_person(rng)),
        lambda: _same(_person(rng, rng.choice(("gent", "datv", "ablt")))),
    ))()  # fmt: skip


_QUESTIONS = (
    "Что ты умеешь;Как тебя зовут;Который час;Сколько времени;Какой сегодня день;Расскажи анекдот;Ты меня слышишь;"
    "Как дела;Что нового;Спой песню;Расскажи сказку;Включи свет;Выключи свет;Сделай громче;Сделай тише;Пауза;"
    "Продолжи;Следующая песня;Предыдущая серия;Перемотай вперёд;Открой настройки;Проверь почту;Закрой окно;"
    "Какое твоё любимое занятие;Повтори ещё раз;Где ближайшая аптека;Как доехать до вокзала;Вызови такси домой;"
    "Запиши меня к врачу;Когда придёт мой заказ;Отмени заказ;Покажи историю операций;Заблокируй карту;"
    "Какой у меня баланс;Закажи выписку по счёту;Можно заказать цветы в номер;Во сколько завтрак;Прочитай новости"
).split(";")
_GREETINGS = (
    "Привет;Здравствуйте;Добрый день;Доброе утро;Добрый вечер;Спасибо;Спасибо большое;Пожалуйста;До свидания;"
    "Пока;Спокойной ночи;Рад тебя слышать;Хорошего дня;Извини;Окей;Да;Нет;Понятно;Хорошо;Отлично;Всего доброго"
).split(";")
_ASKING = ("Что", "Как", "Который", "Сколько", "Какой", "Какая", "Какое", "Ты", "Где", "Когда", "Можно", "Во")


def _chat(rng: Random) -> Pair:
    text = rng.choice(_QUESTIONS)
    if rng.random() < 0.4:
        text = f"{rng.choice(_GREETINGS)}, {text[0].lower()}{text[1:]}"
    elif rng.random() < 0.25:
        text = rng.choice(_GREETINGS)
    return _same(text)


def _travel(rng: Random) -> Pair:
    city, country = rng.choice(lx.CITIES), rng.choice(lx.COUNTRIES)
    return rng.choice((
        lambda: _join(f"Купи билет до {lx.inflect(city, 'gent')} на", _date(rng, "n")),
        lambda: _same(f"Сколько ехать от {lx.inflect(city, 'gent')} до {lx.inflect(rng.choice(lx.CITIES), 'gent')}"),
        lambda: _same(f"Какая столица {lx.inflect(country, 'gent')}"),
        lambda: _same(f"Который час в {lx.inflect(city, 'loct')}"),
        lambda: _same(f"Расскажи про {lx.inflect(country, 'accs')}"),
        lambda: _join("Забронируй номер в", lx.inflect(city, "loct"), "с", _date(rng, "g")),
    ))()  # fmt: skip


_KINDS: tuple[tuple[Callable[[Random], Pair], int], ...] = (
    (_play, 16), (_channel, 6), (_genre, 10), (_transfer, 10), (_price, 8), (_order, 10), (_alarm, 12),
    (_call, 16), (_chat, 8), (_travel, 8),
)  # fmt: skip


def utterance(rng: Random) -> Pair:
    """One assistant-style utterance: as written, as spoken."""
    kind = rng.choices([k for k, _ in _KINDS], [weight for _, weight in _KINDS])[0]
    written, spoken = kind(rng)
    address = _address(rng) if kind not in (_call, _price) or rng.random() < 0.3 else ""
    mark = "?" if _is_question(written) else "."
    if address:
        written, spoken = (f"{address} {_without_capital(text)}" for text in (written, spoken))
    politeness = ", пожалуйста" if mark == "." and kind is not _chat and rng.random() < 0.06 else ""
    return _capital(written) + politeness + mark, spoken + politeness + mark


def _is_question(text: str) -> bool:
    """True if a question word opens the utterance, or the clause after a greeting."""
    head, _, tail = text.partition(", ")
    clause = tail if head in _GREETINGS and tail else text
    return clause.split(maxsplit=1)[0].capitalize() in _ASKING or "сколько" in text.lower().split()


def _without_capital(text: str) -> str:
    """The text as it goes on after an address: names keep their capital."""
    return text if lx.is_name(text.split(maxsplit=1)[0].strip(",")) else text[0].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
