"""Verdicts: none from next to nothing, and no more than the interval says."""

import math

import pytest

from evaluation.scoring.margins import margin_test
from evaluation.scoring.verdicts import hindrance, outcome, verdict
from evaluation.statistics.differences import paired_difference


def made(differences, words=10, **options):
    """Difference of two systems, the second of which errs once an utterance."""
    return paired_difference([1 + each for each in differences], [1] * len(differences),
                             [words] * len(differences), **options)  # fmt: skip


def test_two_utterances_give_no_verdict():
    """They were once "better by 60.00 points [50.00, 66.67]"."""
    found = paired_difference([0, 0], [3, 4], [5, 7])
    assert outcome(found) == "too few"
    assert verdict(found, "A", "B").startswith(
        "no verdict: 2 utterances cannot tell two systems apart; 20 or"
    )


def test_few_utterances_that_differ_give_no_verdict():
    found = made([1] * 5 + [0] * 95)
    assert "differ in 5 utterances only" in verdict(found, "A", "B")
    assert outcome(made([1] * 6 + [0] * 94)) == "B"


def test_as_many_errors_everywhere_are_no_difference():
    found = made([0] * 50)
    assert hindrance(found) is None
    assert verdict(found, "A", "B") == "no difference was found: A minus B is 0.00 [-0.74, +0.74] points"


@pytest.mark.parametrize(("sign", "better"), [(1, "B"), (-1, "A")])
def test_the_better_one_is_named_with_its_interval(sign, better):
    found = made([sign * each for each in ([1, 0, 1, 1] * 10)], words=100)
    assert outcome(found) == better
    assert verdict(found, "A", "B").startswith(f"{better} is better by 0.75 points [0.61, 0.89]")


def test_holm_can_take_a_verdict_back():
    found = made([1, 0, 1, 1] * 10)
    assert outcome(found, 0.06) == "none"
    told = verdict(found, "A", "B", p_adjusted=0.06, n_comparisons=5)
    assert told.startswith("no difference was found")
    assert told.endswith("(p = 0.0600 among 5 comparisons, by Holm)")


def test_references_without_words_say_so():
    found = paired_difference([0] * 30, [0] * 30, [0] * 30)
    assert verdict(found, "A", "B") == "no rates to compare: the references have no words"


def test_one_speaker_gives_no_verdict():
    found = made([1] * 30, blocks=["a"] * 30)
    assert "fewer than 3 speakers or sessions cannot give an interval" in verdict(found, "A", "B")


# 40 utterances of 100 words; A errs once more in 20 of them, once less in the other 20 but for `extra`.
def near_zero(extra=0, n=40):
    half = n // 2
    return made([1] * (half + extra) + [-1] * (half - extra), words=100)


def test_a_margin_is_decided_by_two_one_sided_tests():
    found = near_zero()  # difference 0, standard error sqrt(40 / 39) / sqrt(40) / 100 = 0.00160
    t = 1.6849  # Student's t, 39 degrees of freedom, 95 % one-sided
    assert found.standard_error == pytest.approx(0.0016013, rel=1e-3)
    inside, outside = margin_test(found, 0.0028), margin_test(found, 0.0026)
    assert (inside.low, inside.high) == (
        pytest.approx(-t * 0.0016013, rel=1e-3),
        pytest.approx(0.0026981, rel=1e-3),
    )
    assert (inside.not_worse, inside.equivalent) == (True, True)
    assert inside.p_equivalent < 0.05
    assert (outside.not_worse, outside.equivalent) == (False, False)
    assert outside.p_not_worse > 0.05
    assert "equivalent" in inside.sentence("A", "B")
    assert "not shown" in outside.sentence("A", "B")


def test_what_is_better_is_not_worse_but_not_equivalent():
    found = near_zero(extra=-12)  # A is better by 0.6 points
    test = margin_test(found, 0.005)
    assert (test.not_worse, test.equivalent) == (True, False)
    assert "A is not worse than B by so much" in test.sentence("A", "B")
    worse = margin_test(near_zero(extra=18), 0.003)
    assert not worse.not_worse
    assert "worse than B by more than that" in worse.sentence("A", "B")


def test_identical_systems_are_equivalent_where_there_are_words_enough():
    assert margin_test(made([0] * 100, words=20), 0.003).equivalent  # 3.0 / 2000 words
    few = margin_test(made([0] * 40, words=10), 0.003)
    assert not few.equivalent
    assert few.sentence("A", "B").endswith("[-0.75, +0.75]); it takes more words.")


def test_a_margin_takes_utterances_too():
    test = margin_test(made([0, 1]), 0.003)
    assert not test.not_worse
    assert "2 utterances cannot tell" in test.sentence("A", "B")
    for wrong in (0, -0.1, 1, 30):
        with pytest.raises(ValueError, match="give a share from 0 to 1"):
            margin_test(near_zero(), wrong)
    assert math.isnan(test.p_not_worse)


def test_systems_that_hardly_differ_are_no_more_alike_than_identical_ones():
    """One utterance that differs once made A "not worse by 0.30", where identical systems were not."""
    one, none = made([1] + [0] * 59, words=6), made([0] * 60, words=6)
    assert one.high - one.difference >= none.high
    for margin in (0.003, 0.005, 0.008):
        assert not margin_test(one, margin).not_worse
        assert not margin_test(none, margin).not_worse
    assert math.isnan(margin_test(one, 0.02).p_not_worse)
    assert margin_test(one, 0.02).not_worse
