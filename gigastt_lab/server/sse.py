"""`POST /v1/transcribe/stream`: a file as a stream of partial and final results, as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import BinaryIO, Final

from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from gigastt_lab.audio.reading import audio_blocks
from gigastt_lab.server import messages, schemas
from gigastt_lab.server.errors import ApiError, api_error
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.uploads import received
from gigastt_lab.server.work import ClientGoneError, Job, while_connected
from gigastt_lab.streaming.options import StreamOptions
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import StreamResult

logger = logging.getLogger(__name__)

# Nobody speaks into a file while it is read: partials may come seldom, and cost a quarter of a live stream's.
FILE_OPTIONS: Final = StreamOptions(chunk_ms=2_000, left_ms=2_880, right_ms=720, hold_ms=480)

_KEEP_ALIVE_S: Final = 15.0  # as gigastt; proxies close what is silent for a minute
_SLICE_SAMPLES: Final = 32_000  # 2 s: as often a client that went away is noticed
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]


def router(state: ServerState) -> APIRouter:
    """The route of one server."""
    routes = APIRouter()

    @routes.post(
        "/v1/transcribe/stream",
        response_class=Response,
        responses=schemas.WORKING | {200: {"content": {"text/event-stream": {}}, "description": "Events."}},
        openapi_extra=schemas.AUDIO_BODY,
    )
    async def transcribe_stream(request: Request) -> Response:
        """Audio to text as it comes: events whose data is a `partial`, a `final` or an `error`."""
        config = state.config
        async with AsyncExitStack() as stack:
            upload = await stack.enter_async_context(
                received(request, limit_bytes=config.body_limit_bytes, timeout_s=config.idle_timeout_secs)
            )
            async with while_connected(request.receive):
                job = await state.job()
                stack.callback(job.close)
                steps = _Steps(state, upload.file)
                first = await job.step(steps.next)  # no audio at all is an answer of its own
            return _Events(state, job, steps, first, stack.pop_all())
        raise AssertionError  # the stack lets every exception pass

    return routes


class _Steps:
    """The results of a file, a piece of it after the other."""

    def __init__(self, state: ServerState, file: BinaryIO) -> None:
        self.heard_s = 0.0
        self._has_ended = False
        self._session: StreamingSession = state.engine.stream(options=FILE_OPTIONS)
        self._steps: Iterator[list[StreamResult]] = self._all(file, state.config.max_audio_secs)

    def next(self) -> list[StreamResult] | None:
        """Results that the next piece completes; None at the end."""
        return next(self._steps, None)

    def finish_now(self) -> None:
        """Make what was heard so far the end: the server shuts down."""
        if not self._has_ended:
            self._steps = iter([self._session.finish()])

    def _all(self, file: BinaryIO, max_audio_s: float) -> Iterator[list[StreamResult]]:
        for block in audio_blocks(file, max_duration_s=max_audio_s):
            for start in range(0, len(block), _SLICE_SAMPLES):
                piece = block[start : start + _SLICE_SAMPLES]
                self.heard_s += len(piece) / 16_000
                yield self._session.accept(piece)
        self._has_ended = True
        yield self._session.finish()


class _Events(Response):
    """The answer: events as they come, a comment where none comes for long. Ends the job, however it ends."""

    def __init__(
        self,
        state: ServerState,
        job: Job,
        steps: _Steps,
        first: list[StreamResult] | None,
        stack: AsyncExitStack,
    ) -> None:
        super().__init__()
        self._state = state
        self._job = job
        self._steps = steps
        self._first = first
        self._stack = stack
        self._is_cut = False
        self._has_ended = False  # with a final, or an error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            try:
                async with while_connected(receive):
                    await self._send_all(send)
            except ClientGoneError:
                logger.info("the client went away after %.1f s of audio", self._steps.heard_s)
        self._state.metrics.inference_s.observe(self._job.work_s)
        self._state.metrics.worked(self._steps.heard_s, self._job.work_s)

    async def _send_all(self, send: Send) -> None:
        await self._send(send, {"type": "http.response.start", "status": 200, "headers": _HEADERS})
        results = self._first
        while results is not None:
            for result in results:
                await self._send_event(send, messages.result(result))
            results = await self._next(send)
        if not self._has_ended:  # nobody spoke
            await self._send_event(send, messages.empty_final())
        await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, send: Send) -> list[StreamResult] | None:
        """Results that the next piece completes, or None at the end; comments while that takes."""
        if self._state.is_stopping.is_set() and not self._is_cut:
            self._is_cut = True
            self._job.start_over()
            await self._job.step(self._steps.finish_now)
        working = asyncio.create_task(self._job.step(self._steps.next))
        try:
            while not (await asyncio.wait({working}, timeout=_KEEP_ALIVE_S))[0]:
                await self._send(send, _body(b":\n\n"))
            return await working
        except ClientGoneError:
            raise
        except Exception as error:  # whatever it was, the status is sent, and an event tells of it
            told = api_error(error)
            if told.kind.status >= 500 and not isinstance(error, ApiError):
                logger.exception("the stream of a file failed")
            else:
                logger.info("the stream of a file broke off: %s", told.message)
            await self._send_event(send, messages.error(told))
            return None
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait({working})

    async def _send_event(self, send: Send, message: dict[str, object]) -> None:
        self._has_ended |= message["type"] != "partial"
        await self._send(send, _body(f"data: {messages.as_text(message)}\n\n".encode()))

    async def _send(self, send: Send, message: dict[str, object]) -> None:
        """Send, and wait for a slow reader, for so long: what it has not read takes no more memory."""
        try:
            async with asyncio.timeout(self._state.config.idle_timeout_secs):
                await send(message)
        except TimeoutError as error:
            raise ClientGoneError from error


def _body(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}
