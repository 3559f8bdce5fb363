"""Hypotheses put to the utterances of a reference, by id or by time, and what finds no utterance.

That is said in the log, and named in findings: a hypothesis whose id no reference has, words outside every
segment, words of other recordings.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evaluation.datasets.corpora.segments import Segment, TimedWord
from evaluation.datasets.tags import TagRule
from evaluation.records.assigning import Assigned, assigned, bare_name
from evaluation.records.files import RecordError
from evaluation.records.imported import own_id
from evaluation.show.display import count, counted

logger = logging.getLogger(__name__)

OUTSIDE: Final = "word outside every segment"
OTHER_RECORDING: Final = "word of a recording without a reference"
NO_REFERENCE: Final = "hypothesis without a reference"
_MILLISECONDS: Final = 3  # decimals of a second
_SLACK_S: Final = 0.5

Word = tuple[str, float, float, float]


@dataclass(frozen=True)
class Utterances:
    """Utterances of a reference, and how they become records.

    Attributes:
        segments: Segments with their references.
        dataset: Name of the dataset, the first part of ids.
        source: Name of the reference file, for messages.
        find: Function that gives the audio file of a segment; None where it is not there.
        tags: Rule for marks of noise in references, as a dataset has it.
    """

    segments: Sequence[Segment]
    dataset: str
    source: str
    find: Callable[[Segment], Path | None]
    tags: TagRule = "drop"


@dataclass(frozen=True)
class Heard:
    """Hypothesis of an utterance.

    Attributes:
        text: Its text; None where there is none.
        error: Why there is none.
        words: Words with times from the utterance's begin, where they have times.
    """

    text: str | None
    error: str | None = None
    words: tuple[Word, ...] = ()


def finding(name: str, reason: str, *, excluded: bool = True) -> dict[str, Any]:
    """Finding as records' ends hold it."""
    return {"id": name, "reason": reason, "excluded": excluded, "same_as": None}


def by_id(
    utterances: Utterances, texts: Mapping[str, tuple[str, str | None]], source: str
) -> tuple[list[Heard], list[dict[str, Any]]]:
    """Hypothesis of each utterance, and findings.

    Args:
        utterances: Utterances of the reference.
        texts: Place and text of each hypothesis by its id: the utterance's, or its recording's.
        source: Name of their file, for messages.

    Raises:
        RecordError: two are of one utterance, or not one is of any.
    """
    number_of = _numbers(utterances)
    found: dict[int, tuple[str, str | None]] = {}
    lost = []
    for key, (where, text) in texts.items():
        number = number_of.get(key, number_of.get(bare_name(key)))
        if number is None:
            lost.append(key)
        elif number in found:
            raise RecordError(
                f"{where}: {key!r} is {utterances.segments[number].key!r} of {utterances.source}, which "
                f"{found[number][0]} has already; keep one of them"
            )
        else:
            found[number] = (where, text)
    if not found:
        raise RecordError(
            f"{source}: not one of its {counted(len(lost), 'id')} is in {utterances.source}; the first is "
            f"{lost[0]!r}, and {utterances.segments[0].key!r} there. Give the references that belong to it"
        )
    _say(len(lost), ("hypothesis", "hypotheses"), f"of {source} with ids that {utterances.source} has not")
    heard = []
    for number in range(len(utterances.segments)):
        _, text = found.get(number, ("", None))
        heard.append(Heard(text, f"no hypothesis in {source}" if text is None else None))
    return heard, [finding(own_id(utterances.dataset, key), NO_REFERENCE) for key in lost]


def by_time(
    utterances: Utterances, words: Sequence[TimedWord], source: str, *, has_words: bool
) -> tuple[list[Heard], list[dict[str, Any]]]:
    """Hypothesis of each utterance, and findings.

    Args:
        utterances: Utterances of the reference.
        words: Words with times, or segments of several words.
        source: Name of their file, for messages.
        has_words: True where they are words, whose times are kept.

    Raises:
        RecordError: not one lies in an utterance.
    """
    segments = utterances.segments
    result = assigned(words, segments, utterances.dataset)
    if not result.words:
        first = words[0]
        raise RecordError(
            f"{source}: not one of its {counted(len(words), 'word')} lies in a segment of "
            f"{utterances.source}; the first is of {first.recording!r} at {first.start_s:g} s, and the first "
            f"segment there of {segments[0].recording!r} at {segments[0].start_s or 0:g} s. Give the "
            "references that belong to it"
        )
    _say_of_times(result, utterances, source, ("word", "words") if has_words else ("segment", "segments"))
    if not has_words:
        _say_of_long(result, utterances, source)
    heard = []
    for number, segment in enumerate(segments):
        if number not in result.heard:
            heard.append(Heard(None, f"no word of {segment.recording} in {source}"))
            continue
        mine = result.words.get(number, [])
        begin_s = segment.start_s or 0.0
        timed = tuple(_relative(word, begin_s) for word in mine) if has_words else ()
        heard.append(Heard(" ".join(word.text for word in mine), None, timed))
    return heard, [
        finding(f"{word.recording} at {word.start_s:.2f} s: {word.text}", reason)
        for reason, lost in ((OUTSIDE, result.outside), (OTHER_RECORDING, result.unknown))
        for word in lost
    ]


def _numbers(utterances: Utterances) -> dict[str, int]:
    """Number of each segment by its key, its id, and names of its recording that no other shares."""
    shared: dict[str, set[int]] = {}
    exact: dict[str, int] = {}
    for number, segment in enumerate(utterances.segments):
        exact[segment.key] = exact[own_id(utterances.dataset, segment.key)] = number
        given = (segment.recording, segment.key, segment.audio, segment.name)
        for name in {each for one in given if one for each in (one, bare_name(one))}:
            shared.setdefault(name, set()).add(number)
    return {name: next(iter(numbers)) for name, numbers in shared.items() if len(numbers) == 1} | exact


def _relative(word: TimedWord, begin_s: float) -> Word:
    """The word with times from its utterance's begin; a confidence that is not known is NaN."""
    confidence = math.nan if word.confidence is None else word.confidence
    start_s, end_s = round(word.start_s - begin_s, _MILLISECONDS), round(word.end_s - begin_s, _MILLISECONDS)
    return word.text, start_s, end_s, confidence


def _say_of_times(result: Assigned, utterances: Utterances, source: str, nouns: tuple[str, str]) -> None:
    there = utterances.source
    _say(len(result.outside), nouns, f"of {source} outside every segment of {there}")
    names = ", ".join(list(dict.fromkeys(word.recording for word in result.unknown))[:3])
    _say(len(result.unknown), nouns, f"of {source} in recordings that {there} has not, {names}")
    if result.n_ambiguous:
        logger.warning(
            "%s %s of %s in several segments of %s at once: put to the one that began last",
            count(result.n_ambiguous), nouns[result.n_ambiguous > 1], source, there,
        )  # fmt: skip


def _say_of_long(result: Assigned, utterances: Utterances, source: str) -> None:
    """Say of an STM's segments that reach into other segments: their words are all put to one."""
    n_long = 0
    for number, found in result.words.items():
        segment = utterances.segments[number]
        first_s = (segment.start_s or 0.0) - _SLACK_S
        last_s = (math.inf if segment.end_s is None else segment.end_s) + _SLACK_S
        n_long += sum(word.start_s < first_s or word.end_s > last_s for word in found)
    if n_long:
        logger.warning(
            "%s of %s with more than half a second outside the segment of %s that the middle lies in: all "
            "words are put to it; words with times (CTM) would say more",
            counted(n_long, "segment"), source, utterances.source,
        )  # fmt: skip


def _say(n: int, nouns: tuple[str, str], what: str) -> None:
    if n:
        logger.warning("%s %s %s: left out, and named in the records' end", count(n), nouns[n > 1], what)
