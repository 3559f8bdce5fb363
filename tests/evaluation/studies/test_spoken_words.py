"""Speech with known word times: events to words, and the synthesizers where they are installed."""

import json
import shutil

import numpy as np
import pytest

from evaluation.datasets.audio import speech_bounds
from evaluation.datasets.corpora.word_references import read_word_references
from evaluation.scoring.counting import ScoreError
from evaluation.studies.spoken_words import Event, main, word_spans
from gigastt_lab.audio.reading import decode_audio

WORD, PHONEME, SENTENCE_END = 1, 7, 5


def test_a_word_ends_where_its_last_phoneme_does():
    #        0 да   40 пауза       90 нет        150 (sentence ends)
    events = [
        Event(WORD, 0, 0), Event(PHONEME, 5, 0, "d"), Event(PHONEME, 20, 0, "a"), Event(PHONEME, 40, 0, "_:"),
        Event(PHONEME, 60, 0, "_"), Event(WORD, 90, 4), Event(PHONEME, 95, 4, "n"),
        Event(SENTENCE_END, 150, 4),
    ]  # fmt: skip
    assert word_spans(events, [0, 4], 200) == [(0, 40), (90, 150)]
    assert word_spans(events[:-1], [0, 4], 200) == [(0, 40), (90, 200)]


def test_words_without_a_pause_end_where_the_next_begins():
    assert word_spans([Event(WORD, 3, 0), Event(WORD, 30, 3)], [0, 3], 50) == [(3, 30), (30, 50)]


def test_joined_words_are_no_words():
    assert word_spans([Event(WORD, 3, 0)], [0, 2], 50) is None  # "в доме" as one


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("espeak-ng") and shutil.which("festival")),
    reason="espeak-ng or festival is not installed: apt-get install espeak-ng festival festvox-ru",
)
def test_the_times_are_those_of_the_sound(tmp_path):
    sentences = tmp_path / "sentences.jsonl"
    rows = [
        {"text": "Позвони Ивану Ивановичу."},
        {"text": "Мне 5 лет, а тебе?", "spoken": "Мне пять лет, а тебе?"},
    ]
    sentences.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    folder = tmp_path / "spoken"
    assert main([str(folder), "--sentences", str(sentences), "--voices", "m1,f5", "--silence-s", "1"]) == 0
    words = read_word_references(folder / "truth.ctm", None, ScoreError)
    assert len(words) == 6
    for name, spoken in words.items():
        waveform = decode_audio(folder / f"{name}.wav")
        begin_s, end_s = speech_bounds(waveform)
        assert abs(spoken[0].start_s - begin_s) < 0.15  # the closure of "п" is silent
        assert abs(spoken[-1].end_s - end_s) < 0.1
        assert len(waveform) / 16_000 - spoken[-1].end_s > 0.9
        assert np.abs(waveform).max() > 0.05
    manifest = [
        json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [row["text"] for row in manifest] == [row["text"] for row in rows] * 3
