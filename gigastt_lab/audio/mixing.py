"""Mixing of channels to one: their mean, with channels in opposite phase turned before.

A microphone whose two wires are swapped, or a "karaoke" effect, gives two channels of which one is the other
turned upside down: their mean is silence.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gigastt_lab.types import Float32Array

# Stretches are judged one by one, at fixed places of the recording: any part of it mixes as the whole.
STRETCH: Final = 4096  # samples
# The mean of independent channels has 1/n of their energy, of equal ones all of it: less than a tenth of the
# former is no chance.
_CANCELS: Final = 0.1


class Mixer:
    """Mixer of channels that arrive block by block; blocks that come out, joined, do not depend on the cut.

    Attributes:
        turned: Stretches of samples, from the first to the last, in which channels had to be turned.
    """

    def __init__(self) -> None:
        self.turned: tuple[int, int] | None = None
        self._held: Float32Array | None = None
        self._n_done = 0

    def accept(self, samples: Float32Array) -> Float32Array:
        """Mix the next samples.

        Args:
            samples: Samples of each channel. Shape (n_channels, n_samples).

        Returns:
            Mono samples as far as their stretches are whole. Shape (n_mixed,).
        """
        if samples.shape[0] == 1:
            only: Float32Array = samples[0]
            return only
        held = samples if self._held is None else np.concatenate([self._held, samples], axis=1)
        n_whole = held.shape[1] // STRETCH * STRETCH
        self._held = held[:, n_whole:].copy()
        return self._mixed(held[:, :n_whole])

    def finish(self) -> Float32Array:
        """Mix the rest: the last stretch may be short. Shape (n_mixed,)."""
        held, self._held = self._held, None
        return np.empty(0, np.float32) if held is None else self._mixed(held)

    def _mixed(self, samples: Float32Array) -> Float32Array:
        n_channels, n_samples = samples.shape
        # A matrix product with the weights is ten times as fast as numpy's mean over a short axis.
        mean: Float32Array = np.full(n_channels, 1 / n_channels, np.float32) @ samples
        starts = np.arange(0, n_samples, STRETCH)
        if len(starts):
            of_mean = np.add.reduceat(mean * mean, starts)
            of_channels = np.add.reduceat(np.einsum("ij,ij->j", samples, samples), starts) / n_channels**2
            for start in starts[of_mean < _CANCELS * of_channels].tolist():
                part = slice(start, start + STRETCH)
                mean[part] = _turned(samples[:, part])
                first = self.turned[0] if self.turned else self._n_done + start
                self.turned = first, self._n_done + min(start + STRETCH, n_samples)
        self._n_done += n_samples
        return mean


def _turned(samples: Float32Array) -> Float32Array:
    """Mean of channels, of which those that go against the loudest are turned upside down."""
    products = samples @ samples.T
    loudest = products[np.argmax(np.diag(products))]
    signs: Float32Array = np.where(loudest < 0, np.float32(-1), np.float32(1))
    signs *= signs[0] / np.float32(len(signs))  # the first channel stays as it is: stretches fit each other
    mean: Float32Array = signs @ samples
    return mean
