"""Operations over HTTP: files that are transcribed, well or badly, by clients of all manners."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Final

from evaluation.server_study.client import AUDIO, TRANSCRIBE, Answer
from evaluation.server_study.garbage import broken_form, damaged_audio, request_bytes
from evaluation.server_study.operations import BUSY, NotAllowedError, Scene, checked, checked_error, parsed

EVENTS: Final = "/v1/transcribe/stream"
OPENAI: Final = "/v1/audio/transcriptions"

_FORMATS: Final = ("json", "json", "json", "txt", "srt", "vtt", "md")
_OPENAI_FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt")
_QUESTIONS: Final = ("/health", "/v1/models", "/metrics", "/openapi.json", "/")
_NEVER_SENT_BYTES: Final = 8 * 2**20  # a body beyond a larger limit is announced only


def transcribe(scene: Scene, rng: random.Random) -> str:
    """A file in one of the containers, as a body or as a form; its text has to be what it always is."""
    container, answer_format = rng.choice(list(scene.material.files)), rng.choice(_FORMATS)
    audio = scene.material.files[container]
    headers, body = (dict(AUDIO), audio) if rng.random() < 0.7 else _form(audio, f"a.{container}")
    with scene.client() as client:
        answer = client.request("POST", f"{TRANSCRIBE}?format={answer_format}", body, headers)
    outcome = checked(answer, 200)
    if answer.status == http.client.OK and answer_format == "json":
        _check_text(scene, container, answer)
    return outcome


def openai(scene: Scene, rng: random.Random) -> str:
    """A form as OpenAI's clients send it."""
    container = rng.choice(list(scene.material.files))
    fields = {"model": "whisper-1", "response_format": rng.choice(_OPENAI_FORMATS), "language": "ru"}
    headers, body = _form(scene.material.files[container], f"a.{container}", fields)
    with scene.client() as client:
        answer = client.request("POST", OPENAI, body, headers)
    outcome = checked(answer, 200)
    if answer.status == http.client.OK and "json" in fields["response_format"]:
        _check_text(scene, container, answer)
    return outcome


def events(scene: Scene, rng: random.Random) -> str:
    """A file as a stream of events, read to its end."""
    audio = rng.choice([*scene.material.files.values(), scene.material.long_file])
    return _read_events(scene, audio, pause_s=0.0)


def slow_events(scene: Scene, rng: random.Random) -> str:
    """A file as a stream of events, read by a client that takes its time, over a line that holds little."""
    del rng
    return _read_events(scene, scene.material.long_file, pause_s=0.2)


def questions(scene: Scene, rng: random.Random) -> str:
    """Requests of monitors and pages, several over one connection; readiness, too."""
    with scene.client() as client:
        for path in rng.sample(_QUESTIONS, 3):
            checked(client.request(rng.choice(("GET", "HEAD")), path), 200, 404)
        ready = client.request("GET", "/ready")
    if ready.status not in {http.client.OK, BUSY} or not isinstance(ready.content, dict):
        raise NotAllowedError(f"/ready answers {ready.status}: {ready.body[:200]!r}")
    return f"ready {ready.status}"


def wrong_routes(scene: Scene, rng: random.Random) -> str:
    """A route or a method that is not there, or a parameter that cannot be."""
    method, path = rng.choice(
        (("GET", TRANSCRIBE), ("DELETE", "/v1/models"), ("GET", "/v1/nothing"), ("POST", "/health"),
         ("GET", "/v1/ws"), ("GET", f"/{rng.randrange(10**6)}"), ("POST", f"{TRANSCRIBE}?format=doc"))
    )  # fmt: skip
    with scene.client() as client:
        return checked(client.request(method, path, b"{}"), 400, 404, 405, 426)


def empty_body(scene: Scene, rng: random.Random) -> str:
    """No audio at all."""
    path = rng.choice((TRANSCRIBE, EVENTS, OPENAI))
    with scene.client() as client:
        return checked(client.request("POST", path, b"", AUDIO), 400)


def malformed_body(scene: Scene, rng: random.Random) -> str:
    """Bytes that are no audio, or a form that is none."""
    path = rng.choice((TRANSCRIBE, EVENTS, OPENAI))
    if rng.random() < 0.3:
        kind, body = broken_form(rng, scene.material.probe)
        headers = {"Content-Type": kind}
    else:
        audio = damaged_audio(rng, scene.material.files)
        headers, body = _form(audio, "a.wav") if path == OPENAI else (dict(AUDIO), audio)
    with scene.client() as client:
        return checked(client.request("POST", path, body, headers), 200, 400, 413)


def malformed_request(scene: Scene, rng: random.Random) -> str:
    """Bytes that are no HTTP: refused, or hung up on."""
    with closing(_connected(scene)) as connection:
        with suppress(ConnectionError):  # refused before all was sent
            connection.sendall(request_bytes(rng))
            connection.shutdown(socket.SHUT_WR)
        try:
            answer = _answer(connection)
        except (ConnectionError, http.client.HTTPException):
            return "hung up"
    return checked(answer, 200, 400, 404, 411, 413, 426, 431, 505)


def oversized_body(scene: Scene, rng: random.Random) -> str:
    """More than the server takes: announced, or sent piece by piece without a word."""
    limit = scene.limits.body_limit_bytes
    with closing(_connected(scene)) as connection:
        if rng.random() < 0.5 or limit > _NEVER_SENT_BYTES:
            connection.sendall(_head(TRANSCRIBE, limit + 1) + bytes(1_000))
        else:
            piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
            connection.sendall(_head(TRANSCRIBE, None))
            for _ in range(limit // 0x10000 + 2):
                connection.sendall(piece)
            connection.sendall(b"0\r\n\r\n")
        return checked(_answer(connection), 413)


def slow_body(scene: Scene, rng: random.Random) -> str:
    """A file over a slow line: a dozen pieces with pauses."""
    audio = rng.choice(list(scene.material.files.values()))
    size = len(audio) // 12 + 1
    with closing(_connected(scene)) as connection:
        connection.sendall(_head(TRANSCRIBE, len(audio)))
        for start in range(0, len(audio), size):
            connection.sendall(audio[start : start + size])
            time.sleep(rng.uniform(0.0, 0.3))
        return checked(_answer(connection), 200)


def hang_up_in_body(scene: Scene, rng: random.Random) -> str:
    """A client that goes away while it sends."""
    audio = rng.choice([*scene.material.files.values(), scene.material.long_file])
    with closing(_connected(scene)) as connection:
        connection.sendall(_head(rng.choice((TRANSCRIBE, EVENTS)), len(audio)))
        connection.sendall(audio[: rng.randrange(len(audio))])
        time.sleep(rng.uniform(0.0, 0.2))
        _vanish(connection, rng)
    return "hung up"


def hang_up_at_work(scene: Scene, rng: random.Random) -> str:
    """A client that goes away while the server works for it, or while it waits for its turn."""
    audio = scene.material.long_file
    with closing(_connected(scene)) as connection:
        connection.sendall(_head(TRANSCRIBE, len(audio)) + audio)
        time.sleep(rng.uniform(0.0, 0.5))
        _vanish(connection, rng)
    return "hung up"


def hang_up_in_events(scene: Scene, rng: random.Random) -> str:
    """A client that goes away after some events."""
    audio = scene.material.long_file
    with closing(_connected(scene)) as connection:
        connection.sendall(_head(EVENTS, len(audio)) + audio)
        response = http.client.HTTPResponse(connection)
        response.begin()
        if response.status != http.client.OK:
            return checked(Answer(response.status, response.read()), 200)
        for _ in range(rng.randrange(4)):
            response.readline()
        _vanish(connection, rng)
    return "hung up"


def _check_text(scene: Scene, container: str, answer: Answer) -> None:
    text = answer.content.get("text") if isinstance(answer.content, dict) else None
    expected = scene.texts.get(container, text)
    if not isinstance(text, str) or text != expected:
        raise NotAllowedError(f"the text of the {container} file is {text!r}; before, it was {expected!r}")


def _form(audio: bytes, name: str, fields: dict[str, str] | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form with the audio in its field `file`."""
    boundary = "4f1d6b2c9a"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in (fields or {}).items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
    body = "".join(parts).encode() + audio + f"\r\n--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def _read_events(scene: Scene, audio: bytes, *, pause_s: float) -> str:
    """Read all events of a file, with a pause after each."""
    with closing(_connected(scene, holds_little=pause_s > 0)) as connection:
        connection.sendall(_head(EVENTS, len(audio)) + audio)
        response = http.client.HTTPResponse(connection)
        response.begin()
        if response.status != http.client.OK:
            return checked(Answer(response.status, response.read()), 200)
        last = ""
        for event in _events(response, scene.deadline_s):
            last = str(event.get("type"))
            if last == "error":
                raise NotAllowedError(f"an event of a file that is well: {checked_error(event)}")
            time.sleep(pause_s)
    if last != "final":
        raise NotAllowedError(f"the last event was {last or 'none at all'}, not the final")
    return "final"


def _events(response: http.client.HTTPResponse, deadline_s: float) -> Iterator[dict[str, object]]:
    give_up_at = time.monotonic() + deadline_s
    while line := response.readline():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"events came for more than {deadline_s:g} s")
        if line.startswith(b"data: "):
            yield parsed(line.removeprefix(b"data: "))


def _connected(scene: Scene, *, holds_little: bool = False) -> socket.socket:
    """A socket, for what no client library would do."""
    address = scene.address
    connection = socket.create_connection((address.host, address.port), timeout=scene.deadline_s)
    if holds_little:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    return connection


def _head(path: str, n_bytes: int | None) -> bytes:
    """Head of a request with audio of so many bytes; None: it comes in pieces, without a word of how long."""
    length = "Transfer-Encoding: chunked" if n_bytes is None else f"Content-Length: {n_bytes}"
    kind = AUDIO["Content-Type"]
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{length}\r\n\r\n".encode()


def _answer(connection: socket.socket) -> Answer:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.read())


def _vanish(connection: socket.socket, rng: random.Random) -> None:
    """Close in good order, or with a reset as a client that crashed."""
    if rng.random() < 0.5:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
