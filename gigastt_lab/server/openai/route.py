"""`POST /v1/audio/transcriptions`, as OpenAI's clients send it.

Source: OpenAI API reference, "Create transcription". What does not apply to this model (language, prompt,
temperature, another model's name) is taken and ignored, as whisper servers do.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import APIRouter, Request, Response

from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.server import events, schemas
from gigastt_lab.server.openai.answers import answer, contents
from gigastt_lab.server.openai.fields import BODY, wanted
from gigastt_lab.server.openai.stream import Deltas
from gigastt_lab.server.rest import transcribed
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.uploads import received


def router(state: ServerState) -> APIRouter:
    """The route of one server."""
    routes = APIRouter()

    @routes.post(
        "/v1/audio/transcriptions",
        response_class=Response,
        responses=schemas.OPENAI_WORKING | {200: {"content": contents(), "description": "What was said."}},
        openapi_extra=BODY,
    )
    async def transcriptions(request: Request) -> Response:
        """Audio to text, as OpenAI's clients ask for it."""
        config = state.config
        async with AsyncExitStack() as stack:
            upload = await stack.enter_async_context(
                received(
                    request,
                    limit_bytes=config.body_limit_bytes,
                    timeout_s=config.idle_timeout_secs,
                    form_only=True,
                )
            )
            asked = wanted(upload.fields)
            options = ReadOptions(strict=asked.strict, track=asked.track, raw=upload.raw)
            if asked.streams:
                return await events.stream_of(
                    state, request, stack, lambda: Deltas(state, upload.file, options)
                )
            transcript, headers = await transcribed(state, request, upload.file, options)
            return answer(transcript, asked, headers)
        raise AssertionError  # the stack lets every exception pass

    return routes
