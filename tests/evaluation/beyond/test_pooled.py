"""Intervals of pooled statistics: bounds, blocks, and groups that stand for many units."""

import math

import numpy as np
import pytest

from evaluation.beyond.pooled import per_unit, rate, ratio, share, statistic, units_of
from evaluation.beyond.retrieval import f1, retrieval
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def many(n, **options):
    return score(file_of(*[("да", "да")] * n), n_resamples=200, **options)


def test_units_are_utterances_speakers_or_groups_of_them():
    assert units_of(many(50)) is None
    assert sorted(set(units_of(score(noisy_file(50, n_speakers=7))).tolist())) == [*range(7)]
    groups = np.bincount(units_of(many(6000)))
    assert (len(groups), groups.min(), groups.max()) == (2000, 3, 3)


def test_sums_of_units_are_those_of_the_utterances():
    one = score(noisy_file(50, n_speakers=7))
    errors = one.utterances["errors"]
    by_speaker = errors.groupby([record.speaker for record in one.file.records], sort=False).sum()
    assert per_unit(errors, one).tolist() == by_speaker.tolist()


@pytest.mark.slow
def test_groups_leave_the_width_as_it_is():
    rng = np.random.default_rng(0)
    one = many(9000)
    whole = rng.integers(1, 20, 9000)
    part = rng.binomial(whole, rng.beta(8, 2, 9000))
    found = share(part, whole, one)
    p = part.sum() / whole.sum()
    error = math.sqrt(((part - p * whole) ** 2).sum()) / whole.sum()
    assert found.value == p
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.12)


def test_nothing_and_all_have_bounds():
    one, ones = many(30), np.ones(30, int)
    none, every = share(ones * 0, ones, one), share(ones, ones, one)
    assert (none.low, none.value) == (0, 0)
    assert (every.value, every.high) == (1, 1)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 30), abs=1e-6)
    assert every.low == pytest.approx(0.025 ** (1 / 30), abs=1e-6)
    assert all(
        map(
            math.isnan,
            (
                share(ones * 0, ones * 0, one).value,
                statistic(ones[:, None] * 0, lambda s: ratio(s[..., 0], s[..., 0]), one).low,
            ),
        )
    )


def test_a_rate_is_per_so_much():
    found = rate([1] * 30, [60_000] * 30, many(30), per=3_600_000)
    assert found.value == 60
    assert found.low < 60 < found.high


def test_f1_is_the_harmonic_mean():
    sums = np.array([[6.0, 8.0, 12.0], [0.0, 0.0, 0.0]])
    assert f1(sums)[0] == pytest.approx(2 / (8 / 6 + 12 / 6))
    assert math.isnan(f1(sums)[1])


def test_cells_of_a_row():
    row = retrieval([1, 0] * 20, [1, 1] * 20, [1, 0] * 20, many(40))
    assert (row["n_reference"], row["n_hypothesis"], row["n_found"]) == (40, 20, 20)
    assert (row["recall"], row["precision"], row["f1"]) == (0.5, 1, pytest.approx(2 / 3))
    assert row["precision_low"] < row["precision_high"] == 1


@pytest.mark.slow
def test_intervals_hold_what_they_should():
    # 400 sets of 40 utterances with a common part: how many of the 95 % intervals hold the true F1?
    rng = np.random.default_rng(3)
    hold = 0
    truth = f1(np.array([0.8 * 0.75, 0.8, 0.75 * 0.8 + 0.15]))  # found, reference, hypothesis per place
    for _ in range(400):
        n = rng.integers(2, 12, 40)
        there = rng.binomial(n, 0.8)
        found = rng.binomial(there, 0.75)
        heard = found + rng.binomial(n, 0.15)
        row = retrieval(found, there, heard, many(40))
        hold += row["f1_low"] <= truth <= row["f1_high"]
    assert 0.92 <= hold / 400 <= 0.98
