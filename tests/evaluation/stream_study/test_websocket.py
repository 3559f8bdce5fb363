"""Servers that are streamed to: gigastt's WebSocket protocol, spoken well and badly."""

import json
import re
import socket
from http import HTTPStatus

import numpy as np
import pytest

from evaluation.stream_study import websocket
from evaluation.stream_study.clocks import SimulatedClock
from evaluation.stream_study.feeding import Feeding
from evaluation.stream_study.messages import Heard, events_of
from evaluation.stream_study.websocket import WebSocketOptions, WebSocketSystem
from evaluation.systems.base import SystemUnavailableError
from tests.support.gigastt_stand_in import BUSY, READY, heard_until_stop, say, well
from tests.support.streams_made import tone


def busy(_server, connection, _messages):
    say(connection, BUSY)


def silent(server, _connection, _messages):
    server.released.wait(20)


def deaf(server, connection, messages):
    say(connection, READY)
    heard_until_stop(connection, messages)
    server.released.wait(20)


def closing(code, reason="", *, after_stop=False, error=None):
    def script(_server, connection, messages):
        say(connection, READY)
        if after_stop:
            heard_until_stop(connection, messages)
        if error:
            say(connection, error)
        connection.close(code, reason)

    return script


def breaking(_server, connection, messages):
    say(connection, READY)
    heard_until_stop(connection, messages)
    connection.socket.shutdown(socket.SHUT_RDWR)


def babbling(_server, connection, messages):
    say(connection, READY)
    heard_until_stop(connection, messages)
    connection.send(b"\x00\x01")


@pytest.fixture
def waits(monkeypatch):
    """Seconds that would have been waited."""
    seconds = []
    monkeypatch.setattr(websocket.time, "sleep", seconds.append)
    return seconds


def system_of(server, *, n_streams=1, **options):
    """A client that waits for nothing but the network."""
    return WebSocketSystem(
        WebSocketOptions(url=server.url, **options),
        Feeding(clock="real", silence_ms=200),
        n_streams=n_streams,
        new_clock=SimulatedClock,
    )


def test_what_the_server_says_becomes_the_log(start):
    server = start(well)
    [outcome] = system_of(server).transcribe([tone(1.0)])
    assert outcome.error is None
    assert outcome.hypothesis == "Раз. Два."
    assert outcome.words == (("Раз.", 0.1, 0.3, 0.75),)
    events = outcome.stream.events
    assert [(event.kind, event.text, event.heard_s) for event in events] == [
        ("partial", "раз", 0.1),
        ("final", "Раз.", 0.5),
        ("final", "Два.", None),  # the empty farewell is no result
    ]
    assert [event.reason for event in events] == [None, "silence", "stop"]
    assert (events[0].stable, events[0].start_s) == (3, 0.0)
    assert outcome.work_s is None
    [messages] = server.sent
    assert json.loads(messages[0]) == {"type": "configure", "sample_rate": 16_000}
    audio = np.frombuffer(b"".join(each for each in messages if isinstance(each, bytes)), "<i2")
    assert len(audio) == 1.2 * 16_000
    assert json.loads(messages[-1]) == {"type": "stop"}
    assert len(outcome.stream.chunks) == 12


def test_what_a_server_does_not_tell_is_worked_out():
    said = [
        (1.0, {"type": "partial", "text": "раз", "words": None}),
        (2.0, {"type": "final", "text": "Раз."}),
        (2.5, {"type": "news", "text": "?"}),
        (3.0, {"type": "partial", "text": "два"}),
        (5.0, {"type": "final", "text": "", "reason": "tired"}),
    ]
    events = events_of([Heard(at_s, content) for at_s, content in said], stopped_s=4.0)
    assert [(event.utterance, event.reason) for event in events] == [
        (0, None), (0, "silence"), (1, None), (1, "stop"),
    ]  # fmt: skip
    assert events[3].text == ""  # takes back what was shown


def test_a_saturated_pool_is_waited_for(start, waits):
    server = start(busy, busy, well)
    [outcome] = system_of(server).transcribe([tone(0.5)])
    assert outcome.hypothesis == "Раз. Два."
    assert waits == [30.0, 30.0]


def test_a_refused_handshake_is_waited_for(start, waits):
    server = start(well)
    server.refusals = [(HTTPStatus.SERVICE_UNAVAILABLE, "7"), (HTTPStatus.TOO_MANY_REQUESTS, None)]
    [outcome] = system_of(server).transcribe([tone(0.5)])
    assert outcome.error is None
    assert waits == [7.0, 1.0]


def test_one_that_stays_busy_ends_the_run(start, waits):
    with pytest.raises(SystemUnavailableError, match=r"no session is free.*longer than 10 s; run again"):
        system_of(start(busy), max_wait_s=10).transcribe([tone(0.5)])
    assert waits == []


def test_nobody_there(waits):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"ws://127.0.0.1:{free.getsockname()[1]}/v1/ws"
    system = WebSocketSystem(WebSocketOptions(url=url, max_wait_s=0.5), Feeding(clock="real"))
    with pytest.raises(SystemUnavailableError, match=r"cannot be reached .*start the server first"):
        system.transcribe([tone(0.5)])
    system.info["warm_up"] = "it was there once, so it is waited for"
    with pytest.raises(SystemUnavailableError, match="busy or gone"):
        system.transcribe([tone(0.5)])
    assert waits == []  # a second would be too long already


ERROR = {"type": "error", "code": "inference_error", "message": "Inference failed."}


# Whether a server that closes at once does so before or after the stop was sent is chance.
AT_SOME_TIME = "closed (while audio was sent|after the stop), code"


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (closing(1008, "too long"), rf"{AT_SOME_TIME} 1008 \(too long\)"),
        (closing(1011, error=ERROR), f"inference_error: Inference failed.; {AT_SOME_TIME} 1011"),
        (closing(1011, after_stop=True), "closed after the stop, code 1011"),
        (
            closing(1000, after_stop=True, error=ERROR),
            "inference_error: .*; closed after the stop, code 1000",
        ),
        (breaking, "closed after the stop, without a code"),
        (babbling, r"no_message: b'\\x00\\x01' is none of the protocol; closed after the stop, code 1000"),
    ],
)
def test_what_goes_wrong_is_an_error_of_the_clip(start, script, complaint):
    check_error(system_of(start(script)), complaint)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (silent, "the server was not ready within 1 s"),
        (deaf, "the server kept silent for 1 s after the stop"),
    ],
)
def test_silence_is_not_waited_out(start, script, complaint):
    check_error(system_of(start(script), timeout_s=1.0), complaint)


def check_error(system, complaint):
    [outcome] = system.transcribe([tone(30.0)])
    assert re.fullmatch(complaint, outcome.error)
    assert (outcome.hypothesis, outcome.stream, outcome.audio_s) == (None, None, 30.0)


def test_a_server_that_is_not_ready_says_why(start):
    server = start(lambda _server, connection, _messages: say(connection, ERROR))
    [outcome] = system_of(server).transcribe([tone(0.5)])
    assert outcome.error == "the server was not ready: inference_error: Inference failed."


def test_another_server_on_the_port(start):
    server = start(well)
    server.refusals = [(HTTPStatus.NOT_FOUND, None)]
    [outcome] = system_of(server).transcribe([tone(0.5)])
    assert outcome.error == "HTTP 404 instead of a WebSocket"


def test_several_streams_are_several_connections(start):
    server = start(well)
    outcomes = system_of(server, n_streams=2).transcribe([tone(0.5), tone(1.0)])
    assert [outcome.hypothesis for outcome in outcomes] == ["Раз. Два."] * 2
    assert len(server.sent) == 2


def test_what_cannot_be_decoded_is_not_sent(start):
    server = start(well)
    [outcome] = system_of(server).transcribe([b"no audio"])
    assert outcome.error
    assert server.sent == []


def test_a_server_keeps_its_own_time():
    with pytest.raises(ValueError, match="real clock"):
        WebSocketSystem(WebSocketOptions(url="ws://h/v1/ws"), Feeding())


@pytest.mark.parametrize("url", ["http://h/v1/ws", "ws://", "ws://user:word@h/v1/ws", "h:1"])
def test_addresses_that_are_none(url):
    with pytest.raises(ValueError, match="give ws://host:port/path"):
        WebSocketOptions(url=url)


def test_the_route_for_files_beside_it():
    assert WebSocketOptions(url="wss://h/asr/v1/ws").file_url == "https://h/asr"
    assert WebSocketOptions(url="ws://h:1/other").file_url is None
