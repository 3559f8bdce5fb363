"""Intervals against the closed form, against plain loops, and against the truth of simulated data."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scoring.options import Bootstrap
from evaluation.statistics.intervals import interval, paired_difference

COUNTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30)


def normal_width(errors, totals):
    """Standard error of a ratio of sums by the delta method (Cochran, Sampling Techniques, 6.3)."""
    errors, totals = np.asarray(errors), np.asarray(totals)
    residuals = errors - errors.sum() / totals.sum() * totals
    return math.sqrt((residuals**2).sum()) / totals.sum()


def test_the_interval_is_that_of_the_closed_form_on_a_large_set():
    rng = np.random.default_rng(1)
    totals = rng.integers(1, 12, 4000)
    errors = rng.binomial(totals, 0.1)
    found = interval(errors, totals, n_resamples=5000)
    se = normal_width(errors, totals)
    assert found.rate == errors.sum() / totals.sum()
    assert found.low == pytest.approx(found.rate - 1.960 * se, abs=0.1 * se)
    assert found.high == pytest.approx(found.rate + 1.960 * se, abs=0.1 * se)
    narrow = interval(errors, totals, n_resamples=5000, level=0.5)
    assert narrow.high - narrow.low == pytest.approx(2 * 0.6745 * se, rel=0.1)


def test_the_interval_is_that_of_a_plain_loop():
    """Three utterances have ten different resamples; with their exact chances the percentiles are known."""
    #   errors / words   0/1   1/4   3/5.   P(rate = 0) = P(first, thrice) = 1/27, and so on.
    errors, totals = [0, 1, 3], [1, 4, 5]
    triples = [(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
    rates = sorted(sum(errors[i] for i in triple) / sum(totals[i] for i in triple) for triple in triples)
    found = interval(errors, totals, n_resamples=50_000, level=0.9, method="bootstrap")
    assert found.low == pytest.approx(rates[1])  # 1/27 < 0.05 < 4/27: the second lowest rate
    assert rates[0] < rates[1] == rates[3]
    assert found.high == pytest.approx(np.quantile(rates, 0.95, method="inverted_cdf"))


def test_the_paired_difference_is_that_of_a_plain_loop():
    random = Random(3)
    a, b, totals = ([random.randrange(low, 6) for _ in range(40)] for low in (0, 0, 1))
    differences = []
    for _ in range(20_000):
        picks = random.choices(range(40), k=40)
        n_words = sum(totals[i] for i in picks)
        differences.append(sum(a[i] for i in picks) / n_words - sum(b[i] for i in picks) / n_words)
    found = paired_difference(a, b, totals, n_resamples=20_000, method="bootstrap")
    low, high = np.quantile(differences, [0.025, 0.975])
    assert found.difference == pytest.approx((sum(a) - sum(b)) / sum(totals))
    assert found.low == pytest.approx(low, abs=0.03 * (high - low))
    assert found.high == pytest.approx(high, abs=0.03 * (high - low))
    assert found.share_a_better == pytest.approx(sum(d < 0 for d in differences) / 20_000, abs=0.02)
    assert found.share_equal == pytest.approx(sum(d == 0 for d in differences) / 20_000, abs=0.01)


def test_what_both_systems_find_hard_does_not_widen_the_difference():
    rng = np.random.default_rng(2)
    totals = np.full(500, 10)
    hard = rng.binomial(1, 0.5, 500) * 6
    a, b = hard + rng.binomial(2, 0.5, 500), hard + rng.binomial(2, 0.5, 500)
    paired, alone = paired_difference(a, b, totals), interval(a, totals)
    assert paired.high - paired.low < (alone.high - alone.low) / 2


@given(COUNTS, st.integers(0, 99))
def test_the_same_utterances_are_drawn_for_every_question(rows, seed):
    a, b, totals = (list(column) for column in zip(*rows, strict=True))
    drawn = Bootstrap(n_resamples=50, seed=seed, method="bootstrap")
    against_nothing = paired_difference(a, [0] * len(a), totals, drawn)
    alone = interval(a, totals, drawn)
    for end, other in ((alone.low, against_nothing.low), (alone.high, against_nothing.high)):
        assert end == pytest.approx(other, nan_ok=True)
    forth = paired_difference(a, b, totals, drawn)
    back = paired_difference(b, a, totals, drawn)
    assert forth.low == pytest.approx(-back.high, nan_ok=True)
    shares = forth.share_a_better + back.share_a_better + forth.share_equal
    assert math.isnan(forth.low) or shares == pytest.approx(1)
    same = paired_difference(a, a, totals, drawn)
    assert not same.difference > 0
    assert same.share_equal == 1 or not any(totals)


def test_a_seed_draws_the_same_again_and_another_does_not():
    errors, totals = list(range(1, 301)), [500] * 300
    assert interval(errors, totals, seed=5) == interval(errors, totals, seed=5)
    assert interval(errors, totals, seed=5).low != interval(errors, totals, seed=6).low


def test_blocks_are_drawn_as_wholes():
    # Ten speakers of twenty utterances; a speaker's are all wrong or all right.
    errors = np.repeat([1, 0] * 5, 20)
    totals, speakers = np.ones(200, int), [f"speaker {i // 20}" for i in range(200)]
    drawn = Bootstrap(method="bootstrap")
    apart, together = interval(errors, totals, drawn), interval(errors, totals, drawn, blocks=speakers)
    assert (together.rate, together.n_blocks, together.n_utterances) == (apart.rate, 10, 200)
    assert apart.n_blocks is None
    # Standard errors: sqrt(.25 / 200) for utterances, sqrt(.25 / 10) for speakers.
    assert together.high - together.low == pytest.approx(20**0.5 * (apart.high - apart.low), rel=0.2)
    by_speaker = interval([20, 0] * 5, [20] * 10, drawn)
    assert (together.low, together.high) == (by_speaker.low, by_speaker.high)


def test_a_block_of_one_utterance_each_changes_nothing():
    errors, totals = [3, 0, 1, 2], [5, 5, 2, 8]
    apart, together = interval(errors, totals), interval(errors, totals, blocks=range(4))
    assert (apart.low, apart.high) == (together.low, together.high)


@pytest.mark.slow
@pytest.mark.parametrize("rates_of", ["one", "two"])
def test_the_interval_covers_the_truth(rates_of):
    """In 1,000 trials a 95 % interval should cover it in 950 +- 7 (one standard deviation)."""
    rng = np.random.default_rng(0)
    n_covered = 0
    for trial in range(1000):
        totals = rng.integers(1, 12, 500)
        hardness = rng.beta(2, 18, 500)  # 0.1 on average, independent of length: the pooled rate is 0.1
        a, b = rng.binomial(totals, hardness), rng.binomial(totals, 0.8 * hardness)
        if rates_of == "one":
            truth, found = 0.1, interval(a, totals, n_resamples=500, seed=trial)
        else:
            truth, found = 0.02, paired_difference(a, b, totals, n_resamples=500, seed=trial)
        n_covered += found.low <= truth <= found.high
    assert 930 <= n_covered <= 970


def test_one_utterance_has_a_rate_and_no_interval():
    found = interval([1], [4])
    assert (found.rate, found.n_utterances, found.n_reference) == (0.25, 1, 4)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    paired = paired_difference([1], [2], [4])
    assert paired.difference == -0.25
    assert all(math.isnan(value) for value in (paired.low, paired.high, paired.share_a_better))


def test_one_speaker_has_a_rate_and_no_interval():
    found = interval([1, 2, 0], [4, 4, 2], blocks=["a", "a", "a"])
    assert (found.rate, found.n_blocks) == (0.3, 1)
    assert math.isnan(found.low)


def test_no_utterances_have_neither():
    found = interval([], [])
    assert (found.n_utterances, found.n_reference) == (0, 0)
    assert math.isnan(found.rate)
    assert math.isnan(paired_difference([], [], []).difference)


def test_all_failures_leave_no_width_to_the_bootstrap_and_exact_bounds_to_others():
    found = interval([3, 5], [3, 5], method="bootstrap")
    assert (found.rate, found.low, found.high) == (1.0, 1.0, 1.0)
    exact = interval([3, 5], [3, 5], bounded=True)
    assert (exact.rate, exact.method, exact.high) == (1.0, "exact", 1.0)
    assert exact.low == pytest.approx(0.025 ** (1 / 8))  # P(8 of 8 wrong) is 0.025 there


def test_empty_references_add_errors_and_no_words():
    # Only the second has words: resamples without it have no rate, the others 0/2 + insertions.
    found = interval([1, 0], [0, 2], n_resamples=2000, method="bootstrap")
    assert (found.rate, found.n_reference) == (0.5, 2)
    assert (found.low, found.high) == (0.0, 0.5)


def test_without_any_reference_word_there_is_no_rate():
    found = interval([1, 2], [0, 0])
    assert all(math.isnan(value) for value in (found.rate, found.low, found.high))


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        (([1, 2], [3]), {}, "2, 1"),
        (([1], [3]), {"blocks": ["a", "b"]}, "1, 1, 2"),
        (([1, -1], [3, 3]), {}, "-1"),
        (([1], [3]), {"level": 95}, "level is 95"),
        (([1], [3]), {"n_resamples": 0}, "n_resamples is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        interval(*arguments, **options)
