"""Feeding of a stream: a clip piece by piece, as a microphone would hand it over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
import numpy.typing as npt

from evaluation.datasets.audio import RATE
from evaluation.stream_study.clocks import CLOCKS, Clock, ClockName
from gigastt_lab.types import Float32Array

NOISE_DBFS: Final = -72.0


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """Options of feeding clips to a stream.

    Attributes:
        clock: Name of the clock. "real" waits as a microphone would; "simulated" jumps over the waits
            (`SimulatedClock`); "ideal" over the work, too (`IdealClock`).
        chunk_ms: Milliseconds of audio in one piece. 100 ms is what clients of such servers commonly send.
        silence_ms: Milliseconds of faint noise after each clip, so that its end is found as a speaker's is:
            by silence.
    """

    clock: ClockName = "simulated"
    chunk_ms: int = 100
    silence_ms: int = 2_000

    def __post_init__(self) -> None:
        if self.clock not in get_args(ClockName):
            raise ValueError(f"clock is {self.clock!r}; choose one of {', '.join(get_args(ClockName))}")
        if not 10 <= self.chunk_ms <= 5_000:
            raise ValueError(f"chunk_ms is {self.chunk_ms}; give 10 to 5000")
        if not 0 <= self.silence_ms <= 60_000:
            raise ValueError(f"silence_ms is {self.silence_ms}; give 0 to 60000")

    def new_clock(self) -> Clock:
        """A clock that begins now."""
        return CLOCKS[self.clock]()

    def chunks(self, waveform: Float32Array) -> Iterator[tuple[float, bytes]]:
        """Pieces of the clip and of the noise after it: end in the stream, in seconds, and PCM16 of each."""
        samples = np.concatenate([to_pcm16(waveform), faint_noise(RATE * self.silence_ms // 1000)])
        size = RATE * self.chunk_ms // 1000
        for start in range(0, len(samples), size):
            piece = samples[start : start + size]
            yield (start + len(piece)) / RATE, piece.tobytes()

    def described(self) -> dict[str, Any]:
        """Facts of the feeding, for the header of a record file."""
        return {"clock": self.clock, "chunk_ms": self.chunk_ms, "silence_ms": self.silence_ms}


def to_pcm16(waveform: Float32Array) -> npt.NDArray[np.int16]:
    """Samples as 16-bit integers, little-endian. Shape (n_samples,)."""
    return np.clip(np.rint(waveform * 32768), -32768, 32767).astype("<i2")


def faint_noise(n_samples: int) -> npt.NDArray[np.int16]:
    """Noise of a quiet room, as a microphone hears it: white, at -72 dB of full scale, always the same.

    Not zeros: no microphone gives them, and a recogniser may pass over them without any work.
    """
    level = 32768 * 10 ** (NOISE_DBFS / 20)
    noise = np.random.default_rng(0).normal(0.0, level, n_samples)
    return np.rint(noise).astype("<i2")
