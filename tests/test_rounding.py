"""GPTQ against its textbook form, and what has to hold whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.rounding import correction, quantize_weight, round_to_nearest, round_with, weight_scales

SIZES = [1, 2, 7, 8, 9, 16, 17, 100]  # about the block of eight rows


def steps(n_in: int, n_out: int, seed: int = 0) -> np.ndarray:
    """A weight in units of its scales: the largest of each column is 127."""
    weight = np.random.default_rng(seed).normal(size=(n_in, n_out)).astype(np.float32)
    return weight / weight_scales(weight)


def inputs(n_rows: int, n_in: int, seed: int = 1) -> np.ndarray:
    """Rows whose numbers hang together, a few directions strong and most weak, as in a trained network."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(n_in, n_in)) * (0.9 ** np.arange(n_in))[:, None]
    return rng.normal(size=(n_rows, n_in)) @ directions


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
    np.testing.assert_array_equal(round_with(w, correction(x.T @ x)), textbook(w, x.T @ x))


@pytest.mark.parametrize("n_in", SIZES)
def test_inputs_that_have_nothing_to_do_with_one_another_give_the_nearest(n_in: int) -> None:
    w = steps(n_in, 20)
    for gram in (np.eye(n_in), np.diag(np.arange(1.0, n_in + 1)), np.zeros((n_in, n_in))):
        np.testing.assert_array_equal(round_with(w, correction(gram)), round_to_nearest(w))


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
    rounded = round_with(w, correction(x.T @ x))
    np.testing.assert_array_equal(rounded[silent], round_to_nearest(w)[silent])
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
