"""The forms of number and unit words, held against pymorphy3's dictionary."""

import pytest

from evaluation.normalize import normalize
from evaluation.normalize.hesitations import drop_fillers
from evaluation.normalize.number_words import LEMMAS, NUMBER_WORDS
from evaluation.normalize.spelt import write_spelt
from evaluation.normalize.units import UNITS

pymorphy3 = pytest.importorskip(
    "pymorphy3", reason="pymorphy3 is not installed: pip install gigastt-lab[training]"
)

ORDINALS = {
    0: "нулевой", 1: "первый", 2: "второй", 3: "третий", 4: "четвертый", 5: "пятый", 6: "шестой", 7:
    "седьмой", 8: "восьмой", 9: "девятый", 10: "десятый", 11: "одиннадцатый", 12: "двенадцатый", 13:
    "тринадцатый", 14: "четырнадцатый", 15: "пятнадцатый", 16: "шестнадцатый", 17: "семнадцатый", 18:
    "восемнадцатый", 19: "девятнадцатый", 20: "двадцатый", 30: "тридцатый", 40: "сороковой", 50:
    "пятидесятый", 60: "шестидесятый", 70: "семидесятый", 80: "восьмидесятый", 90: "девяностый", 100:
    "сотый", 200: "двухсотый", 300: "трехсотый", 400: "четырехсотый", 500: "пятисотый", 600:
    "шестисотый", 700: "семисотый", 800: "восьмисотый", 900: "девятисотый", 1000: "тысячный", 10**6:
    "миллионный",
}  # fmt: skip


@pytest.fixture(scope="module")
def morph():
    return pymorphy3.MorphAnalyzer()


def forms(morph, lemma, *parts_of_speech):
    """All forms of a word in the dictionary, without misspellings, abbreviations, degrees (первейший)."""
    parses = [p for p in morph.parse(lemma) if p.normal_form.replace("ё", "е") == lemma and p.is_known]
    parses = [p for p in parses if {str(p.tag.POS), *map(str, p.tag.grammemes)} & set(parts_of_speech)]
    assert parses, lemma
    kept = [
        f
        for f in parses[0].lexeme
        if not {"Abbr", "Arch", "Dist", "Erro", "Supr", "COMP"} & set(f.tag.grammemes)
    ]
    return {f.word.replace("ё", "е") for f in kept}


@pytest.mark.parametrize(("value", "lemma"), LEMMAS.items())
def test_every_form_of_a_cardinal(morph, value, lemma):
    known = forms(morph, lemma, "NUMR", "NOUN", "Apro")
    missing = {form for form in known if form not in NUMBER_WORDS or NUMBER_WORDS[form].value != value}
    assert missing <= {"стах", "стам", "стами"}  # nobody says them alone


@pytest.mark.parametrize(("value", "lemma"), ORDINALS.items())
def test_every_form_of_an_ordinal(morph, value, lemma):
    for form in forms(morph, lemma, "Anum", "ADJF"):
        assert normalize(form) == normalize(str(value)), form


# The lev of Bulgaria is "лева" and "левов", the beast of the dictionary "льва".
@pytest.mark.parametrize("lemma", sorted(set(UNITS.values()) - {"лев"}))
def test_every_form_of_a_unit(morph, lemma):
    if not any(parse.is_known and parse.normal_form == lemma for parse in morph.parse(lemma)):
        pytest.skip(f"the dictionary has no {lemma!r}")
    for form in forms(morph, lemma, "NOUN"):
        assert UNITS.get(form) == lemma or form.startswith("лет"), form  # "5 лет" is never written 5 г


def test_only_abbreviations_are_written_with_letters_and_only_hesitations_go(morph):
    forms = morph.dictionary.words.keys()
    words = [word for word in forms if word.count("э") > 1 or "мм" in word]
    spelt = {morph.parse(word)[0].normal_form for word in words if write_spelt(word) != word}
    assert spelt == {"кагэбэшный", "пэтэушник", "энтэвэшник", "эсэсовский"}
    dropped = {word for word in words if "-" not in word and not drop_fillers(word)}
    assert dropped <= {"мм", "ммм", "ээ", "эээ", "эмм"}


def test_no_other_word_is_taken_for_a_number(morph):
    """Forms that the dictionary has only as another part of speech would be mistakes of the paradigms."""
    lemmas = {*LEMMAS.values(), *ORDINALS.values(), "нуль", "миллиардный"}
    for form in NUMBER_WORDS:
        parses = [p for p in morph.parse(form) if p.is_known]
        known = {p.normal_form.replace("ё", "е") for p in parses}
        assert not parses or known & lemmas or form.endswith("ою"), form  # второю, сотою
