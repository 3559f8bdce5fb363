"""Transport: uvicorn's HTTP and WebSocket, where a client could make them do what this server would not."""

from __future__ import annotations

import asyncio
import base64
import binascii
import sys
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gigastt_lab.server import messages
from gigastt_lab.server.admission import Connections
from gigastt_lab.server.errors import BAD_REQUEST, CONNECTIONS_SATURATED, HEAD_TOO_LARGE, ApiError

_HEAD_S: Final = 30.0  # from the first byte of a request, or a connection, to the end of the head
_SPARE_HEAD_S: Final = 5.0  # the same, on a connection beyond the limit
_UNREAD_S: Final = 600.0  # a connection on which nothing of what was sent is read
_CLOSE_S: Final = 10.0  # for a reader to take what was sent last
_NOT_UTF8: Final = 1007
_MAX_FRAGMENTS: Final = 1_000  # of one message; each is an object, though it be empty
_TOO_MANY: Final = 1008


class Http(H11Protocol):
    """HTTP whose heads end in time, whose answers are read, and whose own errors have the shape of ours.

    By h11: it bounds heads and trailers, reads a refused body to its end, does not read on while an answer is
    under way, and goes on without an upgrade that nobody knows (h2c, which Java asks for each time).
    """

    admitted: Connections  # of the server: see `protocols`
    _is_spare = False
    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """See uvicorn."""
        super().connection_made(transport)
        self._is_spare = not self.admitted.enter(transport, self._give_way)
        self.app_state = {**self.app_state, "is_spare": self._is_spare}  # for `middleware.Frontier`
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        super().data_received(data)
        if self.transport.get_protocol() is not self or self.conn.their_state is not h11.IDLE:
            self._wait_no_more()  # it is a WebSocket's now, or a head has ended
        elif self._waiting is None:
            self._wait_for_head()

    def on_response_complete(self) -> None:
        """See uvicorn, whose time of rest is a constant."""
        self.timeout_keep_alive = self.admitted.keep_alive_s()  # type: ignore[assignment] # of `call_later`
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:  # else the next request is there already
            self.admitted.rest(self.transport)

    def pause_writing(self) -> None:
        """See uvicorn."""
        super().pause_writing()
        self._unread = self.loop.call_later(_UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """See uvicorn."""
        super().resume_writing()
        self._read_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        self.admitted.leave(self.transport)
        self._wait_no_more()
        self._read_again()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """See uvicorn, which refuses a handshake in plain text, and lets one hang that it cannot read."""
        if not _is_handshake(event.method, self.headers):
            self._refuse(ApiError(BAD_REQUEST, "This is no WebSocket handshake."))
            return
        super().handle_websocket_upgrade(event)
        protocol = self.transport.get_protocol()
        if isinstance(protocol, Sockets) and not protocol.handshake_initiated:
            self._refuse(ApiError(BAD_REQUEST, "The handshake has a body, or headers that are too large."))

    def send_400_response(self, msg: str) -> None:
        """See uvicorn, which calls it where h11 raises."""
        del msg
        status = getattr(sys.exc_info()[1], "error_status_hint", HTTPStatus.BAD_REQUEST)
        is_large = status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(
            ApiError(HEAD_TOO_LARGE) if is_large else ApiError(BAD_REQUEST, "This is no HTTP request.")
        )

    def _give_way(self) -> None:
        """End a spare connection, which asked for nothing yet, or whose answer waits, for newer ones."""
        if self.transport.get_protocol() is self:
            self._refuse(ApiError(CONNECTIONS_SATURATED, retry_after_s=_SPARE_HEAD_S))
        else:
            self.transport.abort()

    def _refuse(self, error: ApiError) -> None:
        body = messages.as_text(error.content).encode()
        status = HTTPStatus(error.kind.status)
        further = "".join(f"{name.lower()}: {value}\r\n" for name, value in error.all_headers.items())
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n{further}"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(head.encode() + body)  # not into the middle of an answer
        self.transport.close()

    def _wait_for_head(self) -> None:
        wait_s = _SPARE_HEAD_S if self._is_spare else _HEAD_S
        self._waiting = self.loop.call_later(wait_s, self.transport.close)
        self.admitted.rest(self.transport)

    def _wait_no_more(self) -> None:
        self.admitted.wake(self.transport)
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _read_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class Sockets(WebSocketsSansIOProtocol):
    """WebSockets that neither log nor hoard what a client may send, and end though it reads nothing."""

    admitted: Connections

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        self.admitted.leave(self.transport)
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        """See uvicorn, which takes a handshake that was refused in good order for one that was forgotten."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """See uvicorn, which waits for ever until all has been read."""
        await super().run_asgi()
        self.loop.call_later(_CLOSE_S, self.transport.abort)

    def handle_ping(self) -> None:
        """See uvicorn; who reads no pongs gets none."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Any) -> None:
        """See uvicorn."""
        if len(self.frames) < _MAX_FRAGMENTS:
            super().handle_cont(event)
        else:
            self._fail(_TOO_MANY)

    def send_receive_event_to_app(self) -> None:
        """See uvicorn, which logs a traceback for text that is no UTF-8."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(_NOT_UTF8)
                return
        super().send_receive_event_to_app()

    def _fail(self, code: int) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.send_close(code)
            self.handle_parser_exception()


def protocols(admitted: Connections) -> tuple[type[Http], type[Sockets]]:
    """Protocols of one server, whose connections are those."""
    http = type("Http", (Http,), {"admitted": admitted})
    return http, type("Sockets", (Sockets,), {"admitted": admitted})


def _is_handshake(method: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """True if a request may become a WebSocket. Source: RFC 6455, section 4.2.1."""
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    versions = [value.strip() for name, value in headers if name == b"sec-websocket-version"]
    try:
        key = base64.b64decode(keys[0].strip(), validate=True) if len(keys) == 1 else b""
    except binascii.Error:
        return False
    return method == b"GET" and len(key) == 16 and versions == [b"13"]
