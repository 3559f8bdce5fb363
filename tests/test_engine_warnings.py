"""Warnings of files that are not as they should be: in transcripts, parts, batches and formats."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gigastt_lab.errors import AudioError
from gigastt_lab.formats import render
from gigastt_lab.types import Transcript
from tests.support.audio_files import RATE, by_soundfile
from tests.support.recordings import as_wav


@pytest.fixture(scope="module")
def flac(clear_clips):
    """Forty seconds of speech: more than one window."""
    waveform = np.concatenate([clip.waveform for clip in clear_clips])
    return by_soundfile(np.tile(waveform, 1 + 40 * RATE // len(waveform))[: 40 * RATE], RATE, "FLAC")


def damaged(data: bytes) -> bytes:
    """The same with 64 bytes of noise at nine tenths."""
    at = len(data) * 9 // 10
    return data[:at] + np.random.default_rng(0).bytes(64) + data[at + 64 :]


def test_a_transcript_has_the_warnings_of_its_parts(engine, flac):
    parts = list(engine.transcribe_parts(damaged(flac)))
    assert len(parts) > 1
    (warning,) = Transcript.of_parts(parts).warnings
    assert warning.kind == "damaged"
    assert 34 < warning.start < warning.end < 38
    assert engine.transcribe(damaged(flac)).warnings == (warning,)


def test_times_behind_the_damage_stay(engine, flac):
    whole, hurt = engine.transcribe(flac), engine.transcribe(damaged(flac))
    assert hurt.duration_s == whole.duration_s
    assert hurt.words[-1].text == whole.words[-1].text
    assert hurt.words[-1].start == pytest.approx(whole.words[-1].start, abs=0.1)


def test_json_has_warnings_only_where_there_are_some(engine, clear_clips, flac):
    assert "warnings" not in json.loads(render(engine.transcribe(as_wav(clear_clips[0].waveform)), "json"))
    (told,) = json.loads(render(engine.transcribe(damaged(flac)), "json"))["warnings"]
    assert set(told) == {"kind", "message", "start", "end"}
    assert told["kind"] == "damaged"


def test_a_batch_keeps_each_ones_warnings(engine, clear_clips):
    whole = as_wav(clear_clips[0].waveform)
    cut = whole[: len(whole) // 2]
    transcripts = engine.transcribe_batch([whole, cut, whole])
    assert [[each.kind for each in transcript.warnings] for transcript in transcripts] == [[], ["cut"], []]


def test_strict_refuses_everywhere(engine, flac, clear_clips):
    whole = as_wav(clear_clips[0].waveform)
    cut = whole[: len(whole) // 2]
    assert engine.transcribe(whole, strict=True).words
    for refused in (
        lambda: engine.transcribe(cut, strict=True),
        lambda: engine.transcribe_batch([whole, cut], strict=True),
        lambda: list(engine.transcribe_parts(damaged(flac), strict=True)),
    ):
        with pytest.raises(AudioError, match="leave out `strict`"):
            refused()


def test_an_impossible_track_is_a_value_error(engine):
    with pytest.raises(ValueError, match="track is 0"):
        engine.transcribe(b"", track=0)
