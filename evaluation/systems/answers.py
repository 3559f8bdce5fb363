"""Answers of transcription servers: text, words and warnings out of their JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args

from evaluation.systems.base import Outcome, rounded
from gigastt_lab.types import AudioWarning, AudioWarningKind


def parsed(content: bytes, audio_s: float | None, work_s: float) -> Outcome:
    """Outcome of an answer, in gigastt's shape or OpenAI's; an error where it is neither.

    Args:
        content: Body of the answer.
        audio_s: Seconds of audio; None: what the answer states.
        work_s: Seconds of work.
    """
    try:
        answer = json.loads(content)
        text = answer["text"]
        if not isinstance(text, str):
            raise TypeError("text")
        # OpenAI's words have no confidence: they are left out, a record holds none without.
        words = tuple(
            rounded(word["word"], word["start"], word["end"], word["confidence"])
            for word in answer.get("words") or ()
            if "confidence" in word
        )
        stated_s = answer.get("duration")
        if audio_s is None and stated_s is not None:
            audio_s = float(stated_s)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Outcome(error=f"the answer is no transcript: {shown(content)}", audio_s=audio_s)
    return Outcome(hypothesis=text, words=words, audio_s=audio_s, work_s=work_s, warnings=_warnings(answer))


def shown(content: bytes) -> str:
    """The beginning of an answer, in one line."""
    return " ".join(content[:400].decode(errors="replace").split())[:200] or "nothing"


def _warnings(answer: Mapping[str, Any]) -> tuple[AudioWarning, ...]:
    """Warnings of an answer, as this package's server gives them; what is none of those is passed over."""
    found = []
    stated = answer.get("warnings")
    for each in stated if isinstance(stated, list) else ():
        with suppress(TypeError, ValueError, KeyError, AttributeError):
            if each["kind"] in get_args(AudioWarningKind):
                times = [None if each.get(name) is None else float(each[name]) for name in ("start", "end")]
                if all(at_s is None or math.isfinite(at_s) for at_s in times):
                    found.append(AudioWarning(each["kind"], str(each["message"]), *times))
    return tuple(found)
