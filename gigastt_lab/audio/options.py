"""Options of reading a file: which of its tracks, and whether a loss is refused."""

from __future__ import annotations

from dataclasses import dataclass

from gigastt_lab.audio.raw import RawAudio


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Options of reading a file.

    Attributes:
        strict: True refuses a file that was cut or is damaged; False reads what is there, and warns.
        track: Number of the audio track, from 1; None: the one that the file marks as its default, else the
            first.
        raw: Statement of what the bytes of a file without a header are; None: the file says so itself.

    Raises:
        ValueError: a number below 1.
    """

    strict: bool = False
    track: int | None = None
    raw: RawAudio | None = None

    def __post_init__(self) -> None:
        if self.track is not None and self.track < 1:
            raise ValueError(f"track is {self.track}; give 1 for the first audio track, or None")


READ: ReadOptions = ReadOptions()
