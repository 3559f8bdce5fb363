"""Conversion of decoded blocks to samples of one rate: mixed to one channel, or channel by channel."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, nullcontext

import numpy as np

from gigastt_lab.audio.decoders.blocks import Block
from gigastt_lab.audio.mixing import Mixer
from gigastt_lab.audio.report import Report
from gigastt_lab.audio.resample import StreamResampler
from gigastt_lab.errors import AudioError
from gigastt_lab.types import Float32Array


class MonoConverter:
    """Converter of samples that arrive block by block to mono at one rate.

    Where their rate or their number of channels changes, mixing and resampling begin anew.
    """

    def __init__(self, sample_rate: int, report: Report | None = None) -> None:
        """Begin without audio.

        Args:
            sample_rate: Rate of the result, in Hz.
            report: Report that is told of channels in opposite phase.
        """
        self._sample_rate = sample_rate
        self._report = report
        self._format = 0, 0  # rate and channels; the first block changes them
        self._mixer = Mixer()
        self._resampler = StreamResampler(sample_rate, sample_rate)
        self._before_s = 0.0  # seconds of other formats
        self._n_samples = 0  # of this one

    def seconds(self) -> float:
        """Seconds of audio that were accepted."""
        return self._before_s + (self._n_samples / self._format[0] if self._n_samples else 0.0)

    def accept(self, sample_rate: int, samples: Float32Array) -> Float32Array:
        """Convert the next samples.

        Args:
            sample_rate: Their rate, in Hz.
            samples: Samples of each channel. Shape (n_channels, n_samples).

        Returns:
            What is complete so far, shape (n_converted,); the rest comes with later ones, or with `finish`.
        """
        rest = None
        if (sample_rate, samples.shape[0]) != self._format:
            rest = self.finish()
            self._before_s, self._n_samples = self.seconds(), 0
            self._format = sample_rate, samples.shape[0]
            self._mixer, self._resampler = Mixer(), StreamResampler(sample_rate, self._sample_rate)
        self._n_samples += samples.shape[1]
        converted = self._resampler.accept(self._mixer.accept(samples))
        return converted if rest is None else joined([rest, converted])

    def finish(self) -> Float32Array:
        """Convert the rest, shape (n_converted,)."""
        rest = joined([self._resampler.accept(self._mixer.finish()), self._resampler.finish()])
        if self._mixer.turned is not None and self._report is not None:
            start, end = (self._before_s + at / self._format[0] for at in self._mixer.turned)
            self._report.warn(
                "phase",
                f"channels are in opposite phase between {start:.2f} and {end:.2f} s: they were turned",
                start, end,
            )  # fmt: skip
        return rest


def mono_blocks(
    blocks: Iterable[Block], sample_rate: int, report: Report | None
) -> Generator[Float32Array, None, None]:
    """Blocks mixed and resampled as they come, each of shape (n_samples,), possibly empty.

    Args:
        blocks: Decoded blocks; a generator is closed behind the last one.
        sample_rate: Rate of the result, in Hz.
        report: Report that is told of channels in opposite phase.
    """
    converter = MonoConverter(sample_rate, report)
    with closing(blocks) if isinstance(blocks, Generator) else nullcontext():
        for block in blocks:
            yield converter.accept(block.sample_rate, block.samples)
    yield converter.finish()


def separate_channels(blocks: Iterable[Block], sample_rate: int) -> Float32Array:
    """Channels resampled one by one, block by block, so that no more than the result is held.

    Args:
        blocks: Decoded blocks, one at least.
        sample_rate: Rate of the result, in Hz.

    Returns:
        Samples, shape (n_channels, n_samples).

    Raises:
        AudioError: rate or channels change on the way.
    """
    resamplers: list[StreamResampler] = []
    pieces: list[list[Float32Array]] = []  # per channel of the result
    expected = None
    for block in blocks:
        found = block.sample_rate, block.samples.shape[0]
        expected = expected or found
        if found != expected:
            raise AudioError(
                f"audio that changes from {expected} to {found} (Hz, channels) on its way; "
                'convert it to one number of channels, or read it with channels="mean"'
            )
        if not resamplers:
            resamplers = [StreamResampler(block.sample_rate, sample_rate) for _ in block.samples]
            pieces = [[] for _ in block.samples]
        for resampler, piece, row in zip(resamplers, pieces, block.samples, strict=True):
            piece.append(resampler.accept(row))
    return np.stack(
        [joined([*piece, resampler.finish()]) for resampler, piece in zip(resamplers, pieces, strict=True)]
    )


def joined(pieces: Sequence[Float32Array]) -> Float32Array:
    """The pieces as one array, without a copy where one piece holds everything."""
    filled = [piece for piece in pieces if piece.size]
    return filled[0] if len(filled) == 1 else np.concatenate(filled or list(pieces))
