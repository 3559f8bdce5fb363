"""Sample-rate conversion, chunk by chunk, with the same result as for the whole signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.samples import check_sample_rate, to_float32
from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array


class StreamResampler:
    """Resampler of one channel that arrives in chunks of any length.

    The chunks that come out, joined, equal the result for the whole signal at once, sample for sample.
    At equal rates samples pass through untouched.

    Source: libsoxr at its "HQ" quality (20 bits), linear phase; its delay is compensated.
    """

    def __init__(self, sample_rate_in: int, sample_rate_out: int = GIGAAM_V3.sample_rate) -> None:
        """Prepare for a signal.

        Args:
            sample_rate_in: Rate of what comes in, in Hz.
            sample_rate_out: Rate of what goes out, in Hz.

        Raises:
            AudioError: a rate outside `MIN_SAMPLE_RATE` to `MAX_SAMPLE_RATE`.
        """
        check_sample_rate(sample_rate_in)
        check_sample_rate(sample_rate_out)
        self._stream: Any = None
        if sample_rate_in != sample_rate_out:
            import soxr

            self._stream = soxr.ResampleStream(sample_rate_in, sample_rate_out, 1, dtype="float32")

    def accept(self, samples: npt.NDArray[Any]) -> Float32Array:
        """The samples that this chunk makes available: fewer at first, the filter looks ahead.

        Args:
            samples: Samples as `to_float32` takes them. Shape (n_samples,).

        Returns:
            Resampled samples, shape (n_samples_out,), possibly empty.

        Raises:
            AudioError: another shape or dtype, NaN, infinity.
        """
        if samples.ndim != 1:
            raise AudioError(
                f"an array of shape {samples.shape}; a chunk of one channel has the shape (n_samples,): "
                "average the channels, or use one resampler for each"
            )
        chunk = to_float32(samples)
        if self._stream is None:
            return chunk
        return self._resample(np.ascontiguousarray(chunk), last=False)

    def finish(self) -> Float32Array:
        """The rest of the signal, shape (n_samples_out,); afterwards a new signal may start."""
        empty = np.zeros(0, np.float32)
        if self._stream is None:
            return empty
        rest = self._resample(empty, last=True)
        self._stream.clear()
        return rest

    def _resample(self, chunk: Float32Array, *, last: bool) -> Float32Array:
        resampled: Float32Array = self._stream.resample_chunk(chunk, last=last)
        return resampled
