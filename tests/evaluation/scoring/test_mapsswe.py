"""Segments drawn in comments, and the statistic against the formula and against chance."""

import math
import statistics
from random import Random

import pytest

from evaluation.scoring.mapsswe import Mapsswe, mapsswe
from evaluation.scoring.metrics import alignment


def compare(*utterances):
    """MAPSSWE of (reference, hypothesis of A, hypothesis of B)."""
    return mapsswe(
        [alignment(reference, a) for reference, a, _ in utterances],
        [alignment(reference, b) for reference, _, b in utterances],
    )


# reference   1 2 3 4 5 6 7 8
# A           1 x 3 4 5 6 7 8     one error at 2
# B           1 2 3 4 5 x y 8     two errors at 6, 7; right words between: 3, 4, 5
# segments      |       |-|       1 - 0 and 0 - 2
def test_two_right_words_part_segments():
    found = compare(("1 2 3 4 5 6 7 8", "1 x 3 4 5 6 7 8", "1 2 3 4 5 x y 8"))
    assert found.n_segments == 2
    assert found.mean_difference == (1 - 2) / 2
    # mean -0.5; deviations 1.5 each, variance 4.5; z = -0.5 / sqrt(4.5 / 2) = -1/3
    assert found.z == pytest.approx(-1 / 3)
    assert found.p_value == pytest.approx(2 * statistics.NormalDist().cdf(-1 / 3))


# reference   1 2 3 4 5
# A           x 2 3 4 5           B errs at 3, one right word (2) later: one segment, 1 - 1
# B           1 2 x 4 5
def test_one_right_word_does_not():
    assert compare(("1 2 3 4 5", "x 2 3 4 5", "1 2 x 4 5")) == Mapsswe(1, 0.0, 0.0, 1.0)


# reference   1 2 . 3 4 5 6
# A           1 2 u 3 4 5 6       an insertion between two right words parts them:
# B           x 2 . 3 4 5 6       from x, only word 2 is right before u; one segment, 1 - 1
def test_an_insertion_interrupts_right_words():
    assert compare(("1 2 3 4 5 6", "1 2 u 3 4 5 6", "x 2 3 4 5 6")).n_segments == 1


# reference   1 2 3 4 .
# A           1 2 3 4 u           an insertion after the last word, of either system
# B           x 2 3 4 .
def test_insertions_at_the_ends_count():
    forth, back = ("1 2 3 4", "1 2 3 4 u", "x 2 3 4"), ("1 2 3 4", "x 2 3 4", "1 2 3 4 u")
    assert compare(forth).n_segments == compare(back).n_segments == 2
    assert compare(("1 2 3 4", "u v 1 2 3 4", "1 2 3 4"), ("1", "1", "x")).mean_difference == (2 - 1) / 2


def test_a_segment_ends_with_its_utterance():
    assert compare(("1 2", "1 x", "1 2"), ("1 2", "y 2", "1 2")).n_segments == 2


def test_an_empty_reference_is_a_segment_of_insertions():
    assert compare(("", "u", ""), ("", "", "")).n_segments == 1


def test_without_errors_nothing_differs():
    assert compare(("1 2", "1 2", "1 2")) == Mapsswe(0, 0.0, 0.0, 1.0)
    assert compare() == Mapsswe(0, 0.0, 0.0, 1.0)


def test_one_segment_says_nothing():
    found = compare(("1 2 3", "1 x 3", "1 2 3"))
    assert (found.n_segments, found.mean_difference) == (1, 1.0)
    assert math.isnan(found.z)
    assert math.isnan(found.p_value)


def test_exchanging_the_systems_turns_the_sign():
    rows = [("1 2 3", "1 x 3", "1 2 3"), ("1 2 3", "x y 3", "1 2 3"), ("1 2", "1 2", "1 y")]
    forth, back = compare(*rows), compare(*[(ref, b, a) for ref, a, b in rows])
    assert forth.z == pytest.approx(-back.z)
    assert forth.p_value == pytest.approx(back.p_value)


def test_equal_systems_are_told_apart_one_time_in_twenty():
    random = Random(0)
    words = " ".join(map(str, range(30)))

    def heard(reference):
        return " ".join("x" if random.random() < 0.1 else word for word in reference.split())

    p_values = [
        compare(*[(words, heard(words), heard(words)) for _ in range(20)]).p_value for _ in range(300)
    ]
    # 15 of 300 expected, standard deviation 3.8
    assert 4 <= sum(p < 0.05 for p in p_values) <= 28


def test_a_worse_system_is_found():
    random = Random(1)
    words = " ".join(map(str, range(30)))

    def heard(share):
        return " ".join("x" if random.random() < share else word for word in words.split())

    assert compare(*[(words, heard(0.15), heard(0.05)) for _ in range(30)]).p_value < 0.001


def test_other_references_are_refused():
    with pytest.raises(ValueError, match="3 reference words for A and 2 for B"):
        mapsswe([alignment("1 2 3", "1")], [alignment("1 2", "1")])
    with pytest.raises(ValueError, match="1 alignments of A and 0 of B"):
        mapsswe([alignment("1 2 3", "1")], [])
