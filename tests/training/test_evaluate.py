"""Real recordings beside the held-out test: any manifest that `eval` reads."""

import json
import logging

import pytest

from gigastt_lab.errors import ManifestError
from gigastt_lab.models.registry import DEMO_CLIPS_DIRECTORY
from gigastt_lab.training.evaluate import recognise_recordings

CLIP = "clip_00_assistant_espeak-ng.flac"
TEXT = "Салют, включи телеканал Культура."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps([{"filename": CLIP, "reference": TEXT}])),
        ("a.jsonl", json.dumps({"audio_filepath": CLIP, "text": TEXT, "offset": 0, "duration": 2.7}) + "\n"),
        ("a.csv", f'path;text\r{CLIP};"{TEXT}"\r'),
    ],
)
def test_recordings_of_any_manifest(tmp_path, engine, name, content):
    (tmp_path / CLIP).write_bytes((DEMO_CLIPS_DIRECTORY / CLIP).read_bytes())
    (tmp_path / name).write_text(content, encoding="utf-8")
    [record] = recognise_recordings(engine, tmp_path / name, "real")
    assert (record.cell, record.references, record.hypothesis) == ("real", (TEXT,), TEXT)


def test_what_has_no_text_or_no_file_is_left_out_and_told(tmp_path, engine, caplog):
    (tmp_path / CLIP).write_bytes((DEMO_CLIPS_DIRECTORY / CLIP).read_bytes())
    (tmp_path / "a.csv").write_text(f"path;text\n{CLIP};{TEXT}\n{CLIP};\ngone.wav;да\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert len(recognise_recordings(engine, tmp_path / "a.csv", "real")) == 1
    assert "2 entries without a text or their file are left out" in caplog.text


def test_a_broken_manifest_is_named(tmp_path, engine):
    (tmp_path / "a.jsonl").write_text('{"audio_filepath": \n', encoding="utf-8")
    with pytest.raises(ManifestError, match="line 1: not JSON"):
        recognise_recordings(engine, tmp_path / "a.jsonl", "real")
