"""Decoders of a sniffed container, block by block: WAV by libsndfile, all else by FFmpeg's libraries.

FFmpeg can read playlists, scripts and network addresses. Here it never chooses what to open: it gets bytes
through a file object, the one demuxer that fits the sniffed container, and the few decoders named below.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from gigastt_lab.audio.containers import Container, check_mp4, wav_length_is_stated
from gigastt_lab.audio.samples import check_n_channels, check_sample_rate, to_float32
from gigastt_lab.errors import AudioError

logger = logging.getLogger(__name__)

_BLOCK_SAMPLES = 65_536  # of all channels together: 256 KiB, large enough to hide the cost of a call

_DEMUXERS: dict[Container, str] = {
    "wav": "wav",  # only one that was never closed: libsndfile finds nothing in it
    "flac": "flac",
    "mp3": "mp3",
    "ogg": "ogg",
    "mp4": "mov",
    "webm": "matroska",
    "aac": "aac",
}
_PCM_CODECS = frozenset(
    f"pcm_{name}" for name in ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")
)
# No ALAC: its header may ask for 16 million samples a frame, half a gigabyte, whatever the caller's limit.
_CODECS = frozenset({"aac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis"})
# A gap between the file's clock and the samples decoded that is worth a warning.
_GAP_S = 0.5


class Block(NamedTuple):
    """Block of samples and their rate, in Hz. Shape (n_channels, n_samples)."""

    sample_rate: int
    samples: npt.NDArray[Any]


def decode_blocks(file: BinaryIO, container: Container) -> Generator[Block, None, None]:
    """The audio of a file, a block at a time; every block has the same rate and channels.

    Args:
        file: Seekable file at its start.
        container: Container that `sniff` found.

    Yields:
        At least one block of at least one sample, in float32.

    Raises:
        AudioError: the file is cut or damaged, holds no samples, or is outside the limits of `samples`.
    """
    if container == "mp4":
        check_mp4(file)
    by_libsndfile = container == "wav" and wav_length_is_stated(file)
    blocks = _wav_blocks(file) if by_libsndfile else _merged(_ffmpeg_blocks(file, container))
    expected: tuple[int, int] | None = None
    with closing(blocks):
        for block in blocks:
            expected = expected or _checked_format(block)
            if _format(block) != expected:
                raise AudioError(
                    f"audio that changes from {expected} to {_format(block)} (Hz, channels) on its way; "
                    "convert it to one rate and one number of channels"
                )
            yield Block(block.sample_rate, to_float32(block.samples))
    if expected is None:
        raise AudioError(f"{container.upper()} data without a single audio sample; send the whole recording")


def wav_part(file: BinaryIO, start: int, end: int | None, sample_rate: int) -> tuple[Block, int] | None:
    """A part of a WAV, found by its place, and the samples that the file has; None where that cannot be.

    Args:
        file: A sniffed WAV; left anywhere.
        start: Its first sample; beyond the file's end, the part is empty.
        end: The sample after its last; None: the file's end.
        sample_rate: Rate, in Hz, that the file has to have: to resample, what lies before counts.

    Raises:
        AudioError: as `decode_blocks`.
    """
    if not wav_length_is_stated(file):
        return None
    with _opened_by_libsndfile(file) as sound:
        if sound.samplerate != sample_rate:
            return None
        n_samples = int(sound.frames)
        check_n_channels(sound.channels)
        sound.seek(min(start, n_samples))
        n_wanted = max(0, min(n_samples if end is None else end, n_samples) - start)
        samples = sound.read(n_wanted, dtype="float32", always_2d=True).T
        return Block(sample_rate, to_float32(samples)), n_samples


def stated_duration(file: BinaryIO, container: Container) -> float | None:
    """The seconds that the container states or lets estimate, without decoding; None where it does not.

    Args:
        file: Seekable file at its start.
        container: Container that `sniff` found.

    Raises:
        AudioError: it cannot be read.
    """
    if container == "wav":
        if not wav_length_is_stated(file):
            return None
        with _opened_by_libsndfile(file) as sound:
            return float(sound.frames / sound.samplerate)
    if container == "mp4":
        check_mp4(file)
    with _opened_by_ffmpeg(file, container) as source:
        return None if source.duration is None else float(source.duration / 1_000_000)


def _format(block: Block) -> tuple[int, int]:
    return block.sample_rate, block.samples.shape[0]


def _checked_format(block: Block) -> tuple[int, int]:
    sample_rate, n_channels = _format(block)
    check_sample_rate(sample_rate)
    check_n_channels(n_channels)
    return sample_rate, n_channels


@contextmanager
def _opened_by_libsndfile(file: BinaryIO) -> Iterator[Any]:
    import soundfile

    try:
        with soundfile.SoundFile(file) as sound:
            yield sound
    except soundfile.LibsndfileError as error:
        raise AudioError(f"a WAV that cannot be read ({error.error_string}); export it again") from error


def _wav_blocks(file: BinaryIO) -> Generator[Block, None, None]:
    with _opened_by_libsndfile(file) as sound:
        n_frames = max(1, _BLOCK_SAMPLES // sound.channels)
        while True:
            samples = sound.read(n_frames, dtype="float32", always_2d=True).T
            if samples.shape[1] == 0:
                break
            yield Block(sound.samplerate, samples)


@contextmanager
def _opened_by_ffmpeg(file: BinaryIO, container: Container) -> Iterator[Any]:
    import av

    demuxer = _DEMUXERS[container]
    options = {"format_whitelist": demuxer, "codec_whitelist": ",".join(sorted(_allowed_codecs(container)))}
    try:
        with av.open(
            file, "r", format=demuxer, options=options, metadata_errors="replace", io_open=_refuse_to_open
        ) as source:
            yield source
    except (av.FFmpegError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(
            f"{container.upper()} data that is cut or damaged ({reason}); export it again"
        ) from error


def _ffmpeg_blocks(file: BinaryIO, container: Container) -> Iterator[Block]:
    with _opened_by_ffmpeg(file, container) as source:
        if not source.streams.audio:
            raise AudioError(f"{container.upper()} data without an audio track; send a recording with sound")
        stream = source.streams.audio[0]
        _configure(stream, _allowed_codecs(container))
        yield from _decoded(source, stream, container)


def _allowed_codecs(container: Container) -> frozenset[str]:
    return _PCM_CODECS if container == "wav" else _CODECS


def _refuse_to_open(url: str, *_: object) -> NoReturn:
    raise AudioError("a file that refers to another file or address; send one that holds its audio itself")


def _configure(stream: Any, codecs: frozenset[str]) -> None:
    codec = stream.codec_context.name if stream.codec_context else "unknown"
    if codec not in codecs:
        raise AudioError(
            f"audio in the codec {codec!r}; allowed are PCM, FLAC, MP3, AAC, Opus and Vorbis: convert it"
        )
    stream.codec_context.thread_count = 1  # the server decides how many files are decoded at once
    if codec == "flac":
        stream.codec_context.options = {"err_detect": "crccheck+explode"}  # else damage is decoded as noise


def _decoded(source: Any, stream: Any, container: Container) -> Iterator[Block]:
    """Blocks, one per frame. Only the last packet may be broken: the recording was cut there."""
    import av

    n_samples, frame, damage, first_pts, to_drop = 0, None, None, None, None
    for packet in source.demux(stream):
        if damage is not None and packet.size:
            raise damage
        first_pts = packet.pts if first_pts is None else first_pts
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            damage = error
            continue
        for frame in frames:
            n_samples += frame.samples
            to_drop = _priming(stream, first_pts, frame) if to_drop is None else to_drop
            block = _block(frame)
            yield Block(block.sample_rate, block.samples[:, to_drop:])
            to_drop -= min(to_drop, frame.samples)
    if container == "flac" and stream.duration and n_samples < stream.duration:
        raise AudioError(
            f"a FLAC that promises {stream.duration} samples while {n_samples} could be decoded: "
            "the file is cut or damaged; send it whole"
        )
    if frame is not None:
        _warn_of_gaps(stream, frame, n_samples)


def _priming(stream: Any, first_pts: int | None, first_frame: Any) -> int:
    """Samples that the codec needed to start up, where the file does not state them.

    Where it does (an edit list, a LAME tag), FFmpeg drops them; it shows by a first packet before zero or by
    a start after it. Elsewhere (ADTS, live MP4, plain MP3) all words would come 25 to 70 ms late.

    Source: AAC's transform overlaps by one frame. An MP3 decoder lags by 528 + 1 samples and LAME, as most
    encoders or nearly, by 576 (LAME technical FAQ).
    """
    if (first_pts or 0) < 0 or (stream.start_time or 0) > 0:
        return 0
    codec: str = stream.codec_context.name
    if codec == "aac":
        return int(first_frame.samples)
    return 528 + 1 + 576 if codec.startswith("mp3") else 0


def _block(frame: Any) -> Block:
    """A frame's samples as they lie in memory: no AudioResampler, which crashes on odd layouts."""
    n_channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        samples = frame.to_ndarray().reshape(-1, n_channels).T
    elif n_channels < 8:
        samples = frame.to_ndarray()
    else:
        samples = _many_planes(frame, n_channels)
    return Block(frame.sample_rate, samples)


def _many_planes(frame: Any, n_channels: int) -> npt.NDArray[Any]:
    """Samples of a frame of eight planes or more.

    PyAV 18.1 counts planes up to a null pointer: with eight there is none. Its
    `to_ndarray` then reads foreign memory, and the process ends.
    """
    from av.audio.plane import AudioPlane

    dtype = {"fltp": "f4", "dblp": "f8", "s16p": "i2", "s32p": "i4", "u8p": "u1"}[frame.format.name]
    planes = [AudioPlane(frame, index) for index in range(n_channels)]
    return np.stack([np.frombuffer(memoryview(plane), dtype, frame.samples) for plane in planes])


def _warn_of_gaps(stream: Any, last_frame: Any, n_samples: int) -> None:
    """Warn of gaps: they are closed, not filled with silence, so that words after one come early."""
    if last_frame.pts is None or not last_frame.sample_rate:
        return
    start = (stream.start_time or 0) * stream.time_base
    clock_s = (
        float(last_frame.pts * last_frame.time_base - start) + last_frame.samples / last_frame.sample_rate
    )
    gap_s = clock_s - n_samples / last_frame.sample_rate
    if gap_s > _GAP_S:
        logger.warning("packets are missing: times after the gap are up to %.2f s early", gap_s)


def _merged(blocks: Iterator[Block]) -> Generator[Block, None, None]:
    """Blocks that are worth a call, joined from the 20 ms frames of a codec."""
    pending: list[Block] = []
    n_samples = 0
    for block in blocks:
        if pending and (n_samples >= _BLOCK_SAMPLES or _format(block) != _format(pending[0])):
            yield _joined(pending)
            pending, n_samples = [], 0
        if block.samples.size:
            pending.append(block)
            n_samples += block.samples.size
    if pending:
        yield _joined(pending)


def _joined(blocks: list[Block]) -> Block:
    return Block(blocks[0].sample_rate, np.concatenate([block.samples for block in blocks], axis=1))
