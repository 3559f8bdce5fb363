"""Event streams: messages as server-sent events, while the work goes on that they come from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from gigastt_lab.server import messages
from gigastt_lab.server.errors import POOL_CLOSED, ApiError, api_error
from gigastt_lab.server.event_format import COMMENT, KEEP_ALIVE_S, body, event, send_in_time, start
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.work import ClientGoneError, Job, while_connected

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Event = Message | str  # as JSON; a text stands as it is


class Source(Protocol):
    """Messages of one stream, a piece of the work after the other.

    Attributes:
        heard_s: Seconds of audio that were worked on so far.
    """

    heard_s: float

    @property
    def has_ended(self) -> bool:
        """True when nothing is left to tell."""

    def next(self) -> Sequence[Event]:
        """Events of the next piece, perhaps none, in a thread of the job; not called after the end."""

    def finish_now(self) -> None:
        """Take note that the server shuts down: make what was heard the end, or hope for the drain."""

    def error(self, told: ApiError) -> Message:
        """The message, the last one, that tells of an error."""


async def stream_of(
    state: ServerState, request: Request, stack: AsyncExitStack, source_of: Callable[[], Source]
) -> EventStream:
    """The answer of a route whose body has been received, when the first piece has been worked on.

    Args:
        state: State of the server.
        request: Request whose body was read.
        stack: What is to be closed behind the stream; it is the answer's from now on.
        source_of: Makes the source, as soon as there is a permit and an engine.

    Raises:
        ApiError: no permit, or the first piece took too long.
        AudioError: it is no audio: an answer of its own, whose status says so.
        ClientGoneError: the client hung up; the work has stopped.
    """
    async with while_connected(request.receive):
        job = await state.job()
        stack.callback(job.close)
        source = source_of()
        first = await job.step(source.next)
    return EventStream(state, job, source, first, stack.pop_all())


class EventStream(Response):
    """The answer: events as they come, a comment where none comes for long. Ends the job, however it ends."""

    def __init__(
        self,
        state: ServerState,
        job: Job,
        source: Source,
        first: Sequence[Event],
        stack: AsyncExitStack,
    ) -> None:
        """Prepare the answer; nothing is sent yet.

        Args:
            state: State of the server.
            job: Job with the permit; `stack` closes it.
            source: Where the messages come from.
            first: Events of its first piece: what fails before has an answer of its own.
            stack: What is to be closed behind the stream.
        """
        super().__init__()
        self._state = state
        self._job = job
        self._source = source
        self._first = first
        self._stack = stack
        self._knows_of_end = False  # of the server
        self._is_told = False  # all, or an error instead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        async with self._stack:
            try:
                async with while_connected(receive):
                    await self._send_all(send)
            except ClientGoneError:
                logger.info("the client went away after %.1f s of audio", self._source.heard_s)
        self._state.metrics.inference_s.observe(self._job.work_s)
        self._state.metrics.worked(self._source.heard_s, self._job.work_s)

    async def _send_all(self, send: Send) -> None:
        await self._send(send, start())
        try:
            await self._send_events(send, self._first)
            while not self._source.has_ended:
                await self._send_events(send, await self._next(send))
        except ClientGoneError:
            raise
        except asyncio.CancelledError:
            if self._state.is_stopping.is_set() and not self._is_told:  # broken off after the drain
                await self._send_error(send, ApiError(POOL_CLOSED))
            raise
        except Exception as error:  # whatever it was, the status is sent, and an event tells of it
            found = api_error(error)
            if found.kind.status >= 500 and not isinstance(error, ApiError):
                logger.exception("the stream of a file failed")
            await self._send_error(send, found)

    async def _next(self, send: Send) -> Sequence[Event]:
        """Events of the next piece; comments are sent while that takes."""
        if self._state.is_stopping.is_set() and not self._knows_of_end:
            self._knows_of_end = True
            self._job.start_over()
            await self._job.step(self._source.finish_now)
        working = asyncio.create_task(self._job.step(self._source.next))
        try:
            while not (await asyncio.wait({working}, timeout=KEEP_ALIVE_S))[0]:
                await self._send(send, body(COMMENT))
            return await working
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait({working})

    async def _send_error(self, send: Send, told: ApiError) -> None:
        logger.info("the stream of a file broke off: %s", told.message)
        self._is_told = True
        await self._send(send, body(_as_text(self._source.error(told)), is_last=True))

    async def _send_events(self, send: Send, found: Sequence[Event]) -> None:
        """Send events at once, and the end with the last ones: clients hang up as soon as they have those."""
        self._is_told = self._source.has_ended
        if found or self._is_told:
            await self._send(send, body("".join(map(_as_text, found)), is_last=self._is_told))

    async def _send(self, send: Send, message: Message) -> None:
        await send_in_time(send, message, self._state.config.idle_timeout_secs)


def _as_text(told: Event) -> str:
    return event(told if isinstance(told, str) else messages.as_text(told))
