"""Remarks on the dataset when a run ends: durations that do not hold, one audio with several texts, marks.

Marks are those of noise, which references lost.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from evaluation.datasets.utterances import Finding
from evaluation.records.durations import duration_mismatches, mismatch_text, shared_audio_text
from evaluation.records.files import Record

logger = logging.getLogger(__name__)


def list_remarks(system: str, records: Sequence[Record], findings: Sequence[Finding]) -> None:
    """Tell of them in the log."""
    if mismatches := duration_mismatches(records):
        logger.warning("%s: %s", system, mismatch_text(mismatches, len(records)))
    found = Counter(finding.reason for finding in findings)
    if shared := shared_audio_text(map(asdict, findings), len(records)):
        logger.warning("%s: %s", system, shared)
    n_tagged, n_empty = found["tags dropped"] + found["tags only"], found["tags only"]
    if n_tagged:
        logger.info(
            "%s: marks of noise were taken out of %d references, %d of which are empty now (tags: drop)",
            system, n_tagged, n_empty,
        )  # fmt: skip
