"""The live microphone without a browser: what its front end sends, in every order, and what comes of it."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
import soundfile

from gigastt_lab.errors import ModelError
from gigastt_lab.types import StreamResult, Word
from gigastt_lab.widgets import LiveMicrophone
from tests.support.front_end import RATE, FrontEnd, speech_of


@pytest.fixture(scope="module")
def speech(clear_clips):
    """Three utterances with pauses, 16 kHz."""
    return speech_of(clear_clips[:3])


@pytest.fixture
def microphone(engine):
    made = LiveMicrophone(engine)
    yield made
    made.close()


class Session:
    """A stream that finds one word in each second of audio; `gate` holds it up, `fails` ends it."""

    def __init__(self, gate=None, fails=None):
        self.gate, self.fails = gate, fails
        self.n_accepted = 0

    def accept(self, audio):
        if self.gate:
            assert self.gate.wait(60)
        if self.fails:
            raise self.fails
        self.n_accepted += len(audio) // 2
        return [self._final()]

    def finish(self):
        return [self._final()]

    def _final(self):
        at = self.n_accepted / RATE
        return StreamResult("final", 0, (Word("слово", at, at, 1.0),), 5, at, at, at, "silence")


class FakeEngine:
    def __init__(self, **options):
        self.sessions = []
        self.options = options

    def stream(self, sample_rate, options):
        self.sessions.append(Session(**self.options))
        return self.sessions[-1]


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def test_finals_are_those_of_the_file(engine, microphone, speech, clear_clips):
    front_end = FrontEnd(microphone)
    front_end.record("a", speech, RATE)
    expected = [engine.transcribe(clip.waveform, sample_rate=RATE).text for clip in clear_clips[:3]]
    results = [message["result"] for message in front_end.of("result")]
    assert [
        " ".join(word["word"] for word in result["words"]) for result in results if result["kind"] == "final"
    ] == expected
    assert any(result["kind"] == "partial" for result in results)
    assert microphone.transcript.text == " ".join(expected)
    assert microphone.transcript.duration_s == len(speech) / RATE
    assert microphone.transcript.timings.total_s > 0
    assert microphone.sample_rate == RATE
    np.testing.assert_array_equal(microphone.audio, speech)
    ended = front_end.of("ended")[0]
    assert ended == {"type": "ended", "recording": "a", "error": None, "seconds": len(speech) / RATE}
    last = front_end.of("progress")[-1]
    assert last["n_received"] == last["n_recognised"] == len(speech)
    assert last["work_s"] > 0


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_any_rate_will_do(engine, microphone, clear_clips, rate):
    from gigastt_lab.audio.reading import from_array

    waveform = np.concatenate([clear_clips[0].waveform, silence(1)])
    FrontEnd(microphone).record("a", from_array(waveform, RATE, sample_rate_out=rate), rate)
    assert microphone.transcript.text == engine.transcribe(clear_clips[0].waveform, sample_rate=RATE).text
    assert microphone.sample_rate == rate
    assert microphone.audio.dtype == np.float32


def test_messages_may_come_in_any_order_and_twice(microphone, speech):
    front_end = FrontEnd(microphone)

    def order(starts):
        return random.Random(0).sample(starts + starts[5:9], len(starts) + 4)

    front_end.stop("a", len(speech), RATE)
    front_end.speak("a", speech, RATE, order)
    front_end.wait_for("ended")
    np.testing.assert_array_equal(microphone.audio, speech)
    other = LiveMicrophone(microphone._engine)
    FrontEnd(other).record("b", speech, RATE)
    assert microphone.transcript == other.transcript


def test_a_second_recording_goes_on_behind_the_first(engine, microphone, clear_clips):
    one, other = (np.concatenate([clip.waveform, silence(1)]) for clip in clear_clips[:2])
    front_end = FrontEnd(microphone)
    front_end.record("a", one, RATE)
    front_end.record("b", other, RATE)
    np.testing.assert_array_equal(microphone.audio, np.concatenate([one, other]))
    first, second = microphone.recordings
    words = microphone.transcript.words
    assert words[: len(first.transcript.words)] == first.transcript.words
    shifted = [word.start - len(one) / RATE for word in words[len(first.transcript.words) :]]
    assert shifted == pytest.approx([word.start for word in second.transcript.words])
    assert microphone.transcript.duration_s == pytest.approx((len(one) + len(other)) / RATE)
    told = [message["result"]["words"][0]["start"] for message in front_end.of("result")]
    assert told[-1] == pytest.approx(words[len(first.transcript.words)].start, abs=1e-3)


def test_another_rate_is_brought_to_the_first(microphone):
    front_end = FrontEnd(microphone)
    front_end.record("a", silence(1), RATE)
    front_end.record("b", np.zeros(48_000, np.float32), 48_000)
    assert microphone.sample_rate == RATE
    assert len(microphone.audio) == 2 * RATE


def test_it_is_saved_as_it_was_heard(microphone, speech, tmp_path):
    with pytest.raises(ValueError, match="nothing was recorded"):
        microphone.save(tmp_path / "none.wav")
    FrontEnd(microphone).record("a", speech[:RATE], RATE)
    microphone.save(tmp_path / "said.wav")
    samples, rate = soundfile.read(tmp_path / "said.wav", dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(samples, microphone.recordings[0].pcm16)


def test_nothing_was_recorded_yet(microphone):
    assert microphone.transcript.text == ""
    assert microphone.audio.shape == (0,)
    assert microphone.recordings == ()


def test_what_is_cleared_is_gone(speech):
    gate = threading.Event()
    microphone = LiveMicrophone(FakeEngine(gate=gate))
    front_end = FrontEnd(microphone)
    front_end.speak("a", speech, RATE)
    microphone.clear()
    assert front_end.told[-1] == {"type": "cleared"}
    n_told = len(front_end.told)
    gate.set()
    front_end.speak("a", speech, RATE)  # of before, and late
    front_end.stop("a", len(speech), RATE)
    assert microphone.recordings == ()
    front_end.record("b", silence(1), RATE)
    assert {message["recording"] for message in front_end.told[n_told:]} == {"b"}
    assert len(microphone.audio) == RATE


def test_the_front_end_clears(microphone):
    front_end = FrontEnd(microphone)
    front_end.record("a", silence(1), RATE)
    front_end.say({"type": "clear", "recording": None})
    assert microphone.recordings == ()
    front_end.speak("b", silence(1), RATE)
    front_end.say({"type": "clear", "recording": "b"})
    front_end.speak("b", silence(2), RATE)
    assert microphone.recordings == ()
    assert front_end.of("cleared") == []  # it knows


def test_who_does_not_wait_keeps_the_audio():
    gate = threading.Event()
    microphone = LiveMicrophone(FakeEngine(gate=gate))
    front_end = FrontEnd(microphone)
    n_samples = front_end.speak("a", silence(3), RATE)
    front_end.stop("a", n_samples, RATE)
    front_end.say({"type": "abandon", "recording": "a"})
    gate.set()
    front_end.wait_for("ended")
    assert len(microphone.audio) == n_samples
    assert front_end.of("result") == []


def test_frames_are_taken_while_the_recogniser_works(speech):
    """The kernel's thread never waits: what came is kept, and counted as waiting."""
    gate = threading.Event()
    microphone = LiveMicrophone(FakeEngine(gate=gate))
    front_end = FrontEnd(microphone)
    n_samples = front_end.speak("a", speech, RATE)
    assert len(microphone.audio) == n_samples
    last = front_end.of("progress")[-1]
    assert (last["n_received"], last["n_recognised"]) == (n_samples, 0)
    gate.set()
    front_end.stop("a", n_samples, RATE)
    front_end.wait_for("ended")
    assert microphone._engine.sessions[0].n_accepted == n_samples


def test_too_much_that_waits_ends_the_text_and_not_the_audio():
    gate = threading.Event()
    microphone = LiveMicrophone(FakeEngine(gate=gate), max_backlog_s=1)
    front_end = FrontEnd(microphone)
    n_samples = front_end.speak("a", silence(20), RATE)
    front_end.stop("a", n_samples, RATE)
    gate.set()
    assert "wait to be recognised, more than max_backlog_s" in front_end.wait_for("ended")["error"]
    assert len(microphone.audio) == n_samples
    assert 10 * RATE < microphone._engine.sessions[0].n_accepted <= 12.1 * RATE


@pytest.mark.parametrize("error", [ModelError("it broke"), RuntimeError("it broke")])
def test_a_recogniser_that_fails_ends_the_text_and_not_the_audio(error, caplog):
    microphone = LiveMicrophone(FakeEngine(fails=error))
    front_end = FrontEnd(microphone)
    front_end.speak("a", silence(1), RATE)
    told = front_end.wait_for("ended")
    assert told["error"] == f"{type(error).__name__}: it broke"
    n_samples = front_end.speak("a", silence(2), RATE)
    front_end.stop("a", n_samples, RATE)
    assert front_end.wait_for("ended", 2)["error"] == told["error"]
    assert len(microphone.audio) == n_samples
    assert bool(caplog.records) == isinstance(error, RuntimeError)  # one of ours needs no traceback


def test_a_rate_that_cannot_be_is_told(microphone):
    front_end = FrontEnd(microphone)
    front_end.stop("a", front_end.speak("a", silence(1), 100), 100)
    assert "sample rate" in front_end.wait_for("ended", 2)["error"]
    assert len(microphone.recordings) == 1


def test_a_page_that_comes_again_is_told_everything(microphone, speech, clear_clips):
    front_end = FrontEnd(microphone)
    front_end.record("a", speech, RATE)
    n_samples = front_end.speak("b", np.concatenate([clear_clips[3].waveform[: 2 * RATE]]), RATE)
    while not microphone.recordings[1].partial:
        front_end.wait_for("result", len(front_end.of("result")) + 1)
    again = FrontEnd(microphone)
    again.say({"type": "hello"})
    state = again.wait_for("state")
    finals = [word["word"] for utterance in state["utterances"] for word in utterance]
    assert " ".join(finals) == microphone.transcript.text
    assert state["partial"]["words"][0]["start"] >= len(speech) / RATE
    assert state["seconds"] == pytest.approx((len(speech) + n_samples) / RATE)


def test_a_recording_whose_page_is_gone_can_be_stopped(microphone, speech):
    front_end = FrontEnd(microphone)
    front_end.speak("a", speech, RATE)
    microphone.stop()
    assert front_end.told[-1] == {"type": "stop", "recording": "a"}
    front_end.stop("a", None, None)  # what a page says that knows nothing of it
    front_end.wait_for("ended")
    assert microphone.transcript.text


def test_a_new_recording_ends_one_whose_page_is_gone(microphone, speech):
    front_end = FrontEnd(microphone)
    front_end.speak("a", speech, RATE)
    front_end.stop("b", front_end.speak("b", silence(1), RATE), RATE)
    front_end.wait_for("ended", 2)
    assert [bool(each.transcript.text) for each in microphone.recordings] == [True, False]


def test_stopping_what_does_not_run_is_harmless(microphone):
    front_end = FrontEnd(microphone)
    microphone.stop()
    assert front_end.told == [{"type": "stop", "recording": None}]
    front_end.stop("never", None, None)
    front_end.say({"type": "abandon", "recording": "never"})
    front_end.say({"type": "of a newer version"})
    assert microphone.recordings == ()


def test_a_widget_that_is_closed_leaves_no_thread(engine):
    microphone = LiveMicrophone(engine)
    FrontEnd(microphone).speak("a", silence(1), RATE)
    stream = microphone._live["a"].stream
    microphone.close()
    assert stream.join(60)
    assert len(microphone.audio) == RATE


def test_options_are_checked(engine):
    with pytest.raises(ValueError, match="no preset"):
        LiveMicrophone(engine, options="fast")
    with pytest.raises(ValueError, match="give seconds above 0"):
        LiveMicrophone(engine, max_backlog_s=0)
