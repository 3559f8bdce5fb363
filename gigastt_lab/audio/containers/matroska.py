"""Matroska and WebM: whether an element promises more than there is, or none can be read where one should be.

Source: RFC 8794 (EBML), RFC 9559 (Matroska).
"""

from __future__ import annotations

from typing import BinaryIO, Final

from gigastt_lab.audio.containers.kinds import Ending, size_of

_SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
# Elements that may stand in a segment, and in a cluster of unknown size.
_KNOWN: Final = frozenset(
    {0x1A45DFA3, _SEGMENT, _CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770,
     0x1254C367, 0xE7, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0x5854, 0xEC, 0xBF}
)  # fmt: skip
_MAX_ELEMENTS: Final = 500_000  # a live recording has one every 20 ms: three hours
_READ_BYTES: Final = 65_536


def matroska_ending(file: BinaryIO) -> Ending:
    """End of a Matroska file: cut, if its segment or last element states a size that the file cannot hold.

    Live recordings state no size of their clusters: these are entered, element by element.
    """
    reader, position = _Reader(file), 0
    for _ in range(_MAX_ELEMENTS):
        if position >= reader.n_bytes:
            return Ending()
        name, size, length = reader.element(position)
        start = position + length
        if length == 0 or name not in _KNOWN:
            is_short = reader.n_bytes - position < 12
            return Ending(is_cut=is_short, broken_at=None if is_short else position)
        if name == _SEGMENT or size is None:
            if size is not None and start + size > reader.n_bytes:
                return Ending(is_cut=True)
            position = start
        elif start + size > reader.n_bytes:
            return Ending(is_cut=True)
        else:
            position = start + size
    return Ending()


class _Reader:
    """Reader of the heads of elements; what lies near each other is read at once."""

    def __init__(self, file: BinaryIO) -> None:
        self.n_bytes = size_of(file)
        self._file = file
        self._held, self._start = b"", 0

    def element(self, position: int) -> tuple[int, int | None, int]:
        """Name of an element, its size (None: unknown), and the length of both fields; 0: it is none."""
        at = position - self._start
        if not 0 <= at <= len(self._held) - 12:
            self._file.seek(position)
            self._held, self._start, at = self._file.read(_READ_BYTES), position, 0
        head = self._held[at : at + 12]
        name_length = 9 - head[0].bit_length() if head else 0
        if not 1 <= name_length <= 4 or len(head) <= name_length:
            return 0, None, 0
        size_length = 9 - head[name_length].bit_length()
        field = head[name_length : name_length + size_length]
        if not 1 <= size_length <= 8 or len(field) < size_length:
            return 0, None, 0
        unknown = (1 << 7 * size_length) - 1
        size = int.from_bytes(field, "big") & unknown
        name = int.from_bytes(head[:name_length], "big")
        return name, None if size == unknown else size, name_length + size_length
