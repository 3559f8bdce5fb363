"""Rows of JSONL, JSON, CSV and TSV files, whoever reads them: manifests, and other engines' output.

JSONL holds an object a line; a JSON list of such objects will do too. CSV and TSV have a header line; of
their quotes, `tables` tells. What separates the cells of a CSV its header line tells: a comma, a semicolon,
as Excel writes it in Russian and many other languages, or a tab. Text is UTF-8, or UTF-16 with its mark.
Lines end as they do on any system, or in one file on several.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gigastt_lab.audio.manifests.columns import Cells
from gigastt_lab.audio.manifests.tables import delimiter_of, lines_of, table_of
from gigastt_lab.errors import GigasttError

SUFFIXES: Final = (".jsonl", ".json", ".csv", ".tsv")


def read_text(path: Path, failure: type[GigasttError]) -> tuple[bytes, str]:
    """The content of a file, and its text.

    Raises:
        GigasttError: a `failure`: it cannot be read, or is neither UTF-8 nor UTF-16 with its mark.
    """
    try:
        content = path.read_bytes()
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's "Unicode text"
        return content, content.decode("utf-16" if marked else "utf-8-sig")
    except OSError as error:
        raise failure(f"{path} cannot be read ({error.strerror or error}); check the path") from error
    except UnicodeDecodeError as error:
        raise failure(f"{path} is not UTF-8 ({error}); convert it") from error


def rows_of(
    path: Path, text: str, failure: type[GigasttError], *, half_pairs: bool = False
) -> Iterator[tuple[str, Cells]]:
    """Rows of a file: the place of each, for messages, and its cells.

    Args:
        path: Path of the file; its suffix, one of `SUFFIXES`, tells the format.
        text: Content of the file.
        failure: Class of the error that is raised.
        half_pairs: True to let halves of surrogate pairs pass, as a foreign system may write them.

    Raises:
        GigasttError: a `failure`: a line that cannot be parsed, named by its number.
    """
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return table_of(path, text, "\t" if suffix == ".tsv" else delimiter_of(text), failure)
    return _objects(path, text, failure, half_pairs=half_pairs)


def first_line(path: Path) -> list[str]:
    """Names in a table's header, or keys of its first object; none where that cannot be told.

    A file is read no further than its first 64 KiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(65_536)
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if marked else "utf-8-sig", errors="ignore")
    except OSError:
        return []
    first = lines_of(text.lstrip())[0] if text.strip() else ""
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return [
            name.strip().strip('"') for name in first.split("\t" if suffix == ".tsv" else delimiter_of(text))
        ]
    try:
        value, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    except ValueError:
        return []
    return list(value) if isinstance(value, dict) else []


def _objects(
    path: Path, text: str, failure: type[GigasttError], *, half_pairs: bool
) -> Iterator[tuple[str, Cells]]:
    """Rows of JSONL, or of one JSON list."""
    is_list = text.lstrip().startswith("[")
    pieces = [(1, text)] if is_list else list(enumerate(lines_of(text), start=1))
    for number, piece in pieces:
        if not piece.strip():
            continue
        try:
            value = json.loads(piece)
            if (
                not half_pairs and "\\ud" in piece.lower()
            ):  # half of a pair, which no file and no report could hold
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise failure(f"{path}, line {number}: not JSON ({error}); mend or remove it") from error
        for index, entry in enumerate(value if is_list else [value], start=1):
            where = f"{path}, item {index}" if is_list else f"{path}, line {number}"
            if not isinstance(entry, dict):
                raise failure(f"{where}: not a JSON object; each utterance is one")
            yield where, entry
