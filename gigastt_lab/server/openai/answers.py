"""Answers of the route: a transcript as JSON, verbose JSON, text or subtitles."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from fastapi import Response

from gigastt_lab.formats import Format, as_json_warning, as_json_word, render, segments
from gigastt_lab.server import schemas
from gigastt_lab.server.openai.fields import ResponseFormat, Wanted
from gigastt_lab.server.rest import MEDIA_TYPES
from gigastt_lab.types import Segment, Transcript

_TEXT: Final[dict[ResponseFormat, Format]] = {"text": "txt", "srt": "srt", "vtt": "vtt"}


def answer(transcript: Transcript, wanted: Wanted, headers: dict[str, str]) -> Response:
    """The whole answer, in the format that is wanted."""
    name = wanted.response_format
    if name in _TEXT:
        text = f"{transcript.text}\n" if name == "text" else render(transcript, _TEXT[name])
        return Response(text, media_type=MEDIA_TYPES[_TEXT[name]], headers=headers)
    content = {"text": transcript.text} if name == "json" else _verbose(transcript, wanted)
    content |= warnings(transcript)
    return Response(
        json.dumps(content, ensure_ascii=False),
        media_type=MEDIA_TYPES["json"],
        headers=headers,
    )


def warnings(transcript: Transcript) -> dict[str, Any]:
    """Warnings of the file under `warnings`; nothing where there are none, as in OpenAI's API."""
    told = [as_json_warning(warning) for warning in transcript.warnings]
    return {"warnings": told} if told else {}


def contents() -> dict[str, Any]:
    """Media types of the answers, for the OpenAPI description."""
    text: dict[str, Any] = {"schema": {"type": "string"}}
    kinds = [MEDIA_TYPES[name].partition(";")[0] for name in ("txt", "srt", "vtt")]
    described = {"application/json": {"schema": {"type": "object"}}} | dict.fromkeys(kinds, text)
    return described | {schemas.EVENTS: {}}


def _verbose(transcript: Transcript, wanted: Wanted) -> dict[str, Any]:
    content: dict[str, Any] = {
        "task": "transcribe",
        "language": "russian",
        "duration": round(transcript.duration_s, 3),
        "text": transcript.text,
    }
    if "word" in wanted.granularities:
        content["words"] = [as_json_word(word) for word in transcript.words]
    if "segment" in wanted.granularities:
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
