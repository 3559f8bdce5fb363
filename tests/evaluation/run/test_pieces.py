"""Pieces in a run: what systems are given, what records say, what goes wrong, what the log tells."""

import json
import logging

import numpy as np
import pytest

from evaluation.datasets.named import open_dataset
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import Utterance
from evaluation.records.files import Record, read
from evaluation.report.report import audio_in
from evaluation.run.batching import MAX_WINDOW_BYTES, windows_of
from evaluation.run.runner import run
from evaluation.scoring.scores import score
from evaluation.systems.base import Outcome
from gigastt_lab.audio import pieces
from gigastt_lab.audio.reading import decode_audio
from tests.support.audio_files import by_soundfile, speechlike

RATE = 16_000


class Listening:
    """A system that says how long each audio was, and keeps what it was given."""

    name = "listening"

    def __init__(self, batch_size=4):
        self.batch_size = batch_size
        self.info = {"kind": "listening"}
        self.given = []

    def transcribe(self, audios):
        self.given.extend(audios)
        waves = [decode_audio(audio) for audio in audios]
        return [Outcome(hypothesis=f"{len(wave)}", audio_s=len(wave) / RATE) for wave in waves]


def manifest(folder, rows, name="test.jsonl"):
    path = folder / "long.flac"
    if not path.exists():
        path.write_bytes(by_soundfile(speechlike(20), RATE, "FLAC"))
    lines = [json.dumps({"audio_filepath": "long.flac", "text": "да", **row}) for row in rows]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return open_dataset(folder / name)


def listened(folder, rows, system=None):
    system = system or Listening()
    run(system, manifest(folder, rows), folder / "runs" / "listening.jsonl", show_progress=False)
    return read(folder / "runs" / "listening.jsonl")


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_system_gets_the_piece_and_the_record_says_where_it_lies(tmp_path, monkeypatch, batch_size):
    opened = []
    really = pieces.audio_blocks
    monkeypatch.setattr(
        pieces, "audio_blocks", lambda path, **more: opened.append(path) or really(path, **more)
    )
    times = [(0, 1.5), (2, 0.5), (3, 4.0), (8, 0.25), (9, 1.0), (12, 3.0)]
    rows = [{"offset": start, "duration": length} for start, length in times]
    file = listened(tmp_path, rows, Listening(batch_size))
    assert [(record.audio_start_s, record.audio_s, record.stated_s) for record in file.records] == [
        (float(start), length, length) for start, length in times
    ]
    assert {record.audio for record in file.records} == {str(tmp_path / "long.flac")}
    assert len(opened) == 1  # though a batch has them by length


def test_a_shuffled_manifest_decodes_its_recording_once_a_window(tmp_path, monkeypatch):
    opened = []
    really = pieces.audio_blocks
    monkeypatch.setattr(
        pieces, "audio_blocks", lambda path, **more: opened.append(path) or really(path, **more)
    )
    starts = [9, 3, 17, 0, 12, 5, 1, 14]
    file = listened(tmp_path, [{"offset": start, "duration": 1} for start in starts])
    assert [record.audio_start_s for record in file.records] == starts
    assert len(opened) == 1


def test_offset_0_with_a_shorter_duration_is_a_piece(tmp_path):
    [record] = listened(tmp_path, [{"offset": 0, "duration": 2.0}]).records
    assert (record.hypothesis, record.audio_start_s) == ("32000", 0.0)


def test_a_whole_file_is_handed_over_as_the_file(tmp_path):
    system = Listening()
    listened(tmp_path, [{"duration": 20.0}, {"offset": 0, "duration": 20.0, "text": "нет"}], system)
    assert system.given == [tmp_path / "long.flac"] * 2


def test_a_piece_that_lies_beyond_the_end_fails_alone(tmp_path):
    rows = [{"offset": 1, "duration": 1}, {"offset": 30, "duration": 1}, {"offset": 2, "duration": 1}]
    file = listened(tmp_path, rows)
    assert [record.hypothesis for record in file.records] == ["16000", None, "16000"]
    assert "begins at 30 s, and the recording ends at 20.000 s" in file.records[1].error


def test_a_run_of_pieces_goes_on_without_cutting_what_is_done(tmp_path):
    rows = [{"offset": start, "duration": 1} for start in range(10)]
    first = Listening(1)
    listened(tmp_path, rows, first)
    path = tmp_path / "runs" / "listening.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]))  # a header and five records
    again = Listening(1)
    listened(tmp_path, rows, again)
    assert len(again.given) == 5
    assert path.read_bytes().splitlines()[1:11] == [line.rstrip() for line in lines[1:11]]


def test_durations_that_do_not_hold_are_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        listened(tmp_path, [{"duration": 20.05}, {"duration": 3.0}, {"offset": 15, "duration": 60}])
    assert "2 of 3 utterances are not as long as their dataset states, test/000002 above all" in caplog.text
    assert "5.00 s of audio, 60.00 s stated" in caplog.text


def test_marks_of_noise_that_were_taken_out_are_told(tmp_path, caplog):
    rows = [{"text": "да [шум]", "offset": 0, "duration": 1}, {"text": "<unk>", "offset": 1, "duration": 1}]
    with caplog.at_level(logging.INFO):
        file = listened(tmp_path, rows)
    assert "taken out of 2 references, 1 of which are empty now" in caplog.text
    assert [record.reference for record in file.records] == ["да", ""]
    assert [finding["reason"] for finding in file.end.findings] == ["tags dropped", "tags only"]
    assert score(file).wer.n_reference == 1


def test_metadata_goes_with_the_record(tmp_path):
    [record] = listened(tmp_path, [{"offset": 1, "duration": 1, "city": "Казань", "snr": 12.5}]).records
    assert record.metadata == {"city": "Казань", "snr": "12.5"}


def test_a_window_holds_no_more_pieces_than_memory(tmp_path):
    hour = [Utterance(f"{i}", Piece(tmp_path / "a.wav", i * 3600, (i + 1) * 3600), "да") for i in range(8)]
    windows = list(windows_of(hour, 128))
    held = max(len(window) for window in windows) * 3600 * RATE * 2
    assert MAX_WINDOW_BYTES < held < MAX_WINDOW_BYTES + 3600 * RATE * 2


def test_the_reports_player_has_the_piece(tmp_path):
    file = listened(tmp_path, [{"offset": 2, "duration": 1.5}, {"text": "нет"}])
    find = audio_in([file])
    whole = decode_audio(tmp_path / "long.flac")
    np.testing.assert_allclose(
        decode_audio(find("test/000000")), whole[2 * RATE : round(3.5 * RATE)], atol=1e-4
    )
    assert find("test/000001") == (tmp_path / "long.flac").read_bytes()
    assert find("nobody") is None
    (tmp_path / "long.flac").unlink()
    assert audio_in([file])("test/000000") is None


def test_a_record_without_a_length_plays_to_the_end(tmp_path):
    manifest(tmp_path, [])
    record = Record(id="x", reference="да", audio=str(tmp_path / "long.flac"), audio_start_s=19.0)
    from evaluation.report.recording import heard_in

    assert len(decode_audio(heard_in(record))) == RATE


def test_whole_files_with_several_texts_are_told(tmp_path, caplog):
    rows = [{"text": text, "from": i, "to": i + 1} for i, text in enumerate(("раз", "два", "три"))]
    file = listened(tmp_path, rows)
    told = [("test/000001", "test/000000"), ("test/000002", "test/000000")]
    assert [(finding["id"], finding["same_as"]) for finding in file.end.findings] == told
    assert "2 of 3 utterances have the audio of an earlier one, and another text" in caplog.text
    assert "their times need usual names: offset and duration, or start and end" in caplog.text
