"""uvicorn's HTTP and WebSocket, where a client could make them say or do what this server would not."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gigastt_lab.server import messages
from gigastt_lab.server.errors import BAD_REQUEST, ApiError

_HEAD_S: Final = 30.0  # from the first byte of a request, or a connection, to the end of the head
_NOT_UTF8: Final = 1007


class Http(HttpToolsProtocol):
    """HTTP that gives up on a request whose head never ends, and whose own errors have the shape of ours."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """See uvicorn."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        super().data_received(data)
        is_ours = self.parser is not None and self.transport.get_protocol() is self  # and no WebSocket's
        if is_ours and self._waiting is None and not self._is_answering():
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """See uvicorn."""
        self._wait_no_more()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        self._wait_no_more()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """See uvicorn, which refuses a handshake in plain text."""
        if _is_handshake(self.scope["method"], self.headers):
            super().handle_websocket_upgrade()
        else:
            self._refuse("This is no WebSocket handshake.")

    def send_400_response(self, msg: str) -> None:
        """See uvicorn."""
        del msg
        self._refuse("This is no HTTP request.")

    def _refuse(self, message: str) -> None:
        body = messages.as_text(ApiError(BAD_REQUEST, message).content).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._waiting = self.loop.call_later(_HEAD_S, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class Sockets(WebSocketsSansIOProtocol):
    """WebSockets whose text that is no UTF-8 closes them without a traceback in the log."""

    def send_receive_event_to_app(self) -> None:
        """See uvicorn."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(_NOT_UTF8)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()


def _is_handshake(method: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a request may become a WebSocket. Source: RFC 6455, section 4.2.1."""
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    versions = [value.strip() for name, value in headers if name == b"sec-websocket-version"]
    try:
        key = base64.b64decode(keys[0].strip(), validate=True) if len(keys) == 1 else b""
    except binascii.Error:
        return False
    return method == "GET" and len(key) == 16 and versions == [b"13"]
