"""Format of event streams: their headers, an event, the comment that keeps a connection open.

Source: WHATWG HTML, "Server-sent events".
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.types import Send

from gigastt_lab.server import schemas
from gigastt_lab.server.work import ClientGoneError

KEEP_ALIVE_S: Final = 15.0  # as gigastt; proxies close what is silent for a minute
COMMENT: Final = ":\n\n"
_HEADERS: Final = [
    (b"content-type", f"{schemas.EVENTS}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]


def start() -> dict[str, Any]:
    """ASGI message that begins the answer."""
    return {"type": "http.response.start", "status": 200, "headers": _HEADERS}


def event(data: str) -> str:
    """An event of one line of data."""
    return f"data: {data}\n\n"


def body(text: str = "", *, is_last: bool = False) -> dict[str, Any]:
    """ASGI message of events, or of the answer's end."""
    return {"type": "http.response.body", "body": text.encode(), "more_body": not is_last}


async def send_in_time(send: Send, message: dict[str, Any], timeout_s: float) -> None:
    """Send, and wait for a slow reader, for so many seconds: what it has not read takes no more memory.

    Raises:
        ClientGoneError: it reads nothing.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await send(message)
    except TimeoutError as error:
        raise ClientGoneError from error
