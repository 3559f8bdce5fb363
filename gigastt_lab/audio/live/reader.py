"""Reader of a live stream for FFmpeg, and how much of what it read became packets."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

from gigastt_lab.audio.live.sources import Boxes, Bytes

# What stands between packets and is none, in any size: Cues, Tags and Attachments of Matroska (RFC 9559,
# section 5.1), and the first bytes of another recording.
_NO_AUDIO: Final = re.compile(
    rb"\x1c\x53\xbb\x6b|\x12\x54\xc3\x67|\x19\x41\xa4\x69|\x1a\x45\xdf\xa3|OggS\x00\x02"
)
_NO_AUDIO_BYTES: Final = 6
_MAX_PLACES: Final = 64  # a file has three; more are a stream that is made to cost memory
_MAX_SKIPPED: Final = 512  # bytes of headers between two packets, and of one that was cut at the end


class Reader:
    """File object with nothing but `read`: so FFmpeg knows that it cannot seek.

    Attributes:
        error: What `read` failed with. To FFmpeg, that is the end: it cannot carry an exception.
        has_ended: True once FFmpeg was told that nothing more comes.
    """

    def __init__(self, file: Bytes) -> None:
        self.error: Exception | None = None
        self.has_ended = False
        self._file = file
        self._n_bytes = 0
        self._last = b""
        self._places: deque[int] = deque(maxlen=_MAX_PLACES)

    def read(self, n_bytes: int) -> bytes:
        """At least one byte and at most so many; none at the end."""
        data = b""
        if self.error is None:
            try:
                data = self._file.read(n_bytes)
            except Exception as error:  # noqa: BLE001 - whoever opened the stream raises it
                self.error = error
        self.has_ended = not data
        self._note_places(data)
        return data

    @property
    def has_boxes(self) -> bool:
        """True of an MP4."""
        return isinstance(self._file, Boxes)

    def audio_end(self, after: int) -> int:
        """Place, in bytes that FFmpeg has read, where the audio behind another place ends."""
        if isinstance(self._file, Boxes):
            return self._file.audio_end
        return min((at for at in self._places if at >= after), default=self._n_bytes)

    def _note_places(self, data: bytes) -> None:
        joined, start = self._last + data, self._n_bytes - len(self._last)
        for found in _NO_AUDIO.finditer(joined):
            if not self._places or start + found.start() > self._places[-1]:
                self._places.append(start + found.start())
        self._n_bytes += len(data)
        self._last = joined[1 - _NO_AUDIO_BYTES :]


class Skipped:
    """Bytes that gave no packet: FFmpeg skips what looks like something else, and says nothing."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._heard: int | None = None  # the place behind the last packet

    def before(self, packet: Any) -> int:
        """Bytes of audio that were skipped before a packet, of any track; 0 for what is headers.

        In MP4 that is an index of any size: 0, for `Boxes` tells what it leaves out.
        Packets of one Ogg page share its place, and one may go on in the next page: so places only grow.
        """
        if not packet.size or packet.pos is None:
            return 0
        heard = packet.pos if self._heard is None else self._heard
        self._heard = max(packet.pos, heard) + packet.size
        if self._reader.has_boxes:
            return 0
        return _if_audio(min(packet.pos, self._reader.audio_end(heard)) - heard)

    def at_end(self) -> int:
        """Bytes of audio behind the last packet; 0 for what is headers."""
        heard = self._heard or 0
        return _if_audio(self._reader.audio_end(heard) - heard)


def _if_audio(n_bytes: int) -> int:
    return n_bytes if n_bytes > _MAX_SKIPPED else 0
