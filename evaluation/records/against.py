"""Records of hypotheses that come without references, put to the utterances of a reference file.

An utterance without a hypothesis is a failure: all of its words count as deleted. A recording of which a CTM
or STM has a word was heard, so that a segment of it without a word was recognised as nothing; a recording
without any may as well never have been run, and its segments are failures. The rate is the same.

References lose marks of noise, as those of a dataset do, unless told otherwise: `datasets.tags`. Words inside
a stretch that is not to be scored are left out with it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from evaluation.datasets.corpora.segments import Segment
from evaluation.datasets.tags import without_tags
from evaluation.datasets.utterances import WITH_TAGS
from evaluation.records.files import End, Record
from evaluation.records.hypotheses import Hypotheses
from evaluation.records.imported import Imported, own_id
from evaluation.records.machine import without_home
from evaluation.records.matching import Heard, Utterances, by_id, by_time, finding
from evaluation.show.display import count, counted

logger = logging.getLogger(__name__)


def put_to(utterances: Utterances, hypotheses: Hypotheses, source: str, *, has_words: bool) -> Imported:
    """Records of all utterances with a reference.

    Args:
        utterances: Utterances of the reference.
        hypotheses: Hypotheses of one system.
        source: Name of the file of hypotheses, for messages.
        has_words: True where what has times are words (CTM), not whole segments (STM).

    Raises:
        RecordError: not one hypothesis belongs to an utterance, or two belong to one.
    """
    if hypotheses.timed:
        heard, lost = by_time(utterances, hypotheses.timed, source, has_words=has_words)
    else:
        heard, lost = by_id(utterances, hypotheses.by_id, source)
    records: list[Record] = []
    findings: list[dict[str, Any]] = []
    for segment, each in zip(utterances.segments, heard, strict=True):
        name = own_id(utterances.dataset, segment.key)
        if segment.text is None or not segment.text.strip():
            findings.append(finding(name, "no reference" if segment.text is None else "blank reference"))
            continue
        reference = without_tags(segment.text) if utterances.tags == "drop" else segment.text
        if reference != segment.text:
            findings.append(finding(name, "tags dropped" if reference else "tags only", excluded=False))
        records.append(_record(name, segment, reference, each, utterances.find(segment)))
    failed = sum(record.hypothesis is None for record in records)
    if failed:
        logger.warning(
            "%s has no hypothesis for %s of %s; all their words count as deleted",
            source, counted(failed, "utterance"), count(len(records)),
        )  # fmt: skip
    return Imported(records, End(n_rows=len(utterances.segments), findings=(*findings, *lost)))


def _record(name: str, segment: Segment, reference: str, heard: Heard, audio: Path | None) -> Record:
    duration_s = segment.duration_s
    if segment.start_s is not None and segment.end_s is not None:
        duration_s = round(segment.end_s - segment.start_s, 3)
    tagged = {WITH_TAGS: segment.text} if segment.text and reference != segment.text else {}
    return Record(
        id=name,
        reference=reference,
        hypothesis=heard.text,
        audio_s=duration_s,
        words=heard.words,
        speaker=segment.speaker,
        session=segment.session or (None if segment.is_whole else segment.recording),
        audio=None if audio is None else without_home(str(audio.absolute())),
        audio_start_s=segment.start_s,
        error=heard.error,
        metadata={**segment.metadata, **tagged},
    )
