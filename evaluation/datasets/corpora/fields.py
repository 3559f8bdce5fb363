"""Lines of corpus files, cut into fields at ASCII whitespace, and the numbers in them."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from evaluation.datasets.rows import read_text
from gigastt_lab.errors import GigasttError, brief

COMMENT: Final = ";;"
# Not what Python calls whitespace: a no-break space inside a text parts no fields, as in Kaldi and sclite.
_BLANK: Final = re.compile(r"[ \t\f\v]+")


def text_of(path: Path, failure: type[GigasttError]) -> str:
    """Text of a file, unpacked where its name ends in ``.gz``.

    Raises:
        GigasttError: a `failure`: it cannot be read or unpacked, or is not UTF-8.
    """
    if path.suffix.lower() != ".gz":
        return read_text(path, failure)[1]
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise failure(f"{path} is not UTF-8 ({error}); convert it") from error
    except (OSError, EOFError) as error:
        raise failure(f"{path} cannot be read or unpacked ({brief(error)}); check the path") from error


class Place(NamedTuple):
    """Place in a file, for messages: put into words only where there is one."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}"


def lines_of(
    path: Path, failure: type[GigasttError], *, comments: bool = True
) -> Iterator[tuple[Place, str]]:
    """Lines that are not blank: the place of each, and its text without blanks around it.

    Args:
        path: Path of the file; CR, LF and both end lines.
        failure: Class of the error that is raised.
        comments: True where a line that begins with ``;;`` is none.

    Raises:
        GigasttError: a `failure`: it cannot be read, or is not UTF-8.
    """
    text = text_of(path, failure).replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip(" \t\f\v")
        if stripped and not (comments and stripped.startswith(COMMENT)):
            yield Place(path, number), stripped


def fields_of(line: str, n_splits: int = 0) -> list[str]:
    r"""Fields of a line, parted by blanks and tabs; of `n_splits` cuts, the last field is the line's rest.

    >>> fields_of("a  1\t0.5 да нет", 3)
    ['a', '1', '0.5', 'да нет']
    """
    return _BLANK.split(line, n_splits)


def seconds_in(text: str, what: str, where: object, failure: type[GigasttError]) -> float:
    """Seconds in a field: a finite number, 0 or more.

    Raises:
        GigasttError: a `failure`: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise failure(f"{where}: the {what} {text!r} is no number of seconds, 0 or more")
    return value
