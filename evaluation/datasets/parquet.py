"""Rows of parquet files that `datasets` streams: group by group, saying where it broke off if it does.

A row group is read to its end even where the reader stops earlier: pyarrow reads ahead in threads, which,
left alone in the middle of a file, crash the process when the interpreter goes
(https://github.com/apache/arrow/issues/45214).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from gigastt_lab.errors import brief

# What a request takes along beyond what was asked for. The 5 MiB that fsspec takes by default are for readers
# that go on where they stopped; a row group is asked for as a whole.
READ_AHEAD_BYTES = 64 * 1024


def footer(file: str) -> Any:
    """End of a parquet file, which says where its row groups are: a `pyarrow.parquet.FileMetaData`."""
    import fsspec
    import pyarrow.parquet

    with fsspec.open(file, block_size=READ_AHEAD_BYTES) as opened:
        return pyarrow.parquet.read_metadata(opened)


@dataclass
class _Place:
    """Place that reading has come to: the file that is read, and the number of the next row."""

    file: str = "the first file"
    number: int = 0


class StreamSource:
    """A `Source` over an `IterableDataset` of parquet files."""

    def __init__(
        self,
        stream: Any,
        files: Sequence[str],
        *,
        where: str,
        audio: str,
        text: str,
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Take over the stream, whose audio is not decoded.

        Args:
            stream: Stream of these columns, and any that `datasets.rows` names for speaker and the like.
            files: Files of the split, in the order in which they are read: one shard of the stream each.
            where: The set and split, for messages.
            audio: Name of the column with the audio.
            text: Name of the column with the reference.
            labels: Names of the classes of columns that hold numbers of them.
        """
        self._labels = labels or {}
        self._stream = stream
        self._files = files
        self._where = where
        self._audio = audio
        self._text = text
        self._group_sizes: dict[str, list[int]] = {}

    def count(self) -> int:
        """Number of rows, by the files' own word."""
        return sum(sum(self._sizes_of_groups(file)) for file in self._files)

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        """All rows, or those with a wanted number."""
        place = _Place()
        with closing(self._cells(wanted, place)) as rows:
            while True:
                try:
                    cells = next(rows, None)
                except DatasetError:
                    raise
                except Exception as error:
                    raise self._broken(place, error) from error
                if cells is None:
                    return
                if wanted is None or place.number in wanted:
                    yield self._row(cells, place)
                place.number += 1

    def _cells(self, wanted: frozenset[int] | None, place: _Place) -> Generator[Cells, None, None]:
        """The rows of every row group that holds a wanted one; `place` jumps over the others."""
        for index, file in enumerate(self._files):
            place.file = _short(file)
            is_local = "://" not in file
            sizes = self._sizes_of_groups(file) if is_local or wanted is not None else None
            if sizes is not None and not sum(sizes):  # pyarrow cannot read what has no rows
                continue
            if wanted is not None and sizes and wanted.isdisjoint(_span(place.number, sum(sizes))):
                place.number += sum(sizes)  # its groups need not even be told apart
                continue
            shard = self._stream.shard(num_shards=len(self._files), index=index)
            groups = shard.reshard()  # opens the file
            for group in range(groups.num_shards):
                if wanted is not None and sizes and wanted.isdisjoint(_span(place.number, sizes[group])):
                    place.number += sizes[group]
                    continue
                yield from _whole(groups.shard(num_shards=groups.num_shards, index=group))

    def _sizes_of_groups(self, file: str) -> list[int]:
        """Rows of each row group of a parquet file, read from its end."""
        if file not in self._group_sizes:
            try:
                metadata = footer(file)
            except Exception as error:
                raise self._broken(_Place(_short(file)), error) from error
            self._group_sizes[file] = [
                metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)
            ]
        return self._group_sizes[file]

    def _row(self, cells: Cells, place: _Place) -> Row:
        audio, file_name = self._audio_of(cells, place)
        reference = cells[self._text]
        if not isinstance(reference, str | None):
            raise DatasetError(
                f"{self._where}, row {place.number}: column {self._text!r} holds {type(reference).__name__}, "
                "not text; say which column holds the reference"
            )
        # Content is as long as it is: a start beside it is where it was cut from.
        times = piece_of(cells, f"{self._where}, row {place.number}") if isinstance(audio, Path) else None
        piece = Piece(audio, *times) if isinstance(audio, Path) and times else None
        used = (self._audio, self._text, *(times_used(cells) if piece else ()))
        return Row(
            place.number,
            f"{place.number:06d}",
            piece or audio,
            reference,
            file_name,
            optional(cells, SPEAKER_COLUMNS),
            optional(cells, SESSION_COLUMNS),
            piece.duration_s if piece else duration_of(cells),
            {**metadata_of(cells, used=used), **self._named(cells)},
        )

    def _named(self, cells: Cells) -> dict[str, str]:
        """Classes of a row by their names: `male`, where the cell holds 1."""
        numbers = {name: cells.get(name) for name in self._labels}
        return {
            name: self._labels[name][number]
            for name, number in numbers.items()
            if isinstance(number, int) and 0 <= number < len(self._labels[name])
        }

    def _samples_of(self, cell: object, cells: Cells, place: _Place) -> Path | bytes | None:
        """A WAV file of samples, which stand in a cell as a list, or with their rate as a dict."""
        from evaluation.datasets.audio_cells import RATE_COLUMNS, audio_of_cell  # pandas takes its time

        rate = optional(cells, RATE_COLUMNS)
        return audio_of_cell(cell, rate, f"{self._where}, row {place.number}")[0]

    def _audio_of(self, cells: Cells, place: _Place) -> tuple[Path | bytes | None, str | None]:
        """The content of an audio cell, or a local path, and the file's name."""
        cell = cells[self._audio]
        path = cell.get("path") if isinstance(cell, dict) else cell
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        name = path if isinstance(path, str) and path else None
        if isinstance(content, bytes):
            return content, name
        if isinstance(cell, list) or (isinstance(cell, dict) and cell.get("array") is not None):
            return self._samples_of(cell, cells, place), name
        if name is None:
            return None, None
        local = Path(self._files[0]).parent / name
        if not local.is_file():
            raise DatasetError(
                f"{self._where}, row {place.number}: {name!r} in column {self._audio!r} has no content "
                "and is no file here; say which column holds the audio"
            )
        return local, name

    def _broken(self, place: _Place, error: Exception) -> DatasetError:
        return DatasetError(
            f"{self._where}: reading broke off in {place.file} at row {place.number} ({brief(error)}). The "
            "rows before it were read and stay good: run again to go on from their records. If it breaks "
            "there again, the file is damaged or the Hub has lost it"
        )


def _span(start: int, length: int) -> range:
    return range(start, start + length)


def _short(file: str) -> str:
    """A file's path in its repository; a local one as it is."""
    return re.sub(r"^hf://datasets/[^@]+@[^/]+/", "", file)


def _whole(piece: Iterable[Cells]) -> Generator[Cells, None, None]:
    """Rows of a row group; where the reader stops early, the others are read too: they are in memory."""
    rows = iter(piece)
    try:
        yield from rows
    finally:
        for _ in rows:
            pass
