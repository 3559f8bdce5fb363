"""The routes for files, and those that say how the server is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from importlib.metadata import version
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from gigastt_lab.errors import ModelError
from gigastt_lab.formats import Format, as_json_object, render
from gigastt_lab.models import canonical_name
from gigastt_lab.server import schemas
from gigastt_lab.server.errors import METRICS_DISABLED, UPGRADE_REQUIRED, ApiError
from gigastt_lab.server.messages import SUPPORTED_RATES
from gigastt_lab.server.metrics import CONTENT_TYPE
from gigastt_lab.server.state import VERSION, ServerState
from gigastt_lab.server.uploads import received
from gigastt_lab.server.work import while_connected
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Part, Transcript

logger = logging.getLogger(__name__)

MEDIA_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}
_CONTAINERS: Final = ("wav", "mp3", "m4a", "ogg", "flac", "webm", "aac")


def router(state: ServerState) -> APIRouter:
    """The routes of one server."""
    routes = APIRouter()

    @routes.get("/health", response_model=schemas.HealthShape)
    async def health() -> JSONResponse:
        """Whether the process runs. Always 200."""
        return JSONResponse(
            {
                "status": "ok",
                "model": _name(state),
                "version": VERSION,
                "server": f"gigastt_lab {version('gigastt-lab')}",
            }
        )

    @routes.get(
        "/ready",
        response_model=schemas.ReadinessShape,
        responses={503: {"model": schemas.ReadinessShape, "description": "Not now: `reason` says why."}},
    )
    async def ready() -> JSONResponse:
        """Whether a request would be worked on at once."""
        reason = _not_ready_because(state)
        content: dict[str, Any] = {
            "status": "not_ready" if reason else "ready",
            "pool_available": 0 if reason else state.pool.available,
            "pool_total": state.pool.size,
        }
        return JSONResponse(content | ({"reason": reason} if reason else {}), 503 if reason else 200)

    @routes.get("/v1/models", response_model=schemas.ModelShape, responses=schemas.GUARDED)
    async def models() -> JSONResponse:
        """The model, and what the server can do with it."""
        return JSONResponse(_model(state))

    @routes.post(
        "/v1/transcribe",
        response_model=schemas.TranscriptShape,
        responses=schemas.WORKING | _with_other_formats(),
        openapi_extra=schemas.AUDIO_BODY,
    )
    async def transcribe(
        request: Request,
        name: Annotated[Format, Query(alias="format", description="Of the answer.")] = "json",
    ) -> Response:
        """Audio to text: the whole answer at once."""
        config = state.config
        async with received(
            request, limit_bytes=config.body_limit_bytes, timeout_s=config.idle_timeout_secs
        ) as upload:
            transcript, timing = await transcribed(state, request, upload.file)
        if name == "json":
            content = json.dumps(as_json_object(transcript), ensure_ascii=False)
        else:
            content = render(transcript, name)
        return Response(content, media_type=MEDIA_TYPES[name], headers=timing)

    @routes.get("/v1/ws", include_in_schema=False)  # `docs/asyncapi.yaml` describes it
    async def websocket_only() -> Response:
        """Live streams, by WebSocket: see the AsyncAPI description."""
        raise ApiError(UPGRADE_REQUIRED, headers={"Upgrade": "websocket", "Connection": "Upgrade"})

    @routes.get(
        "/metrics",
        responses=schemas.METRICS | {200: {"content": {"text/plain": {}}, "description": "Counters."}},
        response_class=Response,
    )
    async def metrics() -> Response:
        """Counters for Prometheus, where the server was started with --metrics."""
        if not state.config.metrics:
            raise ApiError(METRICS_DISABLED)
        return Response(state.metrics.text(), media_type=CONTENT_TYPE)

    return routes


async def transcribed(
    state: ServerState, request: Request, file: BinaryIO
) -> tuple[Transcript, dict[str, str]]:
    """The text of an uploaded file, and a header that says how long it waited and was worked on.

    Raises:
        ApiError: no permit, or it took too long.
        AudioError: it is no audio, or too much of it.
        ClientGoneError: the client hung up; the work has stopped.
    """
    async with while_connected(request.receive):
        job = await state.job()
        try:
            parts: Iterator[Part] = await job.step(
                lambda: state.engine.transcribe_parts(file, max_duration_s=state.config.max_audio_secs)
            )
            found: list[Part] = []
            while (part := await job.step(lambda: next(parts, None))) is not None:
                found.append(part)
        finally:
            job.close()
    transcript = Transcript.of_parts(found)
    state.metrics.inference_s.observe(job.work_s)
    state.metrics.worked(transcript.duration_s, job.work_s)
    logger.info(
        "transcribed %.1f s of audio in %.3f s, after %.3f s in the queue",
        transcript.duration_s, job.work_s, job.queue_s,
    )  # fmt: skip
    logger.debug("text: %s", transcript.text)
    return transcript, {
        "Server-Timing": f"queue;dur={1000 * job.queue_s:.1f}, work;dur={1000 * job.work_s:.1f}"
    }


def _not_ready_because(state: ServerState) -> str | None:
    if state.is_stopping.is_set():
        return "shutting_down"
    if state.is_loading:
        return "loading"
    return None if state.pool.available else "pool_exhausted"


def _model(state: ServerState) -> dict[str, Any]:
    info = None if state.is_loading else state.engine.info
    name = _name(state)
    return {
        "id": name,
        "name": "GigaAM v3 RNN-T" if name.startswith("gigaam-v3") else name,
        "version": VERSION,
        "encoder": "loading" if info is None else info.precision,
        "provider": "loading" if info is None else info.provider,
        "vocab_size": 0 if info is None else info.vocab_size,
        "sample_rate": GIGAAM_V3.sample_rate,
        "pool_size": state.pool.size,
        "pool_available": state.pool.available,
        "supported_formats": list(_CONTAINERS),
        "supported_rates": list(SUPPORTED_RATES),
        "diarization": False,
    }


def _name(state: ServerState) -> str:
    """Of the model, also before it is loaded."""
    if not state.is_loading:
        return state.engine.info.model
    try:
        return canonical_name(state.config.model)
    except ModelError:  # the process ends soon
        return state.config.model


def _with_other_formats() -> schemas.Responses:
    text = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}
    del text["application/json"]  # described by the model
    return {200: {"content": text, "description": "What was said."}}
