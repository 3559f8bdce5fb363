"""Sections of files: a part of one, with other bytes before it, as a file of its own."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, cast


class _Section(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, end: int, head: bytes) -> None:
        self._file, self._start, self._head = file, start, head
        self._size = len(head) + end - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a memoryview is all it gets
        n_bytes = min(len(buffer), max(0, self._size - self._at))
        data = self._head[self._at : self._at + n_bytes]
        if len(data) < n_bytes:
            self._file.seek(self._start + self._at + len(data) - len(self._head))
            data += self._file.read(n_bytes - len(data))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def section(file: BinaryIO, start: int, end: int, head: bytes = b"") -> BinaryIO:
    """A part of a file as a file of its own, for reading; the file itself stays open.

    Args:
        file: Seekable file.
        start: Position of the first byte.
        end: Position after the last byte.
        head: Bytes that come before.
    """
    return cast(BinaryIO, _Section(file, start, end, head))
