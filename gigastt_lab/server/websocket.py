"""`/v1/ws`: live streams. One session of a client, from `ready` to the closing frame."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Response, WebSocket

from gigastt_lab.errors import AudioError
from gigastt_lab.server import messages
from gigastt_lab.server.errors import (
    AUDIO_REFUSED,
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
from gigastt_lab.server.line import GOING_AWAY, NORMAL, Line
from gigastt_lab.server.listening import Listener
from gigastt_lab.server.messages import PROTOCOL_VERSION, SUPPORTED_RATES, Configure, Stop
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.work import ClientGoneError, Job
from gigastt_lab.types import AudioWarning, EndReason, StreamResult

logger = logging.getLogger(__name__)

_LOGGED_CHARACTERS: Final = 100


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
        line = Line(websocket, inbox, patience_s=state.config.idle_timeout_secs)
        try:
            await _serve(state, line)
        except ClientGoneError:
            logger.info("the client of a stream went away")
        finally:
            await inbox.cut()
            state.metrics.ws_active.dec()

    return routes


async def _serve(state: ServerState, line: Line) -> None:
    """Wait for a permit, and run the session that has it.

    Raises:
        ClientGoneError: the client hung up.
    """
    try:
        job = await line.until_gone(state.job())
    except ApiError as error:
        await line.close_with(error)
        return
    try:
        session = _Session(state, line, job)
        try:
            await session.run()
        finally:
            session.close()
    finally:
        job.close()


class _ShutDownError(Exception):
    """The server shuts down: what was heard becomes the final, and that is it."""


class _SessionOverError(Exception):
    """The session has lasted as long as it may."""


class _Session:
    """Session: says `ready`, takes audio, says what it hears until somebody ends it."""

    def __init__(self, state: ServerState, line: Line, job: Job) -> None:
        self._state = state
        self._config = state.config
        self._line = line
        self._inbox = line.inbox
        self._job = job
        self._listener = Listener(state.engine, state.config.stream_preset)
        self._warnings: list[AudioWarning] = []  # for the next final
        self._started = time.monotonic()

    async def run(self) -> None:
        """The session, to its closing frame.

        Raises:
            ClientGoneError: the client hung up.
        """
        await self._line.send(messages.ready(self._state.engine.info.model, self._config))
        self._inbox.limit_silence(self._config.idle_timeout_secs)
        try:
            await self._take_what_comes()
        except _SessionOverError:
            await self._end(ApiError(MAX_SESSION))
        except _ShutDownError:
            await self._finish_or_log()
            await self._line.hang_up(GOING_AWAY, "server shutdown")
        except AudioError as error:
            await self._end(ApiError(AUDIO_REFUSED, str(error)))
        except ApiError as error:
            await self._line.close_with(error)
        except ClientGoneError:
            raise
        except Exception as error:  # the client is told that it failed, the log why
            logger.exception("a stream failed")
            await self._line.close_with(api_error(error))

    def close(self) -> None:
        """End what decodes, count what was heard, and log it."""
        self._listener.close()
        audio_s, job = self._listener.audio_s, self._job
        self._state.metrics.worked(audio_s, job.work_s)
        logger.info(
            "a stream of %.1f s of audio ended after %.1f s, %.3f s of them work, after %.3f s in the queue",
            audio_s, time.monotonic() - self._started, job.work_s, job.queue_s,
        )  # fmt: skip

    async def _take_what_comes(self) -> None:
        """Take what comes until the end."""
        while True:
            message = await self._next()
            if isinstance(message, Audio):
                await self._hear(message.data)
            elif isinstance(message, Text):
                if not await self._obey(message.text):
                    await self._finish()
                    await self._line.hang_up(NORMAL)
                    return
            else:
                await self._end(_error_of(message))
                return

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

    async def _hear(self, data: bytes) -> None:
        """Recognise audio, and say what it completes."""
        self._listener.hear(data)
        await self._catch_up()
        self._inbox.bytes_per_s = self._listener.bytes_per_s()

    async def _catch_up(self) -> None:
        """Recognise what has come, second by second."""
        while self._listener.is_behind:
            await self._say(await self._work(self._listener.go_on))

    async def _hear_what_waits(self) -> None:
        """Recognise the audio that has come, but none that still comes: the session ends here."""
        await self._inbox.cut()
        while not isinstance(message := await self._inbox.next(), Ended):
            if isinstance(message, Audio):
                await self._hear(message.data)

    async def _flush(self) -> None:
        """End the utterance; the answer is always a final."""
        results = await self._work(self._listener.flush)
        await self._say_last(results, "flush")

    async def _finish(self) -> None:
        """Say what is left; the last message is a final, though it be empty."""
        self._listener.hear_the_rest()
        await self._catch_up()
        await self._say_last(await self._work(self._listener.finish), "stop")

    async def _finish_or_log(self) -> None:
        """Say what is left; though that should fail, the session ends in good order."""
        try:
            await self._hear_what_waits()
            await self._finish()
        except ClientGoneError:
            raise
        except Exception:
            logger.exception("what was left of a stream could not be recognised")

    async def _end(self, error: ApiError) -> None:
        """End the session for a reason of ours: the error, what is left, and the reason's closing code."""
        await self._line.send(messages.error(error))
        await self._finish_or_log()
        await self._line.hang_up(error.kind.close or NORMAL, error.kind.code)

    async def _obey(self, text: str) -> bool:
        """Do what a text message asks for; True if the session goes on."""
        message = messages.parsed(text)
        if isinstance(message, Stop):
            return False
        if message is None:
            logger.debug("a text message that is not known was ignored: %.*s", _LOGGED_CHARACTERS, text)
            return True
        try:
            self._configure(message)
        except ApiError as error:
            if error.kind.close is not None:
                raise
            await self._line.send(messages.error(error))
            return True
        if message.flush:
            await self._flush()
        return True

    def _configure(self, wishes: Configure) -> None:
        """Do as a client wishes: all of it, or nothing."""
        if self._listener.has_begun and wishes.is_of_the_beginning:
            raise ApiError(CONFIGURE_TOO_LATE)
        if wishes.protocol_version not in (None, PROTOCOL_VERSION):
            raise ApiError(
                UNSUPPORTED_PROTOCOL_VERSION,
                f"This version of the protocol is not supported; the server speaks {PROTOCOL_VERSION}.",
            )
        wishes.check()
        if wishes.sample_rate is not None:
            if wishes.sample_rate not in SUPPORTED_RATES or isinstance(wishes.sample_rate, bool):
                rates = ", ".join(map(str, SUPPORTED_RATES))
                raise ApiError(
                    INVALID_SAMPLE_RATE, f"This sample rate is not supported; choose one of {rates} Hz."
                )
            self._listener.rate = int(wishes.sample_rate)
            self._inbox.bytes_per_s = self._listener.bytes_per_s()
        self._listener.use(wishes.preset, wishes.silence_ms)

    async def _work(self, do: Callable[[], list[StreamResult]]) -> list[StreamResult]:
        before_s = self._job.work_s
        self._job.start_over()
        results = await self._line.until_gone(self._job.step(do))
        self._state.metrics.inference_s.observe(self._job.work_s - before_s)
        return results

    async def _say(self, results: list[StreamResult]) -> None:
        self._warnings += self._listener.warnings()
        for result in results:
            warnings = self._warnings if result.kind == "final" else []
            await self._line.send(messages.result(result, warnings))
            if warnings:
                self._warnings = []
            logger.debug("%s: %s", result.kind, result.text)

    async def _say_last(self, results: list[StreamResult], reason: EndReason) -> None:
        """Say results, and an empty final where there is none."""
        await self._say(results)
        if not results:
            warnings, self._warnings = self._warnings, []
            await self._line.send(messages.empty_final(reason, warnings))


def _error_of(end: Ended) -> ApiError:
    return ApiError({IDLE: IDLE_TIMEOUT, EMPTY: TOO_MANY_EMPTY_FRAMES}[end])
