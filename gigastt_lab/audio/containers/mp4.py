"""MP4 and QuickTime: whether the index is there and bearable, and whether a box promises more than there is.

Source: ISO/IEC 14496-12, section 4.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from gigastt_lab.audio.containers.kinds import MAX_CHUNKS, Ending, read_at, size_of
from gigastt_lab.errors import AudioError

_MAX_FRAMES: Final = 4_000_000  # of all tracks: a day of AAC at 48 kHz
# The outermost boxes; what begins with another name behind the index is no box, but a tag or padding.
OUTERMOST: Final = frozenset(
    b"ftyp moov mdat free skip wide pnot styp moof sidx ssix mfra meta uuid udta emsg prft pdin bloc".split()
)


def mp4_ending(file: BinaryIO) -> Ending:
    """End of an MP4: cut, if its last box states a size that the file cannot hold.

    Behind the index of a whole file, what is no box does no harm: it is a tag, or padding. In a fragmented
    one, further fragments may be lost with it.

    Args:
        file: A file that begins as an MP4; left at its start.

    Raises:
        AudioError: no index (`moov`), or one that claims an absurd number of frames.
    """
    n_bytes = size_of(file)
    names: set[bytes] = set()
    n_frames, is_cut, broken_at = 0, False, None
    for name, start, end in _boxes(file, n_bytes):
        if b"moov" in names and name not in OUTERMOST:
            broken_at = start
            break
        names.add(name)
        is_cut = end > n_bytes
        if name not in {b"mdat", b"free", b"skip"}:
            n_frames += claimed_frames(read_at(file, start, min(end, n_bytes) - start))
        if n_frames > _MAX_FRAMES:
            raise AudioError(
                f"an MP4 of {n_frames} frames; allowed are {_MAX_FRAMES}: cut the recording into parts"
            )
        if is_cut and name == b"moov":
            raise AudioError("an MP4 whose index (moov) is cut: nothing of it can be found; send it whole")
    file.seek(0)
    if b"moov" not in names:
        raise AudioError(_without_index(names))
    if b"moof" not in names:
        broken_at = None
    return Ending(is_cut, broken_at=broken_at)


def mp4_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stated end of the outermost boxes.

    Raises:
        AudioError: a box of impossible size.
    """
    yield from _boxes(file, size_of(file))


def _without_index(names: set[bytes]) -> str:
    if b"moof" in names:
        return (
            "a fragment of an MP4 without the beginning of its stream (moov), which says how to decode it; "
            "send it with the beginning"
        )
    return (
        "an MP4 without its index (moov), which stands at the end of most: the recording was not finished, "
        "or the file is cut; send it whole"
    )


def _boxes(file: BinaryIO, n_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stated end of the outermost boxes."""
    start = 0
    for _ in range(MAX_CHUNKS):
        header = read_at(file, start, 16)
        if len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header[:8])
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack(">Q", header[8:])
        elif size == 0:  # the last box may leave its end open
            size = n_bytes - start
        if size < 8:
            if start and name not in OUTERMOST:
                return  # padding, or a tag
            raise AudioError(f"an MP4 with a box of {size} bytes; a box has at least 8: the file is damaged")
        yield name, start, start + size
        start += size
    raise AudioError(f"an MP4 of more than {MAX_CHUNKS} boxes; cut the recording into parts")


def claimed_frames(content: bytes) -> int:
    """Frames that the tables (`stsz`) and runs (`trun`) anywhere in a box claim.

    A table of frames of equal size takes 20 bytes, whatever their number, and FFmpeg allocates for that
    number: 10 kB could take 3 GB. Counts of 2^27 and more it refuses itself; most are chance finds, in a
    cover picture.

    Raises:
        AudioError: the box is compressed.
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
