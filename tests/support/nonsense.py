"""Requests and sessions that no honest client sends, from a seed."""

from __future__ import annotations

import json
import random
import socket
import uuid

from websockets.exceptions import ConnectionClosed

from tests.support.server_process import DEADLINE_S, Answer, ServerProcess
from tests.support.websocket_client import rest_of, said, tell

ROUTES = ("/v1/transcribe", "/v1/transcribe/stream", "/v1/audio/transcriptions")
TEXTS = (
    "", "{", '{"type":1}', '{"type":"configure","sample_rate":[]}', '{"type":"configure"}', "[" * 50_000,
    '{"type":"configure","sample_rate":1e400}', '{"type":"configure","protocol_version":{}}', '"\\ud800"',
)  # fmt: skip
HEADS = (b"GET / HTTP/9.9", b"\xff\xfe\xfd", b"POST", b"GET http:// HTTP/1.1", b"GET / HTTP/1.1\r\nX: \0")
QUERIES = ("format=", "format=%00", "format=json&format=x", "%", "format[]=1", "a" * 9_000)
HANDSHAKE = (
    b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def form(fields, content):
    """A multipart body with a file, and its header."""
    boundary = uuid.UUID(int=7).hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    parts += [head.encode(), b"Content-Type: audio/wav\r\n\r\n", content, f"\r\n--{boundary}--\r\n".encode()]
    return b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def noise(server: ServerProcess, rng: random.Random, content: bytes) -> Answer:
    del content
    return server.post(rng.choice(ROUTES), rng.randbytes(rng.choice([1, 7, 100, 5_000, 70_000])))


def cut(server: ServerProcess, rng: random.Random, content: bytes) -> Answer:
    return server.post(rng.choice(ROUTES), content[: rng.randrange(1, len(content))])


def flipped(server: ServerProcess, rng: random.Random, content: bytes) -> Answer:
    broken = bytearray(content)
    for _ in range(rng.choice([1, 10, 200])):
        broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return server.post(rng.choice(ROUTES), bytes(broken))


def broken_form(server: ServerProcess, rng: random.Random, content: bytes) -> Answer:
    body, headers = form([("response_format", rng.choice(["json", "xml", ""]))], content)
    return server.post(rng.choice(ROUTES), body[: rng.randrange(len(body))], headers)


def query(server: ServerProcess, rng: random.Random, content: bytes) -> Answer:
    return server.post(f"/v1/transcribe?{rng.choice(QUERIES)}", content)


def head(server: ServerProcess, rng: random.Random, content: bytes) -> None:
    """No HTTP."""
    del content
    line = rng.choice([*HEADS, rng.randbytes(50)])
    answer = _raw(server, line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    status = answer[9:12] or b"none"
    assert status[:1] in b"n24", answer[:500]  # a later version of HTTP is taken for ours
    if status.startswith(b"4"):
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"]


def frames(server: ServerProcess, rng: random.Random, content: bytes) -> None:
    """A handshake in good order, and then no frames."""
    del content
    assert _raw(server, HANDSHAKE + rng.randbytes(rng.randrange(1, 2_000))).startswith(b"HTTP/1.1 101")


def session(server: ServerProcess, rng: random.Random, content: bytes) -> None:
    end = None
    with server.socket() as stream:
        try:
            said(stream)
            for _ in range(rng.randrange(1, 30)):
                stream.send(rng.choice([rng.randbytes(rng.choice([1, 999])), content[:50_000], b"", *TEXTS]))
            if rng.random() < 0.5:
                tell(stream, type="stop")
                assert {message["type"] for message in rest_of(stream)[0]} <= {"partial", "final", "error"}
        except ConnectionClosed as closed:
            end = closed.rcvd
    assert end is None or end.code in {1000, 1002, 1008}


KINDS = (noise, cut, flipped, broken_form, query, head, frames, session)


def send(server: ServerProcess, seed: int, contents: list[bytes]) -> None:
    """Send one piece of nonsense; fails unless the answer is a good one.

    Args:
        server: Who gets it.
        seed: Which piece.
        contents: Files to make it of.
    """
    rng = random.Random(seed)
    answer = rng.choice(KINDS)(server, rng, rng.choice(contents))
    if answer is None:
        return
    assert answer.status < 500 or answer.status == 503, (seed, answer)
    if answer.status != 200:
        assert {"code", "message", "error"} <= set(answer.json), (seed, answer)


def _raw(server: ServerProcess, data: bytes) -> bytes:
    """What a connection that says this, and no more, is answered until it is closed."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as raw:
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        try:
            while more := raw.recv(65_536):
                answer += more
        except ConnectionResetError:  # closed with something of ours unread
            pass
    return answer
