"""Limits of samples: the allowed rates, channels and amplitudes; integers to float32; PCM16 frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gigastt_lab.errors import AudioError
from gigastt_lab.types import Float32Array

# Telephone speech starts at 8 kHz and studios end at 192 kHz; a factor of two or more on either side.
# The lower bound is what keeps a header that says "1 Hz" from growing 16,000-fold in the resampler.
MIN_SAMPLE_RATE = 1_000  # Hz
MAX_SAMPLE_RATE = 384_000  # Hz
MAX_CHANNELS = 32
# Lossy decoders overshoot 1 a little; floats that were left on the int16 scale exceed this by far.
MAX_AMPLITUDE = 100.0

# By kind and bytes per sample: the value of silence, and full scale.
_SCALES = {"u1": (128, 2**7), "i2": (0, 2**15), "i4": (0, 2**31)}


def check_sample_rate(sample_rate: float) -> None:
    """Raise `AudioError` unless the rate, in Hz, lies in the allowed range."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"a sample rate of {sample_rate} Hz; allowed are {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz: "
            "check the header, or state the rate at which the audio was recorded"
        )


def check_n_channels(n_channels: int) -> None:
    """Raise `AudioError` unless there are 1 to `MAX_CHANNELS` channels."""
    if not 1 <= n_channels <= MAX_CHANNELS:
        raise AudioError(
            f"{n_channels} channels; allowed are 1 to {MAX_CHANNELS}: check the header, or, for an array, "
            "that its shape is (n_channels, n_samples)"
        )


def check_amplitude(samples: npt.NDArray[Any]) -> None:
    """Raise `AudioError` if one of the floating samples is NaN, infinite or beyond `MAX_AMPLITUDE`."""
    if samples.size == 0:
        return
    peak = np.maximum(samples.max(), -samples.min())  # NaN wins both, so one comparison finds all
    if not peak <= MAX_AMPLITUDE:
        found = f"an amplitude of {peak:.4g}" if np.isfinite(peak) else "NaN or infinite samples"
        raise AudioError(
            f"{found}; floating samples must be finite and lie in [-1, 1]: "
            "repair the recording, or divide samples on an integer scale by its full scale"
        )


def to_float32(samples: npt.NDArray[Any]) -> Float32Array:
    """Samples of any allowed type in [-1, 1]; float32 comes back as it is, without a copy.

    Args:
        samples: Floating in [-1, 1], int16, int32, or uint8 with silence at 128. Any shape.

    Raises:
        AudioError: another dtype, NaN, infinity, or an amplitude beyond `MAX_AMPLITUDE`.
    """
    if samples.dtype.kind == "f":
        check_amplitude(samples)
        return samples.astype(np.float32, copy=False)
    key = samples.dtype.str[1:]  # without the byte order
    if key not in _SCALES:
        raise AudioError(
            f"samples of dtype {samples.dtype}; allowed are floating in [-1, 1], int16, int32 and uint8: "
            "convert the array first"
        )
    zero, full_scale = _SCALES[key]
    scaled: Float32Array = np.subtract(samples, np.float32(zero), dtype=np.float32)
    scaled *= np.float32(1 / full_scale)
    return scaled


class Pcm16Framer:
    """Framer of a stream of PCM16 little-endian bytes, cut anywhere, into samples.

    An odd last byte is kept and completed by the next frame.
    """

    def __init__(self) -> None:
        self._pending = b""

    @property
    def pending(self) -> bytes:
        """The byte that waits for its other half, or nothing."""
        return self._pending

    def accept(self, data: bytes | bytearray | memoryview) -> Float32Array:
        """The samples that `data` completes, in [-1, 1). Shape (n_samples,)."""
        if self._pending or isinstance(data, memoryview):
            data = self._pending + bytes(data)
        n_samples = len(data) // 2
        self._pending = bytes(data[2 * n_samples :])
        return to_float32(np.frombuffer(data, dtype="<i2", count=n_samples))
