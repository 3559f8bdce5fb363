"""Result of a run: where its records are, how many there are, what failed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.records.files import Header, Record

logger = logging.getLogger(__name__)

_LISTED_FAILURES: Final = 20


@dataclass(frozen=True)
class RunResult:
    """Result of a run.

    Attributes:
        path: The record file, which is finished.
        header: Header of the record file.
        n_utterances: Number of utterances in it.
        n_done: Number of those that this run took.
        n_skipped: Number of those that earlier runs had taken.
        failures: Records with an error, from all runs.
    """

    path: Path
    header: Header
    n_utterances: int
    n_done: int
    n_skipped: int
    failures: tuple[Record, ...]

    @property
    def n_failed(self) -> int:
        """Number of utterances that failed."""
        return len(self.failures)


def result_of(path: Path, header: Header, records: Sequence[Record], *, n_done: int) -> RunResult:
    """Result of a run from what its file holds."""
    failures = tuple(record for record in records if record.error is not None)
    return RunResult(path, header, len(records), n_done, len(records) - n_done, failures)


def list_failures(result: RunResult) -> None:
    """Log how many utterances failed, and why the first of them did."""
    if not result.failures:
        return
    logger.warning(
        "%s: %d of %d utterances failed, and count as all words deleted",
        result.header.system, result.n_failed, result.n_utterances,
    )  # fmt: skip
    for record in result.failures[:_LISTED_FAILURES]:
        logger.warning("  %s: %s", record.id, record.error)
    if result.n_failed > _LISTED_FAILURES:
        logger.warning("  ... and %d more, in %s", result.n_failed - _LISTED_FAILURES, result.path)
