"""Warnings of the audio in record files: written where there are some, read back, refused where broken."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from evaluation.records.files import Header, Record, RecordError, as_table, line_of, load, read, write
from evaluation.records.losses import choices_of, losses_of, losses_text
from evaluation.records.tables import record_file
from evaluation.records.warned import Warned, warned
from gigastt_lab.types import AudioWarning

CUT = Warned("cut", "the file was cut", 1.5, None)
TURNED = Warned("phase", "channels were turned", 0.0, 2.0)
WHOLE = Record(id="a", reference="раз два", hypothesis="раз два", audio_s=2.0, metadata={"city": "Уфа"})
SHORT = replace(WHOLE, id="b", hypothesis="раз", warnings=(TURNED, CUT))


def test_a_record_without_a_warning_is_written_as_it_always_was():
    assert line_of(WHOLE).decode() == (
        '{"record": {"id": "a", "reference": "раз два", "hypothesis": "раз два", "audio_s": 2.0, '
        '"metadata": {"city": "Уфа"}}}\n'
    )


def test_warnings_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "a.jsonl"
    write(path, Header(system="demo"), [WHOLE, SHORT])
    assert read(path).records == (WHOLE, SHORT)
    [_, _, line] = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["record"]["warnings"] == [list(TURNED), list(CUT)]
    assert load(path)["warnings"].tolist() == [(), (TURNED, CUT)]
    assert record_file(as_table(read(path))).records == (WHOLE, SHORT)


def test_seconds_are_to_the_millisecond():
    [found] = warned([AudioWarning("hole", "packets are missing", 1 / 3, 2 / 3)])
    assert found == ("hole", "packets are missing", 0.333, 0.667)


@pytest.mark.parametrize(
    "warnings",
    [5, [5], ["cut"], [["cut", "x", 1.0]], [["cut", "x", "1", None]], [[None, "x", 1.0, 2.0]], {"cut": 1}],
)
def test_what_is_no_warning_is_no_record(tmp_path, warnings):
    path = tmp_path / "a.jsonl"
    content = {"id": "a", "reference": "раз", "warnings": warnings}
    path.write_bytes(line_of(Header(system="demo")) + json.dumps({"record": content}).encode() + b"\n")
    with pytest.raises(RecordError, match="line 2 is no record"):
        read(path)


def test_a_column_of_ones_own_with_that_name_stays_metadata():
    table = pd.DataFrame({"reference": ["раз"], "hypothesis": ["раз"], "warnings": ["шумно"]})
    [record] = record_file(table).records
    assert (record.warnings, record.metadata) == ((), {"warnings": "шумно"})


def test_losses_are_of_utterances_that_were_heard():
    assert losses_of(SHORT) == (CUT,)
    assert losses_of(replace(SHORT, warnings=(TURNED,))) == ()
    assert losses_of(replace(SHORT, hypothesis=None, error="нет файла")) == ()
    assert choices_of([WHOLE, SHORT, SHORT]) == {"phase": 2}


def test_a_sentence_counts_utterances_by_kind_and_names_the_first():
    hole = Warned("hole", "nothing was recorded", 0.5, 0.75)
    many = [replace(SHORT, id=f"u{n}") for n in range(4)] + [
        replace(SHORT, id="h", warnings=(hole, hole, CUT))
    ]
    assert losses_text(many, 500, 24, 4812) == (
        "5 of 500 utterances were not heard whole: 5 cut (u0, u1, u2 and 2 more); 1 with a hole (h); their "
        "references hold 24 of 4,812 words, and what the audio lacks of them counts as errors, for every "
        "system that heard it"
    )
    assert losses_text(many[:1], 1, 1, 1).startswith(
        "1 of 1 utterance was not heard whole: 1 cut (u0); its reference holds 1 of 1 word, "
    )
