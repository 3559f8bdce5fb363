"""GPTQ against its textbook, pairs against the arithmetic of `vpmaddubsw`, and what always has to hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gigastt_lab.graphs.int8_weights import has_large_pairs
from gigastt_lab.graphs.weight_range import EIGHT_BITS, EXACT, SEVEN_BITS, WeightRange
from gigastt_lab.quantization.gptq import (
    correction,
    quantize_weight,
    round_to_nearest,
    round_with,
    weight_scales,
)

SIZES = [1, 2, 7, 8, 9, 16, 17, 100]  # about the block of eight rows


def steps(n_in: int, n_out: int, seed: int = 0) -> np.ndarray:
    """A weight in units of its scales: the largest of each column is 127."""
    weight = np.random.default_rng(seed).normal(size=(n_in, n_out)).astype(np.float32)
    return weight / weight_scales(weight, EIGHT_BITS)


def inputs(n_rows: int, n_in: int, seed: int = 1) -> np.ndarray:
    """Rows whose numbers hang together, a few directions strong and most weak, as in a trained network."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(n_in, n_in)) * (0.9 ** np.arange(n_in))[:, None]
    return rng.normal(size=(n_rows, n_in)) @ directions


def vpmaddubsw(activations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums as x86 kernels without VNNI compute them: each pair of products in 16 bits, saturating."""
    if len(weights) % 2:
        activations, weights = np.pad(activations, ((0, 0), (0, 1))), np.pad(weights, ((0, 1), (0, 0)))
    products = activations[:, :, None].astype(int) * weights.astype(int)
    return np.clip(products[:, 0::2] + products[:, 1::2], -(2**15), 2**15 - 1).sum(axis=1)


def activations(n_in: int) -> np.ndarray:
    """Unsigned bytes: the largest everywhere, the largest here and there, and any."""
    rng = np.random.default_rng(2)
    return np.concatenate(
        [np.full((1, n_in), 255), rng.choice([0, 255], (20, n_in)), rng.integers(0, 256, (20, n_in))]
    ).astype(np.uint8)


def textbook(weight: np.ndarray, gram: np.ndarray, damping: float = 0.1) -> np.ndarray:
    """Algorithm 1 of the GPTQ paper without its blocks: by the Cholesky factor of the inverse."""
    n = len(weight)
    damped = gram + damping * np.trace(gram) / n * np.eye(n)
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    rest, rounded = weight.astype(np.float64), np.zeros(weight.shape)
    for i in range(n):
        rounded[i] = np.clip(np.rint(rest[i]), -127, 127)
        rest[i + 1 :] -= np.outer(upper[i, i + 1 :], (rest[i] - rounded[i]) / upper[i, i])
    return rounded


@pytest.mark.parametrize("n_in", SIZES)
def test_it_is_gptq(n_in: int) -> None:
    x, w = inputs(300, n_in), steps(n_in, 20)
    rounded = round_with(w, correction(x.T @ x), EIGHT_BITS)
    np.testing.assert_array_equal(rounded, textbook(w, x.T @ x))


@pytest.mark.parametrize("n_in", SIZES)
def test_small_pairs_are_rounded_as_any(n_in: int) -> None:
    """The limit on pairs changes nothing where no pair is too large."""
    x, w = inputs(300, n_in), steps(n_in, 20) * np.float32(0.3)
    rounded = round_with(w, correction(x.T @ x), EXACT)
    np.testing.assert_array_equal(rounded, textbook(w, x.T @ x))
    np.testing.assert_array_equal(round_to_nearest(w, EXACT), np.rint(w))


@pytest.mark.parametrize("n_in", SIZES)
@pytest.mark.parametrize("allowed", [EXACT, SEVEN_BITS])
def test_products_are_exact_in_sixteen_bits(n_in: int, allowed: WeightRange) -> None:
    x, w = inputs(300, n_in), np.sign(steps(n_in, 20)) * np.abs(steps(n_in, 20)) ** 0.3 * np.float32(30)
    a = activations(n_in)
    for rounded in (round_with(w, correction(x.T @ x), allowed), round_to_nearest(w, allowed)):
        assert np.abs(rounded.astype(int)).max() <= allowed.largest
        assert not has_large_pairs(rounded)
        np.testing.assert_array_equal(vpmaddubsw(a, rounded), a.astype(int) @ rounded.astype(int))


def test_eight_bits_are_not() -> None:
    w = round_to_nearest(np.full((4, 3), 127.0, np.float32), EIGHT_BITS)
    assert has_large_pairs(w)
    assert (vpmaddubsw(activations(4)[:1], w) < activations(4)[:1].astype(int) @ w.astype(int)).all()


@given(
    arrays.arrays(np.int8, st.tuples(st.integers(1, 7), st.integers(1, 3)), elements=st.integers(-127, 127))
)
def test_large_pairs_are_those_that_saturate(w: np.ndarray) -> None:
    """Some unsigned bytes make a pair saturate if, and only if, it is large: 255 for weights of one sign."""
    worst = [np.where(sign * w.T > 0, 255, 0) for sign in (1, -1)]
    saturates = any((vpmaddubsw(rows, w).diagonal() != (rows * w.T).sum(axis=1)).any() for rows in worst)
    assert has_large_pairs(w) == saturates


def test_each_of_a_large_pair_gives_half() -> None:
    w = np.array([[100.0, 127.0, -90.0, 60.0], [60.0, 127.0, -90.0, -127.0]], np.float32)
    assert round_to_nearest(w).tolist() == [[84, 64, -64, 60], [44, 64, -64, -127]]


def test_rows_after_a_large_pair_make_its_cut_good() -> None:
    """Three rows with the same input: what the first two lose, the third one adds."""
    x = np.repeat(np.random.default_rng(0).normal(size=(200, 1)), 3, axis=1)
    w = np.array([[100.0], [90.0], [10.0]], np.float32)
    rounded = round_with(w, correction(x.T @ x))
    assert np.abs(rounded[:2].astype(int)).sum() == 128
    assert rounded[2] - 10 > 0.5 * (190 - 128)


@pytest.mark.parametrize("seed", range(5))
def test_the_scale_is_one_of_little_error(seed: int) -> None:
    """Against a much finer choice between the finest scale and one that cuts no pair."""
    w = np.random.default_rng(seed).normal(size=(256, 30)).astype(np.float32)
    peaks = np.abs(w).max(axis=0)

    def errors(scales: np.ndarray) -> np.ndarray:
        return np.square(w - round_to_nearest(w / scales) * scales).sum(axis=0)

    found = errors(weight_scales(w))
    best = np.min([errors(peaks / np.float32(largest)) for largest in np.linspace(64, 127, 400)], axis=0)
    assert found.sum() < 1.2 * best.sum()
    assert found.sum() < 0.6 * errors(peaks / np.float32(64)).sum()
    assert found.sum() < 0.1 * errors(peaks / np.float32(127)).sum()


def test_pairs_that_nothing_is_multiplied_by_may_be_cut() -> None:
    """All pairs but one are small, and the input of that one is always zero: the finest scale."""
    w = np.random.default_rng(0).uniform(-0.4, 0.4, (1000, 5)).astype(np.float32)
    w[:2] = 1.0
    silent = np.concatenate([[0.0, 0.0], np.ones(998)])
    np.testing.assert_allclose(
        weight_scales(w, EXACT, silent), 1 / 127, rtol=0.08
    )  # or the next of those tried
    np.testing.assert_allclose(weight_scales(w), 1 / 64, rtol=0.1)


def test_exact_products_cost_less_than_a_bit() -> None:
    """Between seven bits and eight, nearer to eight, for weights of a normal distribution."""
    w = np.random.default_rng(0).normal(size=(768, 200)).astype(np.float32)

    def error(allowed: WeightRange) -> float:
        integers, scales = quantize_weight(w, allowed)
        return float(np.linalg.norm(w - integers * scales) / np.linalg.norm(w))

    seven, exact, eight = (error(allowed) for allowed in (SEVEN_BITS, EXACT, EIGHT_BITS))
    assert eight < exact < (seven + eight) / 2 < seven


@pytest.mark.parametrize("n_in", SIZES)
def test_inputs_that_have_nothing_to_do_with_one_another_give_the_nearest(n_in: int) -> None:
    w = steps(n_in, 20)
    for gram in (np.eye(n_in), np.diag(np.arange(1.0, n_in + 1)), np.zeros((n_in, n_in))):
        for allowed in (EIGHT_BITS, EXACT):
            rounded = round_with(w, correction(gram), allowed)
            np.testing.assert_array_equal(rounded, round_to_nearest(w, allowed))


@pytest.mark.parametrize("n_rows", [20, 1000])  # fewer than inputs, and more
def test_the_output_moves_less_than_half_as_much(n_rows: int) -> None:
    """Also that for rows which were not seen."""
    x, unseen = np.split(inputs(2 * n_rows, 100), 2)
    w = steps(100, 50)
    rounded, nearest = round_with(w, correction(x.T @ x)), round_to_nearest(w)
    for rows, factor in ((x, 0.5), (unseen, 0.5 if n_rows > 100 else 0.9)):
        assert np.linalg.norm(rows @ (w - rounded)) < factor * np.linalg.norm(rows @ (w - nearest))


def test_the_unit_of_the_inputs_does_not_matter() -> None:
    x, w = inputs(300, 40), steps(40, 20)
    gram = x.T @ x
    for unit in (1e-12, 1.0, 2.0**40):
        np.testing.assert_array_equal(round_with(w, correction(unit * gram)), round_with(w, correction(gram)))


def test_what_cannot_be_made_good_stays_in_range() -> None:
    """All inputs nearly the same: each row makes good the errors of all before it, at the edge."""
    x = np.random.default_rng(0).normal(size=(200, 1)) + 1e-3 * inputs(200, 30)
    w = np.full((30, 4), 126.6, np.float32)
    w[-4:] = 127.0
    rounded = round_with(w, correction(x.T @ x))
    assert rounded.dtype == np.int8
    assert np.abs(rounded.astype(int)).max() <= 127


def test_inputs_that_are_always_zero_change_nothing() -> None:
    x, w = inputs(300, 12), steps(12, 20)
    silent = [0, 5, 11]
    x[:, silent] = 0.0
    rounded = round_with(w, correction(x.T @ x), EIGHT_BITS)
    np.testing.assert_array_equal(rounded[silent], round_to_nearest(w, EIGHT_BITS)[silent])
    others = np.delete(np.arange(12), silent)
    gram = x[:, others].T @ x[:, others]
    # The damping is a share of the mean over all inputs, silent ones among them.
    np.testing.assert_array_equal(rounded[others], textbook(w[others], gram, 0.1 * len(others) / 12))


def test_what_is_no_gram_matrix_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        correction(np.array([[1.0, 3.0], [3.0, 1.0]]))


def test_a_column_without_weights_has_a_scale() -> None:
    integers, scales = quantize_weight(np.zeros((3, 2), np.float32))
    assert (integers == 0).all()
    assert (scales == 1.0).all()
