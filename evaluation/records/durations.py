"""Signs that audio is not what the text says: durations that do not hold, one audio with several texts.

So look pieces that were not cut, and files that are cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from evaluation.records.files import Record

# What rounding, and the samples that a codec adds at either end, amount to.
TOLERANCE_S: Final = 0.1
TOLERANCE_SHARE: Final = 0.02


def duration_mismatches(records: Iterable[Record]) -> list[Record]:
    """Records whose audio is longer or shorter than stated, by more than 0.1 s and 2 % of what is stated.

    Those without a stated or a decoded duration are none of them.
    """
    return [
        record
        for record in records
        if record.stated_s is not None
        and record.audio_s is not None
        and abs(record.audio_s - record.stated_s) > max(TOLERANCE_S, TOLERANCE_SHARE * record.stated_s)
    ]


def mismatch_text(found: list[Record], n_records: int) -> str:
    """Sentence for a log or a report: how many, the worst one, what it may mean."""
    worst = max(found, key=lambda record: abs((record.audio_s or 0.0) - (record.stated_s or 0.0)))
    return (
        f"{len(found)} of {n_records} utterances are not as long as their dataset states, {worst.id} above "
        f"all: {worst.audio_s:.2f} s of audio, {worst.stated_s:.2f} s stated. Where rows are pieces of long "
        "files, they need a column offset, or start and end; else files or stated durations are wrong"
    )


def shared_audio_text(findings: Iterable[Mapping[str, Any]], n_records: int) -> str | None:
    """Sentence on utterances that have the audio of an earlier one and another text; None where none has.

    Args:
        findings: Findings as the end of a record file holds them.
        n_records: Number of utterances.
    """
    n = sum(each["reason"] == "same audio, other text" for each in findings)
    if not n:
        return None
    return (
        f"{n} of {n_records} utterances have the audio of an earlier one, and another text. Where rows are "
        "pieces of long files, their times need usual names: offset and duration, or start and end"
    )
