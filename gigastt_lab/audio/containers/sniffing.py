"""Detection of a file's container from its bytes: magic numbers, frames in a row, boxes."""

from __future__ import annotations

from typing import BinaryIO, Final

from gigastt_lab.audio.containers import magics, mpeg
from gigastt_lab.audio.containers.headless import headless_mp4
from gigastt_lab.audio.containers.kinds import CONTAINERS, Container, Found, read_at
from gigastt_lab.errors import AudioError

# Beyond this, a stream that was joined in its middle has begun.
_LOOKED_AT: Final = 65_536
_MAX_TAGS: Final = 8  # in a row, before the audio
_BOXES: Final = frozenset(
    {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx"}
)


def sniff(file: BinaryIO) -> Container:
    """The container that the first bytes announce.

    Args:
        file: Seekable file at any position; left at its start.

    Raises:
        AudioError: no bytes, or none of the known containers.
    """
    return locate(file).container


def locate(file: BinaryIO) -> Found:
    """The container of a file, and where it begins.

    ID3v2 tags before it are passed over, whatever it is; so is, before MPEG frames and MP4 boxes, what a
    stream that was joined in its middle begins with.

    Args:
        file: Seekable file at any position; left at its start.

    Raises:
        AudioError: as `sniff`.
    """
    head = first = read_at(file, 0, 16)
    start = 0
    for _ in range(_MAX_TAGS):
        tag_size = mpeg.id3_size(head)
        if not tag_size:
            break
        start += tag_size
        head = read_at(file, start, 16)
    container = _container_of(head)
    found = Found(container, start) if container else _further_on(read_at(file, start, _LOOKED_AT), start)
    found = found or headless_mp4(file)
    file.seek(0)
    if not first:
        raise AudioError("no bytes; give the content of an audio file")
    if found is None and start:
        return Found("mp3", start)
    if found is None:
        raise AudioError(
            f"not a known audio file: {_told(first)}; allowed are {allowed_containers()}: "
            "convert it to one of them"
        )
    return found


def allowed_containers() -> str:
    """The containers that are read, as a sentence lists them."""
    *names, last = CONTAINERS.values()
    return f"{', '.join(names)} and {last}"


def _told(head: bytes) -> str:
    name = magics.name_of_unread(head)
    return f"it begins with the bytes {head.hex(' ')}" + ("" if name is None else f", as {name}")


def _container_of(head: bytes) -> Container | None:
    if head[:4] in {b"RIFF", b"RF64", b"BW64", b"RIFX"} and head[8:12] == b"WAVE":
        return "wav"
    by_magic = magics.container_by_magic(head)
    if by_magic is not None:
        return by_magic
    size = int.from_bytes(head[:4], "big")
    if head[4:8] in _BOXES and (size >= 8 or size in {0, 1}):
        return "mp4"
    frame = mpeg.frame_at(head, 0)  # no magic number: valid fields of a header rule out most others
    return frame.container if frame is not None and frame.layer in {0, 3} else None


def _further_on(data: bytes, start: int) -> Found | None:
    """Container that begins within the data, as of a stream that was joined in its middle."""
    by_sync = magics.container_by_sync(data)
    if by_sync is not None:
        return Found(by_sync, start)
    at = data.find(b"ftyp")
    if at >= 4 and 8 <= int.from_bytes(data[at - 4 : at], "big") <= 4096:
        return Found("mp4", start + at - 4)
    frames = mpeg.first_frame(data)
    return None if frames is None else Found(frames[1].container, start + frames[0])
