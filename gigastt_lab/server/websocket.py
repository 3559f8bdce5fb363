"""`/v1/ws`: live streams. One session of a client, from `ready` to the closing frame."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Response, WebSocket
from starlette.websockets import WebSocketDisconnect

from gigastt_lab.server import messages
from gigastt_lab.server.errors import (
    CONFIGURE_TOO_LATE,
    IDLE_TIMEOUT,
    INVALID_SAMPLE_RATE,
    MAX_SESSION,
    TOO_MANY_EMPTY_FRAMES,
    UNSUPPORTED_PROTOCOL_VERSION,
    UPGRADE_REQUIRED,
    ApiError,
    api_error,
)
from gigastt_lab.server.inbox import EMPTY, GONE, IDLE, Audio, Ended, Inbox, Text
from gigastt_lab.server.messages import PROTOCOL_VERSION, SUPPORTED_RATES, Configure, Stop
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.work import ClientGoneError, Job
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import StreamResult

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_NORMAL: Final = 1000
_GOING_AWAY: Final = 1001


def router(state: ServerState) -> APIRouter:
    """The route of one server, and what it says to those who speak no WebSocket."""
    routes = APIRouter()

    @routes.get("/v1/ws", include_in_schema=False)  # `docs/asyncapi.yaml` describes it
    async def websocket_only() -> Response:
        """Live streams, by WebSocket: see the AsyncAPI description."""
        raise ApiError(UPGRADE_REQUIRED, headers={"Upgrade": "websocket", "Connection": "Upgrade"})

    @routes.websocket("/v1/ws")
    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        state.metrics.ws_active.inc()
        inbox = Inbox(websocket.receive)
        try:
            await _Session(state, websocket, inbox).run()
        except ClientGoneError:
            logger.info("the client of a stream went away")
        finally:
            await inbox.cut()
            state.metrics.ws_active.dec()

    return routes


class _ShutDownError(Exception):
    """The server shuts down: what was heard becomes the final, and that is it."""


class _SessionOverError(Exception):
    """The session has lasted as long as it may."""


class _Session:
    """Session: waits for a permit, says `ready`, takes audio, says what it hears until somebody ends it."""

    def __init__(self, state: ServerState, websocket: WebSocket, inbox: Inbox) -> None:
        self._state = state
        self._config = state.config
        self._websocket = websocket
        self._inbox = inbox
        self._rate = messages.DEFAULT_RATE
        self._stream: StreamingSession | None = None  # opened by the first audio
        self._n_bytes = 0
        self._started = time.monotonic()  # set anew when the session has its permit

    async def run(self) -> None:
        """The session, to its closing frame.

        Raises:
            ClientGoneError: the client hung up.
        """
        try:
            job = await self._until_gone(self._state.job())
        except ApiError as error:
            await self._close(error)
            return
        self._started = time.monotonic()
        try:
            await self._send(messages.ready(self._state.engine.info.model, self._config))
            self._inbox.limit_silence(self._config.idle_timeout_secs)
            await self._serve(job)
        finally:
            job.close()
            self._done(job)

    async def _serve(self, job: Job) -> None:
        """Take what comes until the end."""
        try:
            while True:
                message = await self._next()
                if isinstance(message, Audio):
                    await self._hear(job, message.data)
                elif isinstance(message, Text):
                    if not await self._obey(message.text):
                        await self._finish(job)
                        await self._hang_up(_NORMAL)
                        return
                else:
                    await self._end(job, _error_of(message))
                    return
        except _SessionOverError:
            await self._end(job, ApiError(MAX_SESSION))
        except _ShutDownError:
            await self._finish_or_log(job)
            await self._hang_up(_GOING_AWAY, "server shutdown")
        except ApiError as error:
            await self._close(error)
        except ClientGoneError:
            raise
        except Exception as error:  # the client is told that it failed, the log why
            logger.exception("a stream failed")
            await self._close(api_error(error))

    async def _next(self) -> Audio | Text | Ended:
        """The next message, unless the session has to end before it comes."""
        self._check_time()
        coming = asyncio.create_task(self._inbox.next())
        stopping = asyncio.create_task(self._state.is_stopping.wait())
        try:
            while not coming.done():
                self._check_time()
                await asyncio.wait(
                    {coming, stopping}, timeout=self._left_s(), return_when=asyncio.FIRST_COMPLETED
                )
            message = coming.result()
        finally:
            coming.cancel()
            stopping.cancel()
        if message is GONE:
            raise ClientGoneError
        return message

    async def _hear(self, job: Job, data: bytes) -> None:
        """Recognise audio, and say what it completes."""
        if self._stream is None:
            self._stream = self._state.engine.stream(self._rate, self._config.stream_preset)
        self._n_bytes += len(data)
        await self._say(await self._work(job, partial(self._stream.accept, data)))

    async def _hear_what_waits(self, job: Job) -> None:
        """Recognise the audio that has come, but none that still comes: the session ends here."""
        await self._inbox.cut()
        while not isinstance(message := await self._inbox.next(), Ended):
            if isinstance(message, Audio):
                await self._hear(job, message.data)

    def _check_time(self) -> None:
        """Raise the error that ends the session between two pieces of work."""
        if self._state.is_stopping.is_set():
            raise _ShutDownError
        left_s = self._left_s()
        if left_s is not None and left_s <= 0:
            raise _SessionOverError

    def _left_s(self) -> float | None:
        limit_s = self._config.session_limit_s
        return None if limit_s is None else max(0.0, self._started + limit_s - time.monotonic())

    async def _finish(self, job: Job) -> None:
        """Say what is left; the last message is a final, though it be empty."""
        stream, self._stream = self._stream, None
        results = [] if stream is None else await self._work(job, stream.finish)
        await self._say(results)
        if not results:
            await self._send(messages.empty_final())

    async def _end(self, job: Job, error: ApiError) -> None:
        """End the session for a reason of ours: the error, what is left, and the reason's closing code."""
        await self._send(messages.error(error))
        await self._finish_or_log(job)
        await self._hang_up(error.kind.close or _NORMAL, error.kind.code)

    async def _finish_or_log(self, job: Job) -> None:
        """Say what is left; though that should fail, the session ends in good order."""
        try:
            await self._hear_what_waits(job)
            await self._finish(job)
        except ClientGoneError:
            raise
        except Exception:
            logger.exception("what was left of a stream could not be recognised")

    async def _close(self, error: ApiError) -> None:
        await self._send(messages.error(error))
        await self._hang_up(error.kind.close or _NORMAL, error.kind.code)

    async def _obey(self, text: str) -> bool:
        """Do what a text message asks for; True if the session goes on."""
        try:
            message = messages.parsed(text)
            if isinstance(message, Stop):
                return False
            self._configure(message)
        except ApiError as error:
            if error.kind.close is not None:
                raise
            await self._send(messages.error(error))
        return True

    def _configure(self, wishes: Configure) -> None:
        if self._stream is not None:
            raise ApiError(CONFIGURE_TOO_LATE)
        if wishes.protocol_version not in (None, PROTOCOL_VERSION):
            raise ApiError(
                UNSUPPORTED_PROTOCOL_VERSION,
                f"This version of the protocol is not supported; the server speaks {PROTOCOL_VERSION}.",
            )
        if wishes.sample_rate is None:
            return
        if wishes.sample_rate not in SUPPORTED_RATES or isinstance(wishes.sample_rate, bool):
            rates = ", ".join(map(str, SUPPORTED_RATES))
            raise ApiError(
                INVALID_SAMPLE_RATE, f"This sample rate is not supported; choose one of {rates} Hz."
            )
        self._rate = self._inbox.rate = int(wishes.sample_rate)

    async def _work(self, job: Job, do: Callable[[], list[StreamResult]]) -> list[StreamResult]:
        before_s = job.work_s
        job.start_over()
        results = await self._until_gone(job.step(do))
        self._state.metrics.inference_s.observe(job.work_s - before_s)
        return results

    async def _until_gone(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of some work, which is called off when the client hangs up meanwhile."""
        working, gone = asyncio.create_task(work), asyncio.create_task(self._inbox.is_gone())
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

    async def _say(self, results: list[StreamResult]) -> None:
        for result in results:
            await self._send(messages.result(result))
            logger.debug("%s: %s", result.kind, result.text)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._out(self._websocket.send_text(messages.as_text(message)))

    async def _hang_up(self, code: int, reason: str = "") -> None:
        await self._out(self._websocket.close(code, reason))

    async def _out(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send, and wait for a slow reader, for so long; nothing else is worked on meanwhile."""
        try:
            async with asyncio.timeout(self._config.idle_timeout_secs):
                await sending
        except (TimeoutError, WebSocketDisconnect, RuntimeError) as error:  # the last: it is closed already
            raise ClientGoneError from error

    def _done(self, job: Job) -> None:
        audio_s = self._n_bytes / (2 * self._rate)
        self._state.metrics.worked(audio_s, job.work_s)
        logger.info(
            "a stream of %.1f s of audio ended after %.1f s, %.3f s of them work, after %.3f s in the queue",
            audio_s, time.monotonic() - self._started, job.work_s, job.queue_s,
        )  # fmt: skip


def _give_back(result: object) -> None:
    """Give back a permit that came in the moment when its client left."""
    if isinstance(result, Job):
        result.close()


def _error_of(end: Ended) -> ApiError:
    return ApiError({IDLE: IDLE_TIMEOUT, EMPTY: TOO_MANY_EMPTY_FRAMES}[end])
