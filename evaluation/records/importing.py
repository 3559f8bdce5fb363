"""Other engines' output as record files: rows with a reference and a hypothesis each, or hypotheses alone.

**What they can be compared with.** Files with the same ids and the same references, ours or imported ones. An
id is ``DATASET/`` and what the row says, or that alone where it begins so: of rows whose ids are those of one
of our record files, ``demo/000003`` or just ``000003``, and ``dataset="demo"``, come records to be compared
with that file's. Rows without ids are counted from 0, as those of a manifest are.

The rules are those of a run: a null or blank reference is left out and named; a hypothesis that is null is a
failure, and counts as all words deleted; an empty one is what was recognised. Of hypotheses with references
beside them, `records.against` tells the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from evaluation.datasets.corpora.recordings import Beside, at_path
from evaluation.datasets.corpora.references import name_of_references, read_references
from evaluation.datasets.corpora.segments import Segment
from evaluation.datasets.rows import (
    AUDIO_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    SUFFIXES,
    Cells,
    duration_of,
    metadata_of,
    optional,
    read_text,
    rows_of,
)
from evaluation.datasets.tags import TagRule
from evaluation.datasets.utterances import Finding, Reason
from evaluation.records import columns as cells_of
from evaluation.records.against import put_to
from evaluation.records.columns import (
    HYPOTHESIS_COLUMNS,
    ID_COLUMNS,
    REFERENCE_COLUMNS,
    SYSTEM_COLUMNS,
    Columns,
)
from evaluation.records.files import End, Record, RecordError
from evaluation.records.hypotheses import Form, form_of, read_hypotheses
from evaluation.records.imported import Imported, own_id, write_imported
from evaluation.records.machine import without_home
from evaluation.records.matching import Utterances

__all__ = [
    "HYPOTHESIS_COLUMNS",
    "ID_COLUMNS",
    "REFERENCE_COLUMNS",
    "SYSTEM_COLUMNS",
    "Columns",
    "Form",
    "import_records",
]


def import_records(
    path: str | Path,
    folder: str | Path,
    *,
    system: str | None = None,
    dataset: str | None = None,
    columns: Columns | None = None,
    reference: str | Path | None = None,
    form: Form | None = None,
    tags: TagRule = "drop",
    fresh: bool = False,
    command: str = "",
) -> list[Path]:
    """Record files of what is in a file: one for each system in it.

    Args:
        path: File of rows, .jsonl, .json, .csv or .tsv, the latter two with a header line; with `reference`,
            also hypotheses as CTM, STM, TRN, or ``id text`` a line.
        folder: Folder for the record files, each ``DATASET_SYSTEM.jsonl``.
        system: Name of the system. None: as the rows say, else the file's name.
        dataset: Name of the dataset, that of our own runs on it or the same in several files: that makes them
            comparable. None: the name of the references, else the file's.
        columns: Columns by what they hold; that of the references also of a manifest given as `reference`.
        reference: References, where the file holds hypotheses alone: what
            `datasets.corpora.references.read_references` takes. References in the rows are not heeded then.
        form: Form of the file. None: by its suffix.
        tags: Rule for marks of noise in `reference`, that of our own runs; in rows they stay as they are.
        fresh: Replace a record file of that name that holds something else.
        command: The command line, for the headers.

    Returns:
        The record files, in the order in which their systems first occur.

    Raises:
        RecordError: a file that cannot be read or written, a line that cannot be parsed, two rows with one
            id, hypotheses that belong to no reference, or a record file that is there and holds something
            else.
        DatasetError: a column that is not there.
    """
    path, columns = Path(path), columns or Columns()
    form = form or form_of(path)
    description = f"imported from {path}"
    if reference is None:
        dataset = dataset or path.stem
        by_system = _of_rows(path, system, dataset, columns, form)
    else:
        reference = Path(reference)
        dataset = dataset or name_of_references(reference)
        hypotheses = read_hypotheses(path, form, system or path.stem, columns)
        utterances = Utterances(
            read_references(reference, RecordError, text_column=columns.reference),
            dataset,
            reference.resolve().name,
            _Audio(reference),
            tags,
        )
        by_system = {
            name: put_to(utterances, each, path.name, has_words=form == "ctm")
            for name, each in hypotheses.items()
        }
        description += f", references of {reference}"
    return write_imported(
        by_system,
        Path(folder),
        dataset=dataset,
        source=str(path),
        description=description,
        fresh=fresh,
        command=command,
    )


class _Audio:
    """Audio files of segments, each looked for once."""

    def __init__(self, reference: Path) -> None:
        folder = reference if reference.is_dir() else reference.parent
        self._folders = (folder, Path())
        self._beside = Beside(reference)
        self._found: dict[tuple[str | None, str], Path | None] = {}

    def __call__(self, segment: Segment) -> Path | None:
        key = (segment.audio, segment.recording)
        if key not in self._found:
            named = at_path(segment.audio, self._folders) if segment.audio else None
            self._found[key] = named or self._beside.find(segment.audio or segment.recording)
        return self._found[key]


def _of_rows(
    path: Path, system: str | None, dataset: str, columns: Columns, form: Form
) -> dict[str, Imported]:
    """Records of rows with a reference and a hypothesis each, by system."""
    if form != "rows" and path.suffix.lower() in {".ctm", ".stm", ".trn"}:
        raise RecordError(f"{path} holds hypotheses alone; say where the references are (--reference)")
    by_system: dict[str, _Collected] = {}
    for where, cells in _rows(path):
        name = system or cells_of.text(cells, columns.system, SYSTEM_COLUMNS, where) or path.stem
        by_system.setdefault(name, _Collected(dataset, path.parent)).add(cells, columns, where)
    if not by_system:
        raise RecordError(f"{path} holds no rows")
    return {name: collected.imported for name, collected in by_system.items()}


class _Collected:
    """Records and findings that the rows of one system come to."""

    def __init__(self, dataset: str, folder: Path) -> None:
        self._records: list[Record] = []
        self._dataset = dataset
        self._folder = folder
        self._findings: list[Finding] = []
        self._lines: dict[str, str] = {}

    @property
    def imported(self) -> Imported:
        end = End(n_rows=len(self._lines), findings=tuple(map(asdict, self._findings)))
        return Imported(self._records, end)

    def add(self, cells: Cells, columns: Columns, where: str) -> None:
        key = cells_of.text(cells, columns.id, ID_COLUMNS, where) or f"{len(self._lines):06d}"
        name = own_id(self._dataset, key)
        if name in self._lines:
            raise RecordError(
                f"{where}: the id {key!r} was in {self._lines[name]} already; say which column tells "
                "utterances apart, and which one systems"
            )
        self._lines[name] = where
        reference = cells_of.cell(cells, columns.reference, REFERENCE_COLUMNS, "reference", where)
        hypothesis = cells_of.cell(cells, columns.hypothesis, HYPOTHESIS_COLUMNS, "hypothesis", where)
        if reference is None or not reference.strip():
            reason: Reason = "no reference" if reference is None else "blank reference"
            self._findings.append(Finding(name, reason, excluded=True))
            return
        self._records.append(
            Record(
                id=name,
                reference=reference,
                hypothesis=hypothesis,
                audio_s=duration_of(cells),
                speaker=optional(cells, SPEAKER_COLUMNS),
                session=optional(cells, SESSION_COLUMNS),
                audio=self._audio(cells),
                metadata=metadata_of(cells, used=cells_of.used(cells, columns)),
                error=None if hypothesis is not None else "no hypothesis in the imported file",
            )
        )

    def _audio(self, cells: Cells) -> str | None:
        """The path in a row, where there is such a file; as elsewhere, relative to the file of the rows."""
        named = optional(cells, AUDIO_COLUMNS)
        file = None if named is None else at_path(named, (self._folder.absolute(),))
        return None if file is None else without_home(str(file))


def _rows(path: Path) -> Iterator[tuple[str, Cells]]:
    if path.suffix.lower() not in SUFFIXES:
        raise RecordError(f"{path}: cannot be told what it is; known are {', '.join(SUFFIXES)}")
    _, text = read_text(path, RecordError)
    yield from rows_of(path, text, RecordError, half_pairs=True)
