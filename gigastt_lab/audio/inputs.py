"""Inputs of an engine (a path, bytes or an array) to the samples that it recognises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.given import Audio, Given, given
from gigastt_lab.audio.options import READ, ReadOptions
from gigastt_lab.audio.reading import audio_blocks, decode_audio, from_array, stated_duration_s
from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning, Float32Array

__all__ = ["Audio", "Given", "blocks_of", "check_rate", "duration_of", "given", "samples_of", "waveform_of"]

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
        AudioError: as `given.given`, `reading.decode_audio` and `reading.from_array`; or an array without its
            rate, or a rate with a file.
    """
    recording = given(audio, sample_rate)
    try:
        return samples_of(recording, max_duration_s, options, warnings)
    finally:
        recording.close()


def samples_of(
    recording: Given,
    max_duration_s: float | None,
    options: ReadOptions = READ,
    warnings: list[AudioWarning] | None = None,
) -> Float32Array:
    """The same of a recording that stays open."""
    check_rate(recording)
    source, rate = recording.source, recording.sample_rate
    if isinstance(source, np.ndarray):
        return from_array(source, cast(int, rate), max_duration_s=max_duration_s)
    return decode_audio(
        source,
        max_duration_s=max_duration_s,
        strict=options.strict,
        track=options.track,
        raw=options.raw,
        warnings=warnings,
    )


def blocks_of(
    recording: Given,
    max_duration_s: float | None,
    options: ReadOptions = READ,
    warnings: list[AudioWarning] | None = None,
) -> Iterator[Float32Array]:
    """The mono samples block by block, of files in constant memory; each block of shape (n_samples,).

    The recording is closed behind the last of them, or at once where it is refused.
    """
    try:
        check_rate(recording)
    except AudioError:
        recording.close()
        raise
    source, rate = recording.source, recording.sample_rate
    if isinstance(source, np.ndarray):
        return _slices(source, cast(int, rate), max_duration_s)
    blocks = audio_blocks(
        source,
        max_duration_s=max_duration_s,
        strict=options.strict,
        track=options.track,
        raw=options.raw,
        warnings=warnings,
    )
    return _closing(blocks, recording) if recording.is_ours else blocks


def duration_of(recording: Given) -> float | None:
    """The seconds that a recording will last, for progress; None where that is not known yet."""
    source, rate = recording.source, recording.sample_rate
    if isinstance(source, np.ndarray):
        return source.shape[-1] / rate if rate and source.ndim else None
    return stated_duration_s(source)


def check_rate(recording: Given) -> None:
    """Raise `AudioError` unless the rate is stated with samples, and with nothing else."""
    is_samples, rate = isinstance(recording.source, np.ndarray), recording.sample_rate
    if is_samples and rate is None:
        raise AudioError("samples were given without their rate; pass sample_rate=... in Hz")
    if not is_samples and rate is not None:
        raise AudioError(f"sample_rate={rate} was given with a file, which states its own; leave it out")


def _closing(blocks: Iterator[Float32Array], recording: Given) -> Iterator[Float32Array]:
    try:
        yield from blocks
    finally:
        recording.close()


def _slices(
    samples: npt.NDArray[Any], sample_rate: int, max_duration_s: float | None
) -> Iterator[Float32Array]:
    waveform = from_array(samples, sample_rate, max_duration_s=max_duration_s)
    # At least one, though it be empty.
    starts = range(0, max(1, len(waveform)), _BLOCK_SAMPLES)
    return (waveform[at : at + _BLOCK_SAMPLES] for at in starts)
