"""Operations over HTTP: files that are transcribed, well or badly, by clients of all manners."""

from __future__ import annotations

import http.client
import random
import socket
import time
from contextlib import closing, suppress
from typing import Final

from evaluation.server_study.broken import Broken
from evaluation.server_study.client import AUDIO, TRANSCRIBE, Answer
from evaluation.server_study.garbage import broken_form, damaged_audio, request_bytes
from evaluation.server_study.mix_openai import OPENAI, checked_shape
from evaluation.server_study.operations import (
    BUSY,
    NotAllowedError,
    Scene,
    check_text,
    checked,
    checked_error,
)
from evaluation.server_study.sockets import answer_of, begun, connected, events_of, form, head, vanish

EVENTS: Final = "/v1/transcribe/stream"

_FORMATS: Final = ("json", "json", "json", "txt", "srt", "vtt", "md")
_QUESTIONS: Final = ("/health", "/v1/models", "/metrics", "/openapi.json", "/")
_NEVER_SENT_BYTES: Final = 8 * 2**20  # a body beyond a larger limit is announced only


def transcribe(scene: Scene, rng: random.Random) -> str:
    """A file in one of the containers, as a body or as a form; its text has to be what it always is."""
    container, answer_format = rng.choice(list(scene.material.files)), rng.choice(_FORMATS)
    audio = scene.material.files[container]
    headers, body = (dict(AUDIO), audio) if rng.random() < 0.7 else form(audio, f"a.{container}")
    with scene.client() as client:
        answer = client.request("POST", f"{TRANSCRIBE}?format={answer_format}", body, headers)
    outcome = checked(answer, 200)
    if answer.status == http.client.OK and answer_format == "json":
        check_text(scene, container, answer)
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
            method = rng.choice(("GET", "HEAD"))
            answer = client.request(method, path)
            if (
                method == "GET" or answer.status != http.client.NOT_FOUND
            ):  # without --metrics; HEAD has no body
                checked(answer, 200, 404)
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
        answer = client.request("POST", path, b"", AUDIO)
    return checked_shape(path, answer, checked(answer, 400))


def malformed_body(scene: Scene, rng: random.Random) -> str:
    """Bytes that are no audio, or a form that is none."""
    path = rng.choice((TRANSCRIBE, EVENTS, OPENAI))
    if rng.random() < 0.3:
        kind, body = broken_form(rng, scene.material.probe)
        headers = {"Content-Type": kind}
    else:
        audio = damaged_audio(rng, scene.material.files)
        headers, body = form(audio, "a.wav") if path == OPENAI else (dict(AUDIO), audio)
    with scene.client() as client:
        answer = client.request("POST", path, body, headers)
    return checked_shape(path, answer, checked(answer, 200, 400, 413))


def broken_file(scene: Scene, rng: random.Random) -> str:
    """A file that was cut, or is damaged: its text with a warning; or, where that is asked for, refused."""
    broken = rng.choice(scene.material.broken)
    is_strict = broken.can_be_refused and rng.random() < 0.3
    with scene.client() as client:
        answer = client.request("POST", f"{TRANSCRIBE}?strict={is_strict}", broken.content, AUDIO)
    outcome = checked(answer, 400 if is_strict else 200)
    if answer.status == http.client.OK:
        check_warnings(broken, answer)
        check_text(scene, broken.name, answer)
    return outcome


def malformed_request(scene: Scene, rng: random.Random) -> str:
    """Bytes that are no HTTP: refused, or hung up on."""
    with closing(connected(scene)) as connection:
        with suppress(ConnectionError):  # refused before all was sent
            connection.sendall(request_bytes(rng))
            connection.shutdown(socket.SHUT_WR)
        try:
            answer = answer_of(begun(connection))
        except (ConnectionError, http.client.HTTPException):
            return "hung up"
    return checked(answer, 200, 400, 404, 411, 413, 426, 431, 505)


def oversized_body(scene: Scene, rng: random.Random) -> str:
    """More than the server takes: announced, or sent piece by piece without a word."""
    limit = scene.limits.body_limit_bytes
    with closing(connected(scene)) as connection:
        if rng.random() < 0.5 or limit > _NEVER_SENT_BYTES:
            connection.sendall(head(scene, TRANSCRIBE, limit + 1) + bytes(1_000))
        else:
            piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
            connection.sendall(head(scene, TRANSCRIBE, None))
            for _ in range(limit // 0x10000 + 2):
                connection.sendall(piece)
            connection.sendall(b"0\r\n\r\n")
        return checked(answer_of(begun(connection)), 413)


def slow_body(scene: Scene, rng: random.Random) -> str:
    """A file over a slow line: a dozen pieces with pauses."""
    audio = rng.choice(list(scene.material.files.values()))
    size = len(audio) // 12 + 1
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, TRANSCRIBE, len(audio)))
        for start in range(0, len(audio), size):
            connection.sendall(audio[start : start + size])
            time.sleep(rng.uniform(0.0, 0.3))
        return checked(answer_of(begun(connection)), 200)


def hang_up_in_body(scene: Scene, rng: random.Random) -> str:
    """A client that goes away while it sends."""
    audio = rng.choice([*scene.material.files.values(), scene.material.long_file])
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, rng.choice((TRANSCRIBE, EVENTS)), len(audio)))
        connection.sendall(audio[: rng.randrange(len(audio))])
        time.sleep(rng.uniform(0.0, 0.2))
        vanish(connection, rng)
    return "hung up"


def hang_up_at_work(scene: Scene, rng: random.Random) -> str:
    """A client that goes away while the server works for it, or while it waits for its turn."""
    audio = scene.material.long_file
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, TRANSCRIBE, len(audio)) + audio)
        time.sleep(rng.uniform(0.0, 0.5))
        vanish(connection, rng)
    return "hung up"


def hang_up_in_events(scene: Scene, rng: random.Random) -> str:
    """A client that goes away after some events."""
    audio = scene.material.long_file
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, EVENTS, len(audio)) + audio)
        response = begun(connection)
        if response.status != http.client.OK:
            return checked(answer_of(response), 200)
        for _ in range(rng.randrange(4)):
            response.readline()
        vanish(connection, rng)
    return "hung up"


def check_warnings(broken: Broken, answer: Answer) -> None:
    """Check that a transcript as JSON says what the file lacks, in its body and in its header.

    Raises:
        NotAllowedError: it does not.
    """
    content = answer.content
    told = content.get("warnings", []) if isinstance(content, dict) else []
    kinds = {each.get("kind") for each in told if isinstance(each, dict)}
    header = answer.headers.get("x-audio-warnings", "")
    named = {each.split(";")[0].strip() for each in header.split(",")}
    if not kinds or not kinds <= broken.kinds or kinds != named:
        raise NotAllowedError(f"the {broken.name} file has the warnings {told}, and the header {header!r}")


def _read_events(scene: Scene, audio: bytes, *, pause_s: float) -> str:
    """Read all events of a file, with a pause after each."""
    with closing(connected(scene, holds_little=pause_s > 0)) as connection:
        connection.sendall(head(scene, EVENTS, len(audio)) + audio)
        response = begun(connection)
        if response.status != http.client.OK:
            return checked(answer_of(response), 200)
        last = ""
        for event in events_of(response, scene.deadline_s):
            last = str(event.get("type"))
            if last == "error":
                raise NotAllowedError(f"an event of a file that is well: {checked_error(event)}")
            time.sleep(pause_s)
    if last != "final":
        raise NotAllowedError(f"the last event was {last or 'none at all'}, not the final")
    return "final"
