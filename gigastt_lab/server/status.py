"""Status routes: health, readiness, the model, metrics."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from gigastt_lab.audio.containers.kinds import CONTAINERS
from gigastt_lab.errors import ModelError
from gigastt_lab.models.registry import canonical_name
from gigastt_lab.server import schemas
from gigastt_lab.server.errors import METRICS_DISABLED, MODEL_NOT_FOUND, ApiError
from gigastt_lab.server.messages import SUPPORTED_RATES
from gigastt_lab.server.metrics import CONTENT_TYPE
from gigastt_lab.server.state import VERSION, ServerState
from gigastt_lab.spec import GIGAAM_V3

_GIGASTTS: Final = ("wav", "mp3", "m4a", "ogg", "flac", "webm", "aac")
_CALLED: Final = {"mp4": "m4a", "asf": "wma"}  # by gigastt, and by people
_FORMATS: Final = list(dict.fromkeys((*_GIGASTTS, *(_CALLED.get(name, name) for name in CONTAINERS))))


def router(state: ServerState) -> APIRouter:
    """The routes of one server."""
    routes = APIRouter()
    server = f"gigastt_lab {version('gigastt-lab')}"  # read from a file, so not for every probe
    started = int(time.time())

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
            "pool_available": 0 if reason else state.n_free,
            "pool_total": state.pool.size,
        }
        return JSONResponse(content | ({"reason": reason} if reason else {}), 503 if reason else 200)

    @routes.get("/v1/models", response_model=schemas.ModelShape, responses=schemas.GUARDED)
    async def models() -> JSONResponse:
        """The model, and what the server can do with it; also a list of models, for OpenAI's clients."""
        listed = {"object": "list", "data": [_for_openai(state, started)]}
        return JSONResponse(_model(state) | listed)

    @routes.get(
        "/v1/models/{model:path}", response_model=schemas.OpenAIModelShape, responses=schemas.OPENAI_MODEL
    )
    async def model(model: str) -> JSONResponse:
        """The model by its name, as OpenAI's clients read it."""
        known = _for_openai(state, started)
        if known["id"] not in {model, _canonical(model)}:
            raise ApiError(
                MODEL_NOT_FOUND,
                f"There is no model {model[:80]!r}; this server has {known['id']}.",
                param="model",
            )
        return JSONResponse(known)

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
    return None if state.n_free else "pool_exhausted"


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
        "supported_formats": _FORMATS,
        "supported_rates": list(SUPPORTED_RATES),
        "diarization": False,
    }


def _for_openai(state: ServerState, started: int) -> dict[str, Any]:
    return {"id": _name(state), "object": "model", "created": started, "owned_by": "gigastt_lab"}


def _name(state: ServerState) -> str:
    """Name of the model, also before it is loaded."""
    return _canonical(state.config.model) if state.is_loading else state.engine.info.model


def _canonical(model: str) -> str:
    """The name that a model is known by; of none, what was given."""
    try:
        return canonical_name(model)
    except ModelError:  # of the configured one: the process ends soon
        return model
