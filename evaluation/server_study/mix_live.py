"""Operations over WebSocket: live streams, well or badly behaved, alone and more than there are permits."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from evaluation.server_study.garbage import message
from evaluation.server_study.operations import NotAllowedError, Scene, checked_error, parsed

_CHUNK_S: Final = 0.1
_PACES: Final = (1.0, 4.0, 8.0, 16.0)  # as fast as speech, or so many times faster
_KINDS: Final = frozenset({"ready", "partial", "final", "error"})
NORMAL: Final = 1000
UNSUPPORTED: Final = 1003
_PROTOCOL, _NOT_UTF8, _POLICY, _TOO_BIG, _LATER = 1002, 1007, 1008, 1009, 1013
_CODES: Final = frozenset({NORMAL, UNSUPPORTED, _PROTOCOL, _NOT_UTF8, _POLICY, _TOO_BIG, _LATER})


class Line:
    """A live stream as its client sees it: what was heard so far, each message in a shape that is allowed.

    Attributes:
        heard: All messages, oldest first.
        connection: Connection to send by.
    """

    def __init__(self, connection: ClientConnection, deadline_s: float) -> None:
        """Listen to a connection that is open."""
        self.heard: list[dict[str, Any]] = []
        self.connection = connection
        self._deadline_s = deadline_s

    @property
    def last(self) -> str:
        """The type of the last message."""
        return str(self.heard[-1]["type"]) if self.heard else "none"

    def next(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next message.

        Raises:
            TimeoutError: none came in time; by default, within the deadline.
            ConnectionClosed: none comes any more.
            NotAllowedError: it has no shape that is allowed.
        """
        told = self.connection.recv(timeout=self._deadline_s if timeout_s is None else timeout_s)
        content = parsed(told)
        if content.get("type") not in _KINDS:
            raise NotAllowedError(f"a message of no known type: {told[:200]!r}")
        if content["type"] == "error":
            checked_error(content)
        self.heard.append(content)
        return content

    def listen(self, seconds: float) -> None:
        """Take what comes for so long; raises as `next`, but for the time."""
        until = time.monotonic() + seconds
        with suppress(TimeoutError):
            while (left_s := until - time.monotonic()) > 0:
                self.next(left_s)

    def to_end(self) -> int:
        """Closing code, after all that comes.

        Raises:
            TimeoutError: the server said nothing for too long, or spoke for too long.
            NotAllowedError: a message, or the code, is not allowed.
        """
        give_up_at = time.monotonic() + self._deadline_s
        try:
            while time.monotonic() < give_up_at:
                self.next()
        except ConnectionClosed as closed:
            return code_of(closed)
        raise TimeoutError(f"messages came for more than {self._deadline_s:g} s")


class _RefusedError(Exception):
    """No permit was free; what the server said of it."""


def stream(scene: Scene, rng: random.Random) -> str:
    """A stream, at the pace of speech or faster, to its last final."""
    return _to_final(scene, rng.uniform(1.0, 6.0), rng.choice(_PACES), rng.choice(list(scene.material.pcm)))


def streams_beyond_permits(scene: Scene, rng: random.Random) -> str:
    """Two streams more than there are permits, at the same time."""
    n = scene.limits.pool_size + 2
    seconds = [rng.uniform(2.0, 6.0) for _ in range(n)]
    with ThreadPoolExecutor(n) as threads:
        outcomes = set(threads.map(lambda each: _to_final(scene, each, 4.0, 16_000), seconds))
    return "all final" if outcomes == {"final"} else "some refused"


def slow_stream_reader(scene: Scene, rng: random.Random) -> str:
    """A stream whose client reads nothing before it has said all."""
    with refusal_told() as refused, opened(scene) as line:
        _configure(line, 16_000)
        for piece in _pieces(scene, rng.uniform(3.0, 8.0), 16_000):
            line.connection.send(piece)
        time.sleep(rng.uniform(0.5, 2.0))
        return _stopped(line)
    return refused[0]


def malformed_messages(scene: Scene, rng: random.Random) -> str:
    """Messages that no client should send, between some audio."""
    with refusal_told() as refused, opened(scene) as line:
        try:
            for _ in range(rng.randrange(1, 8)):
                line.connection.send(message(rng))
                if rng.random() < 0.3:
                    line.connection.send(next(_pieces(scene, _CHUNK_S, 16_000)))
                line.listen(0.02)
            line.connection.send(json.dumps({"type": "stop"}))
            code = line.to_end()
        except ConnectionClosed as closed:
            code = code_of(closed)
        errors = sum(each["type"] == "error" for each in line.heard)
        return f"closed {code}, {'with' if errors else 'without'} errors"
    return refused[0]


def oversized_frame(scene: Scene, rng: random.Random) -> str:
    """A message that is larger than the server takes."""
    size = scene.limits.frame_limit_bytes + rng.randrange(1, 10_000)
    with refusal_told() as refused, opened(scene) as line:
        try:
            line.connection.send(bytes(size) if rng.random() < 0.5 else "a" * size)
            code = line.to_end()
        except ConnectionClosed as closed:
            code = code_of(closed)
        if code != _TOO_BIG:
            raise NotAllowedError(f"closed with {code} after a message that is too large, not {_TOO_BIG}")
        return f"closed {code}"
    return refused[0]


def no_text(scene: Scene, rng: random.Random) -> str:
    """A text message that is no UTF-8."""
    with refusal_told() as refused, opened(scene) as line:
        try:
            line.connection.send(b"\xff\xfe" + rng.randbytes(20), text=True)
            code = line.to_end()
        except ConnectionClosed as closed:
            code = code_of(closed)
        return f"closed {code}"
    return refused[0]


def idle_stream(scene: Scene, rng: random.Random) -> str:
    """A client that says something, or nothing at all, and then keeps silent until the server has enough."""
    with refusal_told() as refused, opened(scene) as line:
        if rng.random() < 0.5:
            _configure(line, 16_000)
            for piece in _pieces(scene, 1.0, 16_000):
                line.connection.send(piece)
        code = line.to_end()
        codes = [each.get("code") for each in line.heard if each["type"] == "error"]
        if code != _POLICY or codes != ["idle_timeout"]:
            raise NotAllowedError(f"closed with {code} after {codes}, not {_POLICY} after idle_timeout")
        return f"closed {code}"
    return refused[0]


def hang_up_in_stream(scene: Scene, rng: random.Random) -> str:
    """A client that goes away without a word: before it is ready, or while it speaks."""
    with refusal_told(), opened(scene, waits=rng.random() < 0.8) as line:
        with suppress(ConnectionClosed):
            for piece in _pieces(scene, rng.uniform(0.0, 3.0), 48_000):
                line.connection.send(piece)
                time.sleep(rng.choice((0.0, 0.0, 0.05)))
        with suppress(OSError):  # the server was faster
            line.connection.socket.shutdown(socket.SHUT_RDWR)
    return "hung up"


@contextmanager
def refusal_told() -> Iterator[list[str]]:
    """List that holds the server's words where it has no permit; what is done inside ends early then."""
    told: list[str] = []
    try:
        yield told
    except _RefusedError as refused:
        told.append(str(refused))


@contextmanager
def opened(scene: Scene, *, waits: bool = True) -> Iterator[Line]:
    """A stream whose server has said that it is ready; or, without `waits`, may say so later.

    Raises:
        _RefusedError: it said that it is busy.
        NotAllowedError: it said anything else.
    """
    address = scene.address
    connection = socket.create_connection((address.host, address.port), timeout=scene.deadline_s)
    opened = connect(
        address.websocket_url, sock=connection, open_timeout=scene.deadline_s, close_timeout=5,
        max_size=None, compression=None, additional_headers=address.headers,
    )  # fmt: skip
    with opened:
        line = Line(opened, scene.deadline_s)
        if waits:
            first = line.next()
            if first["type"] == "error":
                raise _RefusedError(f"closed {line.to_end()} {first['code']}")
            if first["type"] != "ready":
                raise NotAllowedError(f"the first message is {first['type']}, not ready")
        yield line


def _to_final(scene: Scene, seconds: float, pace: float, rate: int) -> str:
    with refusal_told() as refused, opened(scene) as line:
        _configure(line, rate)
        for piece in _pieces(scene, seconds, rate):
            line.connection.send(piece)
            line.listen(_CHUNK_S / pace)
        return _stopped(line)
    return refused[0]


def _stopped(line: Line) -> str:
    """Say the stop, and hear the end: a final, and a closing in good order."""
    line.connection.send(json.dumps({"type": "stop"}))
    code = line.to_end()
    errors = [each for each in line.heard if each["type"] == "error"]
    if code != NORMAL or line.last != "final" or errors:
        raise NotAllowedError(f"a stream that was well ended with {line.last}, {code}, {errors[:3]}")
    return "final"


def _configure(line: Line, rate: int) -> None:
    line.connection.send(json.dumps({"type": "configure", "sample_rate": rate}))


def _pieces(scene: Scene, seconds: float, rate: int) -> Iterator[bytes]:
    pcm = scene.material.pcm[rate][: 2 * round(seconds * rate)]
    size = 2 * round(_CHUNK_S * rate)
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


def code_of(closed: ConnectionClosed) -> int:
    """The server's closing code.

    Raises:
        NotAllowedError: none, or one that tells of a failure.
    """
    if closed.rcvd is None:
        raise NotAllowedError("broken off without a closing code")
    if closed.rcvd.code not in _CODES:
        raise NotAllowedError(f"closed with {closed.rcvd.code} ({closed.rcvd.reason})")
    return closed.rcvd.code
