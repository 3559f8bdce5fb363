"""Remarks on the dataset when a run ends: losses of audio, durations that do not hold, shared audio, marks.

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
from evaluation.records.losses import losses_of, losses_text

logger = logging.getLogger(__name__)


def list_remarks(system: str, records: Sequence[Record], findings: Sequence[Finding]) -> None:
    """Tell of them in the log."""
    if lossy := [record for record in records if losses_of(record)]:
        n_words = sum(len(record.reference.split()) for record in lossy)
        n_of_all = sum(len(record.reference.split()) for record in records)
        text = losses_text(lossy, len(records), n_words, n_of_all)
        is_refusable = any(each.kind != "hole" for record in lossy for each in losses_of(record))
        hint = " (--strict-audio makes failures of those cut or damaged)" if is_refusable else ""
        logger.warning("%s: %s%s", system, text, hint)
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
