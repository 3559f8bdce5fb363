"""Operations of OpenAI's clients: the whole answer, events, errors in their shape."""

from __future__ import annotations

import http.client
import random
from contextlib import closing
from typing import Any, Final

from evaluation.server_study.client import Answer
from evaluation.server_study.operations import (
    NotAllowedError,
    Scene,
    check_text,
    checked,
    checked_error,
)
from evaluation.server_study.sockets import DONE, answer_of, begun, connected, events_of, form, head, vanish

OPENAI: Final = "/v1/audio/transcriptions"

_FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt")
_FIELDS: Final = frozenset({"message", "type", "param", "code"})


def openai(scene: Scene, rng: random.Random) -> str:
    """A form as OpenAI's clients send it, with fields that are empty."""
    container = rng.choice(list(scene.material.files))
    fields = {"model": "whisper-1", "response_format": rng.choice(_FORMATS), "language": "ru", "prompt": ""}
    headers, body = form(scene.material.files[container], f"a.{container}", fields)
    with scene.client() as client:
        answer = client.request("POST", OPENAI, body, headers)
    outcome = checked_shape(OPENAI, answer, checked(answer, 200))
    if answer.status == http.client.OK and "json" in fields["response_format"]:
        check_text(scene, container, answer)
    return outcome


def openai_events(scene: Scene, rng: random.Random) -> str:
    """A form with `stream=true`: deltas whose sum is the text, and the end; or a client that leaves."""
    name = rng.choice([*scene.material.files, "long"])
    audio = scene.material.long_file if name == "long" else scene.material.files[name]
    headers, body = form(audio, f"a.{name}", {"model": "whisper-1", "stream": "true"})
    with closing(connected(scene)) as connection:
        connection.sendall(head(scene, OPENAI, len(body), headers) + body)
        if rng.random() < 0.2:
            vanish(connection, rng)
            return "hung up"
        response = begun(connection)
        if response.status != http.client.OK:
            answer = answer_of(response)
            return checked_shape(OPENAI, answer, checked(answer, 200))
        found = list(events_of(response, scene.deadline_s))
    _check_events(scene, name, found)
    return "done"


def checked_shape(path: str, answer: Answer, outcome: str) -> str:
    """The outcome, once an error of OpenAI's route has the shape that its clients read.

    Raises:
        NotAllowedError: it has another one.
    """
    if path == OPENAI and answer.status >= http.client.BAD_REQUEST:
        error = answer.content.get("error") if isinstance(answer.content, dict) else None
        if not isinstance(error, dict) or not set(error) >= _FIELDS or not error["message"]:
            raise NotAllowedError(f"an error that OpenAI's clients do not read: {answer.body[:200]!r}")
    return outcome


def _check_events(scene: Scene, name: str, found: list[dict[str, Any]]) -> None:
    kinds = [str(event.get("type")) for event in found]
    for event in found:
        if "error" in event:
            raise NotAllowedError(f"an event of a file that is well: {checked_error(event)}")
    if kinds[-2:] != ["transcript.text.done", DONE] or set(kinds[:-2]) - {"transcript.text.delta"}:
        raise NotAllowedError(f"the events of the {name} file were {kinds[-5:]}")
    text = "".join(str(event.get("delta")) for event in found[:-2])
    expected = scene.texts.get(name, text)
    if not text == found[-2].get("text") == expected:
        raise NotAllowedError(f"the deltas of the {name} file are {text!r}; before, it was {expected!r}")
