"""`POST /v1/transcribe/stream`: a file as a stream of partial and final results, as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import BinaryIO, Final

from fastapi import APIRouter, Request, Response

from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.audio.reading import audio_blocks
from gigastt_lab.server import events, messages, schemas
from gigastt_lab.server.errors import ApiError
from gigastt_lab.server.rest import Strict, Track
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.uploads import received
from gigastt_lab.streaming.options import StreamOptions
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import AudioWarning, StreamResult

# Nobody speaks into a file while it is read: partials may come seldom, and cost a quarter of a live stream's.
FILE_OPTIONS: Final = StreamOptions(chunk_ms=2_000, left_ms=2_880, right_ms=720, hold_ms=480)

_SLICE_SAMPLES: Final = 32_000  # 2 s: as often a client that went away is noticed


def router(state: ServerState) -> APIRouter:
    """The route of one server."""
    routes = APIRouter()

    @routes.post(
        "/v1/transcribe/stream",
        response_class=Response,
        responses=schemas.WORKING | {200: {"content": {schemas.EVENTS: {}}, "description": "Events."}},
        openapi_extra=schemas.AUDIO_BODY,
    )
    async def transcribe_stream(request: Request, strict: Strict = False, track: Track = None) -> Response:
        """Audio to text as it comes: events whose data is a `partial`, a `final` or an `error`."""
        config = state.config
        async with AsyncExitStack() as stack:
            upload = await stack.enter_async_context(
                received(request, limit_bytes=config.body_limit_bytes, timeout_s=config.idle_timeout_secs)
            )
            options = ReadOptions(strict=strict, track=track, raw=upload.raw)
            return await events.stream_of(
                state, request, stack, lambda: _Results(state, upload.file, options)
            )
        raise AssertionError  # the stack lets every exception pass

    return routes


class _Results:
    """The results of a file as messages, a piece of it after the other; see `events.Source`."""

    def __init__(self, state: ServerState, file: BinaryIO, options: ReadOptions) -> None:
        self.heard_s = 0.0
        self._is_heard = False  # to its end
        self._warnings: list[AudioWarning] = []  # not told yet
        self._has_spoken = False  # a final was told
        self._session: StreamingSession = state.engine.stream(options=FILE_OPTIONS)
        self._steps: Iterator[list[StreamResult]] = self._all(file, state.config.max_audio_secs, options)

    @property
    def has_ended(self) -> bool:
        """True when nothing is left to tell."""
        return self._is_heard and self._has_spoken

    def next(self) -> list[events.Event]:
        """Results that the next piece completes."""
        results = next(self._steps, None)
        if results is not None:
            return [self._message(result) for result in results]
        self._has_spoken = True
        return [messages.empty_final(warnings=self._warnings)]

    def finish_now(self) -> None:
        """Make what was heard so far the end: the server shuts down."""
        if not self._is_heard:
            self._is_heard = True
            self._steps = iter([self._session.finish()])

    def error(self, told: ApiError) -> events.Message:
        """See `events.Source`."""
        return messages.error(told)

    def _message(self, result: StreamResult) -> events.Message:
        """Message of a result; the next final tells what was wrong with the file since the last one."""
        if result.kind != "final":
            return messages.result(result)
        self._has_spoken = True
        told = messages.result(result, self._warnings)
        self._warnings.clear()
        return told

    def _all(self, file: BinaryIO, max_audio_s: float, options: ReadOptions) -> Iterator[list[StreamResult]]:
        for block in audio_blocks(
            file, max_duration_s=max_audio_s, strict=options.strict, track=options.track, raw=options.raw,
            warnings=self._warnings,
        ):  # fmt: skip
            for start in range(0, len(block), _SLICE_SAMPLES):
                piece = block[start : start + _SLICE_SAMPLES]
                self.heard_s += len(piece) / 16_000
                yield self._session.accept(piece)
        self._is_heard = True
        yield self._session.finish()
