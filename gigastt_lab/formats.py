"""File formats of a transcript: plain text, JSON, SubRip and WebVTT subtitles, a Markdown page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gigastt_lab.errors import GigasttError
from gigastt_lab.types import AudioWarning, Segment, Transcript, Word

Format = Literal["txt", "json", "srt", "vtt", "md"]

SENTENCE_ENDS = (".", "!", "?", "…")
CLAUSE_ENDS = (",", ";", ":", "—", "–")
CLOSING_MARKS = "»”\"')]"  # may follow the punctuation that ends a sentence or a clause


class FormatError(GigasttError, ValueError):
    """A format that is not one of `FORMATS`, or limits that no text can keep."""


@dataclass(frozen=True)
class SegmentOptions:
    """Limits of the segments that words are divided into. The defaults suit subtitles.

    Raises:
        FormatError: limits that no text can keep.
    """

    line_chars: int = 42  # characters in a line; a longer word is a segment of its own
    max_lines: int = 2  # lines in a segment
    max_s: float = 7.0  # seconds from a segment's first word to the end of its last one
    min_s: float = 1.0  # seconds that a segment lasts before punctuation may end it
    pause_s: float = 0.5  # seconds of silence that always end a segment

    def __post_init__(self) -> None:
        if min(self.line_chars, self.max_lines) < 1 or not 0 <= self.min_s <= self.max_s:
            raise FormatError(
                f"limits that no text can keep: {self}; "
                "lines and characters start at 1, and 0 <= min_s <= max_s must hold"
            )


SUBTITLES = SegmentOptions()
# A paragraph ends with the first sentence that ends after half a minute, or at a long pause.
PARAGRAPHS = SegmentOptions(line_chars=2_000, max_lines=1, max_s=60.0, min_s=30.0, pause_s=2.0)


def segments(words: Sequence[Word], *, options: SegmentOptions = SUBTITLES) -> tuple[Segment, ...]:
    """Divide words into segments: at pauses and ends of sentences; where a limit forces it, at commas.

    A sentence of less than `min_s` stays with the next one, so that nothing flashes by. Without a
    comma in reach, the segment takes as many words as fit. No word is lost, broken or moved.

    Args:
        words: Words in the order spoken.
        options: Limits of the segments.

    Returns:
        Segments whose words, put together, are `words`.
    """
    found = []
    start = 0
    while start < len(words):
        stop = _segment_stop(words, start, options)
        found.append(Segment(tuple(words[start:stop])))
        start = stop
    return tuple(found)


def render(transcript: Transcript, name: Format) -> str:
    """The contents of a file of format `name`, ending with a newline unless it is empty.

    Raises:
        FormatError: `name` is not one of `FORMATS`.
    """
    if name not in FORMATS:
        raise FormatError(f"unknown format {name!r}; choose one of {', '.join(FORMATS)}")
    return FORMATS[name](transcript)


def to_txt(transcript: Transcript) -> str:
    """The text on one line; nothing if there is none."""
    return f"{transcript.text}\n" if transcript.words else ""


def as_json_object(transcript: Transcript) -> dict[str, object]:
    """JSON object of a transcript, the same in files and in the server's answers: text, words, duration.

    Times are seconds rounded to milliseconds. `warnings` is there only where the file gave a reason.
    """
    words = [as_json_word(word) for word in transcript.words]
    duration = _milliseconds(transcript.duration_s) / 1000
    content: dict[str, object] = {"text": transcript.text, "words": words, "duration": duration}
    if transcript.warnings:
        content["warnings"] = [as_json_warning(warning) for warning in transcript.warnings]
    return content


def as_json_warning(warning: AudioWarning) -> dict[str, object]:
    """Warning of a file as JSON carries it; times in seconds, to the millisecond, or null."""
    start, end = (None if at is None else _milliseconds(at) / 1000 for at in (warning.start, warning.end))
    return {"kind": warning.kind, "message": warning.message, "start": start, "end": end}


def as_json_word(word: Word) -> dict[str, object]:
    """A word as JSON carries it, here and in results of streams; times in seconds, to the millisecond."""
    return {
        "word": word.text,
        "start": _milliseconds(word.start) / 1000,
        "end": _milliseconds(word.end) / 1000,
        "confidence": float(word.confidence),
    }


def to_json(transcript: Transcript) -> str:
    """`as_json_object` on one line, its Cyrillic readable."""
    return json.dumps(as_json_object(transcript), ensure_ascii=False, allow_nan=False) + "\n"


def to_srt(transcript: Transcript) -> str:
    """SubRip subtitles.

    >>> print(to_srt(Transcript((Word("Привет!", 0.5, 1.75, 1.0),), 2.0)), end="")
    1
    00:00:00,500 --> 00:00:01,750
    Привет!
    """
    blocks = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{cue.text}\n"
        for number, cue in enumerate(_cues(transcript.words), start=1)
    )
    return "\n".join(blocks)


def to_vtt(transcript: Transcript) -> str:
    """WebVTT subtitles; warnings of the file are notes, which players do not show.

    >>> print(to_vtt(Transcript((Word("Привет!", 0.5, 1.75, 1.0),), 2.0)), end="")
    WEBVTT
    <BLANKLINE>
    00:00:00.500 --> 00:00:01.750
    Привет!
    """
    blocks = (
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{html.escape(cue.text, quote=False)}\n"
        for cue in _cues(transcript.words)
    )
    notes = (f"NOTE {html.escape(_one_line(each.message), quote=False)}\n" for each in transcript.warnings)
    return "\n".join(("WEBVTT\n", *notes, *blocks))


def to_md(transcript: Transcript) -> str:
    r"""A page of paragraphs, each with the time at which it starts; before them, warnings of the file.

    >>> print(to_md(Transcript((Word("2*2", 3.0, 4.0, 1.0),), 5.0)), end="")
    # Transcript
    <BLANKLINE>
    **00:00:03** 2\*2
    """
    paragraphs = (
        f"**{_clock(_milliseconds(segment.start), '.')[:-4]}** {_escape_markdown(segment.text)}\n"
        for segment in segments(transcript.words, options=PARAGRAPHS)
    )
    notes = (f"> {_escape_markdown(_one_line(each.message))}\n" for each in transcript.warnings)
    return "\n".join(("# Transcript\n", *notes, *paragraphs))


FORMATS: Mapping[Format, Callable[[Transcript], str]] = {
    "txt": to_txt,
    "json": to_json,
    "srt": to_srt,
    "vtt": to_vtt,
    "md": to_md,
}


def _segment_stop(words: Sequence[Word], start: int, options: SegmentOptions) -> int:
    """The index after the last word of the segment that starts with `words[start]`."""

    def may_stop_before(i: int, marks: tuple[str, ...]) -> bool:
        lasts_ms = _milliseconds(words[i].start) - _milliseconds(words[start].start)
        return _ends_with(words[i - 1], marks) and lasts_ms >= _milliseconds(options.min_s)

    for i in range(start + 1, len(words)):
        pause_ms = _milliseconds(words[i].start) - _milliseconds(words[i - 1].end)
        if pause_ms >= _milliseconds(options.pause_s) or may_stop_before(i, SENTENCE_ENDS):
            return i
        if not _fits(words[start : i + 1], options):
            return next((j for j in range(i, start, -1) if may_stop_before(j, CLAUSE_ENDS)), i)
    return len(words)


def _fits(words: Sequence[Word], options: SegmentOptions) -> bool:
    """True if several words keep to the limits of one segment."""
    lasts_ms = _milliseconds(words[-1].end) - _milliseconds(words[0].start)
    lines = _lines(words, options.line_chars)
    return (
        lasts_ms <= _milliseconds(options.max_s)
        and len(lines) <= options.max_lines
        and all(len(line) <= options.line_chars for line in lines)
    )


def _ends_with(word: Word, marks: tuple[str, ...]) -> bool:
    return word.text.rstrip(CLOSING_MARKS).endswith(marks)


def _lines(words: Sequence[Word], line_chars: int) -> list[str]:
    """The words in lines of up to `line_chars` characters; a longer word has a line of its own."""
    lines = [words[0].text]
    for word in words[1:]:
        longer = f"{lines[-1]} {word.text}"
        if len(longer) <= line_chars:
            lines[-1] = longer
        else:
            lines.append(word.text)
    return lines


@dataclass(frozen=True)
class _Cue:
    """A subtitle: when it is shown, and its lines as one text."""

    start_ms: int
    end_ms: int
    text: str


def _cues(words: Sequence[Word]) -> list[_Cue]:
    """Subtitles that never overlap, whatever the times of the words.

    Each is shown for at least `min_s` unless the next one comes first, for at most `max_s`, and for
    at least a millisecond: WebVTT forbids cues that end when they start.
    """
    found = segments(words, options=SUBTITLES)
    starts_ms: list[int] = []
    for segment in found:
        earliest_ms = starts_ms[-1] + 1 if starts_ms else 0
        starts_ms.append(max(_milliseconds(segment.start), earliest_ms))
    cues = []
    for i, (segment, start_ms) in enumerate(zip(found, starts_ms, strict=True)):
        end_ms = max(_milliseconds(segment.end), start_ms + _milliseconds(SUBTITLES.min_s))
        end_ms = min(end_ms, start_ms + _milliseconds(SUBTITLES.max_s), *starts_ms[i + 1 : i + 2])
        cues.append(_Cue(start_ms, end_ms, "\n".join(_lines(segment.words, SUBTITLES.line_chars))))
    return cues


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _milliseconds(seconds: float) -> int:
    # Whole milliseconds from the start, so that rounding carries (59.9996 s is 00:01:00,000) and
    # comparisons are exact.
    return round(seconds * 1000)


def _clock(milliseconds: int, decimal_mark: str) -> str:
    """Time of day as subtitles write it.

    >>> _clock(3_723_004, ",")
    '01:02:03,004'
    """
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{decimal_mark}{milliseconds:03d}"


def _escape_markdown(text: str) -> str:
    # Only what has a meaning inside a line: paragraphs start with their time, never with these words.
    return re.sub(r"([\\`*_\[\]<>&~|$])", r"\\\1", text)
