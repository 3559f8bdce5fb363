"""The RNN-T loss over packed pairs: no padding is computed, and the gradient is analytic.

A batch's pairs (encoder frame t, emitted tokens u) lie one after another: utterance b has
T_b * (U_b + 1) rows, row t * (U_b + 1) + u. Source: Graves, "Sequence Transduction with
Recurrent Neural Networks", 2012 (arXiv 1211.3711), equations 16-20.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gigastt_lab.types import Float32Array

Float64Array = npt.NDArray[np.float64]


@numba.njit(cache=True)
def _log_add(a: float, b: float) -> float:  # pragma: no cover - compiled
    high, low = (a, b) if a > b else (b, a)
    if low == -np.inf:
        return high
    return high + math.log1p(math.exp(low - high))


@numba.njit(cache=True)
def occupancies(  # noqa: PLR0912 - one pass over the lattice each way; numba inlines nothing it cannot see
    blank: Float32Array, label: Float32Array, n_frames: npt.NDArray[np.int64], n_labels: npt.NDArray[np.int64]
) -> tuple[Float64Array, Float32Array, Float32Array]:  # pragma: no cover - compiled
    """Arc occupancies: forward and backward over every utterance's lattice.

    Args:
        blank: Log-probability of the blank, by packed row.
        label: Log-probability of the next label, by packed row (ignored where u = U).
        n_frames: Encoder frames T of each utterance.
        n_labels: Labels U of each utterance.

    Returns:
        Negative log-likelihoods (B,), and the posterior probability of taking the blank and the
        label arc at each row: the loss's gradient with respect to their log-probabilities, negated.
    """
    losses = np.zeros(len(n_frames), np.float64)
    blank_occupancy, label_occupancy = np.zeros_like(blank), np.zeros_like(label)
    start = 0
    for b in range(len(n_frames)):
        frames, width = n_frames[b], n_labels[b] + 1
        alpha = np.full((frames, width), -np.inf)
        beta = np.full((frames, width), -np.inf)
        alpha[0, 0] = 0.0
        for t in range(frames):
            for u in range(width):
                row = start + t * width + u
                if t > 0:
                    alpha[t, u] = _log_add(alpha[t, u], alpha[t - 1, u] + blank[row - width])
                if u > 0:
                    alpha[t, u] = _log_add(alpha[t, u], alpha[t, u - 1] + label[row - 1])
        end = start + frames * width - 1
        beta[frames - 1, width - 1] = blank[end]
        for t in range(frames - 1, -1, -1):
            for u in range(width - 1, -1, -1):
                row = start + t * width + u
                if t < frames - 1:
                    beta[t, u] = _log_add(beta[t, u], beta[t + 1, u] + blank[row])
                if u < width - 1:
                    beta[t, u] = _log_add(beta[t, u], beta[t, u + 1] + label[row])
        total = beta[0, 0]
        losses[b] = -total
        for t in range(frames):
            for u in range(width):
                row = start + t * width + u
                if t < frames - 1:
                    blank_occupancy[row] = math.exp(alpha[t, u] + blank[row] + beta[t + 1, u] - total)
                elif u == width - 1:
                    blank_occupancy[row] = 1.0
                if u < width - 1:
                    label_occupancy[row] = math.exp(alpha[t, u] + label[row] + beta[t, u + 1] - total)
        start += frames * width
    return losses, blank_occupancy, label_occupancy


class _PackedLoss(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - torch calls it so
        ctx: Any, logits: Tensor, next_labels: Tensor, n_frames: Tensor, n_labels: Tensor, blank_id: int
    ) -> Tensor:
        logits = logits.float()
        normaliser = logits.logsumexp(dim=-1)
        blank = logits[:, blank_id] - normaliser
        label = logits.gather(1, next_labels[:, None]).squeeze(1) - normaliser
        losses, blank_occupancy, label_occupancy = occupancies(
            blank.numpy(), label.numpy(), n_frames.numpy(), n_labels.numpy()
        )
        at_blank, at_label = torch.from_numpy(blank_occupancy), torch.from_numpy(label_occupancy)
        gradient = (logits - normaliser[:, None]).exp_().mul_((at_blank + at_label)[:, None])
        gradient[:, blank_id] -= at_blank
        gradient.scatter_add_(1, next_labels[:, None], -at_label[:, None])
        ctx.save_for_backward(gradient)
        return torch.tensor(losses.sum(), dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0], None, None, None, None


def packed_rnnt_loss(
    logits: Tensor, next_labels: Tensor, n_frames: Tensor, n_labels: Tensor, blank_id: int
) -> Tensor:
    """Sum of the utterances' negative log-likelihoods, in nats.

    Args:
        logits: Unnormalised scores, (rows, n_tokens).
        next_labels: The label that each row would emit, (rows,); any token where u = U.
        n_frames: Encoder frames of each utterance, (B,) int64.
        n_labels: Labels of each utterance, (B,) int64.
        blank_id: The blank's token.
    """
    return torch.as_tensor(_PackedLoss.apply(logits, next_labels, n_frames, n_labels, blank_id))  # type: ignore[no-untyped-call]
