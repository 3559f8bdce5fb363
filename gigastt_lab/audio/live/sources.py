"""Bytes of a live stream as a decoder reads them: a file that blocks, and ends when the stream does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gigastt_lab.audio.containers.mp4 import OUTERMOST, claimed_frames
from gigastt_lab.audio.containers.mpeg import id3_size
from gigastt_lab.errors import AudioError
from gigastt_lab.types import AudioWarningKind

_SKIPPED_AT_ONCE = 65_536
# An hour of AAC has an index of 0.6 MB; a live recording's has 1 kB, and its fragments less.
_MAX_INDEX_BYTES = 8 * 2**20


class Bytes(Protocol):
    """Origin of bytes: `read` blocks until there is one, and gives none at the end."""

    def read(self, n_bytes: int, /) -> bytes:
        """At least one byte and at most so many; none at the end."""


class Source:
    """Source of bytes from which a few may be taken back."""

    def __init__(self, origin: Bytes) -> None:
        self._origin = origin
        self._kept = b""

    def read(self, n_bytes: int) -> bytes:
        """At least one byte and at most so many; none at the end."""
        if self._kept:
            data, self._kept = self._kept[:n_bytes], self._kept[n_bytes:]
            return data
        return self._origin.read(n_bytes)

    def exactly(self, n_bytes: int) -> bytes:
        """So many bytes; fewer only at the end."""
        parts, n_missing = [], n_bytes
        while n_missing > 0 and (part := self.read(n_missing)):
            parts.append(part)
            n_missing -= len(part)
        return b"".join(parts)

    def skip(self, n_bytes: int) -> None:
        """Read so many bytes, and forget them."""
        while n_bytes > 0 and (part := self.read(min(n_bytes, _SKIPPED_AT_ONCE))):
            n_bytes -= len(part)

    def unread(self, data: bytes) -> None:
        """Take bytes back: they are the next ones."""
        self._kept = data + self._kept


def skip_id3(source: Source) -> None:
    """Skip an ID3v2 tag: text and pictures, which FFmpeg would unpack in any size."""
    head = source.exactly(10)
    size = id3_size(head)
    if size:
        source.skip(size - len(head))
    else:
        source.unread(head)


class Boxes:
    """MP4 for FFmpeg, box by box: its index is looked at before, and has to come before the audio.

    A second `ftyp` ends it: a new recording on the same connection, which `source` still has.
    Source: ISO/IEC 14496-12, section 4.2.

    Attributes:
        audio_end: Place, in bytes that were read of this, where the audio ends so far.
    """

    def __init__(self, source: Source, warn: Callable[[AudioWarningKind, str], None]) -> None:
        """Begin a recording.

        Args:
            source: Its bytes.
            warn: Takes the kind of a loss, and what is lost.
        """
        self.audio_end = 0
        self._source = source
        self._warn = warn
        self._n_read = 0
        self._is_audio = False  # the box that is passed on
        self._ready = b""  # of boxes that were read whole
        self._left: int | None = 0  # bytes of a box that is passed on as it comes; None: to the end
        self._has_index = False

    def read(self, n_bytes: int) -> bytes:
        """As a file's: no bytes at the end.

        Raises:
            AudioError: an MP4 that cannot be read as it comes, or whose index claims too much.
        """
        if not self._ready and self._left == 0:
            self._next_box()
        if self._ready:
            data, self._ready = self._ready[:n_bytes], self._ready[n_bytes:]
            self._n_read += len(data)
            return data
        data = self._passed_on(n_bytes)
        self._n_read += len(data)
        if self._is_audio and data:
            self.audio_end = self._n_read
        return data

    def _passed_on(self, n_bytes: int) -> bytes:
        if self._left is None:
            return self._source.read(n_bytes)
        data = self._source.read(min(n_bytes, self._left))
        self._left -= len(data)
        if self._left and not data:
            self._tell_cut(self._left)
            self._left = 0
        return data

    def _tell_cut(self, n_missing: int) -> None:
        self._warn("cut", f"the stream ends {n_missing} bytes before a box of the MP4 that began does")

    def _next_box(self) -> None:
        header = self._source.exactly(8)
        size, name = int.from_bytes(header[:4], "big"), header[4:]
        if name == b"ftyp" and self._has_index:
            self._source.unread(header)
            return
        if size == 1:
            header += self._source.exactly(8)
            size = int.from_bytes(header[8:], "big")
        if len(header) < 8:
            if header:
                self._tell_cut(8 - len(header))
            return
        if name not in OUTERMOST or 0 < size < len(header):
            self._find_fragment(header)
            return
        if name in {b"moov", b"moof"}:
            self._ready += self._whole(name, header, size)
            if name == b"moof":  # FFmpeg seeks back, within what it has read, to the audio behind it
                self._next_box()
            return
        if name == b"mdat" and not self._has_index:
            raise AudioError(
                "MP4 whose index (moov) comes after its audio, as most recorders write it: it cannot "
                "be heard as it comes; send it whole, as a file, or stream fragmented MP4"
            )
        # Anything else is nothing that FFmpeg has to see, but has to count: offsets may be of the whole file.
        shown = name if name in {b"ftyp", b"styp", b"mdat"} else b"free"
        self._ready += header[:4] + shown + header[8:]
        self._is_audio = name == b"mdat"
        self._left = size - len(header) if size else None

    def _find_fragment(self, head: bytes) -> None:
        """Go on at the next fragment: what is here is no box, because some of the stream is missing."""
        if not self._has_index:
            raise AudioError(f"MP4 with {head[4:8]!r} where a box should be: the stream is damaged")
        n_lost = 0
        while (at := head.find(b"moof", 4)) < 0:
            more = self._source.read(_SKIPPED_AT_ONCE)
            if not more:
                self._tell_lost(n_lost + len(head))
                return
            n_lost += max(0, len(head) - 7)
            head = head[-7:] + more
        self._tell_lost(n_lost + at - 4)
        self._source.unread(head[at - 4 :])
        self._next_box()

    def _tell_lost(self, n_bytes: int) -> None:
        self._warn(
            "damaged", f"{n_bytes} bytes of the MP4 were left out: where a box should be, there is none"
        )

    def _whole(self, name: bytes, header: bytes, size: int) -> bytes:
        if not 8 <= size <= _MAX_INDEX_BYTES:
            raise AudioError(
                f"MP4 with an index of {size} bytes; allowed in a stream are {_MAX_INDEX_BYTES}: send it "
                "as a file"
            )
        content = self._source.exactly(size - len(header))
        if len(content) < size - len(header):
            self._tell_cut(size - len(header) - len(content))
        _check_claims(content)
        self._has_index = self._has_index or name == b"moov"
        return header + content


def _check_claims(content: bytes) -> None:
    n_frames = claimed_frames(content)
    if n_frames > 1_000_000:
        raise AudioError(f"MP4 whose index claims {n_frames} frames at once; the stream is damaged")
