"""One operation of a client, and what came of it: what a mix is made of.

An operation is a plain function of a `Scene` and a random generator. It does one thing that clients do, well
or badly, and returns what came of it in a few words, always the same ones. It raises `NotAllowedError` where
the server answered as it never should, and `TimeoutError` where it kept silent.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.exceptions import WebSocketException

from evaluation.server_study.client import Address, Answer, Client, error_code
from evaluation.server_study.clips import Material
from evaluation.server_study.job_book import JobBook
from gigastt_lab.errors import brief

DEADLINE_S: Final = 60.0
BUSY: Final = 503


class NotAllowedError(Exception):
    """The server did what it never should; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the server, as its flags set them; the defaults are its own.

    Attributes:
        pool_size: Permits.
        body_limit_bytes: Largest body.
        frame_limit_bytes: Largest WebSocket message.
        idle_timeout_s: Longest silence of a WebSocket.
        checkout_timeout_s: Longest wait for a permit.
        jobs_max_bytes: Bytes of all jobs together.
        jobs_max_queued: Jobs that may wait.
        jobs_keep_s: Seconds that a job is kept after its end.
    """

    pool_size: int = 4
    body_limit_bytes: int = 50 * 2**20
    frame_limit_bytes: int = 512 * 2**10
    idle_timeout_s: float = 300.0
    checkout_timeout_s: float = 30.0
    jobs_max_bytes: int = 10 * 2**30
    jobs_max_queued: int = 1000
    jobs_keep_s: float = 86_400.0

    @property
    def flags(self) -> list[str]:
        """Flags for the server's command line."""
        values = {
            "--pool-size": self.pool_size,
            "--body-limit-bytes": self.body_limit_bytes,
            "--ws-frame-max-bytes": self.frame_limit_bytes,
            "--idle-timeout-secs": self.idle_timeout_s,
            "--pool-checkout-timeout-secs": self.checkout_timeout_s,
            "--jobs-max-bytes": self.jobs_max_bytes,
            "--jobs-max-queued": self.jobs_max_queued,
            "--jobs-keep-secs": self.jobs_keep_s,
        }
        return [part for name, value in values.items() for part in (name, str(value))]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Scene of operations: the server, and what is sent to it.

    Attributes:
        address: Address of the server.
        material: Audio that is sent.
        limits: Limits of the server.
        deadline_s: Longest silence of the server, and longest that one operation may take.
        texts: Texts that the server made of files and streams by their names, nothing else going on.
        jobs: Book of the jobs that it has promised.
    """

    address: Address
    material: Material = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    deadline_s: float = DEADLINE_S
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    jobs: JobBook = field(default_factory=JobBook, repr=False)

    def client(self) -> Client:
        """A new connection."""
        return Client(self.address, self.deadline_s)


Act = Callable[[Scene, random.Random], str]


@dataclass(frozen=True)
class Operation:
    """One thing that clients do.

    Attributes:
        name: Name in the tables.
        weight: Weight in the draw, against the others.
        act: Function that does it.
    """

    name: str
    weight: float
    act: Act


@dataclass(frozen=True)
class Done:
    """One operation that is over.

    Attributes:
        operation: Name of the operation.
        outcome: What came of it, in a few words.
        is_allowed: True if the server may do so.
        detail: What it did, where it may not.
        took_s: Seconds from beginning to end.
    """

    operation: str
    outcome: str
    is_allowed: bool
    detail: str
    took_s: float


def perform(operation: Operation, scene: Scene, rng: random.Random) -> Done:
    """Do it, and say what came of it; raises nothing that the server could be to blame for."""
    started = time.perf_counter()
    detail = ""
    try:
        outcome = operation.act(scene, rng)
    except NotAllowedError as error:
        outcome, detail = "not allowed", str(error)
    except TimeoutError as error:
        outcome, detail = "hang", brief(error)
    except (OSError, http.client.HTTPException, WebSocketException) as error:
        outcome, detail = "broken off", brief(error)
    took_s = time.perf_counter() - started
    if not detail and took_s > scene.deadline_s:
        outcome, detail = "hang", f"{outcome}, but after {took_s:.0f} s"
    return Done(operation.name, outcome, not detail, detail, took_s)


def draw(mix: Sequence[Operation], rng: random.Random) -> Operation:
    """One operation of a mix, drawn by weight."""
    return rng.choices(mix, [each.weight for each in mix])[0]


def checked(answer: Answer, *statuses: int) -> str:
    """The outcome that an answer is: its status, and of an error its code.

    Args:
        answer: Answer that has come.
        statuses: Statuses that are right; 503 always is: a server may be busy.

    Raises:
        NotAllowedError: another status, or an error that has not the shape of all errors.
    """
    code = answer.error_code
    if answer.status not in {*statuses, BUSY}:
        allowed = ", ".join(map(str, statuses))
        raise NotAllowedError(f"{answer.status} ({_shown(answer)}), where {allowed} or {BUSY} was to come")
    if answer.status < 400:
        return str(answer.status)
    if code is None:
        raise NotAllowedError(f"{answer.status} with no code and message: {_shown(answer)}")
    return f"{answer.status} {code}"


def check_text(scene: Scene, name: str, answer: Answer) -> None:
    """Check that the text of a file is the one that it had when nothing else was going on.

    Raises:
        NotAllowedError: it is another one, or none.
    """
    text = answer.content.get("text") if isinstance(answer.content, dict) else None
    expected = scene.texts.get(name, text)
    if not isinstance(text, str) or text != expected:
        raise NotAllowedError(f"the text of the {name} file is {text!r}; before, it was {expected!r}")


def checked_error(content: object, *, never: Sequence[str] = ("internal_error", "inference_error")) -> str:
    """The code of an error that came as a message or an event.

    Raises:
        NotAllowedError: it has not the shape of all errors, or tells of a failure of the server.
    """
    code = error_code(content)
    if code is None or code in never:
        raise NotAllowedError(f"an error that should not be: {str(content)[:200]}")
    return code


def parsed(told: str | bytes) -> dict[str, Any]:
    """A message or an event as an object.

    Raises:
        NotAllowedError: it is none.
    """
    try:
        content = json.loads(told)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NotAllowedError(f"a message that is no JSON object: {told[:200]!r}")
    return content


def _shown(answer: Answer) -> str:
    return " ".join(answer.body[:200].decode(errors="replace").split()) or "no body"
