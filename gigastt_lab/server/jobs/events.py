"""Events of a job: its progress as server-sent events, until it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from gigastt_lab.server.errors import ApiError
from gigastt_lab.server.jobs import shapes
from gigastt_lab.server.jobs.queue import JobQueue
from gigastt_lab.server.jobs.records import ENDED
from gigastt_lab.server.work import ClientGoneError

_KEEP_ALIVE_S: Final = 15.0  # as gigastt; proxies close what is silent for a minute
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]


class JobEvents(Response):
    """The answer: `progress` whenever there is some, at last `done`, `failed` or `cancelled`."""

    def __init__(
        self, queue: JobQueue, job_id: str, is_stopping: asyncio.Event, send_timeout_s: float
    ) -> None:
        """Begin.

        Args:
            queue: Queue of the job.
            job_id: Its id.
            is_stopping: Set when the server shuts down: the stream ends, the job goes on after the restart.
            send_timeout_s: Longest wait for a reader that does not read, in seconds.
        """
        super().__init__()
        self._queue = queue
        self._id = job_id
        self._is_stopping = is_stopping
        self._send_timeout_s = send_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        del scope
        news = self._queue.watch(self._id)
        sending = asyncio.create_task(self._send_all(send, news))
        gone = asyncio.create_task(_gone(receive))
        stopping = asyncio.create_task(self._is_stopping.wait())
        try:
            await asyncio.wait({sending, gone, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() and not sending.done():
                sending.cancel()
                await asyncio.wait({sending})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif sending.done():
                sending.result()
        finally:
            self._queue.unwatch(self._id, news)
            for task in (sending, gone, stopping):
                task.cancel()

    async def _send_all(self, send: Send, news: asyncio.Event) -> None:
        await self._send(send, {"type": "http.response.start", "status": 200, "headers": _HEADERS})
        async for event in self._events(news):
            data = (
                b":\n\n" if event is None else f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
            )
            await self._send(send, {"type": "http.response.body", "body": data, "more_body": True})
        await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, message: dict[str, object]) -> None:
        """Send, and wait for a slow reader, for so long."""
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await send(message)
        except TimeoutError as error:
            raise ClientGoneError from error

    async def _events(self, news: asyncio.Event) -> AsyncIterator[dict[str, Any] | None]:
        """Events of the job, each once; None where there was none for long."""
        before = None
        while True:
            news.clear()
            event = await self._event()
            if event is None:
                return
            if event != before:
                yield event
                before = event
            if event["type"] in ENDED:
                return
            try:
                async with asyncio.timeout(_KEEP_ALIVE_S):
                    await news.wait()
            except TimeoutError:
                yield None

    async def _event(self) -> dict[str, Any] | None:
        """State of the job; None if it is not there any more."""
        try:
            told = shapes.job(self._queue, await self._queue.get(self._id))
        except ApiError:
            return None
        if told["status"] == "failed":
            return {
                "type": "failed",
                "error": told["error"],
                "code": told["code"],
                "message": told["message"],
            }
        if told["status"] in ENDED:
            return {"type": told["status"]}
        names = ("percent", "processed_seconds", "status", "queue_position")
        return {"type": "progress"} | {name: told[name] for name in names}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
