"""Wishes of a client of `/v1/ws`: presets, the silence that ends an utterance, and its end at once."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gigastt_lab.streaming.options import PRESETS, with_silence
from tests.support.audio_files import media_recorder
from tests.support.recordings import RATE, as_pcm16
from tests.support.websocket_client import finals, rest_of, said, tell

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts


@pytest.fixture(scope="module")
def pcm16(speech):
    return as_pcm16(speech)


def told(server, *steps):
    """A session's messages: wishes are told, bytes are sent, and in the end it is stopped."""
    with server.socket() as socket:
        said(socket)
        for step in ({"type": "configure", "sample_rate": RATE}, *steps):
            if isinstance(step, dict):
                tell(socket, **({"type": "configure"} | step))
            else:
                for at in range(0, len(step), 3_200):
                    socket.send(step[at : at + 3_200])
        tell(socket, type="stop")
        messages, code, _ = rest_of(socket)
    assert code == 1000
    return messages


def errors_of(messages):
    return [(each["code"], each["message"]) for each in messages if each["type"] == "error"]


def texts_of(messages):
    return [each["text"] for each in finals(messages) if each["text"]]


def of_the_engine(heard, pcm16, options):
    session = heard.stream(RATE, options)
    return [*session.accept(pcm16), *session.finish()]


@pytest.mark.parametrize("preset", ["low-latency", "balanced", "accurate"])
def test_a_preset_is_the_engines(server, heard, pcm16, preset):
    messages = told(server, {"preset": preset}, pcm16)
    expected = of_the_engine(heard, pcm16, preset)
    found = [each for each in messages if each["type"] in {"partial", "final"}][: len(expected)]
    assert [each["text"] for each in found] == [each.text for each in expected]
    assert [each["heard"] for each in found] == [pytest.approx(each.heard, abs=1e-3) for each in expected]


def test_a_longer_silence_joins_utterances(server, pcm16):
    assert len(texts_of(told(server, pcm16))) == 3
    assert len(texts_of(told(server, {"silence_ms": 1_900}, pcm16))) == 1
    assert len(texts_of(told(server, {"preset": "low-latency", "silence_ms": 1_900}, pcm16))) == 1
    # a preset brings its own
    assert len(texts_of(told(server, {"silence_ms": 1_900}, {"preset": "low-latency"}, pcm16))) == 3


def test_several_presets_in_one_session(server, heard, clear_clips, pcm16):
    """From the audio on that is sent after it: the first pause ends an utterance, the second does not."""
    cut = 2 * (len(clear_clips[0].waveform) + round(0.9 * RATE))
    messages = told(server, pcm16[:cut], {"preset": "accurate", "silence_ms": 1_900}, pcm16[cut:])
    assert errors_of(messages) == []
    whole = texts_of(told(server, pcm16))
    found = texts_of(messages)
    assert found[0] == whole[0]
    assert len(found) == 2
    session = heard.stream(RATE)
    results = session.accept(pcm16[:cut])
    session.configure(with_silence(PRESETS["accurate"], 1_900))
    results += [*session.accept(pcm16[cut:]), *session.finish()]
    assert found == [each.text for each in results if each.kind == "final"]


def test_flush_ends_the_utterance_at_once(server, pcm16, clear_clips):
    end = 2 * (len(clear_clips[0].waveform) + RATE // 10)  # far from a pause that ends it
    messages = told(server, pcm16[:end], {"flush": True}, pcm16[end:])
    flushed = [each for each in finals(messages) if each["reason"] == "flush"]
    assert errors_of(messages) == []
    assert len(flushed) == 1
    assert texts_of(messages)[0] == flushed[0]["text"]
    assert texts_of(messages) == texts_of(told(server, pcm16))
    numbered = [each for each in finals(messages) if "utterance" in each]
    assert [each["utterance"] for each in numbered] == [0, 1, 2]
    assert all(one["end"] <= other["start"] + 1e-6 for one, other in pairwise(numbered))


def test_every_flush_is_answered_by_a_final(server, pcm16):
    """Before audio, after it, and twice; by its own message as well."""
    messages = told(server, {"flush": True}, {"type": "flush"}, pcm16, {"flush": True}, {"type": "flush"})
    reasons = [each["reason"] for each in finals(messages)]
    assert reasons.count("flush") == 4
    assert reasons[:2] == ["flush", "flush"]
    assert [each["text"] for each in finals(messages)[:2]] == ["", ""]
    assert reasons[-1] == "stop"
    assert len(texts_of(messages)) == 3


def test_flush_in_a_container_comes_after_what_was_sent_before(server, speech):
    data = media_recorder(speech[: 3 * RATE])
    messages = told(server, data, {"flush": True})
    flushed = [each for each in finals(messages) if each["reason"] == "flush"]
    assert [bool(each["text"]) for each in flushed] == [True]
    assert texts_of(messages) == [flushed[0]["text"]]


@pytest.mark.parametrize(
    ("wishes", "code", "complaint"),
    [
        ({"preset": "fast"}, "bad_request", "low-latency, balanced, accurate"),
        ({"preset": 7}, "bad_request", "preset is 7"),
        ({"preset": ["balanced"]}, "bad_request", "preset is"),
        ({"silence_ms": 99}, "bad_request", "100 to 10000"),
        ({"silence_ms": 10_001}, "bad_request", "100 to 10000"),
        ({"silence_ms": "600"}, "bad_request", "whole number"),
        ({"silence_ms": True}, "bad_request", "whole number"),
        ({"silence_ms": 600.5}, "bad_request", "whole number"),
        ({"flush": "yes"}, "bad_request", 'flush is "yes"'),
        ({"flush": 1}, "bad_request", "flush is 1"),
        ({"preset": 9_999 * "x"}, "bad_request", "..."),
        ({"preset": "accurate", "sample_rate": 11_025}, "invalid_sample_rate", "16000"),
    ],
)
def test_a_wish_that_cannot_be_is_an_error_and_changes_nothing(server, pcm16, wishes, code, complaint):
    messages = told(server, wishes | {"silence_ms": wishes.get("silence_ms", 1_900)}, pcm16)
    ((found, message),) = errors_of(messages)
    assert found == code
    assert complaint in message
    assert len(message) < 300
    assert len(texts_of(messages)) == 3  # as without it


def test_after_audio_wishes_of_the_beginning_are_too_late(server, pcm16):
    for wishes in ({"sample_rate": RATE}, {"sample_rate": RATE, "preset": "accurate"}, {},
                   {"diarization": True}, {"protocol_version": "1.0", "silence_ms": 1_900}):  # fmt: skip
        messages = told(server, pcm16[:3_200], wishes, pcm16[3_200:])
        assert [code for code, _ in errors_of(messages)] == ["configure_too_late"]
        assert len(texts_of(messages)) == 3


def test_null_is_no_wish(server, pcm16):
    messages = told(server, {"preset": None, "silence_ms": None, "flush": None, "sample_rate": RATE}, pcm16)
    assert errors_of(messages) == []
    assert len(finals(messages)) == 4
