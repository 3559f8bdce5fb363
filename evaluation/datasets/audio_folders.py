"""Folders of audio that a table describes: `metadata.csv` as `datasets` writes it, Common Voice, manifests.

- **Metadata.** `metadata.csv`, `metadata.jsonl` or `metadata.parquet` in the folder or in folders below it,
  with a column `file_name`; splits are told by the paths (see `datasets.splits`), of one table also by those
  of the audio. Tables of the same split are read one after the other, as `datasets` does.
- **Manifests** of any form, at any depth. Of several, each is a split, by its place and name: so are Common
  Voice's `test.tsv`, `validated.tsv` ..., whose audio is in `clips`. Folders that are no splits' hold
  configurations: the languages of a release.

A folder in which every audio file has a text beside it is read by those texts, whatever else it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from evaluation.datasets.described import Columns, require_audio, rows_from
from evaluation.datasets.folder_tables import METADATA_NAMES, FolderTable, tables_of
from evaluation.datasets.manifests import RowList, digest_of_sizes
from evaluation.datasets.opening import Opened, Wanted
from evaluation.datasets.rows import Cells, read_text, rows_of
from evaluation.datasets.splits import chosen_configuration, chosen_split, grouped, splits_of
from evaluation.datasets.utterances import DatasetError, Row

_FILE_NAME: Final = "file_name"


def recognises(path: Path) -> bool:
    """True of metadata, and of a folder with such a table, unless every audio file has a text beside it."""
    if path.is_file():
        return path.name in METADATA_NAMES
    return bool(tables_of(path))


def read(path: Path, wanted: Wanted) -> Opened:
    """The folder's split.

    Raises:
        DatasetError: there is no such split or configuration, or a table is broken.
    """
    tables = [FolderTable(path)] if path.is_file() else tables_of(path)
    configs = sorted({table.config for table in tables if table.config is not None})
    config = chosen_configuration(configs, wanted.config, path)
    tables = [table for table in tables if config is None or table.config == config]
    splits = grouped(((table.path, table.split) for table in tables), path)
    if not splits:
        opened = _opened([table.path for table in tables], path, wanted, config)
    else:
        split = chosen_split(splits, wanted.split, path)
        opened = _opened(splits[split], path, replace(wanted, split=None), config)
        is_only = len(splits) == 1
        opened = replace(opened, split=None if is_only else split, only_split=split if is_only else None)
    return replace(opened, is_only_config=len(configs) == 1)


def _opened(tables: Sequence[Path], path: Path, wanted: Wanted, config: str | None) -> Opened:
    digest = hashlib.sha256()
    rows: list[Row] = []
    for table in tables:
        content, lines = _lines(table)
        digest.update(content)
        columns = Columns(wanted.audio_column or _usual_audio(lines), wanted.text_column)
        rows += rows_from(lines, table.parent, columns)
    split = None
    if all(table.name in METADATA_NAMES for table in tables):
        rows, split = _of_split(rows, wanted.split, path)
    require_audio(rows, tables[0])
    rows = [replace(row, number=number, key=f"{number:06d}") for number, row in enumerate(rows)]
    return Opened(RowList(rows), f"{digest.hexdigest()}, audio {digest_of_sizes(rows)}", split, config)


def _of_split(rows: list[Row], asked: str | None, path: Path) -> tuple[list[Row], str | None]:
    """Rows of the split that is wanted, where the audio's own paths name several."""
    splits = splits_of([Path(row.file_name or "").parent / "_" for row in rows])
    named = list(dict.fromkeys(split for split in splits if split is not None))
    if len(named) < 2:
        return rows, None
    split = chosen_split(named, asked, path)
    return [row for row, of in zip(rows, splits, strict=True) if of == split], split


def _lines(path: Path) -> tuple[bytes, list[tuple[str, Cells]]]:
    """Content of a table, and its lines."""
    if path.suffix.lower() != ".parquet":
        content, text = read_text(path, DatasetError)
        return content, list(rows_of(path, text, DatasetError))
    import pyarrow.parquet

    try:
        content = path.read_bytes()
        cells = pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} cannot be read ({error}); write it anew") from error
    return content, [(f"{path}, row {number}", each) for number, each in enumerate(cells)]


def _usual_audio(lines: Sequence[tuple[str, Cells]]) -> str | None:
    """`file_name` where the table has it: other columns may hold the paths that the files once had."""
    return _FILE_NAME if lines and _FILE_NAME in lines[0][1] else None
