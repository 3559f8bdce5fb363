"""Words left out in a row, and words repeated without end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.beyond.deletion_runs import deletion_runs, deletions
from evaluation.beyond.loops import looping, loops, repeats
from evaluation.records.files import Record
from evaluation.scoring.metrics import alignment
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def test_runs_are_the_deleted_chunks_of_the_alignment():
    one = score(noisy_file(200, error_rate=0.6))
    expected = sorted(
        (len(chunk.reference), str(name), chunk.start, " ".join(chunk.reference))
        for name, row in one.utterances.iterrows()
        for chunk in alignment(row["normalized_reference"], row["normalized_hypothesis"])
        if chunk.kind == "delete"
    )
    found = deletion_runs(one)
    rows = zip(found["n_words"], found["id"], found["start"], found["words"], strict=True)
    assert sorted(rows) == expected
    assert found["n_words"].is_monotonic_decreasing
    assert found["n_words"].sum() == one.utterances["deletions"].sum()


def test_shares_of_deletions_by_the_length_of_the_run():
    one = score(
        file_of(
            ("раз два три четыре пять шесть", "раз шесть"),  # 4
            ("да нет", "да"),  # 1
            ("а б в г д е ж", "а"),  # 6
            ("да", "да"),
        ),
        profile="verbatim",
    )
    table = deletions(one)
    assert table["n_runs"].tolist() == [3, 2, 1]
    assert table["n_words"].tolist() == [11, 10, 6]
    assert table["share"].tolist() == [1, 10 / 11, 6 / 11]
    assert table["of_words"].tolist() == [11 / 16, 10 / 16, 6 / 16]
    assert table["longest"].tolist() == [6, 6, 6]
    assert (table["of_words_low"] < table["of_words"]).all()
    assert (table["of_words"] < table["of_words_high"]).all()


def test_a_failure_is_no_run():
    failed = Record(id="1", reference="а б в г д", hypothesis=None)
    table = deletions(score(file_of(failed, ("раз два", "раз"))))
    assert table.loc[1, ["n_runs", "n_words", "longest", "n_failed"]].tolist() == [1, 1, 1, 1]
    assert table.loc[1, "of_words"] == 1 / 2
    assert deletions(score(file_of(failed))).empty


@pytest.mark.parametrize(
    ("pair", "rows"),
    [
        (("и вот", "и вот вот вот вот"), [("вот", 4, 1, 3)]),
        (("да да да", "да да да"), []),
        (("да да да", "да да да да"), []),
        (("да да", "да да да"), []),
        (("да да", "да да да да да"), [("да", 5, 2, 3)]),
        (("ну", "это так это так это так"), [("это так", 3, 0, 6)]),
        (("ну", "раз и два и раз и два и раз и два и"), [("раз и два и", 3, 0, 12)]),
        (("…", "да"), []),
        (("а б а б а а б а", "а б а " * 5), [("а б а", 5, 2, 9)]),
        (("да " * 3000, "да " * 7000), [("да", 7000, 3000, 4000)]),
    ],
)
def test_loops_of_one_utterance(pair, rows):
    table = loops(score(file_of(pair), profile="verbatim"))
    assert (
        list(table[["phrase", "n_times", "n_in_reference", "n_words"]].itertuples(index=False, name=None))
        == rows
    )


def test_share_of_the_utterances_that_loop():
    pairs = [("да", "нет нет нет нет")] * 3 + [("да", "да")] * 27
    row = looping(score(file_of(*pairs))).iloc[0]
    assert (row["n_utterances"], row["n_loops"], row["n_words"], row["share"]) == (3, 3, 12, 0.1)
    assert 0 < row["share_low"] < 0.1 < row["share_high"] < 1


@given(st.lists(st.sampled_from("абв"), max_size=16))
def test_repeats_are_found_where_a_search_finds_them(words):
    thrice = any(
        words[start : start + length] * 3 == words[start : start + 3 * length]
        for length in range(1, 5)
        for start in range(len(words) - 3 * length + 1)
    )
    found = repeats(words)
    assert bool(found) == thrice
    end = 0
    for each in found:
        length = len(each.phrase) * each.n_times
        assert each.start >= end
        assert tuple(words[each.start : each.start + length]) == each.phrase * each.n_times
        end = each.start + length


def test_words_that_only_a_space_parts_are_no_deletion_where_that_is_asked():
    one = score(file_of(("радио пираты да нет", "радиопираты да")), compounds=True)
    assert deletion_runs(one)["words"].tolist() == ["нет"]
    assert deletion_runs(one)["n_words"].sum() == one.utterances["deletions"].sum()
