"""Events of `stream=true`: `transcript.text.delta` for each part of a recording, then `transcript.text.done`.

Source: OpenAI API reference, "Transcription streaming events". Behind the last one, `[DONE]` as in OpenAI's
other streams; gigastt sends it there since it has the route.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from gigastt_lab.audio.options import ReadOptions
from gigastt_lab.server.errors import ApiError
from gigastt_lab.server.events import Event, Message
from gigastt_lab.server.openai.answers import warnings
from gigastt_lab.server.openai.errors import as_openai
from gigastt_lab.server.state import ServerState
from gigastt_lab.types import Part, Transcript


class Deltas:
    """The text of a recording, half a minute at a time; see `events.Source`.

    What was told stays: the deltas joined are the text of the end, and that of an answer without a stream.
    """

    def __init__(self, state: ServerState, file: BinaryIO, options: ReadOptions) -> None:
        """Prepare; the file is read by the first step."""
        self.heard_s = 0.0
        self.has_ended = False
        self._state = state
        self._file = file
        self._options = options
        self._parts: Iterator[Part] | None = None
        self._found: list[Part] = []
        self._has_text = False

    def next(self) -> list[Event]:
        """Events of the next part."""
        if self._parts is None:
            self._parts = self._state.engine.transcribe_parts(
                self._file,
                max_duration_s=self._state.config.max_audio_secs,
                strict=self._options.strict,
                track=self._options.track,
                raw=self._options.raw,
            )
        part = next(self._parts, None)
        if part is None:
            self.has_ended = True
            transcript = Transcript.of_parts(self._found)
            done = {"type": "transcript.text.done", "text": transcript.text} | warnings(transcript)
            return [done, "[DONE]"]
        self._found.append(part)
        self.heard_s = part.done_s
        if not part.words:
            return []
        delta = f" {part.text}" if self._has_text else part.text
        self._has_text = True
        return [{"type": "transcript.text.delta", "delta": delta}]

    def finish_now(self) -> None:
        """Go on: the drain is for files under way, and half a text would be taken for a whole one."""

    def error(self, told: ApiError) -> Message:
        """See `events.Source`; OpenAI's clients raise what stands under `error`."""
        return as_openai(told)
