"""Rounding a weight so that its product's output moves least, rather than each number by itself: GPTQ.

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

from typing import Final

import numpy as np
import numpy.typing as npt

from gigastt_lab.types import Float32Array

Float64Array = npt.NDArray[np.float64]
Int8Array = npt.NDArray[np.int8]

LARGEST: Final = 127  # symmetric: -128 is left out, so that zero is exact and the sign costs nothing

# Added to the diagonal of H, in units of its mean. GPTQ has 0.01, with 262,144 tokens to estimate H from; a
# minute of speech has 1,500 frames, and this much does better on speech that was not calibrated on.
_DAMPING: Final = 0.1
_BLOCK_ROWS: Final = 8  # rounded one by one; what more rows have to make good is a matrix product


def weight_scales(weight: Float32Array) -> Float32Array:
    """One scale per output channel: its largest weight is 127 of them.

    Args:
        weight: Shape (n_in, n_out).

    Returns:
        Shape (n_out,), above 0.
    """
    scales: Float32Array = np.abs(weight).max(axis=0) / np.float32(LARGEST)
    scales[scales < np.finfo(np.float32).tiny] = 1.0  # no weights at all, or too small to have a scale
    return scales


def round_to_nearest(steps: Float32Array) -> Int8Array:
    """Each number by itself.

    Args:
        steps: A weight in units of its scales. Shape (n_in, n_out).

    Returns:
        Integers in [-127, 127], of the same shape.
    """
    return np.rint(steps).astype(np.int8)


def quantize_weight(weight: Float32Array) -> tuple[Int8Array, Float32Array]:
    """A weight as INT8, rounded to nearest.

    Args:
        weight: Shape (n_in, n_out).

    Returns:
        Integers in [-127, 127], shape (n_in, n_out), and scales, shape (n_out,): integers * scales is
        within half a scale of `weight`.

    >>> quantize_weight(np.array([[1.27, 0.0], [-0.5, 0.0]], np.float32))[0].tolist()
    [[127, 0], [-50, 0]]
    """
    scales = weight_scales(weight)
    return round_to_nearest(weight / scales), scales


def correction(gram: Float64Array) -> Float64Array:
    """What the rounding of each row of a weight is to make good of that of the rows before it.

    Args:
        gram: Mean or sum of ``x^T x`` over the inputs ``x`` of the product. Shape (n_in, n_in). Inputs that
            are always zero are allowed: nothing of theirs can be made good.

    Returns:
        ``R[j, i] / R[i, i]`` of the module's text, shape (n_in, n_in): zero below the diagonal, one on it.

    Raises:
        numpy.linalg.LinAlgError: `gram` is no Gram matrix: it has a direction of negative energy.

    >>> correction(np.array([[1.0, 0.0], [0.0, 4.0]])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    damping = _DAMPING * np.trace(gram) / len(gram) or 1.0  # of no input at all, anything above 0
    # numpy gives a lower factor; of the matrix turned by 180 degrees, that is the upper one turned.
    turned = gram[::-1, ::-1].copy()
    turned[np.diag_indices_from(turned)] += damping
    factor = np.linalg.cholesky(turned)
    factor /= np.diagonal(factor).copy()
    upper: Float64Array = np.ascontiguousarray(factor[::-1, ::-1])
    return upper


def round_with(steps: Float32Array, correction: Float64Array) -> Int8Array:
    """Round row after row, each row making good what it can of the errors before it.

    Args:
        steps: A weight in units of its scales. Shape (n_in, n_out).
        correction: Of its product's inputs. Shape (n_in, n_in).

    Returns:
        Integers in [-127, 127], of the shape of `steps`.
    """
    exact = steps.astype(np.float64)
    rounded = exact.copy()
    _round_rows(exact, rounded, correction)
    return rounded.astype(np.int8)


def _round_rows(steps: Float64Array, wanted: Float64Array, correction: Float64Array) -> None:
    """Round some rows in place, each row making good the errors of those before it.

    Args:
        steps: The rows as they are. Shape (n, n_out).
        wanted: The rows and what they are to make good of earlier ones; rounded in place. Shape (n, n_out).
        correction: Between these rows. Shape (n, n).
    """
    if len(steps) > _BLOCK_ROWS:
        half = len(steps) // 2
        _round_rows(steps[:half], wanted[:half], correction[:half, :half])
        wanted[half:] += correction[:half, half:].T @ (steps[:half] - wanted[:half])
        _round_rows(steps[half:], wanted[half:], correction[half:, half:])
        return
    for i in range(len(steps)):
        wanted[i] = np.clip(np.rint(wanted[i]), -LARGEST, LARGEST)
        # No matrix product: BLAS would set all its threads to each of these small steps, and wait for them.
        wanted[i + 1 :] += correction[i, i + 1 :, None] * (steps[i] - wanted[i])
