"""Ogg: whether its last page is whole. Source: RFC 3533, section 6."""

from __future__ import annotations

from typing import BinaryIO, Final

from gigastt_lab.audio.containers.kinds import read_at, size_of

_MAX_PAGE: Final = 27 + 255 + 255 * 255


def ogg_is_cut(file: BinaryIO) -> bool:
    """True if the file ends within a page. One without a last page, as voice notes are, does not."""
    n_bytes = size_of(file)
    tail = read_at(file, max(0, n_bytes - _MAX_PAGE), _MAX_PAGE)
    at = tail.rfind(b"OggS")
    while at >= 0:
        header = tail[at : at + 27]
        if len(header) == 27 and header[4] == 0 and header[5] < 8:
            segments = tail[at + 27 : at + 27 + header[26]]
            return len(segments) < header[26] or at + 27 + header[26] + sum(segments) > len(tail)
        if len(header) < 27:
            return True
        at = tail.rfind(b"OggS", 0, at)
    return False
