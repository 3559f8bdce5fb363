"""Rows that a table describes: a manifest's entry becomes a row, with its speaker and what else it says."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from evaluation.datasets.pieces import Piece
from evaluation.datasets.rows import (
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    Cells,
    duration_of,
    metadata_of,
    optional,
)
from evaluation.datasets.times import times_used
from evaluation.datasets.utterances import DatasetError, Row
from gigastt_lab.audio.manifests import entries
from gigastt_lab.audio.manifests.entries import Columns, Entry

logger = logging.getLogger(__name__)

__all__ = ["Columns", "require_audio", "rows_from"]


def rows_from(lines: Iterable[tuple[str, Cells]], folder: Path, columns: Columns) -> list[Row]:
    """Rows of a table, numbered from 0; a file that is not there makes a row without audio.

    Args:
        lines: Place of each line, for messages, and its cells.
        folder: Folder of the table, to which its paths are relative.
        columns: Names of the columns, where they are no usual ones.

    Raises:
        DatasetError: a missing column, a path or a reference that is no text, times that make no sense.
    """
    found = entries.entries_of(lines, folder, columns, DatasetError)
    rows = [_row(number, entry) for number, entry in enumerate(found)]
    _warn_of_shared_files(rows, folder)
    return rows


def _warn_of_shared_files(rows: Sequence[Row], folder: Path) -> None:
    """Warn, before hours of audio are read in vain, of whole files with several texts: pieces look so."""
    texts: dict[Path, set[str | None]] = {}
    for row in rows:
        if isinstance(row.audio, Path):
            texts.setdefault(row.audio, set()).add(row.reference)
    shared = {path: len(found) for path, found in texts.items() if len(found) > 1}
    if shared:
        path = max(shared, key=shared.__getitem__)
        logger.warning(
            "%s: rows are whole files, and differ in their texts for one file (%s has %d of them; such "
            "files: %d). Where rows are pieces, their times need usual names, such as offset and duration",
            folder, path.name, shared[path], len(shared),
        )  # fmt: skip


def require_audio(rows: list[Row], path: Path) -> None:
    """Refuse a table of which not one row has its audio.

    Raises:
        DatasetError: so it is.
    """
    missing = [row.file_name for row in rows if row.audio is None]
    entries.require_audio(missing, len(rows), path, DatasetError)


def _row(number: int, entry: Entry) -> Row:
    cells, of_piece = entry.cells, times_used(entry.cells)
    stated_s = None if of_piece else duration_of(cells)
    return Row(
        number,
        f"{number:06d}",
        entry.audio,
        entry.text,
        entry.name,
        optional(cells, SPEAKER_COLUMNS),
        optional(cells, SESSION_COLUMNS),
        entry.audio.duration_s if isinstance(entry.audio, Piece) else stated_s,
        metadata_of(cells, used={*entry.columns, *of_piece}),
    )
