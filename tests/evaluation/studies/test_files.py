"""Every file of a folder read in a process of its own, and what became of each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.studies.files import main, read
from tests.support.audio_files import RATE, by_soundfile, speechlike


def wav(path: Path) -> Path:
    path.write_bytes(by_soundfile(speechlike(0.5), RATE, "WAV"))
    return path


def test_outcomes_are_counted_and_written(tmp_path, capsys):
    folder = tmp_path / "files" / "deep"
    folder.mkdir(parents=True)
    whole = wav(folder / "whole.wav")
    (folder / "cut.wav").write_bytes(whole.read_bytes()[:10_044])
    (folder / "page.mp3").write_bytes(b"<!DOCTYPE html>")

    assert main([str(tmp_path / "files"), "--json", str(tmp_path / "outcomes.jsonl")]) == 0

    told = capsys.readouterr().out
    assert "3 files: " in told
    assert "2 decoded" in told
    assert "1 refused" in told
    assert "1 of the decoded with warnings; 1 s of audio" in told
    cut, page, good = map(json.loads, (tmp_path / "outcomes.jsonl").read_text("utf-8").splitlines())
    assert (cut["kind"], page["kind"], good["kind"]) == ("decoded", "refused", "decoded")
    assert (cut["seconds"], good["seconds"]) == (pytest.approx(10_000 / 2 / RATE, abs=1e-3), 0.5)
    assert cut["message"].startswith("the file was cut: its header promises 0.50 s")
    assert page["message"].startswith("not a known audio file")
    assert 0 < good["memory_mb"] < 50


def test_a_file_that_cannot_be_done_in_time_is_a_hang(tmp_path, capsys):
    path = tmp_path / "long.flac"
    path.write_bytes(by_soundfile(np.zeros(RATE * 600, np.float32), RATE, "FLAC"))

    assert read(path, timeout_s=0.0).kind == "hang"
    assert main([str(tmp_path), "--timeout-s", "0"]) == 1
    assert f"hang: {path}: not done after 0 s" in capsys.readouterr().out


def test_more_memory_than_allowed_is_an_outcome(tmp_path):
    found = read(wav(tmp_path / "whole.wav"), memory_mb=0.0)

    assert (found.kind, found.message) == ("memory", "decoded: ")
