"""Entries of a manifest: which file, or which piece of one, and its text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gigastt_lab.audio.manifests.columns import (
    AUDIO_COLUMNS,
    MANIFEST_TEXT_COLUMNS,
    Cells,
    column,
    in_usual_case,
)
from gigastt_lab.audio.manifests.rows import read_text, rows_of
from gigastt_lab.audio.manifests.times import piece_of
from gigastt_lab.audio.pieces import Piece
from gigastt_lab.errors import GigasttError, ManifestError

# Where audio lies that is not beside its table: Common Voice's releases have it so.
_FOLDERS: Final = ("clips", "audio", "wavs", "wav")


@dataclass(frozen=True)
class Columns:
    """Columns with the audio's path and with the text; None: the first of the usual names."""

    audio: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Entry:
    """Entry of a manifest.

    Attributes:
        cells: Row that it was read from.
        columns: Names of the two columns that it was read from.
        name: Audio file as the row names it; None where the cell is empty.
        audio: The file, or a piece of it; None where it is not there.
        text: Text; None where the cell is null.
    """

    cells: Cells = field(repr=False)
    columns: tuple[str, str]
    name: str | None
    audio: Path | Piece | None
    text: str | None


def read_manifest(
    path: Path, columns: Columns = Columns(), failure: type[GigasttError] = ManifestError
) -> list[Entry]:
    """Entries of a manifest: JSONL, JSON, CSV or TSV.

    Raises:
        GigasttError: a `failure`: it cannot be read, a line is broken, or not one of its files is there.
    """
    _, text = read_text(path, failure)
    entries = list(entries_of(rows_of(path, text, failure), path.parent, columns, failure))
    require_audio([entry.name for entry in entries if entry.audio is None], len(entries), path, failure)
    return entries


def entries_of(
    lines: Iterable[tuple[str, Cells]], folder: Path, columns: Columns, failure: type[GigasttError]
) -> Iterator[Entry]:
    """Entries of a table; a file that is not there makes one without audio.

    Args:
        lines: Place of each line, for messages, and its cells.
        folder: Folder of the table, to which its paths are relative; if a file is not there, it is looked for
            in `clips`, `audio`, `wavs` and `wav` below it.
        columns: Names of the columns, where they are no usual ones.
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: a missing column, a path or a text that is none, times that make no sense.
    """
    files = _Files(folder)
    for where, cells in lines:
        yield _entry(where, in_usual_case(cells, columns.audio, columns.text), files, columns, failure)


def require_audio(missing: list[str | None], n_entries: int, path: Path, failure: type[GigasttError]) -> None:
    """Refuse a manifest of which not one file is there.

    Args:
        missing: Files that are not there, as the manifest names them.
        n_entries: Number of its entries.
        path: Path of the manifest.
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: so it is.
    """
    if not n_entries or len(missing) < n_entries:
        return
    first = next(filter(None, missing), None)
    raise failure(
        f"{path}: not one of its {n_entries} rows names an audio file that is there; "
        + (f"the first one is {first!r}" if first else "their paths are empty")
        + f". Paths are relative to {str(path.parent.absolute())!r}: move the manifest, or mend them"
    )


class _Files:
    """Files that rows name, each looked for once: a recording may have thousands of pieces."""

    def __init__(self, folder: Path) -> None:
        self._places = [folder, *(folder / name for name in _FOLDERS if (folder / name).is_dir())]
        self._found: dict[str, Path | None] = {}

    def find(self, name: str) -> Path | None:
        """Path of a file; None where it is not there."""
        if name not in self._found:
            tries = (place / os.path.expanduser(name) for place in self._places)
            try:
                self._found[name] = next((path for path in tries if path.is_file()), None)
            except (OSError, ValueError):  # too long a name, or a null byte
                self._found[name] = None
        return self._found[name]


def _entry(where: str, cells: Cells, files: _Files, columns: Columns, failure: type[GigasttError]) -> Entry:
    audio_column = column(cells, columns.audio, AUDIO_COLUMNS, "audio", where=where, failure=failure)
    text_column = column(
        cells, columns.text, MANIFEST_TEXT_COLUMNS, "reference", where=where, failure=failure
    )
    name, text = cells[audio_column], cells[text_column]
    if not isinstance(name, str | None):
        raise failure(f"{where}: {name!r} is no path of an audio file; say which column holds the audio")
    if not isinstance(text, str | None):
        raise failure(f"{where}: the reference {text!r} is no text; quote it")
    times = piece_of(cells, where, failure)
    file = files.find(name) if name else None
    audio = Piece(file, *times) if file is not None and times else file
    return Entry(cells, (audio_column, text_column), name or None, audio, text)
