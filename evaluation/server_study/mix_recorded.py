"""Operations over WebSocket with containers: what a browser records, sent as it is recorded."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from websockets.exceptions import ConnectionClosed

from evaluation.server_study.mix_live import NORMAL, UNSUPPORTED, Line, opened, refusal_told
from evaluation.server_study.operations import NotAllowedError, Scene

_PACES: Final = (1.0, 4.0, 8.0, 50.0)
_TIMESLICES_S: Final = (0.1, 0.25, 1.0)  # of MediaRecorder.start
_KEEP_ALIVES: Final = ("ping", '{"type": "KeepAlive"}', "{}", '{"event": "heartbeat"}')
_NOISE_THAT_IS_TOLD: Final = 2_000  # bytes
_FOREIGN: Final = (
    b"#!AMR\n", b"caff\0\1\0\0", b"\x1f\x43\xb6\x75\x01\xff\xff\xff", b"FORM\0\0\0\1AIFF", b"\0\0\0\x20moof",
    b'{"audio": "' + b"UklGR" * 40,
)  # fmt: skip


def recorded_stream(scene: Scene, rng: random.Random) -> str:
    """A recording to its end, with keep-alives that mean nothing: its text has to be what it always is."""
    name = rng.choice(list(scene.material.recorded))
    n_times = rng.choice((1, 1, 1, 2))  # a recorder that is stopped and started anew
    with refusal_told() as refused, opened(scene) as line:
        for _ in range(n_times):
            _send(line, scene, scene.material.recorded[name], rng)
        messages = _stopped(line)
        text = _text(messages)
        expected = scene.texts.get(f"{name} stream", text)
        if n_times == 1 and text != expected:
            raise NotAllowedError(f"the text of the {name} stream is {text!r}; before, it was {expected!r}")
        if _warnings(messages):
            raise NotAllowedError(f"warnings of a {name} stream that is well: {_warnings(messages)[:3]}")
        return "final"
    return refused[0]


def streamed_text(scene: Scene, name: str) -> str | None:
    """The text of a whole recording, sent as fast as it is taken; None where the server is busy.

    Raises:
        OSError, WebSocketException, NotAllowedError: there is no such stream.
    """
    with refusal_told(), opened(scene) as line:
        for piece in _pieces(scene.material.recorded[name], 0.1):
            line.connection.send(piece)
        return _text(_stopped(line))
    return None


def cut_recording(scene: Scene, rng: random.Random) -> str:
    """A recording that stops in the middle of a packet, its client waiting for the last words."""
    recorded = scene.material.recorded[rng.choice(list(scene.material.recorded))]
    with refusal_told() as refused, opened(scene) as line:
        _send(line, scene, recorded[: rng.randrange(len(recorded) // 4, len(recorded))], rng)
        _stopped(line)
        return "final"
    return refused[0]


def damaged_recording(scene: Scene, rng: random.Random) -> str:
    """A recording with noise in its middle: heard with a warning, or refused in words.

    A few bytes may be other samples, which nothing tells from sound; thousands lose packets.
    """
    recorded = bytearray(scene.material.recorded[rng.choice(list(scene.material.recorded))])
    at, size = rng.randrange(len(recorded) // 4, len(recorded) * 3 // 4), rng.choice((1, 50, 2_000))
    recorded[at : at + size] = rng.randbytes(size)
    with refusal_told() as refused, opened(scene) as line:
        outcome = _outcome(line, scene, bytes(recorded), rng)
        if size >= _NOISE_THAT_IS_TOLD and outcome == "final without warnings":
            raise NotAllowedError(f"{size} bytes of noise at byte {at} of a recording, and no warning")
        return outcome
    return refused[0]


def broken_off_recording(scene: Scene, rng: random.Random) -> str:
    """A client that goes away without a word in the middle of its recording: what decodes it has to end."""
    recorded = scene.material.recorded[rng.choice(list(scene.material.recorded))]
    with refusal_told(), opened(scene) as line:
        with suppress(ConnectionClosed):
            _send(line, scene, recorded[: rng.randrange(1, len(recorded))], rng)
        with suppress(OSError):  # the server was faster
            line.connection.socket.shutdown(socket.SHUT_RDWR)
    return "hung up"


def foreign_stream(scene: Scene, rng: random.Random) -> str:
    """A stream that is no audio, or of a container that cannot be heard as it comes: refused in words."""
    content = rng.choice(_FOREIGN) + rng.randbytes(rng.randrange(200, 5_000))
    with refusal_told() as refused, opened(scene) as line:
        outcome = _outcome(line, scene, content, rng)
        if outcome != f"closed {UNSUPPORTED}":
            raise NotAllowedError(f"{content[:12]!r} as a stream: {outcome}, {_text(line.heard)!r}")
        return outcome
    return refused[0]


def _send(line: Line, scene: Scene, recorded: bytes, rng: random.Random) -> None:
    """Send a recording, a piece for each slice of its time."""
    slice_s, pace = rng.choice(_TIMESLICES_S), rng.choice(_PACES)
    for piece in _pieces(recorded, slice_s / scene.material.recorded_s):
        line.connection.send(piece)
        if rng.random() < 0.05:
            line.connection.send(rng.choice(_KEEP_ALIVES))
        line.listen(slice_s / pace)


def _pieces(recorded: bytes, share: float) -> Iterator[bytes]:
    size = max(1, round(share * len(recorded)))
    return (recorded[start : start + size] for start in range(0, len(recorded), size))


def _outcome(line: Line, scene: Scene, content: bytes, rng: random.Random) -> str:
    """Outcome of a stream that is not well."""
    try:
        _send(line, scene, content, rng)
        line.connection.send(json.dumps({"type": "stop"}))
        code = line.to_end()
    except ConnectionClosed:  # while something was sent: what the server said before waits to be read
        code = line.to_end()
    errors = [each for each in line.heard if each["type"] == "error"]
    if code == UNSUPPORTED and len(errors) == 1 and errors[0]["code"] == "bad_request":
        return f"closed {code}"
    if code != NORMAL or errors or line.last != "final":
        raise NotAllowedError(f"a stream that is not well ended with {line.last}, {code}, {errors[:3]}")
    return "final with warnings" if _warnings(line.heard) else "final without warnings"


def _stopped(line: Line) -> list[dict[str, Any]]:
    """Messages of a stream that is well, to its end.

    Raises:
        NotAllowedError: an error, or no final at the end.
    """
    line.connection.send(json.dumps({"type": "stop"}))
    code = line.to_end()
    errors = [each for each in line.heard if each["type"] == "error"]
    if code != NORMAL or line.last != "final" or errors:
        raise NotAllowedError(f"a recording that was well ended with {line.last}, {code}, {errors[:3]}")
    return line.heard


def _text(messages: list[dict[str, Any]]) -> str:
    return " ".join(each["text"] for each in messages if each["type"] == "final" and each["text"])


def _warnings(messages: list[dict[str, Any]]) -> list[Any]:
    return [warning for each in messages for warning in each.get("warnings", [])]
