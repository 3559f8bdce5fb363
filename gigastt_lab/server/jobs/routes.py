"""`/v1/jobs`: recordings that are worked on in the background, their progress and their results."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from gigastt_lab.formats import Format, as_json_object, render
from gigastt_lab.server import schemas
from gigastt_lab.server.errors import (
    JOB_CANCELLED,
    JOB_FAILED,
    JOB_NOT_FINISHED,
    JOB_NOT_FOUND,
    JOBS_DISABLED,
    POOL_CLOSED,
    ApiError,
)
from gigastt_lab.server.jobs import shapes
from gigastt_lab.server.jobs.events import JobEvents
from gigastt_lab.server.jobs.queue import JobQueue
from gigastt_lab.server.jobs.records import STATUSES, JobRecord, Status, restored
from gigastt_lab.server.rest import MEDIA_TYPES, Strict, Track, warning_header
from gigastt_lab.server.state import ServerState

_MAX_PAGE: Final = 1000
_CURSOR: Final = "^[0-9]{1,18}$"

_Id = Annotated[str, Path(description="Of the job.")]
_TEXTS: Final = {
    kind.partition(";")[0]: {"schema": {"type": "string"}}
    for name, kind in MEDIA_TYPES.items()
    if name != "json"  # described by the model
}


def router(state: ServerState) -> APIRouter:
    """The routes of one server."""
    routes = APIRouter()

    def queue() -> JobQueue:
        if state.jobs is None:
            raise ApiError(JOBS_DISABLED)
        return state.jobs

    @routes.post(
        "/v1/jobs",
        status_code=202,
        response_model=shapes.JobShape,
        responses=shapes.SUBMITTED,
        openapi_extra=schemas.AUDIO_BODY,
    )
    async def submit(
        request: Request,
        name: Annotated[Format, Query(alias="format", description="Of the result.")] = "json",
        strict: Strict = False,
        track: Track = None,
    ) -> JSONResponse:
        """Audio to text in the background: answered as soon as the audio is on the server's disk."""
        jobs = queue()
        if state.is_stopping.is_set():
            raise ApiError(POOL_CLOSED)
        record = await jobs.submit(request, wanted=name, options={"strict": strict, "track": track})
        return JSONResponse(shapes.job(jobs, record), 202, {"Location": f"/v1/jobs/{record.id}"})

    @routes.get("/v1/jobs", response_model=shapes.JobListShape, responses=shapes.LISTED)
    async def listed(
        status: Annotated[Status | None, Query(description="Of the jobs; none: all.")] = None,
        limit: Annotated[int, Query(ge=1, le=_MAX_PAGE, description="Jobs of a page.")] = 100,
        cursor: Annotated[
            str | None, Query(pattern=_CURSOR, description="`next_cursor` of the page before.")
        ] = None,
    ) -> JSONResponse:
        """All jobs, the newest first, a page at a time."""
        jobs = queue()
        before = None if cursor is None else int(cursor)
        records = await jobs.do(lambda store: store.page(status, before, limit + 1))
        more = len(records) > limit
        return JSONResponse(
            {
                "jobs": [shapes.job(jobs, record) for record in records[:limit]],
                "next_cursor": str(records[limit - 1].seq) if more else None,
                "counts": {each: jobs.n_of(each) for each in STATUSES},
            }
        )

    @routes.get("/v1/jobs/{job_id}", response_model=shapes.JobShape, responses=shapes.NOT_FOUND)
    async def status(job_id: _Id) -> JSONResponse:
        """A job: where it stands, and how far it is."""
        jobs = queue()
        return JSONResponse(shapes.job(jobs, await jobs.get(job_id)))

    @routes.get(
        "/v1/jobs/{job_id}/result",
        response_model=schemas.TranscriptShape,
        responses=shapes.RESULT | {200: {"content": _TEXTS, "description": "What was said."}},
    )
    async def result(
        job_id: _Id,
        name: Annotated[
            Format | None, Query(alias="format", description="Of the answer; none: as the job was given.")
        ] = None,
    ) -> Response:
        """Text of a job that is done: in any format, as often as it is asked for."""
        jobs = queue()
        record = await jobs.get(job_id)
        _check_done(record)
        text = await jobs.do(lambda store: store.result(record))
        if text is None:  # deleted in this moment
            raise ApiError(JOB_NOT_FOUND)
        wanted = name or record.format
        content, headers = await asyncio.to_thread(_rendered, text, wanted)
        return Response(content, media_type=MEDIA_TYPES[wanted], headers=headers)

    @routes.delete("/v1/jobs/{job_id}", status_code=204, responses=shapes.REMOVED, response_class=Response)
    async def remove(job_id: _Id) -> Response:
        """Cancel a job that waits or is worked on; delete one that has ended, with its result."""
        jobs = queue()
        await jobs.remove(await jobs.get(job_id))
        return Response(status_code=204)

    @routes.get(
        "/v1/jobs/{job_id}/events",
        response_class=Response,
        responses=shapes.NOT_FOUND | {200: {"content": {schemas.EVENTS: {}}, "description": "Events."}},
    )
    async def events(job_id: _Id) -> Response:
        """A job's progress as it comes: events whose data is a `progress`, at last how it ended."""
        jobs = queue()
        await jobs.get(job_id)
        return JobEvents(jobs, job_id, state.is_stopping, state.config.idle_timeout_secs)

    return routes


def _check_done(record: JobRecord) -> None:
    """Raise the error that says why there is no result."""
    if record.status == "failed":
        raise ApiError(JOB_FAILED, f"The job failed, and has no result: {record.message}")
    if record.status == "cancelled":
        raise ApiError(JOB_CANCELLED)
    if record.status != "done":
        raise ApiError(JOB_NOT_FINISHED)


def _rendered(text: str, name: Format) -> tuple[str, dict[str, str]]:
    """The contents of an answer, and its headers."""
    transcript = restored(text)
    if name == "json":
        content = json.dumps(as_json_object(transcript), ensure_ascii=False)
    else:
        content = render(transcript, name)
    return content, warning_header(transcript.warnings)
