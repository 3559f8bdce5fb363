"""Rows of a manifest as segments, whether their audio is there or not."""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.corpora.recordings import without_suffix
from evaluation.datasets.corpora.segments import Segment
from evaluation.datasets.rows import (
    AUDIO_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    TEXT_COLUMNS,
    Cells,
    column,
    duration_of,
    first_of,
    metadata_of,
    optional,
    read_text,
    rows_of,
)
from evaluation.datasets.times import piece_of, times_used
from gigastt_lab.errors import GigasttError

# A file of references may well say `reference` beside another system's `text`.
_REFERENCE_COLUMNS = ("reference", "ref", *TEXT_COLUMNS)
_ID_COLUMNS = ("id", "utterance_id", "utt_id")


def segments_of_rows(
    path: Path, failure: type[GigasttError], text_column: str | None = None
) -> list[Segment]:
    """Segments of a manifest's rows, with the keys that the dataset has: rows counted from 0.

    Args:
        path: Path of the manifest.
        failure: Class of the error that is raised.
        text_column: Column with the reference; None: the first of the usual names that is there.

    Raises:
        GigasttError: a `failure`: a line that cannot be parsed; `DatasetError` for a column that is missing
            or a piece's time that is none.
    """
    _, text = read_text(path, failure)
    return [
        _segment(number, where, cells, failure, text_column)
        for number, (where, cells) in enumerate(rows_of(path, text, failure))
    ]


def _segment(
    number: int, where: str, cells: Cells, failure: type[GigasttError], named: str | None
) -> Segment:
    text_column = column(cells, named, _REFERENCE_COLUMNS, "reference", where)
    text = cells[text_column]
    if not isinstance(text, str | None):
        raise failure(f"{where}: the reference {text!r} is no text; quote it")
    audio, piece = optional(cells, AUDIO_COLUMNS), piece_of(cells, where)
    used = {text_column, first_of(cells, AUDIO_COLUMNS), *times_used(cells)}
    name = optional(cells, _ID_COLUMNS)
    key = f"{number:06d}"
    return Segment(
        key=key,
        recording=without_suffix(Path(audio).name) if audio else name or key,
        text=text,
        start_s=None if piece is None else piece[0],
        end_s=None if piece is None else piece[1],
        speaker=optional(cells, SPEAKER_COLUMNS),
        session=optional(cells, SESSION_COLUMNS),
        duration_s=duration_of(cells),
        audio=audio,
        name=name,
        metadata=metadata_of(cells, used=used),
        where=where,
    )
