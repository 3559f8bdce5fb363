"""Middleware around all routes: request id, who may call and how much, error shape, metrics, log."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gigastt_lab.server.cors import cors_headers, is_preflight
from gigastt_lab.server.errors import (
    CONNECTIONS_SATURATED,
    HOST_DENIED,
    NOT_FOUND,
    ORIGIN_DENIED,
    POOL_CLOSED,
    RATE_LIMIT_EXCEEDED,
    UNAUTHORIZED,
    ApiError,
    api_error,
)
from gigastt_lab.server.keys import BEARER, bearer_token
from gigastt_lab.server.logs import id_of, request_id
from gigastt_lab.server.openai.errors import content_for
from gigastt_lab.server.rate_limit import client_address
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.work import ClientGoneError

logger = logging.getLogger(__name__)

_PROBES: Final = frozenset({"/health", "/ready"})  # orchestrators ask from anywhere, and learn nothing
_WEBSOCKET: Final = "/v1/ws"
_LIMITED: Final = "/v1/"
# What a key is typed into, and what describes how to send one; neither tells anything of this server's users.
_WITHOUT_KEY: Final = _PROBES | {"/", "/openapi.json"}
_READ_AWAY_S: Final = 10.0
_NO_CONNECTION_S: Final = 5.0  # after which another try may find one


class Frontier:
    """The one middleware: everything that comes in or goes out passes here."""

    def __init__(self, app: ASGIApp, state: ServerState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = request_id.set(id_of(headers.get("x-request-id")))
        exchange = _Exchange(scope, receive, send, self._headers_for(headers))
        try:
            await self._pass(scope, headers, exchange)
        except ClientGoneError:
            logger.info("%s %s: the client went away", exchange.method, exchange.path)
        except asyncio.CancelledError:
            if not self._state.is_stopping.is_set():
                raise
            if not exchange.has_started:  # broken off after the drain
                await exchange.answer(ApiError(POOL_CLOSED))
        except Exception as error:  # whatever it was, the client gets an answer, the log the cause
            logger.exception("%s %s failed", exchange.method, exchange.path)
            if not exchange.has_started:
                await exchange.answer(api_error(error))
        finally:
            exchange.count(self._state)
            request_id.reset(token)

    async def _pass(self, scope: Scope, headers: Headers, exchange: _Exchange) -> None:
        asks_only = exchange.method == "OPTIONS" and is_preflight(headers)
        with ExitStack() as held:
            try:
                self._check(scope, headers)
                if not asks_only:  # browsers send no key with a preflight
                    exchange.key = self._key(scope, headers)
                if scope["path"].startswith(_LIMITED) and _has_body(scope, headers):
                    held.enter_context(self._state.uploads.one())
            except ApiError as error:
                logger.info("%s %s refused: %s", exchange.method, exchange.path, error.kind.code)
                self._state.metrics.refused(error.kind.code)
                await exchange.answer(error)
                return
            if asks_only:
                await Response(status_code=204)(scope, exchange.receive, exchange.send)
                return
            if exchange.method == "HEAD":  # the server behind us sends no body with the answer
                scope = {**scope, "method": "GET"}
            scope = {**scope, "query_string": without_empty(scope["query_string"])}
            await self._app(scope, exchange.receive, exchange.send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raise the error that forbids the request to go on."""
        path, state = scope["path"], self._state
        if path not in _PROBES:
            if _is_spare(scope):
                raise ApiError(CONNECTIONS_SATURATED, retry_after_s=_NO_CONNECTION_S)
            if not state.callers.allows_hosts(headers.getlist("host")):
                raise ApiError(HOST_DENIED)
            if not state.callers.allows_origins(headers.getlist("origin")):
                raise ApiError(ORIGIN_DENIED)
        if scope["type"] == "websocket" and path != _WEBSOCKET:
            raise ApiError(NOT_FOUND)
        if path.startswith(_LIMITED):
            wait_s = state.limiter.wait_s(self._client(scope, headers))
            if wait_s:
                raise ApiError(RATE_LIMIT_EXCEEDED, retry_after_s=wait_s)
        if scope["type"] == "websocket" and state.is_stopping.is_set():
            raise ApiError(POOL_CLOSED)

    def _key(self, scope: Scope, headers: Headers) -> str:
        """Name of the key that a request has; "" where none is asked for.

        Raises:
            ApiError: `UNAUTHORIZED`.
        """
        keys = self._state.keys
        if keys is None or scope["path"] in _WITHOUT_KEY:
            return ""
        token = bearer_token(headers.getlist("authorization"), scope.get("subprotocols", []))
        name = None if token is None else keys.name_of(token)
        if name is not None:
            return name
        if token is None:
            raise ApiError(UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        raise ApiError(
            UNAUTHORIZED,
            "This API key is not known here; ask the server's operator for one.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},  # RFC 6750, section 3
        )

    def _client(self, scope: Scope, headers: Headers) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        return client_address(
            peer,
            ", ".join(headers.getlist("x-forwarded-for")) or None,
            headers.get("x-real-ip"),
            trusts_proxy=self._state.config.trust_proxy,
        )

    def _headers_for(self, headers: Headers) -> dict[str, str]:
        """Headers of every answer: the id, and for an allowed web page the leave to read it."""
        callers = self._state.callers
        needed = {"X-Request-Id": request_id.get(), "X-Content-Type-Options": "nosniff"}
        if "origin" in headers and callers.allows_origins(headers.getlist("origin")):
            needed |= cors_headers(headers, any_origin=callers.any_origin)
        return needed


class _Exchange:
    """One request and its answer, on their way in and out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        self.method: str = "GET" if scope["type"] == "websocket" else scope["method"]
        self.path = json.dumps(scope["path"])[1:-1]  # for the log: it may hold line breaks
        self.has_started = False
        self.key = ""  # name of the key that the client has
        self._scope = scope
        self._receive = receive
        self._send = send
        self._headers = headers
        self._has_unread = _closes_behind_body(scope)
        self._status = 0
        self._started = time.perf_counter()

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self._has_unread = False
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start", "websocket.accept"}:
            if self._has_unread:
                await self._read_away()
            self.has_started = True
            self._status = message.get("status", 101)
            message = {**message, "headers": list(message.get("headers", []))}
            MutableHeaders(scope=message).update(self._headers)
            if kind == "http.response.start" and _is_spare(self._scope):
                MutableHeaders(scope=message)["Connection"] = "close"
            if kind == "websocket.accept" and BEARER in self._scope["subprotocols"]:
                message["subprotocol"] = BEARER  # a browser whose offer is not answered hangs up
        await self._send(message)

    async def answer(self, error: ApiError) -> None:
        response = JSONResponse(content_for(self._scope, error), error.kind.status or 400, error.all_headers)
        await response(self._scope, self.receive, self.send)  # of a WebSocket, it refuses the handshake

    def count(self, state: ServerState) -> None:
        took_s = time.perf_counter() - self._started
        state.metrics.request(self.method, self._scope["path"], self._status or 499, took_s)
        by = f" by {self.key}" if self.key else ""
        status = self._status or "unanswered"
        extra = {"key": self.key} if self.key else None
        logger.info("%s %s %s in %.3f s%s", self.method, self.path, status, took_s, by, extra=extra)

    async def _read_away(self) -> None:
        """Read the rest of a refused body: a connection closed on it is reset, and the answer lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_READ_AWAY_S):
                while self._has_unread:
                    await self.receive()


def without_empty(query: bytes) -> bytes:
    """The query without empty parameters, which are none, as the empty fields of a form are none.

    A name alone stays: who writes `?strict` means something, and is told how to say it.

    >>> without_empty(b"format=&strict=true&track=")
    b'strict=true'
    """
    parts = query.split(b"&")
    return b"&".join(part for part in parts if not (part.endswith(b"=") and part.count(b"=") == 1))


def _is_spare(scope: Scope) -> bool:
    """True on a connection beyond the limit: it gets one answer, and that says so (`transport.Http`)."""
    return bool(scope.get("state", {}).get("is_spare"))


def _has_body(scope: Scope, headers: Headers) -> bool:
    if scope["type"] != "http":
        return False
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _closes_behind_body(scope: Scope) -> bool:
    """True if a request has a body that is on its way, and its connection ends with the answer."""
    headers = Headers(scope=scope)
    asks_to_close = scope["http_version"] == "1.0" or "close" in headers.get("connection", "").lower()
    return _has_body(scope, headers) and (asks_to_close or _is_spare(scope)) and "expect" not in headers
