"""`POST /v1/audio/transcriptions`, as OpenAI's clients send it.

Source: OpenAI API reference, "Create transcription". What does not apply to this model (language, prompt,
temperature, another model's name) is taken and ignored, as whisper servers do.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, Literal, get_args

from fastapi import APIRouter, Request, Response

from gigastt_lab.formats import Format, as_json_word, render, segments
from gigastt_lab.server import schemas
from gigastt_lab.server.errors import BAD_REQUEST, ApiError
from gigastt_lab.server.rest import MEDIA_TYPES, transcribed
from gigastt_lab.server.state import ServerState
from gigastt_lab.server.uploads import Upload, received
from gigastt_lab.types import Segment, Transcript

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]

_GRANULARITIES: Final = "timestamp_granularities[]"
_TEXT: Final[dict[ResponseFormat, Format]] = {"text": "txt", "srt": "srt", "vtt": "vtt"}
_BODY: Final[schemas.Schema] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": schemas.BINARY,
                        **{name: {} for name in ("model", "language", "prompt", "temperature")},  # ignored
                        "response_format": {"type": "string", "enum": list(get_args(ResponseFormat))},
                        _GRANULARITIES: {
                            "type": "array",
                            "items": {"type": "string", "enum": list(get_args(Granularity))},
                        },
                    },
                }
            }
        },
    }
}


def router(state: ServerState) -> APIRouter:
    """The route of one server."""
    routes = APIRouter()

    @routes.post(
        "/v1/audio/transcriptions",
        response_class=Response,
        responses=schemas.WORKING | {200: {"content": _contents(), "description": "What was said."}},
        openapi_extra=_BODY,
    )
    async def transcriptions(request: Request) -> Response:
        """Audio to text, as OpenAI's clients ask for it."""
        config = state.config
        async with received(
            request,
            limit_bytes=config.body_limit_bytes,
            timeout_s=config.idle_timeout_secs,
            form_only=True,
        ) as upload:
            name, granularities = _response_format(upload), _granularities(upload)
            transcript, timing = await transcribed(state, request, upload.file)
        if name in _TEXT:
            text = f"{transcript.text}\n" if name == "text" else render(transcript, _TEXT[name])
            return Response(text, media_type=MEDIA_TYPES[_TEXT[name]], headers=timing)
        content = {"text": transcript.text} if name == "json" else _verbose(transcript, granularities)
        return Response(
            json.dumps(content, ensure_ascii=False), media_type=MEDIA_TYPES["json"], headers=timing
        )

    return routes


def _response_format(upload: Upload) -> ResponseFormat:
    given = [value for name, value in upload.fields if name == "response_format"] or ["json"]
    for known in get_args(ResponseFormat):
        if given == [known]:
            found: ResponseFormat = known
            return found
    raise ApiError(BAD_REQUEST, f"response_format has to be one of {', '.join(get_args(ResponseFormat))}.")


def _granularities(upload: Upload) -> frozenset[str]:
    given = frozenset(value for name, value in upload.fields if name in {_GRANULARITIES, _GRANULARITIES[:-2]})
    if given - set(get_args(Granularity)):
        raise ApiError(BAD_REQUEST, f"{_GRANULARITIES} have to be of {', '.join(get_args(Granularity))}.")
    return given or frozenset({"segment"})


def _verbose(transcript: Transcript, granularities: frozenset[str]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "task": "transcribe",
        "language": "russian",
        "duration": round(transcript.duration_s, 3),
        "text": transcript.text,
    }
    if "word" in granularities:
        content["words"] = [as_json_word(word) for word in transcript.words]
    if "segment" in granularities:
        content["segments"] = [_segment(i, each) for i, each in enumerate(segments(transcript.words))]
    return content


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """A segment with all fields that OpenAI's clients require; those that only Whisper has are neutral."""
    mean = sum(math.log(max(word.confidence, 1e-10)) for word in segment.words) / len(segment.words)
    return {
        "id": number,
        "seek": 0,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": mean,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }


def _contents() -> dict[str, Any]:
    text: dict[str, Any] = {"schema": {"type": "string"}}
    kinds = [MEDIA_TYPES[name].partition(";")[0] for name in ("txt", "srt", "vtt")]
    return {"application/json": {"schema": {"type": "object"}}} | dict.fromkeys(kinds, text)
