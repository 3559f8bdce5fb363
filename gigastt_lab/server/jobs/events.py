"""Events of a job: its progress as server-sent events, until it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Response
from starlette.types import Receive, Scope, Send

from gigastt_lab.server.errors import ApiError
from gigastt_lab.server.event_format import COMMENT, KEEP_ALIVE_S, body, event, send_in_time, start
from gigastt_lab.server.jobs import shapes
from gigastt_lab.server.jobs.queue import JobQueue
from gigastt_lab.server.jobs.records import ENDED


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
                await send_in_time(send, body(is_last=True), self._send_timeout_s)
            elif sending.done():
                sending.result()
        finally:
            self._queue.unwatch(self._id, news)
            for task in (sending, gone, stopping):
                task.cancel()

    async def _send_all(self, send: Send, news: asyncio.Event) -> None:
        await send_in_time(send, start(), self._send_timeout_s)
        async for told in self._events(news):
            text = COMMENT if told is None else event(json.dumps(told, ensure_ascii=False))
            await send_in_time(send, body(text), self._send_timeout_s)
        await send_in_time(send, body(is_last=True), self._send_timeout_s)

    async def _events(self, news: asyncio.Event) -> AsyncIterator[dict[str, Any] | None]:
        """Events of the job, each once; None where there was none for long."""
        before = None
        while True:
            news.clear()
            told = await self._event()
            if told is None:
                return
            if told != before:
                yield told
                before = told
            if told["type"] in ENDED:
                return
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
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
