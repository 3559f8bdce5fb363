"""Operations without a key, or with one that is not known: refused everywhere but where none is asked for."""

from __future__ import annotations

import http.client
import random
from contextlib import closing
from dataclasses import replace
from typing import Final

from websockets.exceptions import InvalidStatus

from evaluation.server_study.client import AUDIO, TRANSCRIBE
from evaluation.server_study.job_book import JOBS
from evaluation.server_study.mix_live import opened
from evaluation.server_study.mix_openai import OPENAI, checked_shape
from evaluation.server_study.operations import BUSY, NotAllowedError, Scene, checked
from evaluation.server_study.sockets import answer_of, begun, connected, head

_REFUSED: Final = "401 unauthorized"
_FREE: Final = ("/health", "/ready", "/")
_ROUTES: Final = (
    ("POST", TRANSCRIBE), ("POST", OPENAI), ("POST", JOBS), ("GET", JOBS), ("GET", "/v1/models"),
    ("GET", "/metrics"), ("POST", "/v1/transcribe/stream"), ("DELETE", f"{JOBS}/x"), ("GET", "/v1/nothing"),
)  # fmt: skip


def wrong_key(scene: Scene, rng: random.Random) -> str:
    """A request or a stream with a wrong key or none; a large body with it; and what is free for all."""
    wrong = rng.choice((None, "x" * 40, f"{scene.address.key}x", str(scene.address.key)[:-1], ""))
    stranger = replace(scene, address=replace(scene.address, key=wrong))
    act = rng.choice((_request, _request, _stream, _body, _free))
    return act(stranger, rng)


def _request(scene: Scene, rng: random.Random) -> str:
    method, path = rng.choice(_ROUTES)
    with scene.client() as client:
        answer = client.request(method, path, scene.material.probe if method == "POST" else None, AUDIO)
    if "bearer" not in answer.headers.get("www-authenticate", "").lower():
        raise NotAllowedError(f"{method} {path} without a key: {answer.status}, and no WWW-Authenticate")
    return _expected(checked_shape(path, answer, checked(answer, 401)))


def _body(scene: Scene, rng: random.Random) -> str:
    """The answer comes though nothing of the body does."""
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, rng.choice((TRANSCRIBE, JOBS)), scene.limits.body_limit_bytes))
        return _expected(checked(answer_of(begun(connection)), 401))


def _stream(scene: Scene, rng: random.Random) -> str:
    del rng
    try:
        with opened(scene):
            raise NotAllowedError("a stream without a key is let in")
    except InvalidStatus as refused:
        status = refused.response.status_code
    if status != http.client.UNAUTHORIZED:
        raise NotAllowedError(f"a stream without a key is refused with {status}")
    return _REFUSED


def _free(scene: Scene, rng: random.Random) -> str:
    with scene.client() as client:
        answer = client.request("GET", rng.choice(_FREE))
    if answer.status not in {http.client.OK, BUSY}:
        raise NotAllowedError(f"{answer.status}, where no key is asked for: {answer.body[:200]!r}")
    return "free"


def _expected(outcome: str) -> str:
    """The outcome, unless it is another one than a refusal for the key's sake."""
    if outcome != _REFUSED:
        raise NotAllowedError(f"{outcome} without a key, not {_REFUSED}")
    return outcome
