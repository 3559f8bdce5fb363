"""GPTQ: rounding of a weight so that the MatMul's output moves least, not each number by itself.

Rounding ``W`` (n_in, n_out) to ``Q`` moves the output for an input ``x`` by ``x @ (W - Q)``; over all inputs
that is ``tr (W - Q)^T H (W - Q)`` with ``H`` the mean of ``x^T x``. Inputs of a real network are correlated,
so that what rounding one row has done can be made good in the rows still to come. GPTQ rounds row by row and
spreads each row's error over the rest in the way that is best for ``H``.

Source: Frantar et al., "GPTQ" (arXiv 2210.17323), which works from the inverse of ``H``. Here in the form of
Chen et al., "GPTQ as Babai's nearest plane algorithm" (arXiv 2507.18553), which gives the same integers. With
``H = R R^T``, ``R`` upper triangular, the error is the sum of the squares of ``R^T (W - Q)``, whose row ``i``
holds errors of rows up to ``i`` only. The best value for row ``i``, before it is rounded, makes that zero:
``W[i] + sum over j < i of R[j, i] / R[i, i] * (W - Q)[j]``. It takes a Cholesky factorization, no inverse.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.graphs.weight_range import EXACT, WeightRange
from gigastt_lab.types import Float32Array, Int8Array

Float64Array = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.floating[Any]]


# Added to the diagonal of H, in units of its mean. GPTQ has 0.01, with 262,144 tokens to estimate H from; a
# minute of speech has 1,500 frames, and this much does better on speech that was not calibrated on.
_DAMPING: Final = 0.1
_SCALES_TRIED: Final = 10
_COLUMNS_AT_ONCE: Final = 64  # which a processor's cache holds
_BLOCK_ROWS: Final = 8  # rounded one by one; what more rows have to make good is a matrix product


def weight_scales(
    weight: Float32Array, allowed: WeightRange = EXACT, importance: Float64Array | None = None
) -> Float32Array:
    """Scales of a weight, one per output channel: those that round to the least error.

    Args:
        weight: Weight of a MatMul. Shape (n_in, n_out).
        allowed: Range of the integers. Where pairs are smaller than two of the largest, several scales are
            tried for each channel: finer steps, which cut more pairs, or coarser ones, which cut none.
        importance: Cost of an error in each row of the weight: see `damped`. Shape (n_in,). None: all alike.

    Returns:
        Shape (n_out,), above 0.
    """
    columns = np.ascontiguousarray(weight.T)
    finest: Float32Array = np.abs(columns).max(axis=1, initial=0.0) / np.float32(allowed.largest)
    finest[finest < np.finfo(np.float32).tiny] = 1.0  # no weights at all, or too small to have a scale
    coarser = _coarser(allowed)
    if len(coarser) == 1:
        return finest
    scales = np.empty_like(finest)
    per_input = np.ones(len(weight)) if importance is None else importance
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = slice(start, start + _COLUMNS_AT_ONCE)
        tried = coarser[:, None] * finest[some]
        errors = [
            _error(columns[some].T / scale, per_input, allowed) * factor**2
            for scale, factor in zip(tried, coarser, strict=True)
        ]
        scales[some] = np.choose(np.argmin(errors, axis=0), tried)
    return scales


def _coarser(allowed: WeightRange) -> Float32Array:
    """Scales to try, as multiples of the finest: up to one that leaves every pair small enough."""
    uncut = min(allowed.largest, allowed.largest_pair // 2)
    largest = np.unique(np.linspace(uncut, allowed.largest, _SCALES_TRIED, dtype=np.float32))
    coarser: Float32Array = np.float32(allowed.largest) / largest[::-1]
    return coarser


def _error(steps: Float32Array, importance: Float64Array, allowed: WeightRange) -> Float64Array:
    """Squared error of rounding to nearest, in steps, per output channel. Shape (n_out,)."""
    error: Float64Array = importance @ np.square(steps - round_to_nearest(steps, allowed))
    return error


def round_to_nearest(steps: Float32Array, allowed: WeightRange = EXACT) -> Int8Array:
    """Round each number by itself; of a pair that is too large, each gives half of what is too much.

    Args:
        steps: A weight in units of its scales. Shape (n_in, n_out).
        allowed: Range of the integers.

    Returns:
        Integers, of the same shape.
    """
    rounded = np.empty_like(steps)
    n_paired = len(steps) // 2 * 2
    first, second = steps[0:n_paired:2], steps[1:n_paired:2]
    rounded[0:n_paired:2] = _round_first(first, second, allowed)
    rounded[1:n_paired:2] = _round_second(second, rounded[0:n_paired:2], allowed)
    rounded[n_paired:] = _round_alone(steps[n_paired:], allowed)
    return rounded.astype(np.int8)


def quantize_weight(weight: Float32Array, allowed: WeightRange = EXACT) -> tuple[Int8Array, Float32Array]:
    """A weight as INT8, rounded to nearest.

    Args:
        weight: Weight of a MatMul. Shape (n_in, n_out).
        allowed: Range of the integers.

    Returns:
        Integers, shape (n_in, n_out), and scales, shape (n_out,): integers * scales is within half a scale of
        `weight`, but for pairs that are too large.

    >>> weight = np.array([[1.27, 1.27, 0.0], [-0.5, 1.27, 0.0]], np.float32)
    >>> quantize_weight(weight)[0].tolist()  # 127 + 127 would be too much
    [[127, 64, 0], [-50, 64, 0]]
    >>> from gigastt_lab.graphs.weight_range import EIGHT_BITS
    >>> quantize_weight(weight, EIGHT_BITS)[0].tolist()
    [[127, 127, 0], [-50, 127, 0]]
    """
    scales = weight_scales(weight, allowed)
    return round_to_nearest(weight / scales, allowed), scales


def damped(gram: Float64Array) -> Float64Array:
    """Damped Gram matrix: more on its diagonal, for inputs that the speech had too little of."""
    enough = gram.copy()
    enough[np.diag_indices_from(enough)] += _DAMPING * np.trace(gram) / len(gram) or 1.0  # anything, of none
    return enough


def correction(gram: Float64Array) -> Float64Array:
    """Corrections by which each row of a weight makes good the rounding errors of the rows before it.

    Args:
        gram: Mean or sum of ``x^T x`` over the inputs ``x`` of the MatMul. Shape (n_in, n_in). Inputs that
            are always zero are allowed: nothing of theirs can be made good.

    Returns:
        ``R[j, i] / R[i, i]`` of the module's text, shape (n_in, n_in): zero below the diagonal, one on it.

    Raises:
        numpy.linalg.LinAlgError: `gram` is no Gram matrix: it has a direction of negative energy.

    >>> correction(np.array([[1.0, 0.0], [0.0, 4.0]])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    # numpy gives a lower factor; of the matrix turned by 180 degrees, that is the upper one turned.
    factor = np.linalg.cholesky(damped(gram)[::-1, ::-1])
    factor /= np.diagonal(factor).copy()
    upper: Float64Array = np.ascontiguousarray(factor[::-1, ::-1])
    return upper


def round_with(steps: Float32Array, correction: Float64Array, allowed: WeightRange = EXACT) -> Int8Array:
    """Round row after row, each row making good what it can of the errors before it.

    Args:
        steps: A weight in units of its scales. Shape (n_in, n_out).
        correction: Corrections between its rows, of `correction`. Shape (n_in, n_in).
        allowed: Range of the integers.

    Returns:
        Integers, of the shape of `steps`.
    """
    exact = steps.astype(np.float64)
    rounded = exact.copy()
    _round_rows(exact, rounded, correction, allowed)
    return rounded.astype(np.int8)


def _round_rows(
    steps: Float64Array, wanted: Float64Array, correction: Float64Array, allowed: WeightRange
) -> None:
    """Round some rows in place, each row making good the errors of those before it.

    Args:
        steps: The rows as they are, from an even one on. Shape (n, n_out).
        wanted: The rows with the corrections for earlier ones; rounded in place. Shape (n, n_out).
        correction: Corrections between these rows. Shape (n, n).
        allowed: Range of the integers.
    """
    if len(steps) > _BLOCK_ROWS:
        half = len(steps) // 4 * 2  # no pair is cut
        _round_rows(steps[:half], wanted[:half], correction[:half, :half], allowed)
        wanted[half:] += correction[:half, half:].T @ (steps[:half] - wanted[:half])
        _round_rows(steps[half:], wanted[half:], correction[half:, half:], allowed)
        return
    for i in range(len(steps)):
        if i % 2:
            wanted[i] = _round_second(wanted[i], wanted[i - 1], allowed)
        elif i + 1 < len(steps):
            wanted[i] = _round_first(wanted[i], wanted[i + 1], allowed)
        else:
            wanted[i] = _round_alone(wanted[i], allowed)
        # No matrix product: BLAS would set all its threads to each of these small steps, and wait for them.
        wanted[i + 1 :] += correction[i, i + 1 :, None] * (steps[i] - wanted[i])


def _round_alone(row: _Rows, allowed: WeightRange) -> _Rows:
    rounded: _Rows = np.clip(np.rint(row), -allowed.largest, allowed.largest)
    return rounded


def _round_first(first: _Rows, second: _Rows, allowed: WeightRange) -> _Rows:
    """Round the first of each pair, which leaves half of what is too much to the second."""
    first, second = (np.clip(row, -allowed.largest, allowed.largest) for row in (first, second))
    total = first + second
    too_much = total - np.clip(total, -allowed.largest_pair, allowed.largest_pair)
    rounded: _Rows = np.rint(first - too_much / 2)
    return rounded


def _round_second(second: _Rows, first: _Rows, allowed: WeightRange) -> _Rows:
    """Round the second of each pair, as far as the first one, rounded, leaves it room."""
    low = np.maximum(-allowed.largest, -allowed.largest_pair - np.minimum(first, 0))
    high = np.minimum(allowed.largest, allowed.largest_pair - np.maximum(first, 0))
    rounded: _Rows = np.clip(np.rint(second), low, high)
    return rounded
