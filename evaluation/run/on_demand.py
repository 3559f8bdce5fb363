"""Records of a system on a dataset, made where they are not there yet: what notebooks read."""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.utterances import Utterances
from evaluation.records.files import RecordFile, read
from evaluation.run.naming import run_name
from evaluation.run.runner import run
from evaluation.systems.base import System
from evaluation.systems.registry import SystemSpec


def recorded(
    system: System | SystemSpec, dataset: Utterances, folder: str | Path, *, fresh: bool = False
) -> RecordFile:
    """The records of a system on a dataset: those of an earlier run, which goes on where it was broken off.

    Args:
        system: System that is loaded, or the spec of one.
        dataset: Dataset, read from its beginning.
        folder: Each dataset gets a folder in it, each system a file there.
        fresh: Begin anew, whatever is there.

    Raises:
        RecordError: what is there is of another system, dataset, machine or version; ask for `fresh`.
        GigasttError: else, as `evaluation.run.runner.run` raises it.
    """
    path = Path(folder) / run_name(dataset, []) / f"{system.name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    return read(run(system, dataset, path, fresh=fresh).path)
