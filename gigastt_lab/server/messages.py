"""Messages of a WebSocket, and of the events of a file that is transcribed as a stream.

Source: gigastt 2.0, `docs/asyncapi.yaml`. Its fields are kept; more are added: `utterance`, `stable`,
`start`, `end`, `heard`, `reason`, `warnings`, and `error`, the message once more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from gigastt_lab.audio.live.detection import LIVE_CONTAINERS
from gigastt_lab.formats import as_json_warning, as_json_word
from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.errors import BAD_REQUEST, ApiError
from gigastt_lab.streaming.options import PRESETS
from gigastt_lab.types import AudioWarning, EndReason, StreamResult

PROTOCOL_VERSION: Final = "1.0"
SUPPORTED_RATES: Final = (8_000, 16_000, 24_000, 44_100, 48_000)
DEFAULT_RATE: Final = 48_000

_LEAST_SILENCE_MS, _LONGEST_SILENCE_MS = 100, 10_000  # of `EndpointOptions`
_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True)
class Configure:
    """Message of a client's wishes, as they came; None: as it is.

    Attributes:
        sample_rate: Rate of raw PCM16, in Hz.
        protocol_version: Version that the client speaks.
        preset: Preset of the stream.
        silence_ms: Silence that ends an utterance.
        flush: True ends the utterance here.
    """

    sample_rate: Any = None
    protocol_version: Any = None
    preset: Any = None
    silence_ms: Any = None
    flush: Any = None

    @property
    def is_of_the_beginning(self) -> bool:
        """True if it has to come before the first audio, as all of gigastt's."""
        is_about_utterances = any(each is not None for each in (self.preset, self.silence_ms, self.flush))
        return not is_about_utterances or self.sample_rate is not None or self.protocol_version is not None

    def check(self) -> None:
        """Check the wishes that concern utterances.

        Raises:
            ApiError: one that cannot be; the message names it, and what may be.
        """
        if self.preset is not None and self.preset not in list(PRESETS):
            raise ApiError(
                BAD_REQUEST, f"preset is {_shown(self.preset)}; choose one of {', '.join(PRESETS)}."
            )
        if self.silence_ms is not None:
            is_whole = isinstance(self.silence_ms, int) and not isinstance(self.silence_ms, bool)
            if not is_whole or not _LEAST_SILENCE_MS <= self.silence_ms <= _LONGEST_SILENCE_MS:
                raise ApiError(
                    BAD_REQUEST,
                    f"silence_ms is {_shown(self.silence_ms)}; give a whole number of milliseconds, "
                    f"{_LEAST_SILENCE_MS} to {_LONGEST_SILENCE_MS}.",
                )
        if self.flush is not None and not isinstance(self.flush, bool):
            raise ApiError(BAD_REQUEST, f"flush is {_shown(self.flush)}; give true, or leave it out.")


_WISHES: Final = tuple(each.name for each in fields(Configure))


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
        "containers": list(LIVE_CONTAINERS),
        "presets": list(PRESETS),
        "preset": config.stream_preset,
    }


def result(found: StreamResult, warnings: Sequence[AudioWarning] = ()) -> dict[str, Any]:
    """Message of a partial or a final, with warnings of the audio where there are some."""
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
    told |= {} if found.reason is None else {"reason": found.reason}
    return told | ({"warnings": [as_json_warning(each) for each in warnings]} if warnings else {})


def empty_final(reason: EndReason = "stop", warnings: Sequence[AudioWarning] = ()) -> dict[str, Any]:
    """Message of a final where nothing was left to say: the last one of a session, and the one of a flush."""
    told = {"type": "final", "text": "", "timestamp": time.time(), "words": [], "reason": reason}
    return told | ({"warnings": [as_json_warning(each) for each in warnings]} if warnings else {})


def error(found: ApiError) -> dict[str, Any]:
    """Message of an error."""
    return {"type": "error", **found.content}


def as_text(message: dict[str, Any]) -> str:
    """A message as it is sent, its Cyrillic readable."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def parsed(text: str) -> Configure | Stop | None:
    """Message of a client, parsed; None of one that is not known, which is ignored, as gigastt does."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "stop":
        return Stop()
    if kind == "flush":
        return Configure(flush=True)
    if kind == "configure":
        return Configure(**{name: content.get(name) for name in _WISHES})
    return None


def _shown(value: object) -> str:
    """A client's value in a message, in bounded length."""
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= _SHOWN_CHARACTERS else f"{told[:_SHOWN_CHARACTERS]}..."


def seconds(value: float) -> float:
    """A number of seconds, whole where it is."""
    return int(value) if value == int(value) else value
