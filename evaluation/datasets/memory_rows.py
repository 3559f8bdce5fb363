"""Rows of a dataset from cells in memory: audio in any form, texts, speakers, times, all else as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.datasets.audio_cells import RATE_COLUMNS, audio_of_cell
from evaluation.datasets.cells import name_in, plain
from evaluation.datasets.pieces import Piece
from evaluation.datasets.rows import (
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    Cells,
    duration_of,
    metadata_of,
    optional,
)
from evaluation.datasets.times import piece_of, times_used
from evaluation.datasets.utterances import DatasetError, Row


@dataclass(frozen=True)
class RowReader:
    """Reader of rows whose cells are in memory.

    Attributes:
        audio: Name of the column with the audio.
        text: Name of the column with the reference.
        pieces: True where a row with a start is that piece of the file that it names, as in a manifest, also
            where a dict names the file: in sets of `datasets` such files are whole, and times say where they
            were cut out of a longer one. A path alone has pieces in any case; audio in the cell itself none.
    """

    audio: str
    text: str
    pieces: bool = False

    def row(self, number: int, key: str, cells: Mapping[str, object], where: str) -> Row:
        """A row of a dataset.

        Args:
            number: Number of the row, from 0.
            key: Part of the id that tells the row from others.
            cells: Its cells by column.
            where: The place, for messages.

        Raises:
            DatasetError: the audio is none, the reference no text, or times make no sense.
        """
        known = {name: cell if name == self.audio else plain(cell) for name, cell in cells.items()}
        reference = known[self.text]
        if not isinstance(reference, str | None):
            raise DatasetError(
                f"{where}: the reference {reference!r} is no text; say which column holds the reference"
            )
        audio, file_name = audio_of_cell(known[self.audio], optional(known, RATE_COLUMNS), where)
        others = {
            name: name_in(cell) if name in (*SPEAKER_COLUMNS, *SESSION_COLUMNS) else cell
            for name, cell in known.items()
            if name != self.audio
        }
        piece = self._piece(audio, known[self.audio], others, where)
        used = set() if piece is None else times_used(others)
        return Row(
            number,
            key,
            piece or audio,
            reference,
            file_name,
            optional(others, SPEAKER_COLUMNS),
            optional(others, SESSION_COLUMNS),
            duration_of(others) if piece is None else piece.duration_s,
            metadata_of(others, used={self.text, *RATE_COLUMNS, *used}),
        )

    def _piece(self, audio: Path | bytes | None, cell: object, cells: Cells, where: str) -> Piece | None:
        """The piece of a file that a row is; None of one that is all of its audio."""
        if not isinstance(audio, Path) or not (self.pieces or isinstance(cell, str)):
            return None
        times = piece_of(cells, where)
        return None if times is None else Piece(audio, *times)
