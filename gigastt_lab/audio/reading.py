"""Reading of audio: files and arrays to the float32 samples that the recogniser takes.

What is refused, and what is not:

- The container is told from the bytes (`containers`), never from a name. WAV, FLAC, MP3, Ogg (Opus, Vorbis),
  M4A/MP4 (AAC), WebM and ADTS (AAC) are read.
- WAV, FLAC and MP4 state their length: with less than that the file was cut, and is refused. A WAV whose
  header says 0, 0xFFFFFFFF, or SoX's or arecord's stand-in was recorded live: what is there is decoded. So
  are Ogg, WebM, MP3, ADTS and fragmented MP4 without an end. A file without a single sample is refused.
- A packet that cannot be decoded is refused, unless it is the last. Packets that are missing (a damaged page
  of an Ogg, a pause of a live recording) leave no silence: later times come early, and a warning says so.
- Rates of 1 to 384 kHz and 1 to 32 channels; no NaN, no infinity, no amplitude beyond 100.
- Memory: files are decoded in blocks, and no further than the caller's limit of duration.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.containers import STATES_ITS_LENGTH, sniff
from gigastt_lab.audio.decoders import Block, decode_blocks, stated_duration, wav_part
from gigastt_lab.audio.resample import StreamResampler
from gigastt_lab.audio.samples import Pcm16Framer, check_n_channels, check_sample_rate, to_float32
from gigastt_lab.errors import AudioError, AudioNotFoundError, AudioTooLongError
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
# A path, the content of a file, or a file that is open for reading and can be sought in.
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def decode_audio(
    source: Source,
    *,
    sample_rate: int = GIGAAM_V3.sample_rate,
    max_duration_s: float | None = None,
    channels: Channels = "mean",
    strict: bool = False,
    track: int | None = None,
    warnings: list[AudioWarning] | None = None,
) -> Float32Array:
    """The samples of an audio file, whatever its container, codec, rate and channels.

    Args:
        source: A path, the content of a file, or an open file, which is read from its start and left open.
        sample_rate: Rate of the result, in Hz.
        max_duration_s: Longer audio is refused; decoding stops at this point. None: no limit.
        channels: "mean" averages the channels, "separate" keeps them apart.

    Returns:
        Samples in [-1, 1]; lossy codecs overshoot a little. Shape (n_samples,) for "mean",
        (n_channels, n_samples) for "separate"; never empty.

    Raises:
        AudioNotFoundError: no file at this path.
        AudioTooLongError: more than `max_duration_s` seconds.
        AudioError: not a readable file, not audio, cut, damaged, or outside the limits of this module.
        ValueError: `max_duration_s` is not above 0, or `channels` is neither of the two.
    """
    _check_options(sample_rate, max_duration_s, channels)
    with closing(_decoded(source, max_duration_s)) as blocks:
        return _collected(blocks, sample_rate, channels)


def audio_blocks(
    source: Source,
    *,
    sample_rate: int = GIGAAM_V3.sample_rate,
    max_duration_s: float | None = None,
    strict: bool = False,
    track: int | None = None,
    warnings: list[AudioWarning] | None = None,
) -> Generator[Float32Array, None, None]:
    """The samples of an audio file as they are decoded, in constant memory; joined they are `decode_audio`'s.

    Args:
        source: A path, the content of a file, or an open file, which is read from its start and left open.
        sample_rate: Rate of the result, in Hz.
        max_duration_s: Longer audio is refused, when this point is reached. None: no limit.

    Yields:
        Mono samples in [-1, 1], each block of shape (n_samples,), possibly empty.

    Raises:
        AudioError: as `decode_audio`, the first block of a file that is no audio already; of a file that
            turns out to be damaged or too long, what came before is good.
    """
    _check_options(sample_rate, max_duration_s, "mean")
    with closing(_decoded(source, max_duration_s)) as blocks:
        resampler: StreamResampler | None = None
        for block in blocks:
            resampler = resampler or StreamResampler(block.sample_rate, sample_rate)
            yield resampler.accept(_mean(block.samples))
        if resampler is not None:
            yield resampler.finish()


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
    with _opened(path) as file:
        try:
            found = wav_part(file, start, end, sample_rate) if sniff(file) == "wav" else None
        except AudioError as error:
            raise type(error)(f"{_named(path)}: {error}") from error
    return None if found is None else (_mean(found[0].samples), found[1])


def stated_duration_s(source: Source) -> float | None:
    """The seconds that an audio file says it lasts, for progress; None where it does not say so."""
    try:
        with _opened(source) as file:
            return stated_duration(file, sniff(file))
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
    check_n_channels(rows.shape[0])
    _check_duration(rows.shape[1], sample_rate, max_duration_s)
    return _collected([Block(sample_rate, to_float32(rows))], sample_rate_out, channels)


def _check_options(sample_rate: int, max_duration_s: float | None, channels: str) -> None:
    check_sample_rate(sample_rate)
    if max_duration_s is not None and not max_duration_s > 0:
        raise ValueError(f"max_duration_s is {max_duration_s}; give seconds above 0, or None for no limit")
    if channels not in {"mean", "separate"}:
        raise ValueError(f'channels is {channels!r}; allowed are "mean" and "separate"')


def _named(source: Source) -> str:
    if isinstance(source, str | os.PathLike):
        return repr(os.fspath(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return f"{memoryview(source).nbytes} bytes"
    return f"{source.seek(0, os.SEEK_END)} bytes"


def _opened(source: Source) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(bytes(source))  # of bytes, neither call makes a copy
    if not isinstance(source, str | os.PathLike):
        return nullcontext(source)  # `sniff` begins at its start
    path = os.fspath(source)
    try:
        # A pipe or a device would block, or never end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise AudioError(f"{path!r} is not a regular file; give the path of an audio file, or its bytes")
        return open(path, "rb")
    except FileNotFoundError as error:
        raise AudioNotFoundError(f"there is no file {path!r}; check the path") from error
    except (OSError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(
            f"{path!r} cannot be opened ({error}); check the path and its permissions"
        ) from error


def _decoded(source: Source, max_duration_s: float | None) -> Generator[Block, None, None]:
    """The blocks of a file; errors name it."""
    with _opened(source) as file:
        try:
            container = sniff(file)
            if max_duration_s is not None and container in STATES_ITS_LENGTH:
                _check_stated(stated_duration(file, container), max_duration_s)
                file.seek(0)
            with closing(decode_blocks(file, container)) as blocks:
                yield from _limited(blocks, max_duration_s)
        except AudioError as error:
            raise type(error)(f"{_named(source)}: {error}") from error


def _check_stated(duration_s: float | None, max_duration_s: float) -> None:
    """Refuse at once what would be refused after much work: a file that is too long, or else cut."""
    if duration_s is not None and duration_s > max_duration_s + _STATED_SLACK_S:
        raise _too_long(duration_s, max_duration_s)


def _limited(blocks: Iterable[Block], max_duration_s: float | None) -> Iterator[Block]:
    n_samples = 0
    for block in blocks:
        check_cancelled()
        n_samples += block.samples.shape[1]
        _check_duration(n_samples, block.sample_rate, max_duration_s)
        yield block


def _check_duration(n_samples: int, sample_rate: int, max_duration_s: float | None) -> None:
    if max_duration_s is not None and n_samples / sample_rate > max_duration_s:
        raise _too_long(n_samples / sample_rate, max_duration_s)


def _too_long(duration_s: float, max_duration_s: float) -> AudioTooLongError:
    return AudioTooLongError(
        f"audio of {duration_s:.2f} s or more; allowed are {max_duration_s:g} s: "
        "cut the recording, or raise the limit where it is yours to set"
    )


def _collected(blocks: Iterable[Block], sample_rate: int, channels: Channels) -> Float32Array:
    """Samples mixed and resampled block by block, so that no more than the result is held."""
    resamplers: list[StreamResampler] = []
    pieces: list[list[Float32Array]] = []  # per channel of the result
    for block in blocks:
        rows = [_mean(block.samples)] if channels == "mean" else list(block.samples)
        if not resamplers:
            resamplers = [StreamResampler(block.sample_rate, sample_rate) for _ in rows]
            pieces = [[] for _ in rows]
        for resampler, piece, row in zip(resamplers, pieces, rows, strict=True):
            piece.append(resampler.accept(row))
    joined = [
        _joined([*piece, resampler.finish()]) for resampler, piece in zip(resamplers, pieces, strict=True)
    ]
    return joined[0] if channels == "mean" else np.stack(joined)


def _mean(samples: Float32Array) -> Float32Array:
    weights = np.full(samples.shape[0], 1 / samples.shape[0], np.float32)
    # A matrix product with the weights is ten times as fast as numpy's mean over a short axis.
    mean: Float32Array = samples[0] if samples.shape[0] == 1 else weights @ samples
    return mean


def _joined(pieces: list[Float32Array]) -> Float32Array:
    """The pieces as one array, without a copy where one piece holds everything."""
    filled = [piece for piece in pieces if piece.size]
    return filled[0] if len(filled) == 1 else np.concatenate(filled or pieces)
