"""Raw audio by FFmpeg's libraries: bytes without a header, of which the caller says what they are."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

from gigastt_lab.audio.containers.kinds import read_at, size_of
from gigastt_lab.audio.decoders.blocks import Block, merged
from gigastt_lab.audio.decoders.frames import block_of
from gigastt_lab.audio.raw import Encoding, RawAudio, header_of
from gigastt_lab.audio.report import Report
from gigastt_lab.audio.samples import to_float32
from gigastt_lab.errors import AudioError

_CODECS: Final[dict[Encoding, str]] = {
    "s16le": "pcm_s16le",
    "s16be": "pcm_s16be",
    "alaw": "pcm_alaw",
    "mulaw": "pcm_mulaw",
    "g722": "g722",
}


def decode_raw(file: BinaryIO, raw: RawAudio, report: Report) -> Generator[Block, None, None]:
    """The samples of raw audio, a block at a time.

    Args:
        file: Seekable file of nothing but samples.
        raw: Statement of what they are.
        report: Report that is told of bytes at the end that are no whole sample.

    Yields:
        At least one block of at least one sample, in float32.

    Raises:
        AudioError: the file has a header of its own, or no sample.
    """
    name = header_of(read_at(file, 0, 16))
    if name is not None:
        raise AudioError(f"raw audio ({raw.encoding}) that begins as {name}: leave out that it is raw")
    n_bytes = size_of(file)
    if n_bytes < raw.bytes_per_frame:
        raise AudioError(f"{n_bytes} bytes, which are no sample of raw audio; give the whole recording")
    _warn_of_rest(n_bytes, raw, report)
    file.seek(0)
    for block in merged(_frames(file, raw)):
        yield Block(block.sample_rate, to_float32(block.samples))
    report.close()


def _frames(file: BinaryIO, raw: RawAudio) -> Iterator[Block]:
    import av

    options = {"codec_whitelist": _CODECS[raw.encoding]}
    if raw.encoding != "g722":
        options |= {"sample_rate": str(raw.sample_rate), "ch_layout": f"{raw.n_channels}C"}
    try:
        with av.open(file, "r", format=raw.encoding, options=options) as source:
            for frame in source.decode(source.streams.audio[0]):
                yield block_of(frame)
    except (av.FFmpegError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"raw audio ({raw.encoding}) that cannot be decoded ({reason})") from error


def _warn_of_rest(n_bytes: int, raw: RawAudio, report: Report) -> None:
    rest = n_bytes % raw.bytes_per_frame
    if rest:
        at_s = n_bytes * raw.duration_of_byte
        report.warn(
            "cut",
            f"raw audio ({raw.encoding}, {raw.n_channels} channels) of {n_bytes} bytes: the last {rest} are "
            "no whole sample",
            at_s,
        )
