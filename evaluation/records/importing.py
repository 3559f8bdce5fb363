"""Other engines' output, from JSONL, CSV or TSV with a reference and a hypothesis a row, as record files.

**What they can be compared with.** Files with the same ids and the same references, ours or imported ones. An
id is ``DATASET/`` and what the row says, or that alone where it begins so: of rows whose ids are those of one
of our record files, ``demo/000003`` or just ``000003``, and ``dataset="demo"``, come records to be compared
with that file's. Rows without ids are counted from 0, as those of a manifest are.

The rules are those of a run: a null or blank reference is left out and named; a hypothesis that is null is a
failure, and counts as all words deleted; an empty one is what was recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evaluation.datasets.rows import (
    AUDIO_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    SUFFIXES,
    TEXT_COLUMNS,
    Cells,
    column,
    duration_of,
    optional,
    read_text,
    rows_of,
)
from evaluation.datasets.utterances import Finding, Reason
from evaluation.normalize import NORMALIZER_VERSION
from evaluation.records.files import End, Header, Record, RecordError, read, write
from evaluation.records.machine import package_versions, without_home
from evaluation.records.naming import safe_name
from evaluation.records.writing import exclusive

# The first of these that is there, where the caller names none.
REFERENCE_COLUMNS: Final = ("reference", "ref", "target", *TEXT_COLUMNS)
HYPOTHESIS_COLUMNS: Final = (
    "hypothesis",
    "hyp",
    "prediction",
    "pred_text",
    "pred",
    "predicted",
    "transcript",
)
SYSTEM_COLUMNS: Final = ("system", "engine", "model")
ID_COLUMNS: Final = ("id", "utterance_id", "utt_id", *AUDIO_COLUMNS)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns, or JSON keys, by what they hold; None: the first of the usual names that is there.

    Attributes:
        reference: Required; see `REFERENCE_COLUMNS`.
        hypothesis: Required; see `HYPOTHESIS_COLUMNS`.
        system: Whose hypothesis it is; see `SYSTEM_COLUMNS`.
        id: What tells utterances apart; see `ID_COLUMNS`. Without one, rows are counted, for each system.
    """

    reference: str | None = None
    hypothesis: str | None = None
    system: str | None = None
    id: str | None = None


def import_records(
    path: str | Path,
    folder: str | Path,
    *,
    system: str | None = None,
    dataset: str | None = None,
    columns: Columns | None = None,
    fresh: bool = False,
    command: str = "",
) -> list[Path]:
    """Record files of what is in a file: one for each system in it.

    Args:
        path: File of rows, .jsonl, .json, .csv or .tsv; the latter two with a header line.
        folder: Folder for the record files, each ``DATASET_SYSTEM.jsonl``.
        system: Name of the system. None: as the rows say, else the file's name.
        dataset: Name of the dataset, that of our own runs on it or the same in several files: that makes them
            comparable. None: the file's name.
        columns: Columns by what they hold.
        fresh: Replace a record file of that name that holds something else.
        command: The command line, for the headers.

    Returns:
        The record files, in the order in which their systems first occur.

    Raises:
        RecordError: a file that cannot be read or written, a line that cannot be parsed, two rows with one
            id, or a record file that is there and holds something else.
        DatasetError: a column that is not there.
    """
    path, folder, columns = Path(path), Path(folder), columns or Columns()
    dataset = dataset or path.stem
    by_system: dict[str, _Collected] = {}
    n_rows = 0
    for where, cells in _rows(path):
        n_rows += 1
        name = system or _text(cells, columns.system, SYSTEM_COLUMNS, where) or path.stem
        by_system.setdefault(name, _Collected(dataset, path.parent)).add(cells, columns, where)
    if not n_rows:
        raise RecordError(f"{path} holds no rows")
    written: list[Path] = []
    for name, collected in by_system.items():
        target = folder / f"{safe_name(dataset)}_{safe_name(name)}.jsonl"
        if target in written:
            raise RecordError(
                f"{path}: the systems' names are too much alike, two would be {target}; rename one"
            )
        header = _header(path, name, dataset, collected, command)
        with exclusive(target):
            if target.exists() and not fresh:
                _require_same_import(target, header, collected.records)
            write(target, header, collected.records, collected.end)
        written.append(target)
    return written


class _Collected:
    """Records and findings that the rows of one system come to."""

    def __init__(self, dataset: str, folder: Path) -> None:
        self.records: list[Record] = []
        self._dataset = dataset
        self._folder = folder
        self._findings: list[Finding] = []
        self._lines: dict[str, str] = {}

    @property
    def end(self) -> End:
        return End(n_rows=len(self._lines), findings=tuple(map(asdict, self._findings)))

    @property
    def revision(self) -> str:
        """SHA-256 of ids and references: two systems' hypotheses for the same texts share it."""
        pairs = [(record.id, record.reference) for record in self.records]
        return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()

    def add(self, cells: Cells, columns: Columns, where: str) -> None:
        key = _text(cells, columns.id, ID_COLUMNS, where) or f"{len(self._lines):06d}"
        prefix = f"{self._dataset}/"
        own_id = key if key.startswith(prefix) else prefix + key
        if own_id in self._lines:
            raise RecordError(
                f"{where}: the id {key!r} was in {self._lines[own_id]} already; say which column tells "
                "utterances apart, and which one systems"
            )
        self._lines[own_id] = where
        reference = _cell(cells, columns.reference, REFERENCE_COLUMNS, "reference", where)
        hypothesis = _cell(cells, columns.hypothesis, HYPOTHESIS_COLUMNS, "hypothesis", where)
        if reference is None or not reference.strip():
            reason: Reason = "no reference" if reference is None else "blank reference"
            self._findings.append(Finding(own_id, reason, excluded=True))
            return
        self.records.append(
            Record(
                id=own_id,
                reference=reference,
                hypothesis=hypothesis,
                audio_s=duration_of(cells),
                speaker=optional(cells, SPEAKER_COLUMNS),
                session=optional(cells, SESSION_COLUMNS),
                audio=self._audio(cells),
                error=None if hypothesis is not None else "no hypothesis in the imported file",
            )
        )

    def _audio(self, cells: Cells) -> str | None:
        """The path in a row, where there is such a file; as elsewhere, relative to the file of the rows."""
        named = optional(cells, AUDIO_COLUMNS)
        file = None if named is None else (self._folder / named).absolute()
        try:
            return without_home(str(file)) if file is not None and file.is_file() else None
        except (OSError, ValueError):  # too long a name, or a null byte: no file
            return None


def _header(path: Path, name: str, dataset: str, collected: _Collected, command: str) -> Header:
    description = {
        "name": dataset,
        "revision": collected.revision,
        "description": f"imported from {without_home(str(path))}",
        "n_expected": len(collected.records),
    }
    return Header(
        system=name,
        dataset=description,
        versions={"gigastt-lab": package_versions().get("gigastt-lab", "")},
        command=without_home(command),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        normalizer=NORMALIZER_VERSION,
    )


def _require_same_import(target: Path, header: Header, records: list[Record]) -> None:
    there = read(target)
    if there.header.identity() != header.identity() or there.records != tuple(records):
        raise RecordError(f"{target} is there and holds something else; give another folder, or --fresh")


def _text(cells: Cells, named: str | None, usual: tuple[str, ...], where: str) -> str | None:
    """A cell as text, of the column that is named, or of a usual name; None where there is none."""
    if named is not None:
        column(cells, named, usual, named, where)
    return optional(cells, usual if named is None else (named,))


def _cell(cells: Cells, named: str | None, usual: tuple[str, ...], what: str, where: str) -> str | None:
    value = cells[column(cells, named, usual, what, where)]
    if not isinstance(value, str | None):
        raise RecordError(f"{where}: the {what} {value!r} is no text; quote it")
    return value


def _rows(path: Path) -> Iterator[tuple[str, Cells]]:
    if path.suffix.lower() not in SUFFIXES:
        raise RecordError(f"{path}: cannot be told what it is; known are {', '.join(SUFFIXES)}")
    _, text = read_text(path, RecordError)
    yield from rows_of(path, text, RecordError)
