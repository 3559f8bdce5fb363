"""The shapes of requests and answers, for the served OpenAPI description."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gigastt_lab.server.errors import (
    BAD_REQUEST,
    HOST_DENIED,
    INFERENCE_ERROR,
    METRICS_DISABLED,
    ORIGIN_DENIED,
    PAYLOAD_TOO_LARGE,
    POOL_SATURATED,
    RATE_LIMIT_EXCEEDED,
    REQUEST_TIMEOUT,
    Kind,
)


class Shape(BaseModel):
    """A JSON object; it may have further fields one day."""

    model_config = ConfigDict(extra="allow")


class ErrorShape(Shape):
    """Every error of every route."""

    code: str = Field(description="For machines.")
    message: str = Field(description="For people.")
    error: str = Field(description="The message once more, for older clients.")
    retry_after_ms: int | None = Field(None, description="When another try may help.")


class HealthShape(Shape):
    """The process runs."""

    status: Literal["ok"]
    model: str
    version: str
    server: str


class ReadinessShape(Shape):
    """Whether a request would be worked on at once."""

    status: Literal["ready", "not_ready"]
    pool_available: int
    pool_total: int
    reason: Literal["loading", "pool_exhausted", "shutting_down"] | None = None


class ModelShape(Shape):
    """The model, and what the server can do with it."""

    id: str
    name: str
    version: str
    encoder: Literal["fp32", "int8", "loading"]
    provider: str
    vocab_size: int
    sample_rate: int
    pool_size: int
    pool_available: int
    supported_formats: list[str]
    supported_rates: list[int]
    diarization: bool


class WordShape(Shape):
    """A word with its punctuation; times in seconds from the start of the audio."""

    word: str
    start: float
    end: float
    confidence: float


class TranscriptShape(Shape):
    """What was said."""

    text: str
    words: list[WordShape]
    duration: float = Field(description="Seconds of audio.")


Responses = dict[int | str, dict[str, Any]]
Schema = dict[str, Any]

_GUARDS: Final = (ORIGIN_DENIED, HOST_DENIED, RATE_LIMIT_EXCEEDED)
_WORK: Final = (BAD_REQUEST, REQUEST_TIMEOUT, PAYLOAD_TOO_LARGE, INFERENCE_ERROR, POOL_SATURATED)

BINARY: Final[Schema] = {"type": "string", "format": "binary"}
FILE_FORM: Final[Schema] = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": BINARY},
}
AUDIO_BODY: Final[Schema] = {
    "requestBody": {
        "required": True,
        "description": "An audio file: WAV, FLAC, MP3, Ogg, M4A, WebM or AAC, told from its bytes.",
        "content": {
            "application/octet-stream": {"schema": BINARY},
            "multipart/form-data": {"schema": FILE_FORM},
        },
    }
}


def errors_of(*kinds: Kind) -> Responses:
    """Error answers of a route, besides its result."""
    by_status: dict[int | str, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "model": ErrorShape,
            "description": "; ".join(f"`{kind.code}`: {kind.message}" for kind in same),
        }
        for status, same in by_status.items()
    }


GUARDED: Final = errors_of(*_GUARDS)
WORKING: Final = errors_of(*_GUARDS, *_WORK)
METRICS: Final = errors_of(*_GUARDS[:2], METRICS_DISABLED)
