"""Names of the containers that are read, and what reading bytes of any of them needs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Literal

Container = Literal[
    "wav", "flac", "mp3", "ogg", "mp4", "webm", "aac",
    "aiff", "au", "caf", "w64", "amr", "asf", "avi", "ts", "ac3", "wavpack", "tta",
]  # fmt: skip
# By container: the name that people know it by.
CONTAINERS: Final[dict[Container, str]] = {
    "wav": "WAV",
    "flac": "FLAC",
    "mp3": "MP3",
    "ogg": "Ogg (Opus, Vorbis, Speex)",
    "mp4": "M4A/MP4/3GP/MOV",
    "webm": "WebM/MKV",
    "aac": "AAC",
    "aiff": "AIFF",
    "au": "AU",
    "caf": "CAF",
    "w64": "W64",
    "amr": "AMR",
    "asf": "WMA",
    "avi": "AVI",
    "ts": "TS",
    "ac3": "AC3",
    "wavpack": "WavPack",
    "tta": "TTA",
}
STATES_ITS_LENGTH: Final[frozenset[Container]] = frozenset({"wav", "flac", "mp4"})
# Real files have about ten, live MP4 two for each fragment; a crafted one could have millions.
MAX_CHUNKS: Final = 100_000
_LARGEST_FILE: Final = 2**62  # headers may state more, which `seek` does not take


@dataclass(frozen=True)
class Found:
    """Container that was found in a file.

    Attributes:
        container: Name of the container.
        start: Position of its first byte: behind tags, or behind the rest of a frame.
        head: Bytes that have to stand before it, in place of what is missing.
    """

    container: Container
    start: int = 0
    head: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Ending:
    """End of a file, as its bytes tell it before anything is decoded.

    Attributes:
        is_cut: True if the last chunk, box, page or cluster promises more bytes than there are.
        duration_s: Seconds of audio that the file promises; None where it does not say.
        broken_at: Position at which its structure is broken; a decoder may or may not find its way on. None:
            it holds to the end.
    """

    is_cut: bool = False
    duration_s: float | None = None
    broken_at: int | None = None


def size_of(file: BinaryIO) -> int:
    """Size of a file, in bytes; its position changes."""
    return file.seek(0, os.SEEK_END)


def read_at(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    """Bytes from a position on; fewer at the end, and none beyond what a file can have."""
    if not 0 <= position < _LARGEST_FILE:
        return b""
    file.seek(position)
    return file.read(n_bytes)
