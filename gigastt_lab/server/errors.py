"""Errors in the shape that clients see: one table of kinds, and which exception becomes which.

Clients get a code and a sentence of this page, or the sentence of an `AudioError`, which speaks of their own
bytes only. The cause goes to the log.
"""

from __future__ import annotations

import errno
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
UNAUTHORIZED: Final = Kind(
    "unauthorized", 401, "This server asks for an API key; send it in the header `Authorization: Bearer KEY`."
)
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
MODEL_NOT_FOUND: Final = Kind("model_not_found", 404, "There is no such model.")
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
CONNECTIONS_SATURATED: Final = Kind(
    "connections_saturated", 503, "The server has as many connections as it takes; try again later."
)
UPLOADS_SATURATED: Final = Kind(
    "uploads_saturated", 503, "The server holds as many uploads as it takes; try again later."
)
POOL_CLOSED: Final = Kind("pool_closed", 503, "The server is shutting down", 1001)
JOBS_DISABLED: Final = Kind(
    "jobs_disabled", 503, "Jobs are off; the server's operator can turn them on with --jobs-dir."
)
JOB_NOT_FOUND: Final = Kind(
    "job_not_found", 404, "There is no such job; perhaps it was deleted, or swept after its time."
)
JOB_NOT_FINISHED: Final = Kind("job_not_finished", 409, "The job is not done yet; ask for its status.")
JOB_FAILED: Final = Kind("job_failed", 409, "The job failed, and has no result; its status says why.")
JOB_CANCELLED: Final = Kind("job_cancelled", 409, "The job was cancelled, and has no result.")
QUEUE_FULL: Final = Kind("queue_full", 429, "As many jobs are waiting as may; come again later.")
STORAGE_FULL: Final = Kind(
    "storage_full", 507, "The space for jobs is used up; delete finished ones, or come again later."
)
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Of a job's status alone.
JOB_CRASHED: Final = Kind(
    "job_crashed", 500, "The server ended abruptly, twice, while it worked on this recording."
)
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
AUDIO_REFUSED: Final = Kind("bad_request", 0, "This audio cannot be heard as a stream.", 1003)
TOO_MANY_EMPTY_FRAMES: Final = Kind("bad_request", 0, "Too many empty frames.", 1008)

_RETRY_LATER: Final = frozenset(
    {POOL_SATURATED, RATE_LIMIT_EXCEEDED, CONNECTIONS_SATURATED, UPLOADS_SATURATED, QUEUE_FULL, STORAGE_FULL}
)
# OpenAI's clients try twice more after any 5xx, unless they are told not to; this would take as long again.
_NEVER_AGAIN: Final = frozenset({INFERENCE_TIMEOUT, INFERENCE_ERROR})


@dataclass(eq=False)
class ApiError(Exception):
    """An error on its way to a client.

    Attributes:
        kind: Kind of the error.
        message: Message instead of the kind's own; never of what only the operator may know.
        retry_after_s: Seconds after which another try may help, where one may.
        headers: Further headers of the answer.
        param: Field or parameter of the request that is wrong; OpenAI's clients are told of it.
    """

    kind: Kind
    message: str = ""
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    param: str | None = None

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
        if self.kind in _NEVER_AGAIN:
            needed["X-Should-Retry"] = "false"
        return needed


def api_error(error: Exception) -> ApiError:
    """Error that a client is told of, for any exception."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, AudioError):
        return ApiError(BAD_REQUEST, str(error), param="file")
    if isinstance(error, OSError) and error.errno in DISK_FULL:  # where uploads wait
        return ApiError(STORAGE_FULL, "The server's disk is full; try again later.", retry_after_s=60.0)
    return ApiError(INFERENCE_ERROR if isinstance(error, GigasttError) else INTERNAL_ERROR)
