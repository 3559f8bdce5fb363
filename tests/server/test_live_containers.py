"""`/v1/ws` fed with what has a header: containers are heard, the rest is refused by its name."""

from __future__ import annotations

import json
import socket as raw_socket
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from gigastt_lab.audio.live.detection import LIVE_CONTAINERS
from gigastt_lab.audio.reading import decode_audio
from tests.support.audio_files import by_ffmpeg, media_recorder
from tests.support.live_audio import cut, streams_of
from tests.support.recordings import RATE
from tests.support.server_process import eventually, serving
from tests.support.websocket_client import finals, rest_of, said, tell

pytestmark = pytest.mark.slow  # seconds in all; the quick tests hold the parts


@pytest.fixture(scope="module")
def streams(speech):
    return streams_of(speech)


def session_of(server, data, *, size=4_000, wishes=None):
    """A whole session: its messages after `ready`, and how it was closed."""
    with server.socket() as socket:
        said(socket)
        if wishes:
            tell(socket, type="configure", **wishes)
        try:
            for chunk in cut(data, size):
                socket.send(chunk)
            tell(socket, type="stop")
        except ConnectionClosed:
            pass  # refused meanwhile
        return rest_of(socket)


def texts_of(messages):
    return [message["text"] for message in finals(messages) if message["text"]]


def texts_heard(engine, data):
    """What the engine's own stream hears in a file."""
    session = engine.stream()
    results = [*session.accept(decode_audio(data)), *session.finish()]
    return [result.text for result in results if result.kind == "final"]


@pytest.mark.parametrize("container", LIVE_CONTAINERS)
def test_a_container_is_heard_as_its_samples_are(server, heard, streams, container):
    messages, code, _ = session_of(server, streams[container])
    assert code == 1000
    assert texts_of(messages) == texts_heard(heard, streams[container])
    assert len(texts_of(messages)) == 3
    assert all("warnings" not in message for message in messages)


def test_the_rate_that_was_configured_is_of_raw_samples_alone(server, heard, streams):
    messages, code, _ = session_of(server, streams["webm"], wishes={"sample_rate": 8_000})
    assert (texts_of(messages), code) == (texts_heard(heard, streams["webm"]), 1000)


@pytest.mark.parametrize("size", [7, 500_000])
def test_blobs_of_any_size(server, heard, streams, size):
    data = streams["webm"] if size > 7 else streams["webm"][:9_000]
    assert texts_of(session_of(server, data, size=size)[0]) == texts_heard(heard, data)


def test_words_come_while_one_speaks(server, speech):
    """The first final comes before the rest has been sent."""
    data = media_recorder(speech)
    with server.socket() as socket:
        said(socket)
        sent = count()
        for chunk in cut(data[: len(data) // 2], 2_000):
            socket.send(chunk)
            next(sent)
        messages = []
        while not finals(messages):
            messages.append(said(socket))
        tell(socket, type="stop")
        rest_of(socket)
    assert messages[-1]["reason"] == "silence"
    assert messages[-1]["text"]


def test_a_hole_is_told_with_the_next_final_and_times_go_on(server, heard, speech):
    """A page that dropped blobs of a second and a half while the network was away."""
    data = media_recorder(speech)
    clusters = [at for at in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", at)]
    first = next(number for number, at in enumerate(clusters) if at > 0.45 * len(data))
    messages, code, _ = session_of(server, data[: clusters[first]] + data[clusters[first + 3] :])
    warned = [message for message in finals(messages) if "warnings" in message]
    assert code == 1000
    assert [warning["kind"] for message in warned for warning in message["warnings"]] == ["hole"]
    whole = session_of(server, data)[0]
    assert texts_of(messages)[-1] == texts_of(whole)[-1]
    last, expected = (
        [message["words"] for message in finals(found) if message["words"]][-1] for found in (messages, whole)
    )
    assert last[0]["start"] == pytest.approx(expected[0]["start"], abs=0.1)


REFUSED = {
    "MP4 whose index": lambda x: by_ffmpeg(x, RATE, "mp4", "aac"),
    "float32": lambda x: x.astype("<f4").tobytes(),
    "the stream is AMR": lambda x: b"#!AMR\n" + bytes(2_000),
    "begins with a cluster": lambda x: media_recorder(x)[media_recorder(x).index(b"\x1f\x43\xb6\x75") :],
    "the stream is text": lambda x: json.dumps({"audio": "QUJD" * 999}).encode(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_heard_is_an_error_that_names_it(server, speech, name):
    data = REFUSED[name](speech)
    messages, code, reason = session_of(server, data)
    errors = [message for message in messages if message["type"] == "error"]
    assert [(error["code"], name in error["message"]) for error in errors] == [("bad_request", True)]
    assert errors[0]["message"] == errors[0]["error"]
    assert texts_of(messages) == []  # no invented words
    assert messages[-1]["type"] == "final"
    assert (code, reason) == (1003, "bad_request")
    assert eventually(lambda: server.available() == 4)


def test_a_stream_that_turns_out_undecodable_keeps_what_was_heard(server, heard, streams, speech):
    """An MP4 recording, and behind it one whose index comes last."""
    data = streams["mp4"] + by_ffmpeg(speech, RATE, "mp4", "aac")
    messages, code, _ = session_of(server, data, size=100_000)
    assert texts_of(messages) == texts_heard(heard, streams["mp4"])
    assert [message["code"] for message in messages if message["type"] == "error"] == ["bad_request"]
    assert code == 1003


@pytest.mark.parametrize(("first", "second"), [("pcm16", "webm"), ("webm", "ogg"), ("flac", "wav")])
def test_a_recording_of_another_kind_is_named_and_what_was_before_is_heard(
    server, heard, streams, first, second
):
    """Nobody means one connection for two kinds: the second would be noise, or passed over without a word."""
    before = streams["wav"][44:] if first == "pcm16" else streams[first]
    with server.socket() as socket:
        said(socket)
        tell(socket, type="configure", sample_rate=RATE)
        try:
            for chunk in [*cut(before, 4_000), *cut(streams[second], 4_000)]:
                socket.send(chunk)
        except ConnectionClosed:
            pass
        messages, code, reason = rest_of(socket)
    told = [message["message"] for message in messages if message["type"] == "error"]
    assert told == [
        f"a recording in {second.upper()} began within a stream of "
        f"{'raw PCM16' if first == 'pcm16' else first.upper()}, and a stream is of one kind: open a "
        "connection for each"
    ]
    assert (code, reason) == (1003, "bad_request")
    assert texts_of(messages) == texts_heard(heard, streams["wav" if first == "pcm16" else first])


@pytest.mark.parametrize("n_missing", [1, 200])
def test_an_mp4_that_breaks_off_within_a_packet_ends_as_any_other(server, streams, n_missing):
    data = streams["mp4"]
    last = data.rindex(b"mdat") - 4
    end = last + int.from_bytes(data[last : last + 4], "big") - n_missing
    messages, code, _ = session_of(server, data[:end])
    assert (code, messages[-1]["type"]) == (1000, "final")
    assert not [message for message in messages if message["type"] == "error"]
    kinds = [warning["kind"] for message in finals(messages) for warning in message.get("warnings", [])]
    assert kinds[0] == "cut"
    assert texts_of(messages)


def test_configure_is_too_late_as_soon_as_a_byte_has_come(server):
    with server.socket() as socket:
        said(socket)
        socket.send(b"\x1a")  # not known yet, whether that is WebM
        tell(socket, type="configure", sample_rate=RATE)
        assert said(socket)["code"] == "configure_too_late"
        tell(socket, type="stop")
        assert rest_of(socket)[1] == 1000


def n_threads(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))


@pytest.mark.slow
def test_clients_that_vanish_and_sessions_that_end_leave_no_decoder_behind(streams):
    """Threads of pools stay, and start when they are needed: of so many, a few may come late."""
    data, n_permits, n_sessions = streams["webm"], 2, 6
    options = ("--pool-size", str(n_permits), "--idle-timeout-secs", "0.5", "--precision", "int8")
    with serving(*options) as server:
        with ThreadPoolExecutor(n_permits) as clients:  # at once: each permit has its thread by now
            ended = list(clients.map(session_of, [server] * n_permits, [data] * n_permits))
        assert [code for _, code, _ in ended] == [1000] * n_permits
        before, descriptors = n_threads(server), server.n_descriptors()
        for _ in range(n_sessions):
            assert eventually(lambda: server.available() == n_permits)
            with server.socket() as socket:
                said(socket)
                socket.send(data[:20_001])
                socket.socket.shutdown(raw_socket.SHUT_RDWR)
            with server.socket() as socket:
                said(socket)
                socket.send(data[:20_001])
                assert rest_of(socket)[1] == 1008
        assert eventually(lambda: server.available() == n_permits)
        # If either kind left its decoder behind, there would be six more.
        assert eventually(lambda: n_threads(server) < before + n_sessions - n_permits)
        assert eventually(lambda: server.n_descriptors() <= descriptors)


@pytest.mark.slow
def test_a_shutdown_says_what_a_container_held(streams, heard):
    with serving("--precision", "int8") as server, server.socket() as socket:
        said(socket)
        socket.send(streams["webm"][:20_000])
        eventually(lambda: said(socket)["type"] == "partial")
        server.signal(15)
        messages, code, _ = rest_of(socket)
        assert code == 1001
        assert texts_of(messages)
        assert server.wait() == 0


@pytest.mark.slow
def test_hours_of_silence_in_few_bytes_take_no_memory():
    """Opus makes an hour of digital silence so small that it comes in one go."""
    silence = by_ffmpeg(np.zeros(3_600 * 8_000, np.float32), 8_000, "webm", "libopus", live=True, b="500",
                        frame_duration="60", vbr="on", application="voip")  # fmt: skip
    with serving("--precision", "int8") as server:
        session_of(server, silence[:100_000])
        before = server.rss_kb()
        messages, code, _ = session_of(server, silence, size=400_000)
        assert (texts_of(messages), code) == ([], 1000)
        assert server.rss_kb() < before + 60_000
