"""Cells of CSV and TSV files, with quotes as RFC 4180 has them or as they stand, and any line ends.

**Quotes.** A file is first read strictly: a field with quotes is in quotes, and doubles its own. Where that
fails, quotes are no marks: Common Voice writes its tables so. Then each line is taken on its own; one that is
no strict line counts as it stands, if it has exactly as many fields as the header. A line that has not is
refused by its number. Where a strict field goes over several lines, each with as many fields as the header,
a stray quote may have swallowed them: with tabs or semicolons they are lines; with commas, which are in prose
as well, they are one field, and a warning is given.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from gigastt_lab.errors import GigasttError

logger = logging.getLogger(__name__)

DELIMITERS: Final = (",", ";", "\t")
_LINE_END: Final = re.compile(r"\r\n|\n|\r")  # not `splitlines`, to which U+2028 inside a text is one
_ADVICE: Final = "put a field with quotes in quotes, and double its own"

Line = tuple[int, list[str]]


class _Alone(NamedTuple):
    """Lines that each stand for themselves, and how many of them have quotes that are no marks."""

    lines: list[Line]
    n_stray: int


def lines_of(text: str) -> list[str]:
    r"""Lines of a text, whatever ends them.

    >>> lines_of("a\r\nb\rc\nd")
    ['a', 'b', 'c', 'd']
    """
    return _LINE_END.split(text)


def delimiter_of(text: str) -> str:
    r"""Delimiter of the cells of a CSV: whichever cuts its header line into most.

    >>> delimiter_of('id;"ref, raw";hyp\n1;a,b,c,d;e\n')
    ';'
    """
    header = lines_of(text.lstrip("\r\n"))[0]
    n_cells = {mark: len(next(csv.reader([header], delimiter=mark), ())) for mark in DELIMITERS}
    return max(DELIMITERS, key=n_cells.__getitem__)  # of as many, the first one


def table_of(
    path: Path, text: str, delimiter: str, failure: type[GigasttError]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows below the header: the place of each, for messages, and its cells by the header's names.

    Args:
        path: Path of the file, for messages.
        text: Content of the file.
        delimiter: What separates its cells.
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: a line whose cells are not certain, or a header with a name twice.
    """
    lines = _lines(path, text, delimiter, failure)
    if not lines:
        return
    header = [name.strip() for name in lines[0][1]]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise failure(f"{path}: two columns are named {twice[0]!r}; rename one, or leave it out")
    for number, cells in lines[1:]:
        yield f"{path}, line {number}", dict(zip(header, cells, strict=True))


def _lines(path: Path, text: str, delimiter: str, failure: type[GigasttError]) -> list[Line]:
    """Lines with cells, the header first, each with the number of its last line in the file."""
    numbered = enumerate(lines_of(text), start=1)
    physical = [(number, line) for number, line in numbered if line.strip(" \ufeff")]
    try:
        strict = _strict(path, text, delimiter, failure)
    except failure:
        alone = _each_alone(physical, delimiter)
        if alone is None:
            raise
        return _told(path, alone)
    alone = None if len(strict) == len(physical) else _each_alone(physical, delimiter)
    if alone is None:  # fields have line ends in them, if anything
        return strict
    if delimiter == ",":
        logger.warning(
            "%s: fields go over several lines that could be rows: %d rows are read, of %d lines. If those "
            "are rows, double the quotes inside texts",
            path, len(strict) - 1, len(physical) - 1,
        )  # fmt: skip
        return strict
    return _told(path, alone)


def _told(path: Path, alone: _Alone) -> list[Line]:
    logger.info("%s: %d lines hold quotes that are no marks, and are read as they stand", path, alone.n_stray)
    return alone.lines


def _strict(path: Path, text: str, delimiter: str, failure: type[GigasttError]) -> list[Line]:
    # strict: a stray quote would else swallow the lines after it without a word
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    try:
        for cells in reader:
            if not "".join(cells).strip() and len(cells) < 2:
                continue
            if lines and len(cells) != len(lines[0][1]):
                raise failure(
                    f"{path}, line {reader.line_num}: {len(cells)} fields under a header of "
                    f"{len(lines[0][1])}; {_ADVICE}"
                )
            lines.append((reader.line_num, cells))
    except csv.Error as error:
        raise failure(f"{path}, line {reader.line_num}: {error}; {_ADVICE}") from error
    return lines


def _each_alone(physical: list[tuple[int, str]], delimiter: str) -> _Alone | None:
    """Lines that each stand for themselves; None where one does not have as many fields as the header."""
    found: list[Line] = []
    n_stray = 0
    for number, line in physical:
        cells = _cells(line, delimiter)
        if cells is None or (found and len(cells) != len(found[0][1])):
            cells = line.split(delimiter)
            n_stray += 1
        if found and len(cells) != len(found[0][1]):
            return None
        found.append((number, cells))
    return _Alone(found, n_stray)


def _cells(line: str, delimiter: str) -> list[str] | None:
    """Cells of a line that stands for itself; None where its quotes make no sense."""
    try:
        [cells] = csv.reader([line], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return None
    return cells
