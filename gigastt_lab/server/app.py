"""The ASGI application: routes, error handlers and middleware."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from gigastt_lab.errors import GigasttError
from gigastt_lab.server import page, rest, sse, status, websocket
from gigastt_lab.server.errors import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    ApiError,
    api_error,
)
from gigastt_lab.server.jobs import routes as jobs
from gigastt_lab.server.middleware import Frontier
from gigastt_lab.server.openai import errors as openai_errors
from gigastt_lab.server.openai import route as openai
from gigastt_lab.server.state import VERSION, ServerState

logger = logging.getLogger(__name__)

_OF_STATUS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}


def create_app(state: ServerState) -> FastAPI:
    """The ASGI application of one server."""
    app = FastAPI(
        title="gigastt",
        version=VERSION,
        description="Russian speech recognition, by the API of gigastt. Live streams: WebSocket at /v1/ws.",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # to an address made of the Host header
    )
    routes: list[BaseRoute] = []
    for module in (page, status, rest, sse, openai, jobs, websocket):
        router = module.router(state)
        app.include_router(router)
        routes += router.routes
    app.state.routes = routes
    app.add_exception_handler(ApiError, _answer)
    app.add_exception_handler(GigasttError, _answer)
    app.add_exception_handler(HTTPException, _answer_status)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_middleware(Frontier, state=state)
    return app


async def _answer(request: Request, error: Exception) -> Response:
    told = api_error(error)
    if told.kind.status == 500:
        raise error  # the frontier logs the cause, and answers
    logger.info("%s: %s", told.kind.code, told.message)
    content = openai_errors.content_for(request.scope, told)
    return JSONResponse(content, told.kind.status, told.all_headers)


async def _answer_status(request: Request, error: Exception) -> Response:
    """Answer to what the framework itself refuses."""
    assert isinstance(error, HTTPException)
    fallback = BAD_REQUEST if error.status_code < 500 else INTERNAL_ERROR
    kind = _OF_STATUS.get(error.status_code, fallback)
    message = openai_errors.missing_route(request.scope) if kind is NOT_FOUND else ""
    headers = dict(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request)
    return await _answer(request, ApiError(kind, message, headers=headers))


def _allowed(request: Request) -> str:
    """Methods of all routes with this path; the framework names those of the first."""
    routes: list[BaseRoute] = request.app.state.routes
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in matching for method in getattr(route, "methods", ())}))


async def _answer_validation(request: Request, error: Exception) -> Response:
    """Answer to a parameter that cannot be: which one, and what it may be."""
    assert isinstance(error, RequestValidationError)
    details: list[dict[str, Any]] = list(error.errors())
    told = "; ".join(f"{detail['loc'][-1]}: {detail['msg']}" for detail in details)
    return await _answer(request, ApiError(BAD_REQUEST, f"{told}."))
