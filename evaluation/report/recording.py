"""Audio of a record, for a page's player: its file, or the piece of it that the utterance is."""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.audio import content
from evaluation.datasets.pieces import Piece
from evaluation.records.files import Record


def heard_in(record: Record) -> bytes | None:
    """Content of an audio file with what the system was given; None where the record names no file.

    A piece lasts as long as its audio did, or as its dataset states; else to the recording's end.

    Raises:
        AudioError: the recording of a piece cannot be read.
        OSError: the file cannot be read.
    """
    if record.audio is None:
        return None
    path = Path(record.audio).expanduser()
    if record.audio_start_s is None:
        return path.read_bytes()
    length_s = record.audio_s or record.stated_s
    end_s = record.audio_start_s + length_s if length_s else None
    found = content(Piece(path, record.audio_start_s, end_s))
    return found if isinstance(found, bytes) else found.read_bytes()
