"""`/v1/ws`, driven by a real client: the protocol, its errors, and how a session ends."""

from __future__ import annotations

import json
import os
import socket as raw_socket
import time
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.recordings import as_pcm16
from tests.support.server_process import eventually, is_error, serving
from tests.support.websocket_client import RATE, finals, rest_of, said, tell, transcribed


@pytest.fixture(scope="module")
def expected(heard, speech):
    """What the engine's own stream hears."""
    session = heard.stream()
    results = [*session.accept(as_pcm16(speech)), *session.finish()]
    return [result.text for result in results if result.kind == "final"]


def test_ready_says_what_the_server_can(server):
    with server.socket() as socket:
        assert said(socket) == {
            "type": "ready",
            "model": "gigaam-demo",
            "sample_rate": 48_000,
            "version": "1.0",
            "supported_rates": [8_000, 16_000, 24_000, 44_100, 48_000],
            "diarization": False,
            "max_session_secs": 3600,
            "idle_timeout_secs": 300,
            "containers": ["webm", "ogg", "mp4", "mp3", "aac", "flac", "wav"],
            "presets": ["low-latency", "balanced", "accurate"],
            "preset": "balanced",
        }


def test_a_session_hears_what_the_engine_hears(server, speech, expected):
    messages = transcribed(server, as_pcm16(speech))
    found = finals(messages)
    assert [message["text"] for message in found if message["text"]] == expected
    assert len(expected) == 3
    assert messages[-1]["type"] == "final"
    partials = [message for message in messages if message["type"] == "partial"]
    assert len(partials) >= 6
    for message in messages:
        assert {"type", "text", "timestamp", "words"} <= set(message)
        assert " ".join(word["word"] for word in message["words"]) == message["text"]
    for one, other in pairwise(partials):
        if one["utterance"] == other["utterance"]:
            assert other["text"].startswith(one["text"][: one["stable"]])


@pytest.mark.parametrize("sizes", [(1,), (1, 639, 7), (10_001,), (500_000,)])
def test_frames_may_be_cut_anywhere(server, clear_clips, heard, sizes):
    pcm16 = as_pcm16(clear_clips[0].waveform)
    if sizes == (1,):
        pcm16 = pcm16[:20_000]  # a frame a byte is slow enough
    session = heard.stream()
    results = [*session.accept(pcm16), *session.finish()]
    whole = " ".join(result.text for result in results if result.kind == "final")
    messages = transcribed(server, pcm16, sizes=sizes)
    assert " ".join(message["text"] for message in finals(messages) if message["text"]) == whole


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000])
def test_every_supported_rate(server, heard, clear_clips, rate):
    from gigastt_lab.audio.reading import from_array

    waveform = clear_clips[0].waveform
    pcm16 = as_pcm16(from_array(waveform, RATE, sample_rate_out=rate))
    session = heard.stream(rate)
    results = [*session.accept(pcm16), *session.finish()]
    texts = [message["text"] for message in finals(transcribed(server, pcm16, rate=rate)) if message["text"]]
    assert texts == [result.text for result in results if result.kind == "final"]


def test_without_configure_audio_is_48_khz(server, heard, clear_clips):
    from gigastt_lab.audio.reading import from_array

    pcm16 = as_pcm16(from_array(clear_clips[0].waveform, RATE, sample_rate_out=48_000))
    session = heard.stream(48_000)
    expected = [r.text for r in (*session.accept(pcm16), *session.finish()) if r.kind == "final"]
    with server.socket() as socket:
        said(socket)
        for at in range(0, len(pcm16), 9_600):
            socket.send(pcm16[at : at + 9_600])
        tell(socket, type="stop")
        messages, code, _ = rest_of(socket)
    assert [message["text"] for message in finals(messages) if message["text"]] == expected
    assert code == 1000


def test_stop_without_audio_is_one_empty_final(server):
    with server.socket() as socket:
        said(socket)
        tell(socket, type="stop")
        (final,), code, _ = rest_of(socket)
    assert (final["type"], final["text"], final["words"], code) == ("final", "", [], 1000)


def test_configure_is_checked_and_the_session_goes_on(server, heard, clear_clips):
    pcm16 = as_pcm16(clear_clips[0].waveform)
    with server.socket() as socket:
        said(socket)
        for rate in (11_025, 0, -1, "16000", True, 16_000.5, [16_000], {"rate": 1}, 10**400):
            tell(socket, type="configure", sample_rate=rate)
            assert said(socket)["code"] == "invalid_sample_rate"
        tell(socket, type="configure", protocol_version="1.0", diarization=True)
        tell(socket, type="configure", sample_rate=RATE)
        socket.send(pcm16)
        tell(socket, type="configure", sample_rate=8_000)
        tell(socket, type="stop")
        messages, code, _ = rest_of(socket)
    errors = [message for message in messages if message["type"] == "error"]
    assert [error["code"] for error in errors] == ["configure_too_late"]
    assert errors[0]["message"] == errors[0]["error"]
    text = " ".join(message["text"] for message in finals(messages) if message["text"])
    session = heard.stream()
    assert text == " ".join(r.text for r in (*session.accept(pcm16), *session.finish()) if r.kind == "final")
    assert code == 1000


@pytest.mark.parametrize("version", ["2.0", "0.9", 1, None.__class__.__name__, ["1.0"], {"v": 1}])
def test_another_version_of_the_protocol_is_refused(server, version):
    with server.socket() as socket:
        said(socket)
        tell(socket, type="configure", protocol_version=version)
        (error,), code, _ = rest_of(socket)
    assert (error["type"], error["code"], code) == ("error", "unsupported_protocol_version", 1002)
    assert "1.0" in error["message"]


IGNORED = [
    "",
    "stop",
    "[]",
    '"stop"',
    "{",
    '{"type":"dance"}',
    "null",
    "[" * 99_999,
    '{"type":["stop"]}',
    "ping",
]


@pytest.mark.parametrize("text", [*IGNORED, '{"type":"KeepAlive"}', '{"eof":1}'])
def test_a_text_message_that_is_not_known_is_ignored(server, clear_clips, heard, text):
    """As gigastt's: keep-alives of other protocols change nothing, before audio and after it."""
    pcm16 = as_pcm16(clear_clips[0].waveform)
    session = heard.stream()
    expected = [r.text for r in (*session.accept(pcm16), *session.finish()) if r.kind == "final"]
    with server.socket() as socket:
        said(socket)
        socket.send(text)
        tell(socket, type="configure", sample_rate=RATE)
        socket.send(pcm16[:30_001])
        socket.send(text)
        socket.send(pcm16[30_001:])
        socket.send(text)
        tell(socket, type="stop")
        messages, code, _ = rest_of(socket)
    assert [message for message in messages if message["type"] == "error"] == []
    assert [message["text"] for message in finals(messages) if message["text"]] == expected
    assert code == 1000


def test_what_was_ignored_is_in_the_log_at_debug():
    with serving("--log-level", "debug") as server, server.socket() as socket:
        said(socket)
        socket.send('{"type":"KeepAlive"}' + 9_999 * "x")
        server.wait_for_line(r'DEBUG .*not known was ignored: {"type":"KeepAlive"}x+')
        assert max(map(len, server.lines)) < 1_000
        tell(socket, type="stop")
        assert rest_of(socket)[1] == 1000


def test_a_frame_beyond_the_limit_closes_with_1009(server):
    with server.socket() as socket:
        said(socket)
        socket.send(bytes(512 * 1024 + 2))
        assert rest_of(socket)[1] == 1009
    with server.socket() as socket:
        said(socket)
        socket.send(bytes(512 * 1024))  # just within it
        tell(socket, type="stop")
        assert rest_of(socket)[1] == 1000


def test_more_than_a_thousand_empty_frames_close_with_1008(server):
    with server.socket() as socket:
        said(socket)
        for _ in range(1_001):
            socket.send(b"")
        messages, code, _ = rest_of(socket)
    assert [message["type"] for message in messages] == ["error", "final"]
    assert code == 1008


@pytest.mark.slow
def test_idle_sessions_end(clear_clips):
    with serving("--idle-timeout-secs", "0.5") as server, server.socket() as socket:
        assert said(socket)["idle_timeout_secs"] == 0.5
        tell(socket, type="configure", sample_rate=RATE)
        socket.send(as_pcm16(clear_clips[0].waveform))
        messages, code, reason = rest_of(socket)
        errors = [number for number, message in enumerate(messages) if message["type"] == "error"]
        assert [messages[number]["code"] for number in errors] == ["idle_timeout"]
        assert [message["type"] for message in messages[errors[0] + 1 :]] == ["final"]
        assert " ".join(m["text"] for m in finals(messages)).strip()  # nothing that was heard is lost
        assert (code, reason) == (1008, "idle_timeout")


@pytest.mark.slow
def test_sessions_end_when_they_have_lasted_long_enough(clear_clips):
    pcm16 = as_pcm16(clear_clips[0].waveform)
    with serving("--max-session-secs", "1.5") as server, server.socket() as socket:
        said(socket)
        tell(socket, type="configure", sample_rate=RATE)
        socket.send(pcm16)
        messages, code, _ = rest_of(socket)
    errors = [number for number, message in enumerate(messages) if message["type"] == "error"]
    assert [messages[number]["code"] for number in errors] == ["max_session_duration_exceeded"]
    assert messages[-1]["type"] == "final"
    assert " ".join(m["text"] for m in finals(messages)).strip()
    assert code == 1008


@pytest.mark.slow
def test_a_session_has_its_permit_from_ready_to_its_end(wav):
    with serving("--pool-size", "1", "--pool-checkout-timeout-secs", "1", "--metrics") as server:
        with server.socket() as first:
            said(first)
            assert server.available() == 0
            assert server.get("/ready").status == 503
            assert server.get("/ready").json["reason"] == "pool_exhausted"
            with server.socket() as second:
                (error,), code, _ = rest_of(second)
            assert (error["code"], error["retry_after_ms"], code) == ("pool_saturated", 1_000, 1013)
            answer = server.post("/v1/transcribe", wav)
            assert (answer.status, answer.json["code"]) == (503, "pool_saturated")
            assert answer.headers["retry-after"] == "1"
            assert answer.json["retry_after_ms"] == 1_000
            assert server.metric("gigastt_pool_timeouts_total") == 2
            assert server.metric("gigastt_ws_active_connections") == 1
            with server.socket() as third:  # waits, and gets it
                tell(first, type="stop")
                assert rest_of(first)[1] == 1000
                assert said(third)["type"] == "ready"
        assert eventually(lambda: server.available() == 1)


def test_four_sessions_take_four_permits(server):
    with ExitStack() as stack:
        for socket in [stack.enter_context(server.socket()) for _ in range(4)]:
            said(socket)
        assert server.get("/ready").status == 503
    assert eventually(lambda: server.available() == 4)


def test_a_client_that_vanishes_gives_its_permit_back(server, speech):
    for _ in range(8):
        with server.socket() as socket:
            said(socket)
            tell(socket, type="configure", sample_rate=RATE)
            socket.send(as_pcm16(np.tile(speech, 2))[:500_000])
            socket.socket.close()  # without a closing frame
    assert eventually(lambda: server.available() == 4)


@pytest.mark.slow
def test_a_reader_that_does_not_read_takes_no_memory_and_its_session_ends():
    """Every message gets an answer; when nobody takes them, no more messages are taken."""
    with serving("--idle-timeout-secs", "1", "--pool-size", "1") as server, deaf(server) as socket:
        eventually(lambda: server.available() == 0)
        before = server.rss_kb()
        with suppress(OSError):  # full: the server reads no more, or has ended the session
            for _ in range(1_000):
                socket.sendall(1_000 * frame_of(b'{"type":"flush"}', opcode=1))
        assert server.rss_kb() < before + 20_000
        assert eventually(lambda: server.available() == 1)
        server.wait_for_line("the client of a stream went away")


@pytest.mark.slow
def test_pings_to_a_client_that_reads_no_pongs_take_no_memory(server):
    before = server.rss_kb()
    with deaf(server) as socket, suppress(OSError):
        for _ in range(300):
            socket.sendall(1_000 * frame_of(bytes(100), opcode=9))
    assert server.rss_kb() < before + 10_000


def test_a_message_of_endlessly_many_fragments_is_refused(server):
    with deaf(server) as socket:
        fragment = bytes((0x00, 0x80, 0, 0, 0, 0))  # empty, and not the last
        socket.sendall(bytes((0x02, 0x80, 0, 0, 0, 0)) + 2_000 * fragment)
        said_last = b""
        while more := socket.recv(65_536):
            said_last = more
        assert said_last.endswith((1008).to_bytes(2, "big"))


@pytest.mark.slow
def test_a_wait_for_a_permit_is_no_silence():
    with serving("--idle-timeout-secs", "0.5", "--pool-size", "1") as server, server.socket() as first:
        said(first)
        with server.socket() as second:
            for _ in range(10):  # messages keep the first one open
                time.sleep(0.1)
                tell(first, type="configure")
            tell(first, type="stop")
            assert said(second)["type"] == "ready"
            tell(second, type="stop")
            assert rest_of(second)[1] == 1000


@contextmanager
def deaf(server):
    """A handshake in good order by a client that reads nothing; a library's would read in a thread."""
    with raw_socket.create_connection(("127.0.0.1", server.port), timeout=2.0) as connection:
        connection.sendall(
            b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 101"
        yield connection


def frame_of(payload, *, opcode):
    """A masked frame of less than 126 bytes."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes((0x80 | opcode, 0x80 | len(payload))) + mask + masked


def test_what_is_no_handshake_is_a_bad_request(server):
    head = {"Upgrade": "websocket", "Connection": "Upgrade"}
    good = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    for name, value in (("Sec-WebSocket-Key", "short"), ("Sec-WebSocket-Version", "12")):
        for changed in (good | {name: value}, {key: good[key] for key in good if key != name}):
            assert is_error(server.get("/v1/ws", head | changed), 400, "bad_request")
    assert is_error(server.post("/v1/ws", b"", head | good), 400, "bad_request")


def test_text_that_is_no_utf8_closes_with_1007(server):
    with server.socket() as socket:
        said(socket)
        socket.send(b"\xff\xfe", text=True)
        assert rest_of(socket)[1] == 1007


def test_other_paths_are_no_websockets(server):
    from websockets.sync.client import connect

    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{server.port}/v1/other")
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["code"] == "not_found"
    assert " ERROR " not in server.log
