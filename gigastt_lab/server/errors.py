"""Errors in the shape that clients see: one table of kinds, and which exception becomes which.

Clients get a code and a sentence of this page, or the sentence of an `AudioError`, which speaks of their own
bytes only. The cause goes to the log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gigastt_lab.errors import AudioError, GigasttError


@dataclass(frozen=True)
class Kind:
    """One kind of error.

    Attributes:
        code: Name for machines.
        status: HTTP status.
        message: A sentence for people.
        close: Code with which a WebSocket is closed after it; None: it stays open.
    """

    code: str
    status: int
    message: str
    close: int | None = None


BAD_REQUEST: Final = Kind("bad_request", 400, "The request is malformed.")
ORIGIN_DENIED: Final = Kind(
    "origin_denied",
    403,
    "This web origin may not call the server; its operator can name it with --allow-origin.",
)
HOST_DENIED: Final = Kind(
    "host_denied",
    403,
    "The Host header names another host; the server's operator can name it with --allow-host.",
)
NOT_FOUND: Final = Kind("not_found", 404, "There is no such route.")
METRICS_DISABLED: Final = Kind("metrics_disabled", 404, "Metrics are served only with --metrics.")
METHOD_NOT_ALLOWED: Final = Kind("method_not_allowed", 405, "This route does not take that method.")
REQUEST_TIMEOUT: Final = Kind("request_timeout", 408, "The body stopped coming; send it again.")
PAYLOAD_TOO_LARGE: Final = Kind("payload_too_large", 413, "The body is larger than the server takes.", 1009)
UPGRADE_REQUIRED: Final = Kind("upgrade_required", 426, "This route speaks WebSocket only.")
HEAD_TOO_LARGE: Final = Kind("head_too_large", 431, "The head of the request is larger than 64 KiB.")
RATE_LIMIT_EXCEEDED: Final = Kind("rate_limit_exceeded", 429, "Too many requests; wait and try again.")
INTERNAL_ERROR: Final = Kind("internal_error", 500, "The server failed; the cause is in its log.", 1011)
INFERENCE_ERROR: Final = Kind(
    "inference_error", 500, "The recognition failed; the cause is in the log.", 1011
)
INFERENCE_TIMEOUT: Final = Kind(
    "inference_timeout", 503, "The recognition took longer than it may; send shorter audio.", 1011
)
POOL_SATURATED: Final = Kind("pool_saturated", 503, "All inference sessions are busy", 1013)
POOL_CLOSED: Final = Kind("pool_closed", 503, "The server is shutting down", 1001)
# Of the WebSocket alone: there is no status.
CONFIGURE_TOO_LATE: Final = Kind("configure_too_late", 0, "Configure has to come before the first audio.")
INVALID_SAMPLE_RATE: Final = Kind("invalid_sample_rate", 0, "This sample rate is not supported.")
UNSUPPORTED_PROTOCOL_VERSION: Final = Kind(
    "unsupported_protocol_version", 0, "This version of the protocol is not supported.", 1002
)
IDLE_TIMEOUT: Final = Kind("idle_timeout", 0, "Nothing was received for too long.", 1008)
MAX_SESSION: Final = Kind(
    "max_session_duration_exceeded", 0, "The session has lasted as long as it may.", 1008
)
TOO_MANY_EMPTY_FRAMES: Final = Kind("bad_request", 0, "Too many empty frames.", 1008)

_RETRY_LATER: Final = frozenset({POOL_SATURATED, RATE_LIMIT_EXCEEDED})


@dataclass(eq=False)
class ApiError(Exception):
    """An error on its way to a client.

    Attributes:
        kind: Kind of the error.
        message: Message instead of the kind's own; never of what only the operator may know.
        retry_after_s: Seconds after which another try may help, where one may.
        headers: Further headers of the answer.
    """

    kind: Kind
    message: str = ""
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.kind.code)
        self.message = self.message or self.kind.message

    @property
    def content(self) -> dict[str, Any]:
        """The body of the answer; with "type", the message of a WebSocket."""
        told: dict[str, Any] = {"code": self.kind.code, "message": self.message, "error": self.message}
        if self.retry_after_s is not None and self.kind in _RETRY_LATER:
            told["retry_after_ms"] = round(1000 * self.retry_after_s)
        return told

    @property
    def all_headers(self) -> dict[str, str]:
        """`headers`, with what the error itself needs."""
        needed = dict(self.headers)
        if self.retry_after_s is not None and self.kind in _RETRY_LATER:
            needed["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        return needed


def api_error(error: Exception) -> ApiError:
    """Error that a client is told of, for any exception."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, AudioError):
        return ApiError(BAD_REQUEST, str(error))
    return ApiError(INFERENCE_ERROR if isinstance(error, GigasttError) else INTERNAL_ERROR)
