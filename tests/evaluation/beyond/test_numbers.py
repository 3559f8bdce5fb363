"""Numbers are found word for word; what is not found is substituted, deleted or made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.beyond.numbers import numbers, runs
from evaluation.scoring.scores import score
from tests.support.made_records import file_of

COUNTS = ["n_reference", "n_hypothesis", "n_found", "n_substituted", "n_deleted", "n_made_up"]


def counted(*pairs):
    return numbers(score(file_of(*pairs)))[COUNTS].astype(int).to_numpy().tolist()[0]


@pytest.mark.parametrize(
    ("pair", "counts"),
    [
        (("в двадцать один час", "В 21 час"), [1, 1, 1, 0, 0, 0]),
        (("канал пять", "канал шесть"), [1, 1, 0, 1, 0, 0]),
        (("канал пять да", "канал да"), [1, 0, 0, 0, 1, 0]),
        (("канал да", "канал пять да"), [0, 1, 0, 0, 0, 1]),
        (("сто двадцать пять рублей", "сто двадцать рублей"), [1, 1, 0, 1, 0, 0]),
        (("двадцать рублей", "двадцать пять рублей"), [1, 1, 0, 1, 0, 0]),
        (("пять домов и шесть улиц", "пять домов и семь улиц"), [2, 2, 1, 1, 0, 0]),
        (("пять домов", "петь домов"), [1, 0, 0, 0, 1, 0]),
    ],
)
def test_numbers_of_one_utterance(pair, counts):
    assert counted(pair) == counts


def test_without_a_number_there_is_no_table():
    assert numbers(score(file_of(("да", "нет")))).empty


def test_digits_count_under_the_verbatim_profile():
    one = score(file_of(("канал 5", "канал 5"), ("канал 15", "канал 50")), profile="verbatim")
    assert numbers(one)[COUNTS].to_numpy().tolist()[0] == [2, 2, 1, 1, 0, 0]


def test_rates_of_known_counts():
    pairs = [("канал пять", "канал пять")] * 8 + [("канал сто пять", "канал пять")] * 2
    row = numbers(score(file_of(*pairs))).iloc[0]
    assert (row["recall"], row["precision"]) == (0.8, 0.8)
    assert row["word_errors"] == 2 / 12  # "сто" twice, of 8 + 4 number words
    assert 0 < row["recall_low"] < 0.8 < row["recall_high"] < 1


words = st.lists(st.sampled_from(["да", "нет", "пять", "шесть", "двадцать", "сто"]), max_size=9)


@given(words, words)
def test_numbers_are_accounted_for(ref, hyp):
    table = numbers(score(file_of((" ".join(ref), " ".join(hyp))), profile="verbatim"))
    if table.empty:
        assert not runs(ref)
        assert not runs(hyp)
        return
    n_reference, n_hypothesis, n_found, n_substituted, n_deleted, n_made_up = (
        table[COUNTS].iloc[0].astype(int)
    )
    assert n_reference == len(runs(ref)) == n_found + n_substituted + n_deleted
    assert n_hypothesis == len(runs(hyp)) >= n_found + n_made_up
    assert min(n_found, n_substituted, n_deleted, n_made_up) >= 0
    if ref == hyp:
        assert n_found == n_reference
