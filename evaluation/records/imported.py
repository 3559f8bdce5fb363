"""Records that were imported: how they are told from others, and written without harm to what is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.normalize import NORMALIZER_VERSION
from evaluation.records.files import End, Header, Record, RecordError, line_of, read, write
from evaluation.records.machine import package_versions, without_home
from evaluation.records.naming import safe_name
from evaluation.records.writing import exclusive


@dataclass(frozen=True)
class Imported:
    """Records of one system, imported from a file.

    Attributes:
        records: Records in the order of the utterances.
        end: Number of utterances, and those that were left out.
    """

    records: list[Record]
    end: End

    @property
    def revision(self) -> str:
        """SHA-256 of ids and references: two systems' hypotheses for the same texts share it."""
        pairs = [(record.id, record.reference) for record in self.records]
        return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def own_id(dataset: str, key: str) -> str:
    """Id of an utterance, ``DATASET/KEY``; a key that begins so is one already.

    >>> own_id("demo", "000003"), own_id("demo", "demo/000003")
    ('demo/000003', 'demo/000003')
    """
    prefix = f"{dataset}/"
    return key if key.startswith(prefix) else prefix + key


def write_imported(
    by_system: Mapping[str, Imported],
    folder: Path,
    *,
    dataset: str,
    source: str,
    description: str,
    fresh: bool,
    command: str,
) -> list[Path]:
    """Record files ``DATASET_SYSTEM.jsonl``, one for each system, in their order.

    Args:
        by_system: Records by the system's name.
        folder: Folder for the files.
        dataset: Name of the dataset.
        source: Path of the file that they come from, for messages.
        description: Where they come from, for headers.
        fresh: Replace a record file of that name that holds something else.
        command: The command line, for headers.

    Raises:
        RecordError: two systems' files would have one name, one is there and holds something else, or it
            cannot be written.
    """
    written: list[Path] = []
    for name, imported in by_system.items():
        target = folder / f"{safe_name(dataset)}_{safe_name(name)}.jsonl"
        if target in written:
            raise RecordError(
                f"{source}: the systems' names are too much alike, two would be {target}; rename one"
            )
        facts = {
            "name": dataset,
            "revision": imported.revision,
            "description": without_home(description),
            "n_expected": len(imported.records),
        }
        header = _header(name, facts, command)
        with exclusive(target):
            if target.exists() and not fresh:
                _require_same_import(target, header, imported.records)
            write(target, header, imported.records, imported.end)
        written.append(target)
    return written


def _header(system: str, dataset: dict[str, Any], command: str) -> Header:
    return Header(
        system=system,
        dataset=dataset,
        versions={"gigastt-lab": package_versions().get("gigastt-lab", "")},
        command=without_home(command),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        normalizer=NORMALIZER_VERSION,
    )


def _require_same_import(target: Path, header: Header, records: list[Record]) -> None:
    there = read(target)
    # Lines, not records: a confidence that is not known is NaN, which does not equal itself.
    same = len(there.records) == len(records) and all(
        line_of(old) == line_of(new if old.metadata else replace(new, metadata={}))  # older ones had none
        for old, new in zip(there.records, records, strict=True)
    )
    if there.header.identity() != header.identity() or not same:
        raise RecordError(f"{target} is there and holds something else; give another folder, or --fresh")
