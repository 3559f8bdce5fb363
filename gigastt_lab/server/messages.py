"""Messages of a WebSocket, and of the events of a file that is transcribed as a stream.

Source: gigastt 2.0, `docs/asyncapi.yaml`. Its fields are kept; more are added: `utterance`, `stable`,
`start`, `end`, `heard`, `reason`, and `error`, the message once more.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from gigastt_lab.formats import as_json_word
from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.errors import BAD_REQUEST, ApiError
from gigastt_lab.types import StreamResult

PROTOCOL_VERSION: Final = "1.0"
SUPPORTED_RATES: Final = (8_000, 16_000, 24_000, 44_100, 48_000)
DEFAULT_RATE: Final = 48_000


@dataclass(frozen=True)
class Configure:
    """Message of a client's wishes; None: as it is."""

    sample_rate: Any = None
    protocol_version: Any = None


@dataclass(frozen=True)
class Stop:
    """Message of a client that has said all."""


def ready(model: str, config: ServerConfig) -> dict[str, Any]:
    """The first message of a session; the server takes audio from now on."""
    return {
        "type": "ready",
        "model": model,
        "sample_rate": DEFAULT_RATE,
        "version": PROTOCOL_VERSION,
        "supported_rates": list(SUPPORTED_RATES),
        "diarization": False,
        "max_session_secs": seconds(config.max_session_secs),
        "idle_timeout_secs": seconds(config.idle_timeout_secs),
    }


def result(found: StreamResult) -> dict[str, Any]:
    """Message of a partial or a final."""
    told: dict[str, Any] = {
        "type": found.kind,
        "text": found.text,
        "timestamp": time.time(),
        "words": [as_json_word(word) for word in found.words],
        "utterance": found.utterance,
        "stable": found.stable,
        "start": round(found.start, 3),
        "end": round(found.end, 3),
        "heard": round(found.heard, 3),
    }
    return told if found.reason is None else told | {"reason": found.reason}


def empty_final() -> dict[str, Any]:
    """The last message of a session in which nothing was left to say."""
    return {"type": "final", "text": "", "timestamp": time.time(), "words": [], "reason": "stop"}


def error(found: ApiError) -> dict[str, Any]:
    """Message of an error."""
    return {"type": "error", **found.content}


def as_text(message: dict[str, Any]) -> str:
    """A message as it is sent, its Cyrillic readable."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def parsed(text: str) -> Configure | Stop:
    """Message of a client, parsed.

    Raises:
        ApiError: no JSON object, or of no known type.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error_:
        raise ApiError(BAD_REQUEST, "A text message has to be a JSON object.") from error_
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "stop":
        return Stop()
    if kind == "configure":
        return Configure(content.get("sample_rate"), content.get("protocol_version"))
    raise ApiError(BAD_REQUEST, 'A text message has to be of type "configure" or "stop".')


def seconds(value: float) -> float:
    """A number of seconds, whole where it is."""
    return int(value) if value == int(value) else value
