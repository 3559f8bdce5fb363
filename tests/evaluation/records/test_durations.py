"""Stated durations against decoded ones: the tolerance is 0.1 s or 2 %, whichever is more."""

import pytest

from evaluation.records.durations import duration_mismatches, mismatch_text, shared_audio_text
from evaluation.records.files import Record


@pytest.mark.parametrize(
    ("stated_s", "audio_s", "differ"),
    [
        (1.0, 1.09, False),
        (1.0, 1.11, True),
        (1.0, 0.89, True),
        (100.0, 101.9, False),
        (100.0, 102.1, True),
        (None, 5.0, False),
        (5.0, None, False),
    ],
)
def test_what_differs(stated_s, audio_s, differ):
    record = Record(id="x", reference="да", stated_s=stated_s, audio_s=audio_s)
    assert duration_mismatches([record]) == ([record] if differ else [])


def test_the_worst_one_is_named():
    records = [Record(id=f"{i}", reference="да", stated_s=1.0, audio_s=1.0 + i) for i in range(3)]
    found = duration_mismatches(records)
    assert [record.id for record in found] == ["1", "2"]
    assert mismatch_text(found, 3).startswith(
        "2 of 3 utterances are not as long as their dataset states, 2 above all: 3.00 s of audio, 1.00 s "
        "stated."
    )


def test_one_audio_with_several_texts_is_told_once():
    findings = [{"reason": "same audio, other text"}, {"reason": "duplicate"}, {"reason": "no audio"}]
    assert (shared_audio_text(findings, 10) or "").startswith(
        "1 of 10 utterances have the audio of an earlier"
    )
    assert shared_audio_text(findings[1:], 10) is None
