"""Training objective: RNN-T, and two CTC losses that lead the encoder off its plateau."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gigastt_lab.training.architecture import Transducer
from gigastt_lab.training.batches import Batch
from gigastt_lab.training.lattice import packed_rnnt_loss


@dataclass(frozen=True)
class Weights:
    """Weights of the three losses; a zero leaves the loss, and the layers only it needs, out."""

    rnnt: float
    piece_ctc: float
    character_ctc: float


def loss(model: Transducer, batch: Batch, weights: Weights) -> Tensor:
    """The weighted losses of a batch, each the mean over its targets' symbols (a scalar, nats)."""
    n_layers = None if weights.rnnt or weights.piece_ctc else model.character_layer
    outputs, lengths = model.encoder.frames(batch.features, batch.lengths, n_layers)
    total = torch.zeros(())
    if weights.character_ctc:
        logits = model.character_ctc(outputs[model.character_layer - 1])
        total = total + weights.character_ctc * _ctc(logits, lengths, batch.characters)
    if weights.piece_ctc:
        total = total + weights.piece_ctc * _ctc(model.piece_ctc(outputs[-1]), lengths, batch.pieces)
    if weights.rnnt:
        total = total + weights.rnnt * _rnnt(model, outputs[-1], lengths, batch.pieces)
    return total


def _ctc(logits: Tensor, lengths: Tensor, targets: list[Tensor]) -> Tensor:
    """Mean CTC loss per symbol; the blank is the last class."""
    log_probabilities = functional.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    n_targets = torch.tensor([len(t) for t in targets])
    return functional.ctc_loss(
        log_probabilities, torch.cat(targets), lengths, n_targets,
        blank=logits.shape[-1] - 1, reduction="sum", zero_infinity=True,
    ) / n_targets.sum().clamp(min=1)  # fmt: skip


def _rnnt(model: Transducer, encoded: Tensor, lengths: Tensor, targets: list[Tensor]) -> Tensor:
    """Mean RNN-T loss per piece, over packed (frame, label) pairs."""
    blank = model.config.blank_id
    n_labels = torch.tensor([len(t) for t in targets])
    tokens = torch.full((len(targets), int(n_labels.max()) + 1), blank)
    for row, target in zip(tokens, targets, strict=True):
        row[1 : len(target) + 1] = target  # the predictor starts from the blank, whose embedding is zero
    zeros = torch.zeros(1, len(targets), model.config.pred_hidden)
    predicted, _, _ = model.predictor(tokens, zeros, zeros)
    enc, dec = model.joiner.encoder(encoded), model.joiner.predictor(predicted)
    pairs, next_labels = [], []
    for b, target in enumerate(targets):
        frames, width = int(lengths[b]), len(target) + 1
        pairs.append((enc[b, :frames, None] + dec[b, None, :width]).flatten(0, 1))
        next_labels.append(functional.pad(target, (0, 1)).repeat(frames))
    logits = model.joiner.out(functional.relu(torch.cat(pairs)))
    total = packed_rnnt_loss(logits, torch.cat(next_labels), lengths.long(), n_labels, blank)
    return total / n_labels.sum().clamp(min=1)
