"""Local datasets: JSONL, CSV and TSV manifests, and folders of audio with a text file beside each.

JSONL is NeMo's: an object a line with `audio_filepath`, `text` and perhaps `duration`; a JSON list of such
objects will do too. CSV and TSV have a header line; quotes are doubled inside quotes. Paths are relative to
the manifest. In a folder, `a/b.wav` has its text in `a/b.txt`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path

from evaluation.utterances import DatasetError, Row

MANIFEST_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv")
# What `gigastt_lab.audio` reads, as it is usually named.
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".webm")
# The first of these that is there, where the caller names none.
AUDIO_COLUMNS = ("audio_filepath", "audio", "path", "file", "filename")
TEXT_COLUMNS = ("text", "transcription", "sentence", "reference")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "client_id", "voice")
SESSION_COLUMNS = ("session", "session_id")
DURATION_COLUMNS = ("duration", "duration_s")

Cells = Mapping[str, object]


class RowList:
    """A `Source` of rows that are known beforehand."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        """All rows, or those with a wanted number."""
        return (row for row in self._rows if wanted is None or row.number in wanted)


def read_manifest(
    path: Path, *, audio_column: str | None = None, text_column: str | None = None
) -> tuple[RowList, str]:
    """The rows of a manifest, all checked, and the SHA-256 of the manifest.

    Args:
        path: With one of `MANIFEST_SUFFIXES`.
        audio_column: Name of the column, or JSON key, with the audio's path. None: see `AUDIO_COLUMNS`.
        text_column: Name of the column with the reference. None: see `TEXT_COLUMNS`.

    Raises:
        DatasetError: a line that cannot be parsed, a missing column, a file that is not there; all by line.
    """
    content, text = _read(path)
    entries = _csv_entries if path.suffix.lower() in {".csv", ".tsv"} else _json_entries
    rows = [
        _row(number, where, cells, folder=path.parent, columns=(audio_column, text_column))
        for number, (where, cells) in enumerate(entries(path, text))
    ]
    return RowList(rows), hashlib.sha256(content).hexdigest()


def read_folder(folder: Path) -> tuple[RowList, str]:
    """The audio files below a folder with their texts, by path, and a SHA-256 of paths and texts.

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
        reference = None if text_file is None else _read(text_file)[1].strip("\r\n")
        digest.update(json.dumps([key, reference]).encode())
        rows.append(Row(number, key, None if path in lonely else path, reference, key))
    return RowList(rows), digest.hexdigest()


def column(found: Collection[str], named: str | None, usual: Sequence[str], what: str, where: str) -> str:
    """The name of the column that holds `what`.

    Raises:
        DatasetError: it is not there, or none of the usual ones is.
    """
    for name in usual if named is None else [named]:
        if name in found:
            return name
    wanted = f"named {named!r}" if named is not None else f"with a usual name ({', '.join(usual)})"
    raise DatasetError(
        f"{where}: no column {wanted} for the {what}; there are: {', '.join(found) or 'none'}. "
        f"Say which one holds the {what}"
    )


def optional(cells: Cells, usual: Sequence[str]) -> str | None:
    """The first cell of a usual name that holds something, as text."""
    return next((str(cells[name]) for name in usual if cells.get(name) not in (None, "")), None)


def duration_of(cells: Cells) -> float | None:
    """Seconds as a cell states them; None where none does, or not as a number."""
    try:
        return float(optional(cells, DURATION_COLUMNS) or "")
    except ValueError:
        return None


def _read(path: Path) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
        return content, content.decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{str(path)!r} cannot be read ({error}); check the path") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{str(path)!r} is not UTF-8 ({error}); convert it") from error


def _row(
    number: int, where: str, cells: Cells, *, folder: Path, columns: tuple[str | None, str | None]
) -> Row:
    audio = cells[column(cells, columns[0], AUDIO_COLUMNS, "audio", where)]
    reference = cells[column(cells, columns[1], TEXT_COLUMNS, "reference", where)]
    if not isinstance(audio, str) or not audio:
        raise DatasetError(f"{where}: {audio!r} is no path of an audio file")
    if not isinstance(reference, str | None):
        raise DatasetError(f"{where}: the reference {reference!r} is no text; quote it")
    if optional(cells, ("offset",)) not in (None, "0", "0.0"):
        raise DatasetError(
            f"{where}: an offset of {cells['offset']} s; pieces of longer files are not read: cut the audio"
        )
    file = folder / audio
    if not file.is_file():
        raise DatasetError(f"{where}: there is no file {str(file)!r}; paths are relative to the manifest")
    return Row(
        number,
        f"{number:06d}",
        file,
        reference,
        audio,
        optional(cells, SPEAKER_COLUMNS),
        optional(cells, SESSION_COLUMNS),
        duration_of(cells),
    )


def _json_entries(path: Path, text: str) -> Iterator[tuple[str, Cells]]:
    """Where it stands, and the object, for each object of JSONL or of a list."""
    whole = _json(str(path), text) if text.lstrip().startswith("[") else None
    if isinstance(whole, list):
        pieces = [(f"{path}, item {index}", item) for index, item in enumerate(whole, start=1)]
    else:
        # Not `splitlines`, to which U+2028 inside a text is the end of a line.
        lines = [(f"{path}, line {index}", line) for index, line in enumerate(text.split("\n"), start=1)]
        pieces = [(where, _json(where, line)) for where, line in lines if line.strip()]
    for where, piece in pieces:
        if not isinstance(piece, dict):
            raise DatasetError(f"{where}: not a JSON object; each utterance is one")
        yield where, piece


def _json(where: str, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{where}: not JSON ({error}); mend or remove it") from error


def _csv_entries(path: Path, text: str) -> Iterator[tuple[str, Cells]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    # strict: a stray quote would else swallow the lines after it without a word
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for fields in reader:
            where = f"{path}, line {reader.line_num}"
            if not header:
                header = fields
            elif fields:
                if len(fields) != len(header):
                    raise DatasetError(f"{where}: {len(fields)} fields under a header of {len(header)}")
                yield where, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise DatasetError(
            f"{path}, line {reader.line_num}: {error}; put a field with quotes in quotes, and double its own"
        ) from error
