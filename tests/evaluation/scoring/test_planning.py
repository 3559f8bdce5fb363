"""Plans against the formulas by hand, and against sets of the size that they ask for."""

import math

import numpy as np
import pytest

from evaluation.scoring.compare import compare
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.planning import plan_difference, plan_margin, plan_width
from evaluation.scoring.scores import score
from evaluation.statistics.differences import paired_difference
from tests.support.made_records import file_of, noisy_file

A, B = (noisy_file(120, seed=seed, system=name) for seed, name in ((1, "A"), (2, "B")))


def test_sizes_are_those_of_the_formulas():
    pair = compare(A, B)
    n, error = 120, pair.wer.standard_error
    found = plan_difference(pair, 0.01, power=0.8)
    assert found.n_utterances == math.ceil(n * (error * (1.95996 + 0.84162) / 0.01) ** 2)
    margin = plan_margin(pair, 0.01, power=0.9)
    assert margin.n_utterances == math.ceil(n * (error * (1.64485 + 1.28155) / 0.01) ** 2)
    both = plan_margin(pair, 0.01, power=0.8, two_sided=True)
    assert both.n_utterances == math.ceil(n * (error * (1.64485 + 1.28155) / 0.01) ** 2)
    nearer = plan_margin(pair, 0.01, expected=0.005)
    assert nearer.n_utterances == pytest.approx(4 * plan_margin(pair, 0.01).n_utterances, abs=4)
    assert found.low < found.n_utterances < found.high
    assert plan_difference(pair, 0.02).n_utterances == pytest.approx(found.n_utterances / 4, abs=1)


def test_hours_and_speakers_grow_with_the_utterances():
    files = (noisy_file(120, seed=seed, n_speakers=12, system=str(seed)) for seed in (1, 2))
    pair = compare(*files)
    found = plan_width(pair.a, 0.01)
    times = found.n_utterances / 120
    assert found.n_blocks == pytest.approx(12 * times, abs=1)
    audio_s = pair.a.utterances["audio_s"].sum()
    assert found.hours == pytest.approx(times * audio_s / 3600, rel=0.01)
    assert plan_width(score(A), 0.01).n_blocks is None


@pytest.mark.slow
def test_a_set_of_the_planned_size_finds_the_difference_as_often_as_promised():
    """Errors of both systems are Poisson, one rate 1 point above the other: in 80 % of sets it is found."""
    rng = np.random.default_rng(0)

    def made(n):
        words = 1 + rng.poisson(5, n)
        hard = rng.gamma(2, 0.05, n)
        return rng.poisson((hard + 0.01) * words), rng.poisson(hard * words), words

    pilot = paired_difference(*made(4000))
    n = math.ceil(4000 * (pilot.standard_error * (1.95996 + 0.84162) / 0.01) ** 2)
    found = 0
    for _ in range(300):
        found += paired_difference(*made(n), method="jackknife").low > 0
    assert 0.72 <= found / 300 <= 0.88


def test_a_pilot_that_says_nothing_is_refused():
    few = noisy_file(10, seed=1)
    with pytest.raises(ScoreError, match="a pilot of 10 utterances says nothing; take 20 or more"):
        plan_width(score(few), 0.01)
    with pytest.raises(ScoreError, match="no spread to plan from"):
        plan_difference(compare(A, A), 0.01)
    nearly = [("да да", "да")] * 3 + [("да да", "да да")] * 40
    same = [("да да", "да да")] * 43
    with pytest.raises(ScoreError, match="differ in 3 utterances of the pilot only"):
        plan_difference(compare(file_of(*nearly, system="A"), file_of(*same, system="B")), 0.01)
    with pytest.raises(ScoreError, match="2 speakers give no spread to plan from; take 3 or more"):
        plan_width(score(noisy_file(60, n_speakers=2)), 0.01)
    with pytest.raises(ScoreError, match="holds no error"):
        plan_width(score(file_of(*[("да", "да")] * 40)), 0.01)


@pytest.mark.parametrize("size", [0, -0.01, math.nan, math.inf])
def test_sizes_that_make_no_sense_are_refused(size):
    for plan in (lambda: plan_width(score(A), size), lambda: plan_margin(compare(A, B), size)):
        with pytest.raises(ValueError, match="give a share above 0"):
            plan()
    with pytest.raises(ValueError, match="power is 80"):
        plan_difference(compare(A, B), 0.01, power=80)
    with pytest.raises(ValueError, match=r"expected is 0\.02"):
        plan_margin(compare(A, B), 0.01, expected=0.02)
