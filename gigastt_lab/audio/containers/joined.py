"""Recordings that were joined to one file, byte behind byte, as `cat` does: where each begins.

A decoder that follows the first one's header hears nothing of the others.

Source: as `wav`, `mp4` and `views`; ISO/IEC 14496-12, section 8.8.12 (`tfdt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from gigastt_lab.audio.containers.kinds import MAX_CHUNKS, Container, read_at, size_of
from gigastt_lab.audio.containers.mp4 import mp4_boxes
from gigastt_lab.audio.containers.wav import wav_layout
from gigastt_lab.audio.sections import section
from gigastt_lab.errors import AudioError

_MAX_PARTS: Final = 1000
_MAX_FRAGMENT_HEAD: Final = 65_536
_WAVS: Final = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64"})


def recordings_in(file: BinaryIO, container: Container) -> Iterator[BinaryIO]:
    """The recordings in a file as files of their own: the file itself where it holds one.

    MP3, ADTS, Ogg, WebM and the like are not split: decoders go on from one to the next by themselves.

    Args:
        file: Seekable file that begins as `container`.
        container: Container that it is.
    """
    find_next = _NEXT.get(container)
    rest, n_bytes, start = file, size_of(file), 0
    for _ in range(_MAX_PARTS):
        at = None if find_next is None else _found(find_next, rest)
        if at is None:
            break
        yield section(file, start, start + at)
        start += at
        rest = section(file, start, n_bytes)
    yield rest


def is_joined(file: BinaryIO, container: Container) -> bool:
    """True if a file holds more than one recording."""
    find_next = _NEXT.get(container)
    return find_next is not None and _found(find_next, file) is not None


def _found(find_next: Callable[[BinaryIO], int | None], file: BinaryIO) -> int | None:
    try:
        return find_next(file)
    except AudioError:
        return None  # decoding says what is wrong


def _next_wav(file: BinaryIO) -> int | None:
    at = wav_layout(file).data_end
    n_bytes = size_of(file)
    for _ in range(MAX_CHUNKS):
        header = read_at(file, at, 13)
        if header[:1] == b"\0" and header[1:5] in _WAVS:  # padded to even lengths
            at, header = at + 1, header[1:]
        if header[:4] in _WAVS and header[8:12] == b"WAVE":
            return at
        size = int.from_bytes(header[4:8], "little")
        if len(header) < 12 or at + 8 + size > n_bytes:
            return None
        at += 8 + size + size % 2
    return None


def _next_mp4(file: BinaryIO) -> int | None:
    seen: set[bytes] = set()
    start = None
    for name, at, end in mp4_boxes(file):
        if name == b"ftyp" and b"moov" in seen:
            start = at
        elif name == b"moov" and start is not None and b"moof" not in seen:
            return start
        elif name == b"moof" and start is not None:
            # Fragments whose clock runs on, as of a stream with several beginnings, are one recording.
            return start if _begins_at_zero(read_at(file, at, min(end - at, _MAX_FRAGMENT_HEAD))) else None
        seen.add(name)
    return None


def _begins_at_zero(fragment: bytes) -> bool:
    at = fragment.find(b"tfdt")
    wide = fragment[at + 4 : at + 5] == b"\1"
    return at >= 0 and not any(fragment[at + 8 : at + (16 if wide else 12)])


def _next_aiff(file: BinaryIO) -> int | None:
    size = int.from_bytes(read_at(file, 4, 4), "big")
    at = 8 + size + size % 2
    head = read_at(file, at, 12)
    return at if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"} else None


def _next_w64(file: BinaryIO) -> int | None:
    head = read_at(file, 0, 24)
    at = -(-int.from_bytes(head[16:], "little") // 8) * 8
    return at if at and read_at(file, at, 16) == head[:16] else None


def _next_caf(file: BinaryIO) -> int | None:
    at = 8
    for _ in range(MAX_CHUNKS):
        header = read_at(file, at, 12)
        if len(header) < 12:
            return None
        if header[:6] == b"caff\0\1":
            return at
        at += 12 + int.from_bytes(header[4:], "big")
        if at > size_of(file):
            return None
    return None


_NEXT: Final[dict[Container, Callable[[BinaryIO], int | None]]] = {
    "wav": _next_wav,
    "mp4": _next_mp4,
    "aiff": _next_aiff,
    "w64": _next_w64,
    "caf": _next_caf,
}
