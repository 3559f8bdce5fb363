"""The jackknife, Student's t and exact bounds against textbooks, plain loops and the truth of made data."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.statistics.differences import paired_difference
from evaluation.statistics.intervals import FEW_UNITS, interval, statistic_interval
from evaluation.statistics.small_sets import exact_ends, student_p, student_quantile
from evaluation.studies.coverage import Cell, coverage, false_among, false_differences
from tests.support.examples import examples

COUNTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 9)), min_size=3, max_size=40)


@pytest.mark.parametrize(
    ("n_free", "level", "quantile"),
    [(1, 0.95, 12.706), (4, 0.95, 2.776), (8, 0.95, 2.306), (30, 0.99, 2.750), (1000, 0.9, 1.646)],
)
def test_students_quantiles_are_those_of_the_tables(n_free, level, quantile):
    assert student_quantile(level, n_free) == pytest.approx(quantile, abs=0.0006)
    assert student_p(quantile, n_free) == pytest.approx((1 - level) / 2, rel=0.005)


def test_exact_bounds_are_those_of_the_binomial_sums():
    """At Clopper and Pearson's ends the observed count, or a more extreme one, has a chance of 2.5 %."""

    def chance(k_from, k_to, n, p):
        return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(k_from, k_to + 1))

    for errors, total in ((0, 30), (1, 30), (7, 30), (29, 30), (30, 30)):
        low, high = exact_ends(errors, total, 0.95)
        assert errors == 0 or chance(errors, total, total, low) == pytest.approx(0.025, rel=1e-6)
        assert errors == total or chance(0, errors, total, high) == pytest.approx(0.025, rel=1e-6)
    assert exact_ends(0, 30, 0.95)[0] == 0
    assert exact_ends(30, 30, 0.95)[1] == 1
    low, high = exact_ends(
        12, 10, 0.95
    )  # insertions: more errors than words, by Poisson's law (tables: 6.2, 20.96)
    assert (low, high) == (pytest.approx(0.620, abs=0.001), pytest.approx(2.096, abs=0.001))


def test_no_error_leaves_an_upper_bound():
    """The rule of three, two-sided: 3.69 / n."""
    found = interval([0] * 100, [10] * 100)
    assert (found.rate, found.low, found.method) == (0, 0, "exact")
    assert found.high == pytest.approx(3.69 / 1000, rel=0.005)
    sentences = interval([0] * 100, [1] * 100, bounded=True)
    assert sentences.high == pytest.approx(1 - 0.025 ** (1 / 100))


def test_systems_that_err_alike_may_still_differ_a_little():
    found = paired_difference([1, 0, 2] * 20, [1, 0, 2] * 20, [10] * 60)
    assert (found.difference, found.method, found.p_value) == (0, "exact", 1)
    assert -found.low == found.high == pytest.approx(3.69 / 600, rel=0.005)


def test_the_jackknife_is_that_of_a_plain_loop():
    errors, words = [3, 0, 1, 5, 2], [10, 4, 9, 20, 11]
    rate = sum(errors) / sum(words)
    logs = [math.log(sum(errors[:i] + errors[i + 1 :]) / sum(words[:i] + words[i + 1 :])) for i in range(5)]
    spread = math.sqrt(4 / 5 * sum((each - sum(logs) / 5) ** 2 for each in logs))
    found = interval(errors, words)
    assert found.method == "jackknife"
    assert found.low == pytest.approx(rate * math.exp(-2.7764 * spread), rel=1e-4)
    assert found.high == pytest.approx(rate * math.exp(2.7764 * spread), rel=1e-4)


def test_a_difference_of_equal_lengths_is_the_paired_t_interval():
    """Where all blocks have as many words, the jackknife is the textbook's paired t, worked out by hand."""
    a, b = [3, 1, 4, 1, 5, 9, 2, 6], [2, 1, 2, 2, 3, 5, 2, 5]
    d = np.array(a) - np.array(b)
    error = d.std(ddof=1) / math.sqrt(8)
    found = paired_difference(a, b, [10] * 8)
    assert found.standard_error == pytest.approx(error / 10)
    assert found.high - found.difference == pytest.approx(2.3646 * error / 10, rel=1e-4)
    assert found.p_value == pytest.approx(2 * student_p(d.mean() / error, 7))
    assert found.n_differing == 6


@given(COUNTS)
@settings(max_examples=examples(60))
def test_a_significant_difference_is_one_whose_interval_leaves_out_zero(rows):
    a, b, words = (list(column) for column in zip(*rows, strict=True))
    found = paired_difference(a, b, words)
    if found.method == "jackknife":
        assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
        back = paired_difference(b, a, words)
        assert (back.low, back.high) == (pytest.approx(-found.high), pytest.approx(-found.low))
        assert back.share_a_better + found.share_a_better == pytest.approx(1)


@given(COUNTS)
@settings(max_examples=examples(60))
def test_an_interval_holds_its_rate_and_no_share_leaves_0_to_1(rows):
    errors, _, words = (list(column) for column in zip(*rows, strict=True))
    found = interval(errors, words)
    assert found.low <= found.rate <= found.high
    wrong = [int(each > 0) for each in errors]
    share = interval(wrong, [1] * len(wrong), bounded=True)
    assert 0 <= share.low <= share.rate <= share.high <= 1


def test_many_blocks_take_the_bootstrap_and_agree_with_the_jackknife():
    rng = np.random.default_rng(0)
    words = rng.integers(1, 12, 3000)
    errors = rng.binomial(words, 0.2)
    drawn, left_out = interval(errors, words), interval(errors, words, method="jackknife")
    assert (drawn.method, left_out.method) == ("bootstrap", "jackknife")
    assert left_out.high - left_out.low == pytest.approx(drawn.high - drawn.low, rel=0.1)
    few = interval(errors[: FEW_UNITS - 1], words[: FEW_UNITS - 1])
    assert few.method == "jackknife"


def test_errors_in_one_block_alone_have_an_interval():
    """Without that block no error is left, whose log has no value."""
    found = interval([0, 0, 7, 0, 0, 0], [10] * 6)
    assert 0 < found.low < found.rate < found.high


def test_a_statistic_has_the_interval_of_the_ratio_that_it_is():
    rng = np.random.default_rng(4)
    words = rng.integers(5, 12, 40)
    right = rng.binomial(words, 0.7)
    ends = statistic_interval(np.column_stack([right, words]), lambda sums: sums[..., 0] / sums[..., 1])
    found = interval(right, words, bounded=True)
    assert ends == (pytest.approx(found.low, abs=1e-6), pytest.approx(found.high, abs=1e-6))


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell", [Cell(24, 9, 0.1), Cell(300, 5, 0.1), Cell(24, None, 0.1), Cell(300, None, 0.1)], ids=str
)
def test_the_intervals_hold_the_truth_and_find_no_difference_where_there_is_none(cell):
    """Nominal 95 and 5 %; of 600 trials the standard error is 0.9 points. The bootstrap misses both."""
    assert 0.925 <= coverage(cell, 600) <= 0.98
    assert 0.015 <= false_differences(cell, 600) <= 0.075
    if cell.n_speakers:
        assert coverage(cell, 600, "bootstrap") < 0.9
        assert false_differences(cell, 600, "bootstrap") > 0.075


@pytest.mark.slow
def test_holm_keeps_six_systems_from_a_false_winner():
    alone, adjusted = false_among(Cell(300, 9, 0.1), 6, 400)
    assert alone > 0.09
    assert adjusted <= 0.07
