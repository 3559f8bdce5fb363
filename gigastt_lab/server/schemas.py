"""The shapes of requests and answers, for the served OpenAPI description."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gigastt_lab.audio.containers.kinds import CONTAINERS
from gigastt_lab.server.errors import (
    BAD_REQUEST,
    HOST_DENIED,
    INFERENCE_ERROR,
    METRICS_DISABLED,
    MODEL_NOT_FOUND,
    ORIGIN_DENIED,
    PAYLOAD_TOO_LARGE,
    POOL_SATURATED,
    RATE_LIMIT_EXCEEDED,
    REQUEST_TIMEOUT,
    STORAGE_FULL,
    UNAUTHORIZED,
    UPLOADS_SATURATED,
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


class OpenAIErrorDetail(Shape):
    """What OpenAI's clients read of an error."""

    message: str
    type: Literal[
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "rate_limit_error",
        "server_error",
    ]
    param: str | None = Field(description="The field that is wrong.")
    code: str


class OpenAIErrorShape(Shape):
    """Every error of OpenAI's routes."""

    error: OpenAIErrorDetail
    code: str = Field(description="For machines.")
    message: str = Field(description="For people.")
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


class OpenAIModelShape(Shape):
    """The model, as OpenAI's clients read it."""

    id: str
    object: Literal["model"]
    created: int = Field(description="When the server started, in seconds since 1970.")
    owned_by: str


class ModelShape(Shape):
    """The model, and what the server can do with it; also a list of models, for OpenAI's clients."""

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
    object: Literal["list"]
    data: list[OpenAIModelShape]


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

_GUARDS: Final = (ORIGIN_DENIED, HOST_DENIED, UNAUTHORIZED, RATE_LIMIT_EXCEEDED)
_WORK: Final = (
    BAD_REQUEST,
    REQUEST_TIMEOUT,
    PAYLOAD_TOO_LARGE,
    INFERENCE_ERROR,
    POOL_SATURATED,
    UPLOADS_SATURATED,
    STORAGE_FULL,
)

EVENTS: Final = "text/event-stream"

BINARY: Final[Schema] = {"type": "string", "format": "binary"}
FILE_FORM: Final[Schema] = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": BINARY},
}
AUDIO_BODY: Final[Schema] = {
    "requestBody": {
        "required": True,
        "description": f"An audio file, told from its bytes: {', '.join(CONTAINERS.values())}.",
        "content": {
            "application/octet-stream": {"schema": BINARY},
            "multipart/form-data": {"schema": FILE_FORM},
        },
    }
}


def errors_of(*kinds: Kind, shape: type[Shape] = ErrorShape) -> Responses:
    """Error answers of a route, besides its result."""
    by_status: dict[int | str, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "model": shape,
            "description": "; ".join(f"`{kind.code}`: {kind.message}" for kind in same),
        }
        for status, same in by_status.items()
    }


GUARDED: Final = errors_of(*_GUARDS)
WORKING: Final = errors_of(*_GUARDS, *_WORK)
OPENAI_WORKING: Final = errors_of(*_GUARDS, *_WORK, shape=OpenAIErrorShape)
OPENAI_MODEL: Final = errors_of(*_GUARDS, MODEL_NOT_FOUND, shape=OpenAIErrorShape)
METRICS: Final = errors_of(*_GUARDS[:3], METRICS_DISABLED)
