"""Reading of audio: files and arrays to the float32 samples that the recogniser takes.

- The container is told from the bytes (`containers`), never from a name.
- Files are read to the end of their data, whatever a header says of their length. One that was cut is read
  as far as it goes; packets that cannot be decoded, or are missing, become silence of their length, so that
  times are those of the file's clock. Each such loss is an `AudioWarning`. `strict` refuses what was cut or
  is damaged; without it a file is refused where most of it is damaged, or without a single sample.
- The track that the file marks as its default is read, else the first; `track` names another.
- Channels are averaged; those in opposite phase are turned before.
- Rates of 1 to 384 kHz and 1 to 32 channels; no NaN, no infinity, no amplitude beyond 100.
- Memory: files are decoded in blocks, and no further than the caller's limit of duration.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.containers.kinds import STATES_ITS_LENGTH
from gigastt_lab.audio.containers.sniffing import locate
from gigastt_lab.audio.conversion import joined, mono_blocks, separate_channels
from gigastt_lab.audio.decoders.blocks import Block
from gigastt_lab.audio.decoders.decoding import decode_blocks, stated_duration
from gigastt_lab.audio.decoders.libsndfile import wav_part
from gigastt_lab.audio.decoders.raw import decode_raw
from gigastt_lab.audio.mixing import STRETCH, Mixer
from gigastt_lab.audio.opening import Source, name_of, opened
from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.audio.raw import RawAudio
from gigastt_lab.audio.report import Report
from gigastt_lab.audio.resample import StreamResampler
from gigastt_lab.audio.samples import (
    MAX_CHANNELS,
    Pcm16Framer,
    check_n_channels,
    check_sample_rate,
    to_float32,
)
from gigastt_lab.errors import AudioError, AudioTooLongError
from gigastt_lab.runtime.cancellation import check_cancelled
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning, Float32Array

__all__ = [
    "Pcm16Framer",
    "StreamResampler",
    "audio_blocks",
    "decode_audio",
    "from_array",
    "part_by_place",
    "stated_duration_s",
]

Channels = Literal["mean", "separate"]
# A file may state the samples that a codec needs to start up as well.
_STATED_SLACK_S = 1.0


def decode_audio(
    source: Source,
    *,
    sample_rate: int = GIGAAM_V3.sample_rate,
    max_duration_s: float | None = None,
    channels: Channels = "mean",
    strict: bool = False,
    track: int | None = None,
    raw: RawAudio | None = None,
    warnings: list[AudioWarning] | None = None,
) -> Float32Array:
    """The samples of an audio file, whatever its container, codec, rate and channels.

    Args:
        source: A path, the content of a file, or an open file, which is read from its start and left open.
        sample_rate: Rate of the result, in Hz.
        max_duration_s: Longer audio is refused; decoding stops at this point. None: no limit.
        channels: "mean" averages the channels, "separate" keeps them apart.
        strict: True refuses a file that was cut or is damaged.
        track: Number of the audio track, from 1; None: the file's default, else the first.
        raw: Statement of what bytes without a header are; None: the file says so itself.
        warnings: List that takes warnings of what was cut, damaged or missing; they are logged in any case.

    Returns:
        Samples in [-1, 1]; lossy codecs overshoot a little. Shape (n_samples,) for "mean",
        (n_channels, n_samples) for "separate"; never empty.

    Raises:
        AudioNotFoundError: no file at this path.
        AudioTooLongError: more than `max_duration_s` seconds.
        AudioError: not a readable file, not audio, mostly damaged, no such track, outside the limits of this
            module; or cut or damaged, where that is refused.
        ValueError: `max_duration_s` is not above 0, `track` below 1, or `channels` is neither of the two.
    """
    _check_options(sample_rate, max_duration_s, channels)
    report = Report(name_of(source), warnings, strict=strict)
    with closing(
        _decoded(source, max_duration_s, ReadOptions(strict=strict, track=track, raw=raw), report)
    ) as blocks:
        return _collected(blocks, sample_rate, channels, report)


def audio_blocks(
    source: Source,
    *,
    sample_rate: int = GIGAAM_V3.sample_rate,
    max_duration_s: float | None = None,
    strict: bool = False,
    track: int | None = None,
    raw: RawAudio | None = None,
    warnings: list[AudioWarning] | None = None,
) -> Generator[Float32Array, None, None]:
    """The samples of an audio file as they are decoded, in constant memory; joined they are `decode_audio`'s.

    Args:
        source: A path, the content of a file, or an open file, which is read from its start and left open.
        sample_rate: Rate of the result, in Hz.
        max_duration_s: Longer audio is refused, when this point is reached. None: no limit.
        strict: True refuses a file that was cut or is damaged, when this shows.
        track: Number of the audio track, from 1; None: the file's default, else the first.
        raw: Statement of what bytes without a header are; None: the file says so itself.
        warnings: List that takes warnings as they come up; they are logged in any case.

    Yields:
        Mono samples in [-1, 1], each block of shape (n_samples,), possibly empty.

    Raises:
        AudioError: as `decode_audio`, the first block of a file that is no audio already; of a file that
            turns out to be damaged or too long, what came before is good.
    """
    _check_options(sample_rate, max_duration_s, "mean")
    options = ReadOptions(strict=strict, track=track, raw=raw)
    report = Report(name_of(source), warnings, strict=strict)
    return mono_blocks(_decoded(source, max_duration_s, options, report), sample_rate, report)


def part_by_place(
    path: str | os.PathLike[str], start: int, end: int | None, *, sample_rate: int = GIGAAM_V3.sample_rate
) -> tuple[Float32Array, int] | None:
    """Samples from `start` to `end` of a file in which a sample's place is known, without decoding the rest.

    That is a WAV of this very rate. Elsewhere a part is found by decoding what lies before it.

    Args:
        path: Path of the file.
        start: First sample.
        end: Sample after the last; None: the file's end.
        sample_rate: Rate of the result, in Hz.

    Returns:
        Mono samples in [-1, 1], fewer where the file ends before, and the number of samples in the file.
        None for any other file.

    Raises:
        AudioError: as `decode_audio`.
    """
    first = start // STRETCH * STRETCH  # channels are mixed stretch by stretch
    last = None if end is None else -(-end // STRETCH) * STRETCH
    with opened(path) as file:
        try:
            found = locate(file)
            is_plain = found.container == "wav" and not found.start
            part = wav_part(file, first, last, sample_rate) if is_plain else None
        except AudioError as error:
            raise type(error)(f"{name_of(path)}: {error}") from error
    if part is None:
        return None
    mixer = Mixer()
    mono = joined([mixer.accept(part[0].samples), mixer.finish()])
    return mono[start - first : None if end is None else end - first], part[1]


def stated_duration_s(source: Source) -> float | None:
    """The seconds that an audio file says it lasts, for progress; None where it does not say so."""
    try:
        with opened(source) as file:
            return stated_duration(file, locate(file))
    except AudioError:
        return None


def from_array(
    samples: npt.NDArray[Any],
    sample_rate: int,
    *,
    sample_rate_out: int = GIGAAM_V3.sample_rate,
    max_duration_s: float | None = None,
    channels: Channels = "mean",
) -> Float32Array:
    """The samples of an array, as `decode_audio` would give them.

    Args:
        samples: Floating in [-1, 1], int16, int32, or uint8 with silence at 128. Shape (n_samples,) or
            (n_channels, n_samples): a row is a channel. Transpose what `soundfile.read` returns.
        sample_rate: Rate of `samples`, in Hz.
        sample_rate_out: Rate of the result, in Hz.
        max_duration_s: Longer audio is refused. None: no limit.
        channels: "mean" averages the channels, "separate" keeps them apart.

    Returns:
        Samples, shape (n_samples,) for "mean", (n_channels, n_samples) for "separate". Zero samples give
        an empty array. May share memory with `samples` where nothing had to be done.

    Raises:
        AudioTooLongError: more than `max_duration_s` seconds.
        AudioError: another shape or dtype, NaN, infinity, or outside the limits of this module.
        ValueError: `max_duration_s` is not above 0, or `channels` is neither of the two.
    """
    _check_options(sample_rate_out, max_duration_s, channels)
    check_sample_rate(sample_rate)
    array = np.asarray(samples)
    if array.ndim not in {1, 2}:
        raise AudioError(
            f"an array of shape {array.shape}; allowed are (n_samples,) and (n_channels, n_samples): "
            "reshape it"
        )
    rows = np.atleast_2d(array)
    if rows.shape[0] > MAX_CHANNELS >= rows.shape[1] > 0:
        raise AudioError(
            f"an array of shape {array.shape}, which would be {rows.shape[0]} channels of {rows.shape[1]} "
            "samples; the shape is (n_channels, n_samples): transpose what soundfile.read returns (samples.T)"
        )
    check_n_channels(rows.shape[0])
    _check_duration(rows.shape[1] / sample_rate, max_duration_s)
    return _collected([Block(sample_rate, to_float32(rows))], sample_rate_out, channels, None)


def _check_options(sample_rate: int, max_duration_s: float | None, channels: str) -> None:
    check_sample_rate(sample_rate)
    if max_duration_s is not None and not max_duration_s > 0:
        raise ValueError(f"max_duration_s is {max_duration_s}; give seconds above 0, or None for no limit")
    if channels not in {"mean", "separate"}:
        raise ValueError(f'channels is {channels!r}; allowed are "mean" and "separate"')


def _decoded(
    source: Source, max_duration_s: float | None, options: ReadOptions, report: Report
) -> Generator[Block, None, None]:
    """The blocks of a file; errors name it."""
    with opened(source) as file:
        try:
            if options.raw is not None:
                blocks = decode_raw(file, options.raw, report)
            else:
                found = locate(file)
                if max_duration_s is not None and found.container in STATES_ITS_LENGTH:
                    _check_stated(stated_duration(file, found), max_duration_s)
                blocks = decode_blocks(file, found, options.track, report)
            with closing(blocks):
                yield from _limited(blocks, max_duration_s)
        except AudioError as error:
            raise type(error)(f"{name_of(source)}: {error}") from error


def _check_stated(duration_s: float | None, max_duration_s: float) -> None:
    """Refuse at once what would be refused after much work: a file that is too long, or else cut."""
    if duration_s is not None and duration_s > max_duration_s + _STATED_SLACK_S:
        raise _too_long(duration_s, max_duration_s)


def _limited(blocks: Iterable[Block], max_duration_s: float | None) -> Iterator[Block]:
    n_samples, before_s, sample_rate = 0, 0.0, 0
    for block in blocks:
        check_cancelled()
        if block.sample_rate != sample_rate and sample_rate:
            before_s, n_samples = before_s + n_samples / sample_rate, 0
        sample_rate = block.sample_rate
        n_samples += block.samples.shape[1]
        _check_duration(before_s + n_samples / sample_rate, max_duration_s)
        yield block


def _check_duration(duration_s: float, max_duration_s: float | None) -> None:
    if max_duration_s is not None and duration_s > max_duration_s:
        raise _too_long(duration_s, max_duration_s)


def _too_long(duration_s: float, max_duration_s: float) -> AudioTooLongError:
    return AudioTooLongError(
        f"audio of {duration_s:.2f} s or more; allowed are {max_duration_s:g} s: "
        "cut the recording, or raise the limit where it is yours to set"
    )


def _collected(
    blocks: Iterable[Block], sample_rate: int, channels: Channels, report: Report | None
) -> Float32Array:
    if channels == "mean":
        return joined(list(mono_blocks(blocks, sample_rate, report)))
    return separate_channels(blocks, sample_rate)
