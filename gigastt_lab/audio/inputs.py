"""Inputs of an engine (a path, bytes or an array) to the samples that it recognises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.options import READ, ReadOptions
from gigastt_lab.audio.reading import Source, audio_blocks, decode_audio, from_array, stated_duration_s
from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning, Float32Array

# A path, the content of an audio file, an open file, or samples (which need their rate stated).
Audio = Source | npt.NDArray[Any]

_BLOCK_SAMPLES = 30 * GIGAAM_V3.sample_rate


def waveform_of(
    audio: Audio,
    sample_rate: int | None,
    max_duration_s: float | None,
    options: ReadOptions = READ,
    warnings: list[AudioWarning] | None = None,
) -> Float32Array:
    """The mono samples of one recording at 16 kHz, shape (n_samples,); `warnings` takes those of a file.

    Raises:
        AudioError: as `reading.decode_audio` and `reading.from_array`; or an array without its rate, or a
            rate with a file.
    """
    check_rate(audio, sample_rate)
    if isinstance(audio, np.ndarray):
        return from_array(audio, cast(int, sample_rate), max_duration_s=max_duration_s)
    return decode_audio(
        audio, max_duration_s=max_duration_s, strict=options.strict, track=options.track, warnings=warnings
    )


def blocks_of(
    audio: Audio,
    sample_rate: int | None,
    max_duration_s: float | None,
    options: ReadOptions = READ,
    warnings: list[AudioWarning] | None = None,
) -> Iterator[Float32Array]:
    """The mono samples block by block, of files in constant memory; each block of shape (n_samples,)."""
    check_rate(audio, sample_rate)
    if isinstance(audio, np.ndarray):
        return _slices(audio, cast(int, sample_rate), max_duration_s)
    return audio_blocks(
        audio, max_duration_s=max_duration_s, strict=options.strict, track=options.track, warnings=warnings
    )


def duration_of(audio: Audio, sample_rate: int | None) -> float | None:
    """The seconds that a recording will last, for progress; None where that is not known yet."""
    if isinstance(audio, np.ndarray):
        return audio.shape[-1] / sample_rate if sample_rate and audio.ndim else None
    return stated_duration_s(audio)


def check_rate(audio: Audio, sample_rate: int | None) -> None:
    """Raise `AudioError` unless the rate is stated with an array, and with nothing else."""
    if isinstance(audio, np.ndarray) and sample_rate is None:
        raise AudioError("samples were given without their rate; pass sample_rate=... in Hz")
    if not isinstance(audio, np.ndarray) and sample_rate is not None:
        raise AudioError(
            f"sample_rate={sample_rate} was given with a file, which states its own; leave it out"
        )


def _slices(
    samples: npt.NDArray[Any], sample_rate: int, max_duration_s: float | None
) -> Iterator[Float32Array]:
    waveform = from_array(samples, sample_rate, max_duration_s=max_duration_s)
    # At least one, though it be empty.
    starts = range(0, max(1, len(waveform)), _BLOCK_SAMPLES)
    return (waveform[at : at + _BLOCK_SAMPLES] for at in starts)
