"""Record files of tables: what `records.load` gives, and any DataFrame of references and hypotheses."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import pandas as pd

from evaluation.datasets.cells import key_of, plain
from evaluation.datasets.rows import AUDIO_COLUMNS
from evaluation.datasets.utterances import Finding
from evaluation.records.fields import ID_COLUMNS, fields_of_each
from evaluation.records.files import Header, Record, RecordError, RecordFile, end_of, read
from evaluation.records.importing import HYPOTHESIS_COLUMNS, REFERENCE_COLUMNS, SYSTEM_COLUMNS
from evaluation.records.in_memory import DEFAULT_SYSTEM, Named, file_in_memory, record_of, text_of, unusable


class Scored(Protocol):
    """Result that holds its record file, as a score does."""

    @property
    def file(self) -> RecordFile:
        """The record file."""


Records: TypeAlias = RecordFile | pd.DataFrame | Scored | str | os.PathLike[str]
"""Records of a system: a record file or its path, a table, or a score of them."""


def record_file(given: Records) -> RecordFile:
    """Record file of what is given: of a file itself, its path, a score of one, or a table.

    Args:
        given: A `RecordFile`, a path, whatever has one as its `file`, or a DataFrame: of `records.load`, or
            any with columns for reference and hypothesis (`importing.REFERENCE_COLUMNS` and
            `HYPOTHESIS_COLUMNS` are the usual names).

    Raises:
        RecordError: it is none of these, or its table lacks a column.
    """
    if isinstance(given, RecordFile):
        return given
    if isinstance(given, str | os.PathLike):
        return read(Path(given))
    if isinstance(given, pd.DataFrame):
        return file_of_table(given)
    if isinstance(getattr(given, "file", None), RecordFile):
        return given.file
    raise RecordError(
        f"an object of type {type(given).__name__} holds no records; give a record file or its path, a table "
        "of records.load, or a DataFrame with the columns reference and hypothesis"
    )


def record_files(given: Records | Sequence[Records]) -> list[RecordFile]:
    """Record files of what is given: of one, or of several.

    Raises:
        RecordError: as of `record_file`.
    """
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [record_file(each) for each in given]
    return [record_file(given)]


def file_of_table(table: pd.DataFrame) -> RecordFile:
    """The record file that a table was, by its `attrs["header"]`; of any other table, a new one.

    Columns that have the name of a field of `Record` are that field, usual names of speaker, session and
    duration are understood, and what else there is becomes metadata.

    Raises:
        RecordError: no column for the references or the hypotheses, a text that is none, or several systems.
    """
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise RecordError(f"the table has two columns {twice!r}; rename one")
    was = _was(table)
    columns = {str(name): table[name].tolist() for name in table.columns}
    ids = _ids(table, columns)
    texts = {
        "reference": columns.pop(_column(columns, REFERENCE_COLUMNS)),
        "hypothesis": columns.pop(_column(columns, HYPOTHESIS_COLUMNS)),
    }
    rows = fields_of_each({**columns, **texts}, len(table), exact=was is not None)
    records: list[Record] = []
    findings: list[Finding] = []
    for own_id, row in zip(ids, rows, strict=True):
        reference, hypothesis = (
            text_of(row.pop(name), f"the {name} of {own_id!r}") for name in ("reference", "hypothesis")
        )
        found = unusable(own_id, reference)
        if found is not None and (reference is None or was is None):
            findings.append(found)
        else:  # a blank reference that is in a record file was meant to be there
            records.append(record_of(own_id, reference or "", hypothesis, row))
    if was is not None:
        return _with(was, records, findings)
    if not records:
        raise RecordError(f"the table has no reference to score: {len(findings)} rows, none of them with one")
    named = Named(system=_system(columns))
    return file_in_memory(records, named, n_rows=len(table), findings=findings)


def _was(table: pd.DataFrame) -> RecordFile | None:
    """The record file of `files.as_table`, without its records; None of another table."""
    stated = table.attrs.get("header")
    if not isinstance(stated, Mapping):
        return None
    known = {each.name for each in fields(Header)}
    try:
        header = Header(**{name: value for name, value in stated.items() if name in known})
        content = table.attrs.get("end", {"n_rows": len(table)})
        end = None if content is None else end_of(content)
    except TypeError as error:
        raise RecordError(
            f"the attrs of the table hold no header and end of a record file ({error}); remove them"
        ) from error
    return RecordFile(Path(table.attrs.get("path") or f"{header.system}.jsonl"), header, (), end, 0)


def _with(was: RecordFile, records: Sequence[Record], findings: Sequence[Finding]) -> RecordFile:
    """The record file with records, and with what is left out of them beside what was."""
    end = was.end
    if end is not None and findings:
        end = replace(end, findings=(*end.findings, *map(asdict, findings)))
    return replace(was, records=tuple(records), end=end)


def _column(columns: Mapping[str, object], usual: Sequence[str]) -> str:
    for name in usual:
        if name in columns:
            return name
    raise RecordError(
        f"the table has no column {usual[0]!r} (nor {', '.join(usual[1:])}); it has "
        f"{', '.join(columns) or 'none'}: rename the one that holds it"
    )


def _system(columns: Mapping[str, list[object]]) -> str:
    """Name of the system, where the table has a column of it."""
    column = next((name for name in SYSTEM_COLUMNS if name in columns), "")
    systems = list(
        dict.fromkeys(str(name) for name in map(plain, columns.get(column, [])) if name is not None)
    )
    if len(systems) > 1:
        raise RecordError(
            f"the table holds {len(systems)} systems; give the rows of one, such as "
            f"table[table[{column!r}] == {systems[0]!r}]"
        )
    return systems[0] if systems else DEFAULT_SYSTEM


def _ids(table: pd.DataFrame, columns: Mapping[str, list[object]]) -> list[str]:
    """The index where it is not just numbered, else a column that tells utterances apart, else row numbers.

    The names of audio files do, if no two are the same: then the rows of two systems have the same ids.
    """
    is_numbered = table.index.name is None and pd.api.types.is_integer_dtype(table.index.dtype)
    if not is_numbered:
        return list(map(key_of, table.index))
    for name in (name for name in (*ID_COLUMNS, *AUDIO_COLUMNS) if name in columns):
        keys = list(map(key_of, columns[name]))
        if name in ID_COLUMNS or (all(keys) and len(set(keys)) == len(keys)):
            return keys
    return list(map(key_of, table.index))
