"""A client of the server's WebSocket: what is told, what is said."""

from __future__ import annotations

import json

from websockets.exceptions import ConnectionClosed

RATE = 16_000


def said(socket, timeout=60):
    return json.loads(socket.recv(timeout=timeout))


def rest_of(socket):
    """All further messages, and the code and reason of the close."""
    messages = []
    while True:
        try:
            messages.append(said(socket))
        except ConnectionClosed as closed:
            end = closed.rcvd
            break
    assert end is not None, "the connection was cut"
    return messages, end.code, end.reason


def tell(socket, **message):
    socket.send(json.dumps(message))


def finals(messages):
    return [message for message in messages if message["type"] == "final"]


def transcribed(server, pcm16, *, rate=RATE, sizes=(3_200,)):
    """A whole session: its messages after `ready`."""
    with server.socket() as socket:
        assert said(socket)["type"] == "ready"
        tell(socket, type="configure", sample_rate=rate)
        at = number = 0
        while at < len(pcm16):
            size = sizes[number % len(sizes)]
            socket.send(pcm16[at : at + size])
            at, number = at + size, number + 1
        tell(socket, type="stop")
        messages, code, _ = rest_of(socket)
    assert code == 1000
    return messages
