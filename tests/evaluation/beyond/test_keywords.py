"""Terms: forms, several words, hits at their places, false alarms, and lists that are refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.beyond.keywords import ALL, keywords, occurrences, read_terms, terms_of
from evaluation.records.files import Record
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import score
from tests.support.made_records import file_of

COUNTS = ["n_reference", "n_hypothesis", "n_found", "n_false"]


def counted(lines, *pairs):
    table = keywords(score(file_of(*pairs)), terms_of(lines))
    return {str(name): row for name, row in zip(table.index, table[COUNTS].astype(int).to_numpy().tolist(),
                                                strict=True)}  # fmt: skip


def test_forms_of_a_term_are_one():
    found = counted(["Москва, Москву, Москвы"], ("еду в Москву", "еду из москвы"), ("Москва", "Казань"))
    assert found == {"Москва": [2, 1, 1, 0], ALL: [2, 1, 1, 0]}


def test_terms_of_several_words_and_other_spellings():
    lines = ["Большой театр", "радио пираты, радиопираты", "канал 5"]
    found = counted(
        lines, ("в Большой театр иду", "в большой театр иду"), ("радио пираты", "радиопираты"),
        ("большой дом", "большой театр"), ("пятый канал", "канал пять"),
    )  # fmt: skip
    assert found["Большой театр"] == [1, 2, 1, 1]
    assert found["радио пираты"] == [1, 1, 1, 0]
    assert found["канал 5"] == [0, 1, 0, 1]
    assert found[ALL] == [2, 4, 2, 2]


def test_an_occurrence_counts_at_its_place_alone():
    far = ("москва да да да да да нет", "нет да да да да да москва")
    assert counted(["Москва"], far)["Москва"] == [1, 1, 0, 1]
    twice = ("москва и москва", "москва и казань")
    assert counted(["Москва"], twice)["Москва"] == [2, 1, 1, 0]
    more = ("москва", "москва москва")
    assert counted(["Москва"], more)["Москва"] == [1, 2, 1, 1]


def test_rates_by_the_hour_and_by_words():
    records = [
        Record(id=str(i), reference="да нет", hypothesis="да Москва" if i < 3 else "да нет", audio_s=36.0)
        for i in range(50)
    ]
    row = keywords(score(file_of(*records)), terms_of(["Москва"])).loc["Москва"]
    assert row["per_hour"] == pytest.approx(3 / 0.5)  # 50 clips of 36 s are half an hour
    assert row["per_1000_words"] == pytest.approx(3 / 100 * 1000)
    assert row["per_hour_low"] < row["per_hour"] < row["per_hour_high"]
    assert math.isnan(row["recall"])
    assert row["precision"] == 0


def test_without_seconds_there_is_no_rate_by_the_hour():
    row = keywords(score(file_of(("да", "Москва"))), terms_of(["Москва"])).loc["Москва"]
    assert math.isnan(row["per_hour"])


def test_a_list_in_a_file(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("﻿# города\nМосква, Москвы\r\n\nСалют # ассистент\n", encoding="utf-8")
    assert [term.forms for term in read_terms(path)] == [("Москва", "Москвы"), ("Салют",)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no term"),
        (b"# only\n", "holds no term"),
        (b"\xff\xfe\x00", "UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_lists_that_are_refused(tmp_path, content, told):
    path = tmp_path / "terms.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScoreError, match=told):
        read_terms(path)


def test_terms_that_are_refused():
    one = score(file_of(("да", "да")))
    with pytest.raises(ScoreError, match="no letter"):
        keywords(one, terms_of(["…"]))
    with pytest.raises(ScoreError, match="'ёлка' is a form of two terms, 'Елка' and 'ёлка'"):
        keywords(one, terms_of(["Елка", "ёлка"]))
    with pytest.raises(ScoreError, match="one or more"):
        keywords(one, [])


@given(st.lists(st.sampled_from(["а", "б", "в"]), max_size=12))
def test_occurrences_are_those_of_a_search_in_the_text(words):
    forms = {"а": [(("а", "б"), "аб"), (("а",), "а")], "в": [(("в",), "в")]}
    text, place, expected = " ".join([*words, ""]), 0, []
    while place < len(text):
        for form in ("а б ", "а ", "в "):
            if text.startswith(form, place):
                expected.append(form.replace(" ", ""))
                place += len(form)
                break
        else:
            place += 2
    assert [name for _, _, name in occurrences(words, forms)] == expected


def test_an_equal_text_has_every_term_and_no_false_one():
    pairs = [("москва и большой театр", "Москва и Большой театр.")] * 5
    found = counted(["Москва", "большой театр"], *pairs)
    assert found[ALL] == [10, 10, 10, 0]
