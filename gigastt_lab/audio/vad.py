"""Voice activity detection (VAD) by energy: which hops of a stream may hold speech.

`silero` holds a detector of the same shape that is a small network.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import BoolArray, Float32Array

HOP: Final = GIGAAM_V3.hop_length

# A hop's level is that of the 20 ms which end with it, above 200 Hz alone: an offset of the converter and hum
# of the mains are no sound of the room, and would hide speech, whose formants lie above. Under a Hann window
# an offset, 50 Hz and 100 Hz reach no bin from 200 Hz on; 60 Hz reaches them 40 dB lower, 150 Hz 8 dB.
_WINDOW: Final = 2 * HOP
_LOWEST_HZ: Final = 200
_LOWEST_BIN: Final = _LOWEST_HZ * _WINDOW // GIGAAM_V3.sample_rate
_BLOCK: Final = 1_000  # hops whose spectra are held at once


class SpeechDetector(Protocol):
    """Detector of hops that may hold speech, in one stream.

    `EnergyDetector` is the one that needs nothing; `silero.SileroDetector` is another.
    """

    def accept(self, samples: Float32Array) -> BoolArray:
        """Take the next samples.

        The answers, joined, must not depend on how the stream is cut into chunks.

        Args:
            samples: Mono samples in [-1, 1] at 16 kHz, any number. Shape (n_samples,).

        Returns:
            For every further hop of 160 samples that can be judged by now: True where it may be speech. Hops
            may come late, by as much as the detector looks ahead, but each comes once and in order.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class EnergyOptions:
    """Thresholds of quiet. Levels are root mean squares in dB below full scale.

    Attributes:
        margin_db: Level above the noise floor, in dB, from which a hop may be speech.
        floor_window_ms: Length of the past, in ms, whose lowest level is the noise floor.
        lowest_floor_db: Lowest noise floor, in dB: without it, all would be loud after digital silence.
    """

    margin_db: float = 9.0
    floor_window_ms: int = 3_000
    lowest_floor_db: float = -70.0


class EnergyDetector:
    """Detector by loudness against a noise floor that follows the room.

    The level of a hop is that of the last 50 ms, so that the gaps within a word are no silence. The floor is
    the lowest level of the last seconds: the noise in the gaps between words, or of the silence before them.
    What lies below 200 Hz does not count: offset, hum, rumble. It cannot tell speech from other sounds; the
    model's blanks do that (`Endpointer`).
    """

    _SMOOTHING_HOPS = 4
    _BLOCK_HOPS = 25  # the floor's window moves on in steps of 250 ms

    def __init__(self, options: EnergyOptions | None = None) -> None:
        self._options = options or EnergyOptions()
        self._pending: Float32Array | None = None  # samples that a later hop still needs; None: nothing came
        phase = 2 * np.pi * np.arange(_WINDOW) / _WINDOW
        self._window = 0.5 - 0.5 * np.cos(phase)
        self._powers: deque[float] = deque(maxlen=self._SMOOTHING_HOPS)
        n_blocks = max(1, round(self._options.floor_window_ms / 10 / self._BLOCK_HOPS))
        self._block_floors: deque[float] = deque(maxlen=n_blocks)
        self._n_in_block = self._BLOCK_HOPS
        self._margin = 10.0 ** (self._options.margin_db / 10.0)
        self._lowest = 10.0 ** (self._options.lowest_floor_db / 10.0)

    def accept(self, samples: Float32Array) -> BoolArray:
        """See `SpeechDetector`; hops come at once."""
        if self._pending is None:
            if not len(samples):
                return np.empty(0, np.bool_)
            # As if it had gone on before: a stream with an offset does not begin with a click.
            self._pending = np.full(_WINDOW - HOP, samples[0], np.float32)
        waveform = np.concatenate([self._pending, samples])
        n_hops = (len(waveform) - (_WINDOW - HOP)) // HOP
        self._pending = waveform[n_hops * HOP :].copy()
        powers = [
            power
            for first in range(0, n_hops, _BLOCK)
            for power in self._powers_of(waveform, first, min(_BLOCK, n_hops - first))
        ]
        return np.array([self._may_be_speech(power) for power in powers], np.bool_)

    def _powers_of(self, waveform: Float32Array, first: int, n_hops: int) -> list[float]:
        """Mean square above `_LOWEST_HZ` of the windows that begin at hops `first` and on."""
        every_sample = np.lib.stride_tricks.sliding_window_view(waveform, _WINDOW)
        windows = every_sample[first * HOP :: HOP][:n_hops] * self._window
        spectrum = np.fft.rfft(windows)[:, _LOWEST_BIN:]
        energies = np.einsum("ij,ij->i", spectrum.real, spectrum.real)
        energies += np.einsum("ij,ij->i", spectrum.imag, spectrum.imag)
        # Each bin stands for two, that of half the sample rate aside, which is nothing in speech.
        powers: list[float] = (energies * (2.0 / (_WINDOW * (self._window**2).sum()))).tolist()
        return powers

    def _may_be_speech(self, power: float) -> bool:
        self._powers.append(power)
        level = sum(self._powers) / len(self._powers)
        if self._n_in_block == self._BLOCK_HOPS:
            self._block_floors.append(level)
            self._n_in_block = 0
        self._n_in_block += 1
        # The first hops are levels of less than 50 ms: too unsteady to be a floor.
        is_whole = len(self._powers) == self._SMOOTHING_HOPS
        self._block_floors[-1] = min(self._block_floors[-1], level) if is_whole else level
        return bool(level > self._margin * max(self._lowest, min(self._block_floors)))
