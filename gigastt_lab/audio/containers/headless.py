"""MP4s whose beginning is missing: the index at their end still says where each sample was.

A download that was resumed wrongly, or a recording that was cut at its front, begins in the middle of the
samples (`mdat`). The index (`moov`) stands right behind them, so that its place tells how much is missing: a
head of that length makes all positions right again, and what it stands for cannot be decoded.

Source: ISO/IEC 14496-12, sections 8.6 and 8.7 (`stsz`, `stsc`, `stco`, `co64`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from gigastt_lab.audio.containers.kinds import Found, read_at, size_of

_MAX_MISSING: Final = 2**26  # bytes of a head that is made up
_MAX_INDEX: Final = 2**25
_TRACK: Final = (b"mdia", b"minf", b"stbl")


def headless_mp4(file: BinaryIO) -> Found | None:
    """An MP4 that begins within its samples, with a head in place of what is missing; None if it is none.

    Args:
        file: Seekable file; left anywhere.
    """
    n_bytes = size_of(file)
    tail_at = max(0, n_bytes - _MAX_INDEX)
    tail = read_at(file, tail_at, _MAX_INDEX)
    at = tail.rfind(b"moov") - 4
    if at < 0 or tail[at + 12 : at + 16] != b"mvhd":
        return None
    size = int.from_bytes(tail[at : at + 4], "big")
    moov = tail[at : at + size]
    if len(moov) < size:
        return None
    ends = [_end_of_samples(track) for name, track in _boxes(moov[8:]) if name == b"trak"]
    n_missing = max(ends, default=0) - (tail_at + at)
    if not 16 <= n_missing <= _MAX_MISSING:
        return None
    samples = n_missing + tail_at + at
    if samples >= 2**32:
        return None
    return Found("mp4", 0, (struct.pack(">I", samples) + b"mdat").ljust(n_missing, b"\0"))


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the boxes in one."""
    at = 0
    while at + 8 <= len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if size < 8:
            return
        yield name, content[at + 8 : at + size]
        at += size


def _end_of_samples(track: bytes) -> int:
    """Position behind the last sample of a track, in the file as it was; 0 where its tables do not say."""
    for wanted in _TRACK:
        track = next((content for name, content in _boxes(track) if name == wanted), b"")
    tables = dict(_boxes(track))
    sizes, chunks = tables.get(b"stsz", b""), tables.get(b"stsc", b"")
    width, offsets = (8, tables[b"co64"]) if b"co64" in tables else (4, tables.get(b"stco", b""))
    n_offsets = int.from_bytes(offsets[4:8], "big")
    last = offsets[8 + width * (n_offsets - 1) :][:width]
    if not n_offsets or len(last) < width or len(sizes) < 12 or len(chunks) < 20:
        return 0
    equal, n_samples = struct.unpack(">II", sizes[4:12])
    per_chunk = int.from_bytes(chunks[-8:-4], "big")  # of the last run of chunks
    start = int.from_bytes(last, "big")
    if equal:
        return start + int(equal) * min(per_chunk, int(n_samples))
    each = sizes[12:][-4 * per_chunk :] if per_chunk else b""
    return start + sum(map(int, struct.unpack(f">{len(each) // 4}I", each)))
