"""Shapes of the jobs' answers, for the served OpenAPI description, and the answers."""

from __future__ import annotations

import time
from typing import Any, Final

from pydantic import Field

from gigastt_lab.formats import Format
from gigastt_lab.server import schemas
from gigastt_lab.server.errors import (
    BAD_REQUEST,
    JOB_CANCELLED,
    JOB_FAILED,
    JOB_NOT_FINISHED,
    JOB_NOT_FOUND,
    JOBS_DISABLED,
    PAYLOAD_TOO_LARGE,
    POOL_CLOSED,
    QUEUE_FULL,
    REQUEST_TIMEOUT,
    STORAGE_FULL,
    UPLOADS_SATURATED,
)
from gigastt_lab.server.jobs.queue import JobQueue
from gigastt_lab.server.jobs.records import JobRecord, Status
from gigastt_lab.server.schemas import Responses, Shape, errors_of


class JobShape(Shape):
    """A job, as it is now. Times are seconds since 1970."""

    job_id: str
    status: Status
    format: Format = Field(description="Of the result, where none is asked for.")
    created_at: float
    started_at: float | None = Field(description="When it was begun last.")
    finished_at: float | None
    expires_at: float | None = Field(description="When a job that has ended is deleted.")
    queue_position: int | None = Field(description="From 1, the next one; null unless it waits.")
    attempts: int = Field(description="How often it was begun.")
    processed_seconds: float = Field(description="Seconds of audio that are recognised.")
    duration_seconds: float | None = Field(description="Seconds of audio in all; null where not known.")
    percent: int = Field(description="Of the audio; 0 while its length is not known.")
    code: str | None = Field(None, description="Of a job that failed: the error, for machines.")
    message: str | None = Field(None, description="Of a job that failed: the error, for people.")
    error: str | None = Field(None, description="The message once more.")


class JobListShape(Shape):
    """Jobs, the newest first."""

    jobs: list[JobShape]
    next_cursor: str | None = Field(description="For the next page; null on the last.")
    counts: dict[Status, int] = Field(description="Numbers of all jobs, by status.")


_REACH: Final = (JOBS_DISABLED, POOL_CLOSED)
NOT_FOUND: Final[Responses] = schemas.GUARDED | errors_of(JOB_NOT_FOUND) | errors_of(*_REACH)
REMOVED: Final[Responses] = NOT_FOUND | errors_of(STORAGE_FULL)
LISTED: Final[Responses] = schemas.GUARDED | errors_of(BAD_REQUEST) | errors_of(*_REACH)
RESULT: Final[Responses] = NOT_FOUND | errors_of(BAD_REQUEST, JOB_NOT_FINISHED, JOB_FAILED, JOB_CANCELLED)
SUBMITTED: Final[Responses] = {
    **schemas.GUARDED,
    **errors_of(BAD_REQUEST, REQUEST_TIMEOUT, PAYLOAD_TOO_LARGE, STORAGE_FULL),
    **errors_of(*_REACH, UPLOADS_SATURATED),
    429: {
        "model": schemas.ErrorShape,
        "description": f"{schemas.GUARDED[429]['description']}; `{QUEUE_FULL.code}`: {QUEUE_FULL.message}",
    },
}


def job(queue: JobQueue, record: JobRecord) -> dict[str, Any]:
    """The JSON object of a job."""
    running = queue.running.get(record.id) if record.status == "processing" else None
    processed_s = record.processed_s if running is None else running.processed_s
    duration_s = record.duration_s if running is None else running.duration_s
    left_s = queue.left_s(record)
    told: dict[str, Any] = {
        "job_id": record.id,
        "status": record.status,
        "format": record.format,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "expires_at": None if left_s is None else time.time() + left_s,
        "queue_position": record.position,
        "attempts": record.attempts,
        "processed_seconds": round(processed_s, 3),
        "duration_seconds": None if duration_s is None else round(duration_s, 3),
        "percent": percent(record.status, processed_s, duration_s),
    }
    if record.code is not None:
        told |= {"code": record.code, "message": record.message, "error": record.message}
    return told


def percent(status: Status, processed_s: float, duration_s: float | None) -> int:
    """Whole percents of the audio that are recognised.

    >>> percent("processing", 10.0, 40.0), percent("processing", 10.0, None), percent("done", 0.0, 0.0)
    (25, 0, 100)
    """
    if status == "done":
        return 100
    return min(99, int(100 * processed_s / duration_s)) if duration_s else 0
