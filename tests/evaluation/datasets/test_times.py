"""Times of rows: what makes a piece, under which names, and what is said of times that make no sense."""

import json

import pytest

from evaluation.datasets.named import open_dataset
from evaluation.datasets.pieces import Piece
from evaluation.datasets.times import piece_of
from evaluation.datasets.utterances import DatasetError


@pytest.mark.parametrize(
    ("cells", "piece"),
    [
        ({"offset": 0, "duration": 3.5}, (0.0, 3.5)),
        ({"offset": "0.00", "duration": "3.5"}, (0.0, 3.5)),  # of a CSV, where it is true
        ({"offset": 2, "duration": 3.5}, (2.0, 5.5)),
        ({"offset": 2}, (2.0, None)),
        ({"start": "1,25", "end": "2,5"}, (1.25, 2.5)),  # as Excel writes it in Russian
        ({"start_time": 1.25, "end_time": 2.5}, (1.25, 2.5)),
        ({"begin": 1, "finish": 2}, (1.0, 2.0)),
        ({"start_ms": 1250, "end_ms": 2500}, (1.25, 2.5)),
        ({"start": 1, "end": 2, "duration": 60}, (1.0, 2.0)),  # the recording's duration
        ({"start": 1, "end": "", "duration": 4}, (1.0, 5.0)),
        ({"start": " ", "end": " ", "duration": 4}, None),
        ({"start_time_ms": 1250, "end_time_ms": 2500}, (1.25, 2.5)),  # every name in every unit
        ({"segment_start_sec": 1.25, "segment_end_sec": 2.5}, (1.25, 2.5)),
        ({"begin_seconds": 1.25, "duration_seconds": 1.25}, (1.25, 2.5)),
        ({"offset": float("nan"), "duration": 3.5}, None),  # as pandas writes what is missing
        ({"duration": 3.5}, None),
        ({"offset": None, "duration": 3.5}, None),
        ({"offset": "", "duration": 3.5}, None),
        ({"end": 3.5}, None),  # without any column of starts it is something else
        ({}, None),
    ],
)
def test_what_makes_a_piece(cells, piece):
    assert piece_of(cells, "line 1") == piece


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ({"start": "abc", "end": 2}, "test.jsonl, line 1: start is 'abc'; give seconds"),
        ({"offset": 1, "duration": -1}, "line 1: duration is -1; give seconds above 0, or none"),
        ({"offset": 1, "duration_ms": "x"}, "line 1: duration_ms is 'x'; give milliseconds above 0, or none"),
        ({"start": True, "end": 2}, "start is True"),
        ({"start": "nan", "end": 2}, "start is 'nan'"),
        ({"start": -1, "end": 2}, "start is -1; give seconds .* 0 or more"),
        ({"start": 2, "end": "00:03"}, "end is '00:03'; give seconds"),
        ({"start": 2, "end": 2}, "ends at 2 s .end., not after its start at 2 s"),
        ({"start": 3, "end": 2}, "ends at 2 s .end., not after its start at 3 s"),
        ({"start": "", "end": 2}, "end is 2 without a start"),
        ({"offset": 1, "duration": 0}, "duration is 0; give seconds above 0"),
        ({"offset": 1, "duration": -1}, "duration is -1"),
        ({"offset": 1, "duration": "long"}, "duration is 'long'"),
    ],
)
def test_times_that_make_no_sense_are_named_with_their_line(tmp_path, cells, complaint):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    line = {"audio_filepath": "a.wav", "text": "да", **cells}
    (tmp_path / "test.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(tmp_path / "test.jsonl")


def test_a_piece_states_its_own_length(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "test.csv").write_text("path,text,start,end,duration\na.wav,да,1,2.5,60\n", encoding="utf-8")
    [utterance] = open_dataset(tmp_path / "test.csv")
    assert (utterance.audio, utterance.duration_s) == (Piece(tmp_path / "a.wav", 1.0, 2.5), 1.5)
    assert utterance.metadata == {}


def test_whole_files_with_several_texts_are_warned_of_before_a_run(tmp_path, caplog):
    (tmp_path / "long.wav").write_bytes(b"audio")
    row = {"path": "long.wav", "text": "да"}
    rows = [{**row, "from": 0, "to": 1}, {**row, "text": "нет", "from": 1, "to": 2}, row]
    path = tmp_path / "test.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    open_dataset(path)
    assert "differ in their texts for one file (long.wav has 2 of them; such files: 1)" in caplog.text
    caplog.clear()
    path.write_text(path.read_text().replace('"from"', '"start"').replace('"to"', '"end"'), encoding="utf-8")
    open_dataset(path)
    assert caplog.text == ""
