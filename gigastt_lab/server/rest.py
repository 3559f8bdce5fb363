"""`POST /v1/transcribe`: a file to text, the whole answer at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Annotated, BinaryIO, Final

from fastapi import APIRouter, Query, Request, Response

from gigastt_lab.audio.options import READ, ReadOptions
from gigastt_lab.formats import Format, as_json_object, render
from gigastt_lab.server import schemas
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.uploads import received
from gigastt_lab.server.work import while_connected
from gigastt_lab.types import AudioWarning, Part, Transcript

logger = logging.getLogger(__name__)

MEDIA_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}

Strict = Annotated[bool, Query(description="Refuse a file that was cut or is damaged.")]
Track = Annotated[int | None, Query(ge=1, description="Number of the audio track; else the file's default.")]

_MAX_IN_HEADER: Final = 50  # proxies allow a header a few kilobytes


def router(state: ServerState) -> APIRouter:
    """The route of one server."""
    routes = APIRouter()

    @routes.post(
        "/v1/transcribe",
        response_model=schemas.TranscriptShape,
        responses=schemas.WORKING | _with_other_formats(),
        openapi_extra=schemas.AUDIO_BODY,
    )
    async def transcribe(
        request: Request,
        name: Annotated[Format, Query(alias="format", description="Of the answer.")] = "json",
        strict: Strict = False,
        track: Track = None,
    ) -> Response:
        """Audio to text: the whole answer at once."""
        config = state.config
        async with received(
            request, limit_bytes=config.body_limit_bytes, timeout_s=config.idle_timeout_secs
        ) as upload:
            options = ReadOptions(strict=strict, track=track, raw=upload.raw)
            transcript, headers = await transcribed(state, request, upload.file, options)
        if name == "json":
            content = json.dumps(as_json_object(transcript), ensure_ascii=False)
        else:
            content = render(transcript, name)
        return Response(content, media_type=MEDIA_TYPES[name], headers=headers)

    return routes


async def transcribed(
    state: ServerState, request: Request, file: BinaryIO, options: ReadOptions = READ
) -> tuple[Transcript, dict[str, str]]:
    """The text of an uploaded file, and headers: how long it waited and was worked on; its warnings, if any.

    Raises:
        ApiError: no permit, or it took too long.
        AudioError: it is no audio, or too much of it.
        ClientGoneError: the client hung up; the work has stopped.
    """
    async with while_connected(request.receive):
        job = await state.job()
        try:
            # Of most files one step, as each has to be handed to a thread and back.
            parts, first = await job.step(lambda: _begun(state, file, options))
            found = [first]
            while not found[-1].is_last:
                found.append(await job.step(lambda: next(parts)))
        finally:
            job.close()
    transcript = Transcript.of_parts(found)
    state.metrics.inference_s.observe(job.work_s)
    state.metrics.worked(transcript.duration_s, job.work_s)
    logger.info(
        "transcribed %.1f s of audio in %.3f s, after %.3f s in the queue",
        transcript.duration_s, job.work_s, job.queue_s,
    )  # fmt: skip
    logger.debug("text: %s", transcript.text)
    timing = {"Server-Timing": f"queue;dur={1000 * job.queue_s:.1f}, work;dur={1000 * job.work_s:.1f}"}
    return transcript, timing | warning_header(transcript.warnings)


def warning_header(warnings: Sequence[AudioWarning]) -> dict[str, str]:
    """Header that names the warnings of a file, also where the body has no room for them; {} without one.

    >>> warning_header([AudioWarning("damaged", "...", 1.5, 2.25), AudioWarning("cut", "...", 9.0)])
    {'X-Audio-Warnings': 'damaged;start=1.500;end=2.250, cut;start=9.000'}
    """
    if not warnings:
        return {}
    told = []
    for each in warnings[:_MAX_IN_HEADER]:
        times = [("start", each.start), ("end", each.end)]
        told.append(each.kind + "".join(f";{name}={at:.3f}" for name, at in times if at is not None))
    return {"X-Audio-Warnings": ", ".join(told)}


def _begun(state: ServerState, file: BinaryIO, options: ReadOptions) -> tuple[Iterator[Part], Part]:
    """The parts of a file, and the first of them."""
    parts = state.engine.transcribe_parts(
        file,
        max_duration_s=state.config.max_audio_secs,
        strict=options.strict,
        track=options.track,
        raw=options.raw,
    )
    return parts, next(parts)


def _with_other_formats() -> schemas.Responses:
    text = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}
    del text["application/json"]  # described by the model
    return {200: {"content": text, "description": "What was said."}}
