"""The transcript view, the file drop and what all widgets share, without a browser."""

from __future__ import annotations

import builtins
import io
import sys

import numpy as np
import pytest
import soundfile

from gigastt_lab import Transcript, Word, widgets
from gigastt_lab.errors import AudioError, AudioTooLongError
from gigastt_lab.widgets import FileDrop, LiveMicrophone, TranscriptView, assets, transcript_view
from tests.support.av_files import Track, av_file
from tests.support.front_end import RATE, FrontEnd, speech_of
from tests.support.recordings import as_wav

TRANSCRIPT = Transcript((Word("Привет,", 0.5, 0.9, 0.95), Word("мир.", 4.0, 4.4, 0.6)), 5.0)


# -- what they share ----------------------------------------------------------------------------------------


def test_the_capture_code_is_the_servers():
    pytest.importorskip("fastapi")
    from gigastt_lab.server.page import html

    for name in ("capture", "capture_messages", "formats", "transcript"):
        text = assets.module(name).strip()
        assert text in html()
        assert text in str(LiveMicrophone._esm)
    for name in ("losses", "audio_files"):
        text = assets.module(name).strip()
        assert text in html()
        assert text in str(FileDrop._esm)


def test_without_anywidget_it_is_said_what_to_install(monkeypatch):
    really = builtins.__import__

    def without(name, *more):
        if name == "anywidget":
            raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")
        return really(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "gigastt_lab.widgets.transcript_view")
    with pytest.raises(ImportError, match=r"TranscriptView needs .* pip install 'gigastt-lab\[notebook\]'"):
        _ = widgets.TranscriptView


def test_there_is_no_other_widget():
    with pytest.raises(AttributeError):
        _ = widgets.Speaker


# -- the transcript view ------------------------------------------------------------------------------------


def test_a_long_pause_begins_a_paragraph():
    view = TranscriptView(TRANSCRIPT)
    assert [[word["word"] for word in words] for words in view._utterances] == [["Привет,"], ["мир."]]
    assert view._utterances[1][0] == {"word": "мир.", "start": 4.0, "end": 4.4, "confidence": 0.6}
    assert view._audio == b""
    assert view.transcript is TRANSCRIPT


@pytest.mark.parametrize("source", ["path", "bytes", "samples"])
def test_the_browser_gets_what_the_recogniser_heard(clear_clips, source):
    clip = clear_clips[0]
    given = {"path": clip.path, "bytes": clip.path.read_bytes(), "samples": clip.waveform}[source]
    view = TranscriptView(TRANSCRIPT, given, RATE if source == "samples" else None)
    samples, rate = soundfile.read(io.BytesIO(view._audio), dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, clip.waveform, atol=2**-15)


def test_bad_audio_is_refused(monkeypatch):
    with pytest.raises(AudioError, match="sample_rate"):
        TranscriptView(TRANSCRIPT, np.zeros(100))
    monkeypatch.setattr(transcript_view, "MAX_AUDIO_S", 1.0)
    with pytest.raises(AudioTooLongError):
        TranscriptView(TRANSCRIPT, np.zeros(2 * RATE), RATE)


def test_what_is_missing_of_a_file_is_shown(engine, clear_clips):
    data = as_wav(clear_clips[0].waveform)[:-8000]
    transcript = engine.transcribe(data)
    (warning,) = TranscriptView(transcript, data)._warnings
    assert (warning["kind"], warning["message"]) == ("cut", transcript.warnings[0].message)
    assert warning["start"] == pytest.approx(transcript.duration_s, abs=0.001)
    assert warning["end"] == pytest.approx(transcript.duration_s + 0.25, abs=0.001)
    assert TranscriptView(TRANSCRIPT)._warnings == []


def test_the_track_that_was_transcribed_is_heard(clear_clips):
    first, second = (clip.waveform for clip in clear_clips[:2])
    data = av_file("matroska", [Track(first, codec="flac"), Track(second, codec="flac")], picture=None)
    for track, expected in [(None, first), (1, first), (2, second)]:
        view = TranscriptView(TRANSCRIPT, data, track=track)
        samples, _ = soundfile.read(io.BytesIO(view._audio), dtype="float32")
        np.testing.assert_allclose(samples, expected, atol=2**-14)
    with pytest.raises(AudioError, match="track 3 was asked for"):
        TranscriptView(TRANSCRIPT, data, track=3)


def test_python_can_seek():
    view = TranscriptView(TRANSCRIPT)
    front_end = FrontEnd(view)
    view.seek(1.5)
    view.pause()
    assert front_end.told == [{"type": "seek", "at": 1.5}, {"type": "pause"}]


# -- the file drop ------------------------------------------------------------------------------------------


@pytest.fixture
def drop(engine):
    made = FileDrop(engine)
    yield made
    made.close()


def send(front_end, content, *, file="a", piece=10_000, name="said.flac", backwards=False):
    """A file in pieces."""
    front_end.say({"type": "file", "file": file, "name": name, "n_bytes": len(content)})
    starts = range(0, len(content), piece)
    for at in reversed(starts) if backwards else starts:
        front_end.say({"type": "piece", "file": file, "at": at}, [content[at : at + piece]])


@pytest.mark.parametrize("backwards", [False, True])
def test_a_file_is_transcribed(engine, drop, clear_clips, backwards):
    front_end = FrontEnd(drop)
    content = clear_clips[0].path.read_bytes()
    send(front_end, content, backwards=backwards)
    assert front_end.wait_for("ended")["error"] is None
    expected = engine.transcribe(clear_clips[0].path)
    assert drop.transcript == drop.transcripts["said.flac"] == expected
    (part,) = front_end.of("part")
    told = [word["word"] for words in part["utterances"] for word in words]
    assert " ".join(told) == expected.text
    assert part["done_s"] == expected.duration_s
    assert front_end.of("received")[-1]["n_bytes"] == len(content)


def test_what_is_missing_of_a_file_is_told_with_its_part(drop, clear_clips):
    front_end = FrontEnd(drop)
    send(front_end, as_wav(clear_clips[0].waveform)[:-8000], name="cut.wav")
    assert front_end.wait_for("ended")["error"] is None
    (part,) = front_end.of("part")
    (warning,) = drop.transcript.warnings
    (told,) = part["warnings"]
    assert (told["kind"], told["message"]) == ("cut", warning.message)
    assert told["start"] == pytest.approx(warning.start, abs=0.001)
    send(front_end, clear_clips[0].path.read_bytes(), file="b")
    front_end.wait_for("ended", 2)
    assert front_end.of("part")[1]["warnings"] == []


@pytest.mark.parametrize("content", [b"", b"not audio at all"])
def test_what_is_no_audio_is_told(drop, content):
    front_end = FrontEnd(drop)
    send(front_end, content)
    assert front_end.wait_for("ended")["error"]
    assert drop.transcript is None


def test_a_file_that_is_too_large_is_refused(engine):
    drop = FileDrop(engine, max_bytes=10)
    front_end = FrontEnd(drop)
    send(front_end, b"more than ten bytes")
    assert front_end.wait_for("ended")["error"] == "19 bytes; max_bytes is 10"
    assert front_end.of("received") == []
    with pytest.raises(ValueError, match="give 1 or more"):
        FileDrop(engine, max_bytes=0)


def test_a_file_can_be_called_off(drop, clear_clips):
    front_end = FrontEnd(drop)
    front_end.say({"type": "file", "file": "a", "name": "a", "n_bytes": 100})
    file = drop._dropped.file
    front_end.say({"type": "cancel", "file": "a"})
    assert file.closed
    front_end.say({"type": "piece", "file": "a", "at": 0}, [bytes(100)])  # it was under way
    send(front_end, clear_clips[0].path.read_bytes(), file="b")
    assert front_end.wait_for("ended")["file"] == "b"
    assert list(drop.transcripts) == ["said.flac"]


def test_work_can_be_called_off(drop, clear_clips):
    file = io.BytesIO()
    soundfile.write(file, np.tile(speech_of(clear_clips[:3]), 20), RATE, format="WAV")
    front_end = FrontEnd(drop)
    send(front_end, file.getvalue(), piece=10**6)
    front_end.wait_for("part")
    dropped = drop._dropped
    front_end.say({"type": "cancel", "file": "a"})
    send(front_end, b"not audio at all", file="b")
    assert front_end.wait_for("ended")["file"] == "b"
    assert dropped.cancellation.is_cancelled
    assert drop.transcript is None
