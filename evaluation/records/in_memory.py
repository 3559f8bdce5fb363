"""Record files that are in memory: of records that are in no file, by the rules of an import.

A reference that is missing or blank is left out and named; a hypothesis that is missing (None, NaN) is a
failure, and counts as all words deleted; an empty one is what was recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.cells import is_missing
from evaluation.datasets.utterances import Finding, Reason
from evaluation.normalize import NORMALIZER_VERSION
from evaluation.records.files import End, Header, Record, RecordError, RecordFile
from evaluation.records.machine import package_versions
from gigastt_lab.errors import GigasttError

DEFAULT_SYSTEM: Final = "hypotheses"
NO_REASON: Final = "no hypothesis"


@dataclass(frozen=True)
class Named:
    """Names of records in memory.

    Attributes:
        system: Name of the system.
        dataset: Name of the dataset.
    """

    system: str = DEFAULT_SYSTEM
    dataset: str = "table"


def file_in_memory(
    rows: Iterable[Record], named: Named, *, n_rows: int, findings: Sequence[Finding]
) -> RecordFile:
    """A record file of records that are in no file.

    Args:
        rows: The records.
        named: Names of system and dataset.
        n_rows: Number of rows, with those that were left out.
        findings: Rows that were left out.
    """
    records = tuple(rows)
    pairs = json.dumps([(record.id, record.reference) for record in records])
    header = Header(
        system=named.system,
        dataset={
            "name": named.dataset,
            "revision": hashlib.sha256(pairs.encode()).hexdigest(),
            "description": "in memory",
            "n_expected": len(records),
        },
        versions={"gigastt-lab": package_versions().get("gigastt-lab", "")},
        normalizer=NORMALIZER_VERSION,
    )
    end = End(n_rows=n_rows, findings=tuple(map(asdict, findings)))
    return RecordFile(Path(f"{named.system}.jsonl"), header, records, end, 0)


def unusable(own_id: str, reference: str | None) -> Finding | None:
    """The finding of a reference that cannot be scored; None of one that can."""
    if reference is not None and reference.strip():
        return None
    reason: Reason = "no reference" if reference is None else "blank reference"
    return Finding(own_id, reason, excluded=True)


def record_of(own_id: str, reference: str, hypothesis: str | None, row: dict[str, Any]) -> Record:
    """A record; a missing hypothesis is a failure, whose reason may be in the row."""
    error = row.pop("error", None) or NO_REASON
    return Record(
        id=own_id,
        reference=reference,
        hypothesis=hypothesis,
        error=None if hypothesis is not None else error,
        **row,
    )


def text_of(cell: object, where: str, failure: type[GigasttError] = RecordError) -> str | None:
    """A cell as a text; None for a missing one.

    Raises:
        GigasttError: a `failure`: it is something else.
    """
    if is_missing(cell):
        return None
    if isinstance(cell, str):
        return str(cell)
    raise failure(f"{where} is {cell!r:.60} ({type(cell).__name__}), no text; give str, or None for none")
