"""Line to the client of a WebSocket: what is sent on it, and work that ends when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from gigastt_lab.server import messages
from gigastt_lab.server.errors import ApiError
from gigastt_lab.server.inbox import Inbox
from gigastt_lab.server.work import ClientGoneError, Job

Result = TypeVar("Result")

NORMAL: Final = 1000
GOING_AWAY: Final = 1001


class Line:
    """Line to one client.

    Attributes:
        inbox: What the client says.
    """

    def __init__(self, websocket: WebSocket, inbox: Inbox, *, patience_s: float) -> None:
        """Take an accepted WebSocket.

        Args:
            websocket: WebSocket to send on.
            inbox: Inbox that reads it.
            patience_s: Longest wait for a client that reads slowly.
        """
        self.inbox = inbox
        self._websocket = websocket
        self._patience_s = patience_s

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message.

        Raises:
            ClientGoneError: the client hung up, or reads nothing.
        """
        await self._out(self._websocket.send_text(messages.as_text(message)))

    async def hang_up(self, code: int, reason: str = "") -> None:
        """Close the line.

        Raises:
            ClientGoneError: as `send`.
        """
        await self._out(self._websocket.close(code, reason))

    async def close_with(self, error: ApiError) -> None:
        """Send an error, and close the line with its code.

        Raises:
            ClientGoneError: as `send`.
        """
        await self.send(messages.error(error))
        await self.hang_up(error.kind.close or NORMAL, error.kind.code)

    async def until_gone(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of some work, which is called off when the client hangs up meanwhile.

        Raises:
            ClientGoneError: the client hung up.
        """
        working, gone = asyncio.create_task(work), asyncio.create_task(self.inbox.is_gone())
        is_taken = False
        try:
            await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientGoneError
            is_taken = True
            return working.result()
        finally:
            gone.cancel()
            if not is_taken:
                working.cancel()
                await asyncio.wait({working})
                if not working.cancelled() and working.exception() is None:
                    _give_back(working.result())

    async def _out(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send, and wait for a slow reader, for so long; nothing else is worked on meanwhile."""
        try:
            async with asyncio.timeout(self._patience_s):
                await sending
        except (TimeoutError, WebSocketDisconnect, RuntimeError) as error:  # the last: it is closed already
            raise ClientGoneError from error


def _give_back(result: object) -> None:
    """Give back a permit that came in the moment when its client left."""
    if isinstance(result, Job):
        result.close()
