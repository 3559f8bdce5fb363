"""Local datasets: JSONL, CSV and TSV manifests, and folders of audio with a text file beside each.

JSONL is NeMo's: an object a line with `audio_filepath`, `text` and perhaps `duration`, or `offset` and
`duration` of a piece; `datasets.rows` says which other forms there are, and `datasets.times` what makes a
piece. Paths are relative to the manifest. A row without a path, or whose file is not there, is a row without
audio: left out and counted, as in parquet. In a folder, `a/b.wav` has its text in `a/b.txt`.

**Revisions.** Beside the texts, names and sizes of the audio files count, so that a set whose audio was
exchanged is another one. Their content is not read: audio exchanged for other audio of exactly the same size
goes unnoticed.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Generator, Sequence
from pathlib import Path

from evaluation.datasets.described import Columns, require_audio, rows_from
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.pieces import Piece
from evaluation.datasets.rows import SUFFIXES, read_text, rows_of
from evaluation.datasets.utterances import DatasetError, Row

# What `gigastt_lab.audio.reading` reads, as it is usually named.
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm")


def recognises(path: Path) -> bool:
    """True of a file with a manifest's suffix."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read(path: Path, wanted: Wanted) -> Opened:
    """The manifest as a dataset."""
    return Opened(*read_manifest(path, audio_column=wanted.audio_column, text_column=wanted.text_column))


def read_texts_beside(folder: Path, wanted: Wanted) -> Opened:
    """The folder of audio as a dataset.

    Raises:
        DatasetError: it holds no audio, or not one file with a text beside it.
    """
    source, revision = read_folder(folder)
    rows = list(source.rows(None))
    if all(row.reference is None for row in rows):
        tables = [path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
        lack = f"; of its tables ({', '.join(tables[:5])}) none has usual columns for both" if tables else ""
        raise DatasetError(
            f"{str(folder)!r} holds {len(rows)} audio files, none with its text: no .txt beside it, and no "
            f"table with columns such as file_name and text{lack}. docs/data.md shows every format"
        )
    return Opened(source, revision)


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
        text_column: Name of the column with the reference. None: one of
            `datasets.rows.MANIFEST_TEXT_COLUMNS`.

    Raises:
        DatasetError: a line that cannot be parsed, or a missing column, by line; not one audio file is there.
    """
    content, text = read_text(path, DatasetError)
    rows = rows_from(rows_of(path, text, DatasetError), path.parent, Columns(audio_column, text_column))
    require_audio(rows, path)
    return RowList(rows), f"{hashlib.sha256(content).hexdigest()}, audio {digest_of_sizes(rows)}"


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
    return RowList(rows), f"{digest.hexdigest()}, audio {digest_of_sizes(rows)}"


def digest_of_sizes(rows: Sequence[Row]) -> str:
    """16 hexadecimal digits of the audio files' names, as the dataset has them, and sizes."""
    size = functools.cache(lambda path: path.stat().st_size)
    paths = [row.audio.path if isinstance(row.audio, Piece) else row.audio for row in rows]
    listed = [
        [row.file_name, size(path) if isinstance(path, Path) else None]
        for row, path in zip(rows, paths, strict=True)
    ]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]
