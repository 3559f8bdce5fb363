"""Requests over bare sockets: what no client library would send, or would not send so slowly."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, Final

from evaluation.server_study.client import AUDIO, Answer
from evaluation.server_study.operations import Scene, parsed

_BOUNDARY: Final = "4f1d6b2c9a"
_DATA: Final = b"data: "
DONE: Final = "[DONE]"
"""Data of the last event of OpenAI's streams, and here its type."""


def form(audio: bytes, name: str, fields: dict[str, str] | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form with the audio in its field `file`."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in (fields or {}).items()
    ]
    parts.append(f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
    body = "".join(parts).encode() + audio + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, body


def connected(scene: Scene, *, holds_little: bool = False) -> socket.socket:
    """A socket to the server; one that holds little makes it wait for whoever reads."""
    address = scene.address
    connection = socket.create_connection((address.host, address.port), timeout=scene.deadline_s)
    if holds_little:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    return connection


def head(scene: Scene, path: str, n_bytes: int | None, headers: dict[str, str] | None = None) -> bytes:
    """Head of a POST with a body of so many bytes; None: it comes in pieces, without a word of how long.

    Without `headers`, the body is audio.
    """
    length = "Transfer-Encoding: chunked" if n_bytes is None else f"Content-Length: {n_bytes}"
    told = {"Host": "localhost"} | (AUDIO if headers is None else headers) | scene.address.headers
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), length]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def begun(connection: socket.socket) -> http.client.HTTPResponse:
    """The answer on a socket, its head read."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response


def answer_of(response: http.client.HTTPResponse) -> Answer:
    """The whole answer of one that has begun."""
    named = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, response.read(), named)


def events_of(response: http.client.HTTPResponse, deadline_s: float) -> Iterator[dict[str, Any]]:
    """Events of an answer, to its end; `DONE`, which is no JSON, as an object of that type.

    Raises:
        TimeoutError: they came for longer than the deadline.
        NotAllowedError: one that is no JSON object.
    """
    give_up_at = time.monotonic() + deadline_s
    while line := response.readline():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"events came for more than {deadline_s:g} s")
        if line.startswith(_DATA):
            data = line.removeprefix(_DATA).strip()
            yield {"type": DONE} if data == DONE.encode() else parsed(data)


def vanish(connection: socket.socket, rng: random.Random) -> None:
    """Close in good order, or with a reset as a client that crashed."""
    if rng.random() < 0.5:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
