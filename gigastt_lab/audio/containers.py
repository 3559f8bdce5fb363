"""Container detection from the bytes alone, and the check that the file is whole.

Two kinds of container need two policies. WAV, FLAC and MP4 state their length at the time they are closed:
a file with less than it states was cut, and is refused. Ogg, WebM, MP3 and ADTS are streams, which recorders
leave without an end (Telegram, MediaRecorder): what is there is decoded, up to the last whole packet.
FLAC's length is checked where it is decoded, since only then its samples can be counted.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, Literal

from gigastt_lab.audio.samples import check_n_channels, check_sample_rate
from gigastt_lab.errors import AudioError

Container = Literal["wav", "flac", "mp3", "ogg", "mp4", "webm", "aac"]
STATES_ITS_LENGTH: frozenset[Container] = frozenset({"wav", "flac", "mp4"})

# Data sizes that stand for "unknown": never filled in; FFmpeg and others; SoX (`wav.c`, MS_UNSPEC); arecord.
_WAV_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFF000, 0x80000000})
# Sloppy writers count the header, or the padding, as data.
_WAV_SLACK_BYTES = 64
# Real files have about ten, live MP4 two for each fragment; a crafted one could have millions.
_MAX_CHUNKS = 100_000
_MAX_MP4_FRAMES = 4_000_000  # of all tracks: a day of AAC at 48 kHz


def sniff(file: BinaryIO) -> Container:
    """The container that the first bytes announce.

    Args:
        file: Seekable file at any position; left at its start.

    Raises:
        AudioError: no bytes, or none of the known containers.
    """
    head = _read_at(file, 0, 16)
    tag_size = _id3_size(head)
    body = _read_at(file, tag_size, 16) if tag_size else head
    file.seek(0)
    if not head:
        raise AudioError("no bytes; give the content of an audio file")
    container = _container_of(body) or ("mp3" if tag_size else None)
    if container is None:
        raise AudioError(
            f"not a known audio file: it begins with the bytes {head.hex(' ')}; allowed are "
            "WAV, FLAC, MP3, Ogg (Opus, Vorbis), M4A/MP4, WebM and AAC: convert it to one of them"
        )
    return container


def _container_of(head: bytes) -> Container | None:
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    magics: dict[bytes, Container] = {b"fLaC": "flac", b"OggS": "ogg", b"\x1a\x45\xdf\xa3": "webm"}
    return magics.get(head[:4]) or _mpeg_container_of(head)


def _mpeg_container_of(head: bytes) -> Container | None:
    """MP3 or ADTS by their sync word (no magic number); invalid header fields rule out most others."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0 and head[2] & 0x3C <= 12 << 2:  # ADTS: layer 0, one of 13 rates
        return "aac"
    layer_3 = head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08  # sync, layer III, no reserved version
    valid = head[2] & 0xF0 not in {0x00, 0xF0} and head[2] & 0x0C != 0x0C  # bit rate and rate exist
    return "mp3" if layer_3 and valid else None


def _id3_size(head: bytes) -> int:
    """Bytes of an ID3v2 tag, 0 without one. Source: ID3v2.4 structure, section 3.1 (seven bits a byte)."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + (20 if head[5] & 0x10 else 10)  # a footer repeats the header


def wav_length_is_stated(file: BinaryIO) -> bool:
    """True if a WAV's header holds the size of its data, not 0 as of a recording that was never closed.

    Args:
        file: A sniffed WAV; left at its start.

    Raises:
        AudioError: the header is cut or impossible, or its data is cut.
    """
    n_bytes = _size(file)
    position = 12
    for _ in range(_MAX_CHUNKS):
        header = _read_at(file, position, 8)
        if len(header) < 8:
            raise AudioError("a WAV header without audio data: the file is cut; send it whole")
        name, size = struct.unpack("<4sI", header)
        position += 8
        if name == b"fmt ":
            _check_wav_format(_read_at(file, position, 8))
        elif name == b"data":
            file.seek(0)
            _check_wav_data(size, n_bytes - position)
            return bool(size)
        position += size + size % 2  # chunks are padded to even lengths
    raise AudioError(f"a WAV with more than {_MAX_CHUNKS} chunks before its data; rewrite it")


def _check_wav_format(fields: bytes) -> None:
    if len(fields) < 8:
        raise AudioError("a WAV header that ends in its format: the file is cut; send it whole")
    _, n_channels, sample_rate = struct.unpack("<HHI", fields)
    check_n_channels(n_channels)
    check_sample_rate(sample_rate)


def _check_wav_data(stated: int, there: int) -> None:
    if there <= 0:
        raise AudioError("a WAV header without audio data; send the whole file")
    if stated not in _WAV_UNKNOWN_SIZES and stated - there > _WAV_SLACK_BYTES:
        raise AudioError(
            f"a WAV whose header promises {stated} bytes of audio while {there} are there: "
            "the file is cut; send it whole"
        )


def check_mp4(file: BinaryIO) -> None:
    """Raise `AudioError` for an MP4 that is cut, has no index (`moov`), or claims an absurd number of frames.

    A fragmented file (one with `moof`, as Safari's MediaRecorder writes it) is a stream: it may end anywhere.

    Args:
        file: A sniffed MP4; left at its start.
    """
    n_bytes = _size(file)
    names: set[bytes] = set()
    n_frames = 0
    for name, start, end in _mp4_boxes(file, n_bytes):
        if end > n_bytes and b"moof" not in names:
            raise AudioError(f"an MP4 that lacks its last {end - n_bytes} bytes; send the file whole")
        names.add(name)
        if name not in {b"mdat", b"free", b"skip"}:
            n_frames += _claimed_frames(_read_at(file, start, end - start))
        if n_frames > _MAX_MP4_FRAMES:
            raise AudioError(
                f"an MP4 of {n_frames} frames; allowed are {_MAX_MP4_FRAMES}: cut the recording into parts"
            )
    file.seek(0)
    if b"moov" not in names:
        raise AudioError(
            "an MP4 without its index (moov): the recording was not finished, or the file is cut"
        )


def _mp4_boxes(file: BinaryIO, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stated end of the outermost boxes. Source: ISO/IEC 14496-12, section 4.2."""
    start = 0
    for _ in range(_MAX_CHUNKS):
        header = _read_at(file, start, 16)
        if len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header[:8])
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack(">Q", header[8:])
        elif size == 0:  # the last box may leave its end open
            size = n_bytes - start
        if size < 8:
            raise AudioError(f"an MP4 with a box of {size} bytes; a box has at least 8: the file is damaged")
        yield name, start, start + size
        start += size
    raise AudioError(f"an MP4 of more than {_MAX_CHUNKS} boxes; cut the recording into parts")


def _claimed_frames(content: bytes) -> int:
    """Frames that the tables (`stsz`) and runs (`trun`) anywhere in a box claim.

    A table of frames of equal size takes 20 bytes, whatever their number, and FFmpeg allocates for that
    number: 10 kB could take 3 GB. Counts of 2^27 and more it refuses itself; most are chance finds, in a
    cover picture.
    """
    if b"dcomzlib" in content:
        raise AudioError("an MP4 whose index is compressed, which could hide any size; export it again")
    n_frames = 0
    for match in re.finditer(rb"(?=stsz|trun)", content):
        name_at = match.start()
        count_at = name_at + (12 if content[name_at : name_at + 1] == b"s" else 8)
        if content[max(0, name_at - 4) : name_at] == b"\0\0\0\1":  # the size follows in eight bytes
            count_at += 8
        count = int.from_bytes(content[count_at : count_at + 4], "big")
        n_frames += count if count < 2**27 else 0
    return n_frames


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _read_at(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    file.seek(position)
    return file.read(n_bytes)
