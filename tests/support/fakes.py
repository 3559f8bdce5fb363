"""Stand-ins for the networks: small, random, pure numpy, with the search's Protocols.

All weights are multiples of 1/8, so that every sum is exact in float32 however it is ordered:
scores do not depend on what shares a batch, and equal scores are equal.
"""

from __future__ import annotations

import numpy as np

from gigastt_lab.types import Float32Array, Int64Array


def eighths(rng: np.random.Generator, *shape: int) -> Float32Array:
    """Random multiples of 1/8, standard deviation about 1."""
    return (np.round(rng.standard_normal(shape) * 8) / 8).astype(np.float32)


class FakePredictor:
    """Mixes the tokens read so far into a number, and looks up its output there; counts its rows.

    A random recurrent network would soon repeat one token for ever or none; this one emits none, one and
    several tokens a frame.
    """

    state_size = 1
    _N_OUTPUTS = 97

    def __init__(self, seed: int = 0, width: int = 4) -> None:
        self.rows = 0
        self._outputs = 2 * eighths(np.random.default_rng(seed), self._N_OUTPUTS, width)

    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        self.rows += len(tokens)
        mixed = (31 * states[:, 0].astype(int) + 7 * tokens + 1) % self._N_OUTPUTS
        return self._outputs[mixed], mixed[:, None].astype(np.float32)


class FakeJoiner:
    """One random linear layer over both inputs; `blank_bias` sets how often the last token, blank, wins."""

    def __init__(
        self, n_vocabulary: int, seed: int = 0, n_encoded: int = 3, width: int = 4, blank_bias: float = 0.0
    ) -> None:
        rng = np.random.default_rng(seed + 1)
        self.n_encoded = n_encoded
        self.calls = 0
        self._from_encoder = 2 * eighths(rng, n_encoded, n_vocabulary)
        self._from_predictor = eighths(rng, width, n_vocabulary)
        self._bias = np.zeros(n_vocabulary, np.float32)
        self._bias[-1] = blank_bias

    def project(self, encoded: Float32Array) -> Float32Array:
        return encoded @ self._from_encoder

    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        self.calls += 1
        return projected + (predicted @ self._from_predictor)[:, None] + self._bias


class ScriptedPredictor:
    """Counts the tokens that it has read: its output is that number."""

    state_size = 1

    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        return states + 1, states + 1


class ScriptedJoiner:
    """Emits a script: frame t of the encoder holds the numbers of tokens before and after it.

    `encoded[b, t]` is (first, last): with n tokens read, the frame emits token `script[n]` while n < last,
    and the blank (the last id) from then on.
    """

    def __init__(self, script: list[int], n_vocabulary: int) -> None:
        self._script = np.array([*script, n_vocabulary - 1])
        self._n_vocabulary = n_vocabulary

    def project(self, encoded: Float32Array) -> Float32Array:
        return encoded

    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        n_read = predicted[:, :1].astype(int) - 1  # the start token was the first
        due = n_read < projected[:, :, 0]
        token = np.where(due, self._script[np.minimum(n_read, len(self._script) - 1)], self._n_vocabulary - 1)
        return np.eye(self._n_vocabulary, dtype=np.float32)[token] * 10
