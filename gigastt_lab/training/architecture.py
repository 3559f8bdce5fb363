"""The network in GigaAM v3's shape, at any size: Conformer encoder, LSTM predictor, ReLU joiner.

Source of the architecture: GigaAM v3 (`salute-developers/GigaAM`): two strided convolutions, then
Conformer layers with rotary positions applied to the attention input before the projections.
The code is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gigastt_lab.spec import GIGAAM_V3

MAX_ENCODER_FRAMES = 5_000  # rows of the rotary table; 200 s


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of one network.

    Attributes:
        n_tokens: Pieces of the vocabulary and the blank, which is the last.
        d_model: Width of the encoder.
        n_layers: Conformer layers.
        n_heads: Attention heads.
        ff_expansion: Width of the feed-forward layers over `d_model`.
        kernel_size: Width of the strided and of the depthwise convolutions; odd.
        pred_hidden: Width of the predictor. Other runtimes hard-code GigaAM's 320.
        joint_hidden: Inner width of the joiner.
        n_mels: Mel filters of the features.
    """

    n_tokens: int
    d_model: int = 768
    n_layers: int = 16
    n_heads: int = 16
    ff_expansion: int = 4
    kernel_size: int = 5
    pred_hidden: int = 320
    joint_hidden: int = 320
    n_mels: int = GIGAAM_V3.n_mels

    @property
    def blank_id(self) -> int:
        """Id of the blank, the last token."""
        return self.n_tokens - 1


CONFIGS: dict[str, ModelConfig] = {
    "tiny": ModelConfig(n_tokens=40, d_model=32, n_layers=2, n_heads=2, joint_hidden=20),
    "demo": ModelConfig(n_tokens=193, d_model=128, n_layers=5, n_heads=4, joint_hidden=160),
    "full": ModelConfig(n_tokens=1025),
}


class Subsampling(nn.Module):
    """Two strided convolutions: four feature frames become one encoder frame.

    Features are normalised by `mean` and `deviation` (buffers of n_mels); padding means zeros in
    the unnormalised features, so that `fold_normalisation` is exact at the edges too.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, kernel = config.d_model, config.kernel_size
        self.pad = kernel // 2
        self.first = nn.Conv1d(config.n_mels, width, kernel, stride=2)
        self.second = nn.Conv1d(width, width, kernel, stride=2, padding=self.pad)
        self.register_buffer("mean", torch.zeros(config.n_mels))
        self.register_buffer("deviation", torch.ones(config.n_mels))
        self.folded = False

    @torch.no_grad()
    def fold_normalisation(self) -> None:
        """Move mean and deviation into the first convolution's weights."""
        assert self.first.bias is not None
        self.first.bias -= torch.einsum("omk,m->o", self.first.weight, self.mean / self.deviation)
        self.first.weight /= self.deviation[None, :, None]
        self.first.padding = (self.pad,)
        self.folded = True

    @torch.no_grad()
    def unfold_normalisation(self, mean: Tensor, deviation: Tensor) -> None:
        """Undo it: normalise by `mean` and `deviation`, (n_mels,) each; the function stays the same."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)
        assert self.first.bias is not None
        self.first.weight *= deviation[None, :, None]
        self.first.bias += torch.einsum("omk,m->o", self.first.weight, mean / deviation)
        self.first.padding = (0,)
        self.folded = False

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(B, n_mels, T), (B,) -> (B, T', d_model), (B,)."""
        x = _mask_time(features, lengths)
        if not self.folded:
            x = functional.pad(x, (self.pad, self.pad))
            x = (x - self.mean[:, None]) / self.deviation[:, None]
        for convolution in (self.first, self.second):
            lengths = (lengths - 1) // 2 + 1
            x = _mask_time(functional.relu(convolution(x)), lengths)
        return x.transpose(1, 2), lengths


class Attention(nn.Module):
    """Self-attention; rotary positions turn its input before the query and key projections."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.d_model
        self.n_heads, self.head_dim = config.n_heads, width // config.n_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, pairs: Tensor | None) -> Tensor:
        """(B, T', D) -> (B, T', D). `pairs`: (B, T', T'), true where both frames are speech."""
        batch, frames, width = x.shape
        heads = x.view(batch, frames, self.n_heads, self.head_dim)
        half = self.head_dim // 2
        rotated = torch.cat((-heads[..., half:], heads[..., :half]), dim=-1)
        turned = (heads * cos + rotated * sin).view(batch, frames, width)
        query, key, value = (
            projection(source).view(batch, frames, self.n_heads, self.head_dim).transpose(1, 2)
            for projection, source in ((self.query, turned), (self.key, turned), (self.value, x))
        )
        mask = None if pairs is None else pairs.unsqueeze(1)
        # Plain MatMuls: on these short sequences faster than the fused kernel, and what GigaAM exports.
        scores = torch.matmul(query, key.transpose(-2, -1) / math.sqrt(self.head_dim))
        scores = scores if mask is None else scores.masked_fill(~mask, -10_000.0)
        weights = torch.softmax(scores, dim=-1)
        weights = weights if mask is None else weights.masked_fill(~mask, 0.0)
        attended = torch.matmul(weights.to(value.dtype), value)
        return torch.as_tensor(self.out(attended.transpose(1, 2).reshape(batch, frames, width)))


class Convolution(nn.Module):
    """Gated pointwise, depthwise, LayerNorm, SiLU, pointwise."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, kernel = config.d_model, config.kernel_size
        self.gate = nn.Conv1d(width, 2 * width, 1)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        """(B, T', D) -> (B, T', D). `padding`: (B, T'), true beyond an utterance's end."""
        x = functional.glu(_pointwise(self.gate, x), dim=-1).transpose(1, 2)
        x = self.depthwise(x.masked_fill(padding.unsqueeze(1), 0.0))
        return _pointwise(self.out, functional.silu(self.norm(x.transpose(1, 2))))


class ConformerLayer(nn.Module):
    """Half feed-forward, attention, convolution, half feed-forward, each on a normalised input."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, inner = config.d_model, config.d_model * config.ff_expansion
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(5))
        self.feed_forward = nn.ModuleList(
            nn.Sequential(nn.Linear(width, inner), nn.SiLU(), nn.Linear(inner, width)) for _ in range(2)
        )
        self.attention = Attention(config)
        self.convolution = Convolution(config)

    def branch_ends(self) -> list[nn.Linear | nn.Conv1d]:
        """The last matrix product of each branch, whose result is added to the layer's input."""
        feed_forward = [cast("nn.Linear", cast("nn.Sequential", branch)[2]) for branch in self.feed_forward]
        return [*feed_forward, self.attention.out, self.convolution.out]

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, pairs: Tensor | None, padding: Tensor) -> Tensor:
        """(B, T', D) -> (B, T', D)."""
        x = x + 0.5 * self.feed_forward[0](self.norms[0](x))
        x = x + self.attention(self.norms[1](x), cos, sin, pairs)
        x = x + self.convolution(self.norms[2](x), padding)
        x = x + 0.5 * self.feed_forward[1](self.norms[3](x))
        return torch.as_tensor(self.norms[4](x))


class Encoder(nn.Module):
    """Features to encoder frames, one per 40 ms."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.subsampling = Subsampling(config)
        self.layers = nn.ModuleList(ConformerLayer(config) for _ in range(config.n_layers))
        cos, sin = _rotary_tables(config.d_model // config.n_heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(B, n_mels, T), (B,) -> (B, D, T') channels first as GigaAM gives them, (B,) int32."""
        outputs, lengths = self.frames(features, lengths)
        return outputs[-1].transpose(1, 2), lengths.to(torch.int32)

    def frames(
        self, features: Tensor, lengths: Tensor, n_layers: int | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """The output of each of the first `n_layers` layers, (B, T', D) each, and the lengths (B,)."""
        x, lengths = self.subsampling(features, lengths)
        frames = x.shape[1]
        speech = torch.arange(frames, device=x.device)[None, :] < lengths[:, None]
        # The exported graph serves batches of any size: it always masks, as GigaAM's does.
        pairs: Tensor | None
        if _is_exported():
            pairs = speech[:, None, :] & speech[:, :, None]
        else:
            pairs = None if speech.all() else speech[:, None, :].expand(-1, frames, -1)
        outputs = []
        for layer in self.layers[:n_layers]:
            x = layer(x, self.cos[:frames], self.sin[:frames], pairs, ~speech)
            outputs.append(x)
        return outputs, lengths


class Predictor(nn.Module):
    """One LSTM over the emitted tokens; the blank's embedding is zero."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.n_tokens, config.pred_hidden, padding_idx=config.blank_id)
        self.lstm = nn.LSTM(config.pred_hidden, config.pred_hidden)

    def forward(self, tokens: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, U), (1, B, P), (1, B, P) -> (B, U, P), and the two states after the last token."""
        output, (h, c) = self.lstm(self.embedding(tokens).transpose(0, 1), (h, c))
        return output.transpose(0, 1), h, c


class Joiner(nn.Module):
    """Scores of every token for an encoder frame and a predictor output."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = nn.Linear(config.d_model, config.joint_hidden)
        self.predictor = nn.Linear(config.pred_hidden, config.joint_hidden)
        self.out = nn.Linear(config.joint_hidden, config.n_tokens)

    def forward(self, enc: Tensor, dec: Tensor) -> Tensor:
        """(B, D, T'), (B, P, U) -> log-probabilities (B, T', U, n_tokens)."""
        enc = self.encoder(enc.transpose(1, 2)).unsqueeze(2)
        dec = self.predictor(dec.transpose(1, 2)).unsqueeze(1)
        return torch.log_softmax(self.out(functional.relu(enc + dec)), dim=-1)


class Transducer(nn.Module):
    """The three networks, and the two CTC heads that help the encoder to learn (not exported).

    Args:
        config: Sizes of the networks.
        n_characters: Classes of the character CTC on the layer in the middle, blank included.
    """

    def __init__(self, config: ModelConfig, n_characters: int = 35) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.predictor = Predictor(config)
        self.joiner = Joiner(config)
        self.character_layer = (config.n_layers + 1) // 2
        self.character_ctc = nn.Linear(config.d_model, n_characters)
        self.piece_ctc = nn.Linear(config.d_model, config.n_tokens)


def _is_exported() -> bool:
    """True if the graph is being traced for export, and so must serve batches of any size."""
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def _pointwise(convolution: nn.Conv1d, x: Tensor) -> Tensor:
    """(B, T', C) -> (B, T', C'): a matrix product in training, a convolution in the exported graph."""
    if _is_exported():
        return torch.as_tensor(convolution(x.transpose(1, 2)).transpose(1, 2))
    return functional.linear(x, convolution.weight.squeeze(2), convolution.bias)


def _mask_time(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, C, T) with zeros beyond each length, so that padding never reaches a frame that counts."""
    return x.masked_fill(
        torch.arange(x.shape[2], device=x.device)[None, None, :] >= lengths[:, None, None], 0.0
    )


def _rotary_tables(dim: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines, (MAX_ENCODER_FRAMES, 1, dim) each."""
    frequencies = 1.0 / (10_000.0 ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim))
    angles = torch.outer(torch.arange(MAX_ENCODER_FRAMES, dtype=torch.float32), frequencies)
    angles = torch.cat((angles, angles), dim=-1)[:, None, :]
    return angles.cos(), angles.sin()
