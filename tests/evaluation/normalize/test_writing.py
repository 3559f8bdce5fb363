"""What version 2 takes for writing, and what it no longer makes equal. All sentences are our own."""

import pytest

from evaluation.normalize import PROFILES, VERSIONS, normalize
from tests.evaluation.normalize.test_cases import pairs
from tests.evaluation.normalize.test_normalize import spoken
from tests.support.word_errors import word_errors

# Written | spoken: equal under `numbers` with version 2, different with version 1.
NUMBERS = """
О-о-о, как красиво! | о как красиво
о о о как красиво | о как красиво
Дааа, конечно | да конечно
Да-а-а, конечно | да конечно
Ну-у, не знаю | ну не знаю
Приветттт | привет
Э-э, включи свет | включи свет
Включи, эм, свет | включи свет
Ммм, вкусно | вкусно
М-м, вкусно | вкусно
э ээээ поставь э музыку | поставь музыку
5000 ₸ | пять тысяч тенге
100 ₴ | сто гривен
50 ₺ | пятьдесят лир
10 000 ₩ | десять тысяч вон
300 ₹ | триста рупий
₿2 | два биткоина
20 юанями | двадцать юаней
курс 3 гривны | курс трех гривен
500 драмов | пятьсот драм
40 злотых | сорок злотыми
15 франками | пятнадцать франков
5 шекелями | пять шекелей
25 грн | двадцать пять гривен
100 KZT | сто тенге
12,50 грн | двенадцать гривен пятьдесят копеек
в 2020 году | в двадцатом году
2020 года | двадцатого года
1995 год | девяносто пятый год
в 1937 году | в тридцать седьмом году
2020-го года | двадцатого года
с 2021 года | с двадцать первого года
22 мая 2022 года | двадцать второго мая двадцать второго года
0,5 | ноль пять
0,5 литра | ноль пять литра
0,25 | ноль двадцать пять
0,05 | ноль ноль пять
0,5% | пять десятых процента
0,5 | пять десятых
2,5 | два и пять десятых
3,14 | три и четырнадцать сотых
2/3 | две трети
⅔ стакана | две трети стакана
1/3 | одна треть
3/4 | три четверти
¾ | три четверти
1/4 | одна четверть
2½ | два с половиной
24/7 | двадцать четыре на семь
И т. д. | и так далее
Хлеб, соль и т.п. | хлеб соль и тому подобное
Иванов и др. | иванов и другие
и тд | и так далее
и т. д. | и тэ дэ
ФСБ | эфэсбэ
фсбшники | фээсбэшники
СМС | эсэмэс
ТВ | тэвэ
т.е. завтра | то есть завтра
т. к. поздно | так как поздно
В т. ч. сегодня | в том числе сегодня
5 век до н. э. | пятый век до нашей эры
Живу в д. 5 | живу в доме пять
Улица Мира, д. 5, кв. 12 | улица мира дом пять квартира двенадцать
ул. Мира, дом 5, корп. 2 | улица мира дом пять корпус два
д. 5, стр. 2 | дом пять строение два
См. стр. 15 | см страница пятнадцать
г. Москва | город москва
р-н Арбат | район арбат
120 В | сто двадцать вольт
Сеть 220 В, 50 Гц | сеть двести двадцать вольт пятьдесят герц
10 кВ | десять киловольт
220V | двести двадцать вольт
16 А | шестнадцать ампер
500 мА | пятьсот миллиампер
5 ГГц | пять гигагерц
2.4 GHz | две целых четыре десятых гигагерца
100 Мбит/с | сто мегабит в секунду
512 КБ | пятьсот двенадцать килобайт
300 ккал | триста килокалорий
150 л.с. | сто пятьдесят лошадиных сил
3 кВт·ч | три киловатт часа
5000 мАч | пять тысяч миллиампер часов
30 км² | тридцать квадратных километров
5 м³ | пять кубических метров
5 куб. м | пять кубических метров
3000 об/мин | три тысячи оборотов в минуту
5 мг/л | пять миллиграммов на литр
100 руб./кг | сто рублей за килограмм
48 Мп | сорок восемь мегапикселей
2 мес. | два месяца
3 нед. | три недели
9 эт. | девятый этаж
дом 12 г | дом двенадцать гэ
дом 12 Б | дом двенадцать бэ
в 7 «Б» классе | в седьмом бэ классе
2020-05-12 | двенадцатого мая две тысячи двадцатого года
12/05/2020 | двенадцатого мая две тысячи двадцатого года
16:9 | шестнадцать на девять
5%-ный раствор | пятипроцентный раствор
2+2=4 | два плюс два равно четыре
±5 | плюс минус пять
§ 5 | параграф пять
температура 36,6 | температура тридцать шесть и шесть
код 1030 | код десять тридцать
родился в мае, 2020 г. | родился в мае две тысячи двадцатый год
1950 г. рождения | тысяча девятьсот пятидесятого года рождения
вторая половина XVIII в. | вторая половина восемнадцатого века
в V в. до н. э. | в пятом веке до нашей эры
5 янв. 2020 года | пятое января две тысячи двадцатого года
концерт 12.5.2020 | концерт двенадцатое мая две тысячи двадцатого года
ул.Ленина, д.5 | улица ленина дом пять
Ленина, д. 5 кв. 2 | ленина дом пять квартира два
д. 5 к. 2 | дом пять корпус два
п. 3 ст. 12 | пункт три статьи двенадцать
5 млн чел. | пять миллионов человек
от -5 до +5 | от минус пяти до плюс пяти
ночью -5 °C | ночью минус пять градусов
сколько будет 3² | сколько будет три в квадрате
10к рублей | десять тысяч рублей
"""

# Equal under `numbers` with both versions, by other words than before.
BOTH = """
двух песо | два песо
20-го года | двадцатого года
в 95-м году | в девяносто пятом году
10 Ом | десять ом
дом 12 Г | дом двенадцать г
Дом 12Г, вход | дом двенадцать г вход
кабинет 5 А | кабинет пять а
О-о-о, как красиво | о о о как красиво
дом 3 Л | дом три л
"""

# Equal under `numbers+latin` with version 2, different with version 1.
LATIN = """
TV | тиви
смотрю тиви | смотрю ти ви
FM | эфэм
DVD | дивиди
USB | юэсби
mail.ru | мейл точка ру
ivan@mail.ru | иван собака мейл точка ру
MP3 | эмпи три
C# | си шарп
"""

# Equal with version 1, different with version 2 under every profile.
MENDED = """
тридцать восемь десятый сезон | 3810 сезон
тридцать восемь десять | 3810
серия 38, 10 | серия 3810
сорок пять двадцать | 4520
один два три четыре | 1234
дом 12 г | дом двенадцать граммов
12 Г | двенадцать граммов
5 Г класс | пять граммов класс
я б | я би
я б хотел | я би хотел
труппы | трупы
балл | бал
сумма | сума
мэр | мер
сэр | сер
поддержать | подержать
поддал | подал
оттопить | отопить
дрожжи | дрожи
расстроить | растроить
подделка | поделка
роддом | родом
понесся | понеся
матросский | матроский
"""

# Different under every profile and version: a wrong hypothesis must stay wrong.
DIFFERENT = """
5000 ₸ | пять тысяч рублей
100 ₴ | сто лир
ему 21 год | ему две тысячи двадцать один год
22 года | две тысячи двадцать два года
пятый год | две тысячи пятый год
двадцатый год подряд | две тысячи двадцатый год подряд
двадцатый год | тысяча девятьсот двадцатый год
двадцатые годы | две тысячи двадцатые годы
0,5 | 5
0,5 | 0,05
2,5 | двадцать пять
2/3 | три четверти
пять десятых | пятнадцать
5 ГГц | пять мегагерц
120 В | сто двадцать ватт
120 в час | сто двадцать вольт час
5 мм | пять
ссср | ср
ООО Мир | о мир
о о | о
эм ти ви | ти ви
неё | не
ванна | вана
и т. д. | и тому подобное
и Т. Д. Иванов | и так далее иванов
Скажи им. Потом | скажи имени потом
дом 12 Г | дом двенадцать д
семь бэ | семь вэ
о | а
хал век | двадцать век
"""

ONE_ERROR = [
    ("тридцать восемь десятый сезон", "38 11 сезон"),
    ("тридцать восемь десятый сезон", "тридцать восемь сезон"),
    ("эпизод тридцать восемь десятый сезон", "Эпизод 39, 10 сезон."),
    ("сорок восемь пятьдесят семь", "сорок восемь пятьдесят"),
    ("0,5 литра", "0,6 литра"),
    ("две трети стакана", "1/3 стакана"),
    ("двадцатый год", "2021 год"),
]


@pytest.mark.parametrize(("written", "spoken"), pairs(NUMBERS))
def test_version_2_makes_them_equal(written, spoken):
    assert normalize(written) == normalize(spoken)
    assert normalize(written, "numbers+latin") == normalize(spoken, "numbers+latin")
    assert normalize(written, version="1") != normalize(spoken, version="1")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("written", "spoken"), pairs(BOTH))
def test_both_versions_make_them_equal(written, spoken, version):
    assert normalize(written, version=version) == normalize(spoken, version=version)


@pytest.mark.parametrize(("written", "spoken"), pairs(LATIN))
def test_version_2_makes_latin_equal(written, spoken):
    assert normalize(written, "numbers+latin") == normalize(spoken, "numbers+latin")
    assert normalize(written, "numbers+latin", "1") != normalize(spoken, "numbers+latin", "1")


@pytest.mark.parametrize(("one", "other"), pairs(MENDED))
def test_version_2_keeps_apart_what_version_1_merged(one, other):
    assert all(normalize(one, profile) != normalize(other, profile) for profile in PROFILES)
    assert normalize(one, "numbers+latin", "1") == normalize(other, "numbers+latin", "1")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("one", "other"), pairs(DIFFERENT))
def test_different_words_stay_different(one, other, profile):
    assert normalize(one, profile) != normalize(other, profile)


@pytest.mark.parametrize(("ref", "hyp"), ONE_ERROR)
def test_a_wrong_number_is_one_error(ref, hyp):
    assert word_errors(normalize(ref), normalize(hyp)) == 1


@pytest.mark.slow
def test_numbers_side_by_side_are_never_one_number_without_a_word_that_says_so():
    for one in range(10, 100, 3):
        for other in range(10, 100):
            said, written = f"{spoken(one)} {spoken(other)} сезон", f"{one}{other} сезон"
            assert normalize(said) != normalize(written)
            assert normalize(f"код {said}") == normalize(f"код {written}")
            assert (
                normalize(said) == normalize(f"{one} {other} сезон") == normalize(f"{one}, {other}-й сезон")
            )


@pytest.mark.parametrize("end", ["годы", "годов", "годах", "лет", "год"])
def test_two_decades_are_no_year(end):
    for first in range(10, 91, 10):
        for second in (first + 10, 40, 95):
            joined = 100 * first + second
            if second < 100 and (joined > 2100 or second == first + 10):
                said = f"{spoken(first)} {spoken(second)} {end}"
                assert normalize(said) != normalize(f"{joined} {end}")
                assert normalize(said) == normalize(f"{first}-{second} {end}")
    assert normalize("двадцать тринадцатый год") == normalize("2013 год")
    assert normalize("девятнадцать сорок первый год") == normalize("1941 год")


@pytest.mark.parametrize(
    "text", ["1500 г. муки", "2000 г. муки", "5 кв. м", "5 ч. 30 мин.", "сезон - 5 серий"]
)
def test_what_may_be_something_else_is_left_to_its_other_reading(text):
    read = normalize(text)
    assert not {"год", "квартира", "часть", "минус"} & set(read.split())


@pytest.mark.parametrize(
    "text", ["эмэм годы", "эмэмэм", "XVIII в. и 60-70-е годы", "до -5² чел.", "5 к. 2 янв. 1950 г."]
)
def test_normalising_again_changes_nothing(text):
    for profile in PROFILES:
        once = normalize(text, profile)
        assert normalize(once, profile) == once
