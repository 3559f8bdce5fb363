"""Marks and capitals are judged through the words, on cases whose answer is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.beyond.punctuation import ALL, case_errors, names, punctuation, writing
from evaluation.beyond.written import CAPITAL, CAPITALS, CASELESS, LOWER, MIXED, written
from evaluation.normalize import normalize
from evaluation.records.files import Record
from evaluation.scoring.scores import score
from tests.support.made_records import file_of

COUNTS = ["n_reference", "n_hypothesis", "n_found", "n_not_judged"]


def counted(*pairs):
    table = punctuation(score(file_of(*pairs)))
    return {name: tuple(row) for name, row in zip(table.index, table[COUNTS].astype(int).to_numpy().tolist(),
                                                   strict=True)}  # fmt: skip


@given(st.text(alphabet="абвАБЁё .,!?-–…«»()1:;", max_size=40))
def test_written_words_are_those_of_the_verbatim_profile(text):
    assert [each.word for each in written(text)] == normalize(text, "verbatim").split()


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Да. Нет", [".", ""]),
        ("Да , нет", [",", ""]),
        ("«Да», – сказал он.", [",–", "", "."]),
        ("Что?!", ["?!"]),
        ("Ну...", ["…"]),
        ("Ну… да", ["…", ""]),
        ("Ну?..", ["?…"]),
        ("в 21:00, завтра;", ["", "", ",", ";"]),
        ("кто-то — я", ["", "–", ""]),
        ("да—нет", ["", ""]),
        ("(да.) нет", [".", ""]),
        ("75%.", ["."]),
        (", да", [""]),
        ("...", []),
        ("", []),
        ("и т. д.", ["", ".", "."]),
    ],
)
def test_marks_belong_to_the_word_before_them(text, marks):
    assert [each.marks for each in written(text)] == marks


def test_case_of_words():
    cases = [each.case for each in written("дом Дом ДОМ Я iPhone 75 МТС-банк Ёлка")]
    assert cases == [LOWER, CAPITAL, CAPITALS, CAPITAL, MIXED, CASELESS, CAPITALS, LOWER, CAPITAL]


def test_a_wrong_word_costs_no_mark():
    assert counted(("Салют, включи Культуру.", "Салам, включи культура.")) == {
        "period": (1, 1, 1, 0), "comma": (1, 1, 1, 0), ALL: (2, 2, 2, 0),
    }  # fmt: skip


def test_another_mark_is_one_missing_and_one_false():
    assert counted(("Что это? Дом.", "Что это, дом.")) == {
        "period": (1, 1, 1, 0), "comma": (0, 1, 0, 0), "question mark": (1, 0, 0, 0), ALL: (2, 2, 1, 0),
    }  # fmt: skip


def test_beside_a_word_left_out_or_put_in_nothing_is_judged():
    assert counted(("Он был, есть.", "Он есть.")) == {
        "period": (1, 1, 1, 0), "comma": (0, 0, 0, 1), ALL: (1, 1, 1, 1),
    }  # fmt: skip
    assert counted(("Да, нет.", "Да, ну, нет.")) == {
        "period": (1, 1, 1, 0), "comma": (0, 0, 0, 1), ALL: (1, 1, 1, 1),
    }  # fmt: skip
    assert counted(("Да, нет.", "Да, нет ну.")) == {
        "period": (0, 0, 0, 1), "comma": (1, 1, 1, 0), ALL: (1, 1, 1, 1),
    }  # fmt: skip


def test_a_failure_is_not_judged():
    failed = Record(id="1", reference="Да, нет.", hypothesis=None)
    assert counted(failed, ("Да.", "Да.")) == {
        "period": (1, 1, 1, 1), "comma": (0, 0, 0, 1), ALL: (1, 1, 1, 2),
    }  # fmt: skip


def test_rates_of_known_counts():
    pairs = [("Да.", "Да.")] * 6 + [("Да.", "Да")] * 2 + [("Да!", "Да.")] * 2
    row = punctuation(score(file_of(*pairs))).loc["period"]
    assert (row["recall"], row["precision"]) == (6 / 8, 6 / 8)
    assert row["f1"] == 2 * 6 / (8 + 8)
    for name in ("recall", "precision", "f1"):
        assert 0 < row[f"{name}_low"] < row[name] < row[f"{name}_high"] < 1


def test_without_an_error_the_interval_is_a_bound_and_no_point():
    row = punctuation(score(file_of(*[("Да.", "Да.")] * 20))).loc["period"]
    assert (row["recall"], row["precision"], row["f1"]) == (1, 1, 1)
    # Clopper and Pearson, 20 of 20: 0.025 ** (1 / 20)
    assert row["recall_low"] == row["f1_low"] == pytest.approx(0.025 ** (1 / 20), abs=1e-6)


def test_references_without_punctuation_are_said_to_have_none():
    one = score(file_of(("да нет", "Да, нет."), ("ну", "Ну.")))
    assert punctuation(one).empty
    assert case_errors(one).empty
    assert writing(one).sentences() == [
        "The references have no punctuation: 0 of 2 have a mark.",
        "The references have no capitals: 0 of 2 have one.",
    ]
    rare = score(file_of(*[("да нет", "Да, нет.")] * 19, ("Да. Нет", "да нет")))
    assert punctuation(rare).empty


def test_references_without_a_mark_are_not_judged_beside_others_that_have_one():
    table = punctuation(score(file_of(("Да, нет.", "Да, нет."), ("да нет", "Да, нет."))))
    assert table.loc[ALL, "n_hypothesis"] == 2


def test_case_errors_are_of_equal_words():
    one = score(
        file_of(("Салют, включи Культуру.", "салют, включи Культуры."), ("Он ел в СССР.", "Он Ел в Ссср"))
    )
    table = case_errors(one)
    #  equal words: салют включи / он ел в ссср; wrong: салют, ел, ссср
    assert table.loc[ALL, ["n_words", "n_wrong"]].tolist() == [6, 3]
    assert table.loc[ALL, "rate"] == 3 / 6
    assert table.loc[ALL, ["n_reference", "n_hypothesis", "n_found"]].tolist() == [3, 3, 2]
    assert table.loc["inside sentences", ["n_words", "n_wrong"]].tolist() == [4, 2]


def test_a_word_after_the_end_of_a_sentence_is_not_inside_one():
    table = case_errors(score(file_of(("Да. Нет, Иван! Что? так… Ну", "да. нет, иван! что? Так… ну"))))
    assert table.loc[ALL, "n_wrong"] == 6
    assert table.loc["inside sentences", ["n_words", "n_wrong"]].tolist() == [1, 1]


def test_names_are_words_with_a_capital_inside_a_sentence():
    one = score(
        file_of(
            (
                "Салют, включи канал Культура. Вот СССР и Иван",
                "Салом, включи канал культура. Вот ссср и диван",
            )
        )
    )
    table = names(one)
    #  inside sentences: включи канал Культура / СССР и Иван
    assert table[["n_words", "n_wrong"]].to_numpy().tolist() == [[3, 1], [3, 0]]
    assert table.loc["names", "rate"] == pytest.approx(1 / 3)
    assert names(score(file_of(("да нет", "Да")))).empty
    deleted = names(score(file_of(("Это Иван Петров", "Это"), ("Это Иван", None))))
    assert deleted.loc["names", ["n_words", "n_wrong"]].tolist() == [3, 3]


@given(st.lists(st.sampled_from(["да", "Нет,", "ну.", "Вот!", "– А?", "и"]), min_size=1, max_size=8))
def test_an_equal_text_is_without_fault(words):
    text = " ".join([*words, "Конец."])
    one = score(file_of((text, text)))
    found, cases = punctuation(one), case_errors(one)
    assert (found["n_found"] == found["n_reference"]).all()
    assert (found["n_found"] == found["n_hypothesis"]).all()
    assert found.loc[ALL, "n_not_judged"] == 0
    assert cases.loc[ALL, "n_wrong"] == 0


@given(
    st.lists(st.sampled_from(["да", "Нет,", "ну.", "Вот!", "и"]), min_size=1, max_size=8),
    st.lists(st.sampled_from(["да", "нет,", "Ну", "вот", "и,"]), max_size=8),
)
def test_every_mark_of_the_reference_is_judged_or_not(ref, hyp):
    text = " ".join([*ref, "Конец."])
    table = punctuation(score(file_of((text, " ".join(hyp)))))
    n_marks = sum(len(each.marks) for each in written(text))
    assert table.loc[ALL, "n_reference"] + table.loc[ALL, "n_not_judged"] == n_marks
    assert (table["n_found"] <= table[["n_reference", "n_hypothesis"]].min(axis=1)).all()
    assert table.loc[ALL, "n_found"] == table["n_found"][:-1].sum()
