"""Messages of the widgets to their front end: transcripts and results as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gigastt_lab.formats import PARAGRAPHS, as_json_warning, as_json_word, segments
from gigastt_lab.types import AudioWarning, StreamResult, Word

# Words of one paragraph, as JSON.
Utterance = list[dict[str, object]]


def utterance(words: Sequence[Word]) -> Utterance:
    """JSON of one paragraph."""
    return [as_json_word(word) for word in words]


def paragraphs(words: Sequence[Word]) -> list[Utterance]:
    """The words of a recording in paragraphs: at long pauses, and at ends of sentences now and then."""
    return [utterance(segment.words) for segment in segments(words, options=PARAGRAPHS)]


def warnings(found: Sequence[AudioWarning]) -> list[dict[str, object]]:
    """JSON of what was wrong with a file."""
    return [as_json_warning(each) for each in found]


def later(words: Sequence[Word], seconds: float) -> tuple[Word, ...]:
    """The words as they stand in a recording that begins so many seconds earlier."""
    return tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in words)


def result(found: StreamResult, start_s: float = 0.0) -> dict[str, Any]:
    """JSON of a partial or a final of a stream that begins at `start_s`."""
    return {"kind": found.kind, "words": utterance(later(found.words, start_s)), "stable": found.stable}
