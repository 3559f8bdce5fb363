"""Random weights that behave like trained ones, at any size: for work on speed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from gigastt_lab.audio.reading import decode_audio
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.recognition.search import GreedySearch
from gigastt_lab.training.architecture import ConformerLayer, Transducer
from gigastt_lab.types import Float32Array, Int64Array


@torch.no_grad()
def randomise(model: Transducer, *, frames_per_token: float = 7.0, seed: int = 0) -> None:
    """Set random weights that behave like trained ones where speed is concerned.

    Plain random weights give every frame the same output. Here the layers' branches are weak beside
    what they are added to, and each layer's output is centred and rescaled over the packaged clips, so
    that frames differ. About one frame in `frames_per_token` emits a token.

    Args:
        model: Network, changed in place; its normalisation, too.
        frames_per_token: Encoder frames for each token, measured over the packaged clips.
        seed: Seed of the weights.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * fan_in**-0.5)
        elif "norm" not in name:
            parameter.zero_()
    model.predictor.embedding.weight[model.config.blank_id] = 0.0
    subsampling = model.encoder.subsampling
    subsampling.mean.fill_(-9.0)  # of log-mel features, roughly
    subsampling.deviation.fill_(3.0)
    features = _sample_features()
    x, _ = subsampling(features, torch.tensor([features.shape[2]]))
    tables = (model.encoder.cos[: x.shape[1]], model.encoder.sin[: x.shape[1]])
    for layer in cast("Iterable[ConformerLayer]", model.encoder.layers):
        for end in layer.branch_ends():
            end.weight *= 0.3
        output = layer(x, *tables, None, torch.zeros(1, x.shape[1], dtype=torch.bool))
        scale, mean = output[0].std(dim=0) + 1e-5, output[0].mean(dim=0)
        norm = cast("nn.LayerNorm", layer.norms[4])
        norm.bias.copy_(-mean / scale)
        norm.weight.copy_(1.0 / scale)
        x = (output - mean) / scale
    _make_talkative(model, x.transpose(1, 2), frames_per_token)


def _sample_features() -> Tensor:
    """Log-mel features of the packaged clips, one after another. Shape (1, n_mels, n_frames)."""
    clips = sorted(DEMO_CLIPS_DIRECTORY.glob("*.flac"))
    return torch.from_numpy(log_mel(np.concatenate([decode_audio(clip) for clip in clips])))[None]


def _make_talkative(model: Transducer, encoded: Tensor, frames_per_token: float) -> None:
    """Wire predictor and joiner so that tokens come one at a time, about one in `frames_per_token` frames.

    Purely random ones fall silent, or emit up to the limit in one frame. So two inner units of the joiner
    see one direction of the encoder's frames, one its positive side, the other its negative side, and each
    is closed by the predictor while the last token was of its own kind (even or odd): a token is emitted
    whenever the direction's sign turns by more than the blank's bias, which bisection finds. Which token of
    the kind it is, random weights decide.
    """
    joiner, blank = model.joiner, model.config.blank_id
    embedding = model.predictor.embedding.weight
    embedding[:, :2] = 0.0
    for kind in (0, 1):
        embedding[kind:blank:2, kind] = 4.0
        _remember_input(model.predictor.lstm, kind)
        joiner.predictor.weight[kind] = 0.0
        joiner.predictor.weight[kind, kind] = -100.0
        joiner.out.weight[:, kind] = 0.0
        joiner.out.weight[kind:blank:2, kind] = 10.0
    joiner.out.weight[blank] = 0.0
    joiner.encoder.weight[1] = -joiner.encoder.weight[0]
    turning = joiner.encoder.weight[:2] @ encoded[0]  # centred, so that both signs come
    joiner.encoder.bias[:2] = -turning.mean(dim=1)
    frames = joiner.encoder(encoded.transpose(1, 2)).numpy()
    lengths = np.array([frames.shape[1]])
    low, high = 0.0, 50.0
    for _ in range(12):
        joiner.out.bias[blank] = (low + high) / 2
        search = GreedySearch(_TorchPredictor(model), _TorchJoiner(model), blank_id=blank)
        (tokens,), _ = search(frames, lengths)
        too_many = len(tokens) * frames_per_token > lengths[0]
        low, high = ((low + high) / 2, high) if too_many else (low, (low + high) / 2)


def _remember_input(lstm: nn.LSTM, unit: int) -> None:
    """Make one unit of an LSTM show the input of its own number, and forget it at the next step."""
    width, weights = lstm.hidden_size, dict(lstm.named_parameters())
    for name in ("weight_ih_l0", "weight_hh_l0"):
        weights[name][unit::width] = 0.0
    # torch stacks the gates: input, forget, cell, output.
    weights["weight_ih_l0"][2 * width + unit, unit] = 1.0
    for gate, open_or_closed in ((0, 10.0), (1, -10.0), (3, 10.0)):
        weights["bias_ih_l0"][gate * width + unit] = open_or_closed


class _TorchPredictor:
    """The predictor for `GreedySearch`, straight from torch."""

    def __init__(self, model: Transducer) -> None:
        self._model = model
        self.state_size = 2 * model.config.pred_hidden

    @torch.no_grad()
    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        hidden, cell = torch.from_numpy(states).chunk(2, dim=1)
        output, hidden, cell = self._model.predictor(
            torch.from_numpy(tokens)[:, None], hidden[None].contiguous(), cell[None].contiguous()
        )
        predicted = self._model.joiner.predictor(output[:, 0])
        return predicted.numpy(), torch.cat((hidden[0], cell[0]), dim=1).numpy()


class _TorchJoiner:
    """The joiner for `GreedySearch`, straight from torch; frames are projected already."""

    def __init__(self, model: Transducer) -> None:
        self._model = model

    def project(self, encoded: Float32Array) -> Float32Array:
        return encoded

    @torch.no_grad()
    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        inner = torch.relu(torch.from_numpy(projected + predicted[:, None]))
        return np.asarray(self._model.joiner.out(inner).numpy(), np.float32)


def write_placeholder_vocabulary(n_tokens: int, path: Path) -> None:
    """Write a vocabulary for random weights: made-up pieces, every fourth starting a word, the blank last."""
    letters = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъ"
    base = len(letters)
    lines = ["<unk> 0"]
    for i in range(1, n_tokens - 1):
        body = letters[i % base] + letters[i // base % base] + (letters[i // base**2] if i >= base**2 else "")
        lines.append(f"{'▁' if i % 4 == 0 else ''}{body} {i}")
    lines.append(f"<blk> {n_tokens - 1}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
