"""Local datasets: JSONL, CSV and TSV manifests, and folders of audio with a text file beside each.

JSONL is NeMo's: an object a line with `audio_filepath`, `text` and perhaps `duration`; `datasets.rows`
says which other forms there are. Paths are relative to the manifest. A row without a path, or whose file is
not there, is a row without audio: left out and counted, as in parquet. In a folder, `a/b.wav` has its text
in `a/b.txt`.

**Revisions.** Beside the texts, names and sizes of the audio files count, so that a set whose audio was
exchanged is another one. Their content is not read: audio exchanged for other audio of exactly the same size
goes unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

from evaluation.datasets.rows import (
    AUDIO_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    TEXT_COLUMNS,
    Cells,
    column,
    duration_of,
    optional,
    read_text,
    rows_of,
)
from evaluation.datasets.utterances import DatasetError, Row

# What `gigastt_lab.audio.reading` reads, as it is usually named.
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm")


class RowList:
    """A `Source` of rows that are known beforehand."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def count(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        """All rows, or those with a wanted number."""
        return (row for row in self._rows if wanted is None or row.number in wanted)


def read_manifest(
    path: Path, *, audio_column: str | None = None, text_column: str | None = None
) -> tuple[RowList, str]:
    """The rows of a manifest, all checked, and its revision: its SHA-256, and a digest of the audio's sizes.

    Args:
        path: Path of the manifest, with one of `datasets.rows.SUFFIXES`.
        audio_column: Name of the column, or JSON key, with the audio's path. None: one of
            `datasets.rows.AUDIO_COLUMNS`.
        text_column: Name of the column with the reference. None: one of `datasets.rows.TEXT_COLUMNS`.

    Raises:
        DatasetError: a line that cannot be parsed, or a missing column, by line; not one audio file is there.
    """
    content, text = read_text(path, DatasetError)
    rows = [
        _row(number, where, cells, folder=path.parent, columns=(audio_column, text_column))
        for number, (where, cells) in enumerate(rows_of(path, text, DatasetError))
    ]
    if rows and all(row.audio is None for row in rows):
        first = next((row.file_name for row in rows if row.file_name), None)
        raise DatasetError(
            f"{path}: not one of its {len(rows)} rows names an audio file that is there; "
            + (f"the first one is {first!r}" if first else "their paths are empty")
            + f". Paths are relative to {str(path.parent.absolute())!r}: move the manifest, or mend them"
        )
    sizes = _digest_of_sizes((row.file_name, row.audio) for row in rows)
    return RowList(rows), f"{hashlib.sha256(content).hexdigest()}, audio {sizes}"


def read_folder(folder: Path) -> tuple[RowList, str]:
    """The audio files below a folder with their texts, by path, and a revision.

    That is a SHA-256 of paths and texts, and a digest of the audio's sizes.

    An audio file without a text is a row without a reference, a text without an audio file one without audio.

    Raises:
        DatasetError: a text that is not UTF-8, or no audio file at all.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    audio_files = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    if not audio_files:
        raise DatasetError(
            f"{str(folder)!r} holds no audio file ({', '.join(AUDIO_SUFFIXES)}) and no parquet file; "
            "check the path"
        )
    texts = {path.with_suffix(""): path for path in files if path.suffix.lower() == ".txt"}
    lonely = {texts[stem] for stem in texts.keys() - {path.with_suffix("") for path in audio_files}}
    digest = hashlib.sha256()
    rows: list[Row] = []
    for number, path in enumerate(sorted([*audio_files, *lonely])):
        key = path.relative_to(folder).as_posix()
        text_file = texts.get(path.with_suffix(""))
        reference = None if text_file is None else read_text(text_file, DatasetError)[1].strip("\r\n")
        digest.update(json.dumps([key, reference]).encode())
        rows.append(Row(number, key, None if path in lonely else path, reference, key))
    sizes = _digest_of_sizes((row.file_name, row.audio) for row in rows)
    return RowList(rows), f"{digest.hexdigest()}, audio {sizes}"


def _digest_of_sizes(files: Iterable[tuple[str | None, Path | bytes | None]]) -> str:
    """16 hexadecimal digits of the files' names, as the dataset has them, and sizes."""
    listed = [[name, file.stat().st_size if isinstance(file, Path) else None] for name, file in files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]


def _row(
    number: int, where: str, cells: Cells, *, folder: Path, columns: tuple[str | None, str | None]
) -> Row:
    audio = cells[column(cells, columns[0], AUDIO_COLUMNS, "audio", where)]
    reference = cells[column(cells, columns[1], TEXT_COLUMNS, "reference", where)]
    if not isinstance(audio, str | None):
        raise DatasetError(
            f"{where}: {audio!r} is no path of an audio file; say which column holds the audio"
        )
    if not isinstance(reference, str | None):
        raise DatasetError(f"{where}: the reference {reference!r} is no text; quote it")
    if optional(cells, ("offset",)) not in (None, "0", "0.0"):
        raise DatasetError(
            f"{where}: an offset of {cells['offset']} s; pieces of longer files are not read: cut the audio"
        )
    file = folder / audio if audio else None
    return Row(
        number,
        f"{number:06d}",
        file if file is not None and file.is_file() else None,
        reference,
        audio or None,
        optional(cells, SPEAKER_COLUMNS),
        optional(cells, SESSION_COLUMNS),
        duration_of(cells),
    )
