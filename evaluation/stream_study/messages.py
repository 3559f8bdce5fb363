"""Messages of gigastt's WebSocket protocol, as results of a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from evaluation.records.stream_log import StreamEvent
from evaluation.systems.base import Words, rounded
from gigastt_lab.types import EndReason


@dataclass(frozen=True)
class Heard:
    """A message, and the time it came at, in seconds of the stream."""

    at_s: float
    content: Mapping[str, Any]


def parsed(message: str | bytes) -> Mapping[str, Any]:
    """JSON object of a message; of anything else, an error that says so, as the server would.

    >>> parsed('{"type": "ready"}'), parsed(b"PCM")["code"]
    ({'type': 'ready'}, 'no_message')
    """
    try:
        content = json.loads(message)
    except ValueError:
        content = None
    if isinstance(content, dict) and isinstance(content.get("text", ""), str):
        return content
    return {"type": "error", "code": "no_message", "message": f"{message[:100]!r} is none of the protocol"}


def told(content: Mapping[str, Any]) -> str:
    """Text of an error, or of a message that is out of place.

    >>> told({"type": "error", "code": "no_message", "message": "…"}), told({"type": "final"})
    ('no_message: …', 'final: no message')
    """
    return f"{content.get('code', content.get('type'))}: {content.get('message', 'no message')}"


def events_of(heard: Sequence[Heard], stopped_s: float) -> tuple[StreamEvent, ...]:
    """Results among the messages; what the server does not tell is worked out, or None.

    Args:
        heard: All messages, in order.
        stopped_s: Time the stop was sent at, in seconds of the stream: finals before it came by silence,
            later ones by the stop.
    """
    events: list[StreamEvent] = []
    n_finals = 0
    for each in heard:
        kind, content = each.content.get("type"), each.content
        if kind not in ("partial", "final"):
            continue
        utterance, reason = content.get("utterance"), content.get("reason")
        if kind == "partial":
            reason = None
        elif reason not in get_args(EndReason):
            reason = "silence" if each.at_s < stopped_s else "stop"
        text = content.get("text", "")
        if text or kind == "partial" or _shows(events):  # an empty farewell is no result
            events.append(
                StreamEvent(
                    kind=kind,
                    utterance=utterance if isinstance(utterance, int) else n_finals,
                    text=text,
                    at_s=each.at_s,
                    heard_s=_number(content.get("heard")),
                    stable=content.get("stable") if isinstance(content.get("stable"), int) else None,
                    start_s=_number(content.get("start")),
                    reason=reason,
                )
            )
            n_finals += kind == "final"
    return tuple(events)


def words_of(heard: Sequence[Heard]) -> Words:
    """The words of the finals, as far as they are told with times and confidence."""
    return tuple(
        rounded(str(word.get("word", "")), word["start"], word["end"], word["confidence"])
        for each in heard
        if each.content.get("type") == "final"
        for word in each.content.get("words") or ()
        if all(isinstance(word.get(name), int | float) for name in ("start", "end", "confidence"))
    )


def _shows(events: Sequence[StreamEvent]) -> bool:
    """True if the newest utterance has shown something that an empty final takes back."""
    return bool(events) and events[-1].kind == "partial" and bool(events[-1].text)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
