"""A clip as a microphone would hand it over, and where speech begins and ends in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
import numpy.typing as npt

from evaluation.streaming.clocks import CLOCKS, Clock, ClockName
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

RATE: Final = GIGAAM_V3.sample_rate
NOISE_DBFS: Final = -72.0
_FRAME: Final = RATE // 100
_BELOW_PEAK_DB: Final = 30.0
_ABOVE_FLOOR_DB: Final = 6.0
_FLOOR_BELOW_PEAK_DB: Final = 12.0
_SILENT_DBFS: Final = -60.0
_SHORTEST_FRAMES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """How clips are streamed.

    Attributes:
        clock: "real" waits as a microphone would; "simulated" jumps over the waits (`SimulatedClock`);
            "ideal" over the work, too (`IdealClock`).
        chunk_ms: Audio in one piece. 100 ms is what clients of such servers commonly send.
        silence_ms: Faint noise after each clip, so that its end is found as a speaker's is: by silence.
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
        """The clip and the noise after it, piece by piece: where in the stream it ends, and PCM16 of it."""
        samples = np.concatenate([to_pcm16(waveform), faint_noise(RATE * self.silence_ms // 1000)])
        size = RATE * self.chunk_ms // 1000
        for start in range(0, len(samples), size):
            piece = samples[start : start + size]
            yield (start + len(piece)) / RATE, piece.tobytes()

    def described(self) -> dict[str, Any]:
        """For the header of a record file."""
        return {"clock": self.clock, "chunk_ms": self.chunk_ms, "silence_ms": self.silence_ms}


def to_pcm16(waveform: Float32Array) -> npt.NDArray[np.int16]:
    """Samples as 16-bit integers, little-endian. Shape (n_samples,)."""
    return np.clip(np.rint(waveform * 32768), -32768, 32767).astype("<i2")


def faint_noise(n_samples: int) -> npt.NDArray[np.int16]:
    """What a microphone hears in a quiet room: white noise at -72 dB of full scale, always the same.

    Not zeros: no microphone gives them, and a recogniser may pass over them without any work.
    """
    level = 32768 * 10 ** (NOISE_DBFS / 20)
    noise = np.random.default_rng(0).normal(0.0, level, n_samples)
    return np.rint(noise).astype("<i2")


def speech_bounds(waveform: Float32Array) -> tuple[float, float] | None:
    """Onset and end of speech, by loudness, where a dataset has no word times.

    Of the level (root mean square) of each 10 ms: speech begins with the first three in a row that are loud,
    and ends with the last three. Loud is what lies at most 30 dB below the loudest; in noise, 6 dB above the
    noise floor, which is the level that a tenth of the clip stays below; at most 12 dB below the loudest.
    Good to some tens of milliseconds: a soft consonant at either end is lost, a breath or a bang is not.

    Args:
        waveform: Mono, in [-1, 1], at 16 kHz. Shape (n_samples,).

    Returns:
        Both in seconds; None where nothing reaches -60 dB of full scale.
    """
    n_frames = len(waveform) // _FRAME
    if n_frames < _SHORTEST_FRAMES:
        return None
    frames = waveform[: n_frames * _FRAME].reshape(n_frames, _FRAME).astype(np.float64)
    levels = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-12))
    peak, floor = levels.max(), np.quantile(levels, 0.1)
    if peak < _SILENT_DBFS:
        return None
    threshold = max(peak - _BELOW_PEAK_DB, floor + _ABOVE_FLOOR_DB)
    loud = levels >= min(threshold, peak - _FLOOR_BELOW_PEAK_DB)
    in_a_row = np.convolve(loud, np.ones(_SHORTEST_FRAMES, int), "valid") == _SHORTEST_FRAMES
    starts = np.flatnonzero(in_a_row)
    if not len(starts):
        return None
    return float(starts[0] * _FRAME / RATE), float((starts[-1] + _SHORTEST_FRAMES) * _FRAME / RATE)
