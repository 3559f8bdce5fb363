"""Rows of JSONL, JSON, CSV and TSV files, whoever reads them: manifests, and other engines' output.

JSONL holds an object a line; a JSON list of such objects will do too. CSV and TSV have a header line; quotes
are doubled inside quotes. What separates the cells of a CSV its header line tells: a comma, a semicolon, as
Excel writes it in Russian and many other languages, or a tab.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from evaluation.datasets.utterances import DatasetError
from gigastt_lab.errors import GigasttError

SUFFIXES: Final = (".jsonl", ".json", ".csv", ".tsv")
# The first of these that is there, where the caller names none.
AUDIO_COLUMNS: Final = ("audio_filepath", "audio", "path", "file", "filename")
TEXT_COLUMNS: Final = ("text", "transcription", "sentence", "reference")
SPEAKER_COLUMNS: Final = ("speaker", "speaker_id", "client_id", "voice")
SESSION_COLUMNS: Final = ("session", "session_id")
DURATION_COLUMNS: Final = ("duration", "duration_s")
_DELIMITERS: Final = (",", ";", "\t")

Cells = Mapping[str, object]


def read_text(path: Path, failure: type[GigasttError]) -> tuple[bytes, str]:
    """The content of a file, and its text.

    Raises:
        GigasttError: a `failure`: it cannot be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
        return content, content.decode("utf-8-sig")
    except OSError as error:
        raise failure(f"{path} cannot be read ({error.strerror or error}); check the path") from error
    except UnicodeDecodeError as error:
        raise failure(f"{path} is not UTF-8 ({error}); convert it") from error


def rows_of(path: Path, text: str, failure: type[GigasttError]) -> Iterator[tuple[str, Cells]]:
    """Rows of a file: the place of each, for messages, and its cells.

    Args:
        path: Path of the file; its suffix, one of `SUFFIXES`, tells the format.
        text: Content of the file.
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: a line that cannot be parsed, named by its number.
    """
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return _table(path, text, "\t" if suffix == ".tsv" else delimiter_of(text), failure)
    return _objects(path, text, failure)


def delimiter_of(text: str) -> str:
    r"""Delimiter of the cells of a CSV: whichever cuts its header line into most.

    >>> delimiter_of('id;"ref, raw";hyp\n1;a,b,c,d;e\n')
    ';'
    """
    header = text.lstrip("\r\n").partition("\n")[0]
    n_cells = {mark: len(next(csv.reader([header], delimiter=mark), ())) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=n_cells.__getitem__)  # of as many, the first one


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


def _objects(path: Path, text: str, failure: type[GigasttError]) -> Iterator[tuple[str, Cells]]:
    """Rows of JSONL, or of one JSON list."""
    is_list = text.lstrip().startswith("[")
    # Not `splitlines`, to which U+2028 inside a text is the end of a line.
    pieces = [(1, text)] if is_list else list(enumerate(text.split("\n"), start=1))
    for number, piece in pieces:
        if not piece.strip():
            continue
        try:
            value = json.loads(piece)
        except ValueError as error:
            raise failure(f"{path}, line {number}: not JSON ({error}); mend or remove it") from error
        for index, entry in enumerate(value if is_list else [value], start=1):
            where = f"{path}, item {index}" if is_list else f"{path}, line {number}"
            if not isinstance(entry, dict):
                raise failure(f"{where}: not a JSON object; each utterance is one")
            yield where, entry


def _table(path: Path, text: str, delimiter: str, failure: type[GigasttError]) -> Iterator[tuple[str, Cells]]:
    # strict: a stray quote would else swallow the lines after it without a word
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            where = f"{path}, line {reader.line_num}"
            if not header:
                header = cells
            elif len(cells) not in {0, len(header)}:
                raise failure(f"{where}: {len(cells)} fields under a header of {len(header)}")
            elif cells:
                yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise failure(
            f"{path}, line {reader.line_num}: {error}; put a field with quotes in quotes, and double its own"
        ) from error
