"""Status routes: health, readiness, the model, metrics."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from gigastt_lab.errors import ModelError
from gigastt_lab.models.registry import canonical_name
from gigastt_lab.server import schemas
from gigastt_lab.server.errors import METRICS_DISABLED, ApiError
from gigastt_lab.server.messages import SUPPORTED_RATES
from gigastt_lab.server.metrics import CONTENT_TYPE
from gigastt_lab.server.state import VERSION, ServerState
from gigastt_lab.spec import GIGAAM_V3

_CONTAINERS: Final = ("wav", "mp3", "m4a", "ogg", "flac", "webm", "aac")


def router(state: ServerState) -> APIRouter:
    """The routes of one server."""
    routes = APIRouter()
    server = f"gigastt_lab {version('gigastt-lab')}"  # read from a file, so not for every probe

    @routes.get("/health", response_model=schemas.HealthShape)
    async def health() -> JSONResponse:
        """Whether the process runs. Always 200."""
        return JSONResponse(
            {
                "status": "ok",
                "model": _name(state),
                "version": VERSION,
                "server": server,
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
    """Name of the model, also before it is loaded."""
    if not state.is_loading:
        return state.engine.info.model
    try:
        return canonical_name(state.config.model)
    except ModelError:  # the process ends soon
        return state.config.model
