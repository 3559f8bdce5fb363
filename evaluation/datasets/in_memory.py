"""Datasets that are in memory: a pandas DataFrame, rows, a `datasets.Dataset`, or a stream of `datasets`.

Audio is a path, the content of a file, samples with a rate (`{"array", "sampling_rate"}`, or a column
`sampling_rate` beside them), or what the feature `Audio` of `datasets` holds, which is never decoded there.
Samples become WAV files in memory, so that every system reads them as it reads others: integers as they
are, floating ones as 32-bit.

**Ids.** A frame's unique column `id`, else its index where that is unique, else the number of the row: an
utterance keeps its id when the frame is filtered. Rows of `datasets` are numbered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from evaluation.datasets.cells import key_of
from evaluation.datasets.manifests import RowList
from evaluation.datasets.memory_rows import RowReader
from evaluation.datasets.pieces import Piece
from evaluation.datasets.rows import AUDIO_COLUMNS, MANIFEST_TEXT_COLUMNS, column
from evaluation.datasets.tags import TagRule
from evaluation.datasets.utterances import Dataset, DatasetError, DuplicateRule, Row

ID_COLUMNS: Final = ("id", "utterance_id", "utt_id")
_TAKEN: Final = (
    "a name or a path, a pandas DataFrame, a list of dicts, or a Dataset, DatasetDict or IterableDataset of "
    "the package datasets"
)


def open_in_memory(
    data: object,
    *,
    split: str | None = None,
    audio_column: str | None = None,
    text_column: str | None = None,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    duplicates: DuplicateRule = "keep",
    tags: TagRule = "drop",
    strict_audio: bool = False,
) -> Dataset:
    """A dataset of rows that are in memory; arguments as of `evaluation.datasets.named.open_dataset`.

    Args:
        data: A DataFrame, whatever has a `to_pandas` method, a list of dicts, a dict of lists; a `Dataset`, a
            `DatasetDict` or an `IterableDataset` of the package `datasets`.
        split: Split of a `DatasetDict`; None: "test", or the only one there is.
        audio_column: Column with the audio. None: one of `datasets.rows.AUDIO_COLUMNS`.
        text_column: Column with the reference. None: one of `datasets.rows.MANIFEST_TEXT_COLUMNS`.
        limit: Stop after so many utterances.
        sample: Draw so many rows.
        seed: Seed of the drawing.
        duplicates: Rule for rows that occur again.
        tags: Rule for marks of noise in references.
        strict_audio: True makes failures of utterances whose audio was cut or is damaged.

    Raises:
        DatasetError: it is none of these, a column is not there, or not one row has audio.
    """
    drawing: dict[str, Any] = {
        "limit": limit, "sample": sample, "seed": seed, "duplicates": duplicates, "tags": tags,
        "strict_audio": strict_audio,
    }  # fmt: skip
    if type(data).__module__.split(".")[0] == "datasets":
        from evaluation.datasets.hugging_face import opened

        found = opened(data, split, audio_column, text_column)
        told: dict[str, Any] = {"revision": found.revision, "description": found.description}
        return Dataset(found.source, name=found.name, prefix=found.name, **told, **drawing)
    if split is not None:
        raise DatasetError(f"a table has no splits to take {split!r} of; choose its rows before")
    table = _frame(data)
    name = str(table.attrs.get("name") or "table")
    rows = _rows(table, audio_column, text_column)
    return Dataset(
        RowList(rows),
        name=name,
        prefix=name,
        revision=_digest(rows),
        description=f"a table of {len(rows)} rows",
        **drawing,
    )


def _frame(data: object) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        table = data
    elif hasattr(data, "to_pandas"):
        table = data.to_pandas()
    elif _is_rows(data):
        try:
            table = pd.DataFrame(data)
        except ValueError as error:
            raise DatasetError(f"its columns make no table ({error}); give each as many cells") from error
    else:
        if hasattr(data, "n_expected"):
            raise DatasetError("this dataset is open already; give its options where it is opened first")
        raise DatasetError(f"an object of type {type(data).__name__} is no dataset; give {_TAKEN}")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise DatasetError(f"the table has two columns {twice!r}; rename one")
    return table


def _is_rows(data: object) -> bool:
    if isinstance(data, list | tuple):
        return all(isinstance(each, Mapping) for each in data)
    return isinstance(data, Mapping)


def _rows(table: pd.DataFrame, audio_column: str | None, text_column: str | None) -> list[Row]:
    columns = {str(name): table[name].tolist() for name in table.columns}
    where = "the table"
    reader = RowReader(
        audio=column(columns, audio_column, AUDIO_COLUMNS, "audio", where),
        text=column(columns, text_column, MANIFEST_TEXT_COLUMNS, "reference", where),
        pieces=True,
    )
    keys = _keys(table, columns)
    rows = [
        reader.row(number, key, dict(zip(columns, cells, strict=True)), f"the table, row {key}")
        for number, (key, *cells) in enumerate(zip(keys, *columns.values(), strict=True))
    ]
    if not rows:
        raise DatasetError("the table holds no rows")
    if all(row.audio is None for row in rows):
        first = next((row.file_name for row in rows if row.file_name), None)
        told = f"the first names {first!r} (paths are of the current folder)" if first else "cells are empty"
        raise DatasetError(f"the table: not one of its {len(rows)} rows has audio that is there; {told}")
    return rows


def _keys(table: pd.DataFrame, columns: Mapping[str, list[object]]) -> list[str]:
    """Part of each row's id that tells it from others."""
    for labels in (*(columns[name] for name in ID_COLUMNS if name in columns), table.index.tolist()):
        keys = list(map(key_of, labels))
        if all(keys) and len(set(keys)) == len(keys):
            return keys
    return list(map(key_of, range(len(table))))


def _digest(rows: list[Row]) -> str:
    """SHA-256 of ids, texts and audio: of files the names and sizes, of all else the content."""
    digest = hashlib.sha256()
    for row in rows:
        told: list[object] = [row.key, row.reference, row.file_name, row.speaker, row.session]
        if isinstance(row.audio, bytes):
            told.append(hashlib.sha256(row.audio).hexdigest())
        elif isinstance(row.audio, Piece):
            told += [row.audio.start_s, row.audio.end_s, row.audio.path.stat().st_size]
        elif row.audio is not None:
            told.append(row.audio.stat().st_size)
        digest.update(json.dumps(told).encode())
    return digest.hexdigest()
