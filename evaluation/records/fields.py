"""Fields of records from the columns of a table, whatever their names and the marks of what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from evaluation.datasets.cells import name_in, plain
from evaluation.datasets.rows import DURATION_COLUMNS, SESSION_COLUMNS, SPEAKER_COLUMNS, metadata_of
from evaluation.records.files import Record
from evaluation.records.importing import SYSTEM_COLUMNS
from evaluation.records.stream_log import StreamLog
from evaluation.records.warned import Warned

ID_COLUMNS: Final = ("id", "utterance_id", "utt_id")
_ALIASES: Final = {"speaker": SPEAKER_COLUMNS, "session": SESSION_COLUMNS, "audio_s": DURATION_COLUMNS}
PREFIX: Final = "metadata."  # of a column of metadata that is called like a field; see `files.as_table`
_OWN: Final = "warnings"  # a field in tables that `files.as_table` named; elsewhere it may be anything
_ADDED: Final = "confidence"  # by `files.as_table`, from the words


def fields_of_each(
    columns: Mapping[str, list[object]], n_rows: int, *, exact: bool
) -> Iterator[dict[str, Any]]:
    """Fields of `Record` of each row, the texts as they are; columns that are no field are metadata.

    Args:
        columns: Cells by column; those of "reference" and "hypothesis" are there.
        n_rows: Number of rows.
        exact: True of columns that `files.as_table` named; else usual names of the fields are understood.
    """
    taken: dict[str, list[Any]] = {"reference": columns["reference"], "hypothesis": columns["hypothesis"]}
    used = {*taken, _ADDED} if exact else {*taken, _ADDED, *ID_COLUMNS, *SYSTEM_COLUMNS}
    for name, kind in _KINDS.items():
        if name == _OWN and not exact:
            continue
        usual = () if exact else _ALIASES.get(name, ())
        source = next((each for each in (name, *usual) if each in columns), None)
        if source is not None:
            used.add(source)
            taken[name] = [kind(cell) for cell in columns[source]]
    others = {name.removeprefix(PREFIX): column for name, column in columns.items() if name not in used}
    own = taken.pop("metadata", [{}] * n_rows)
    for number, cells in enumerate(zip(*taken.values(), strict=True)):
        further = {name: plain(column[number]) for name, column in others.items()}
        metadata = {**own[number], **metadata_of(further, used=())} if further else own[number]
        yield {**dict(zip(taken, cells, strict=True)), "metadata": metadata}


def _path(cell: object) -> str | None:
    return cell if isinstance(cell, str) and cell else None


def _number(cell: object) -> float | None:
    value = plain(cell)
    try:
        return None if value in (None, "") else float(value)
    except (TypeError, ValueError):
        return None


def _whole(cell: object) -> int | None:
    value = _number(cell)
    return None if value is None else int(value)


def _words(cell: object) -> tuple[tuple[str, float, float, float], ...]:
    return tuple(tuple(word) for word in cell) if isinstance(cell, list | tuple) else ()


def _warnings(cell: object) -> tuple[Warned, ...]:
    return tuple(Warned(*each) for each in cell) if isinstance(cell, list | tuple) else ()


def _mapping(cell: object) -> Mapping[str, str]:
    return cell if isinstance(cell, Mapping) else {}


def _stream(cell: object) -> StreamLog | None:
    return cell if isinstance(cell, StreamLog) else None


_BY_TYPE: Final[dict[str, Callable[[object], Any]]] = {
    "str | None": name_in,
    "float | None": _number,
    "int | None": _whole,
    "tuple[tuple[str, float, float, float], ...]": _words,
    "StreamLog | None": _stream,
    "tuple[Warned, ...]": _warnings,
    "Mapping[str, str]": _mapping,
}
_KINDS: Final = {
    each.name: _path if each.name == "audio" else _BY_TYPE[str(each.type)]
    for each in fields(Record)
    if each.name not in {"id", "reference", "hypothesis"}
}
