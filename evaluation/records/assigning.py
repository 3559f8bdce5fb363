"""Words of recordings, by their times, put to the segments of a reference.

A word belongs to the segment in which its middle lies, the end excluded. Where segments overlap, to the one
that began last. A whole recording takes all of its words. Channels are heeded where the reference has several
of a recording.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from evaluation.datasets.corpora.recordings import without_suffix
from evaluation.datasets.corpora.segments import Segment, TimedWord


@dataclass
class Assigned:
    """Words of segments.

    Attributes:
        words: Words of each segment by its number, in order of their begin; their times are those of the
            segment's recording, also where the file gave them by utterance.
        outside: Words that lie in no segment of their recording.
        unknown: Words of recordings that the reference does not have.
        n_ambiguous: Number of words whose middle lies in several segments.
        heard: Numbers of the segments whose recording has a word.
    """

    words: dict[int, list[TimedWord]] = field(default_factory=dict)
    outside: list[TimedWord] = field(default_factory=list)
    unknown: list[TimedWord] = field(default_factory=list)
    n_ambiguous: int = 0
    heard: set[int] = field(default_factory=set)


def assigned(words: Sequence[TimedWord], segments: Sequence[Segment], dataset: str = "") -> Assigned:
    """Words put to segments, by recording, channel and middle.

    A file may call the utterance where others call the recording: its times then count from the utterance's
    begin.

    Args:
        words: Words with their times.
        segments: Segments of the reference.
        dataset: Name of the dataset, which ids of utterances may begin with.
    """
    names = _Names(segments, dataset)
    result = Assigned()
    heard: dict[int, _Stretches] = {}
    for word in words:
        place = names.place_of(word)
        if place is None:
            result.unknown.append(word)
        elif isinstance(place, int):
            segment = segments[place]
            result.heard.add(place)
            result.words.setdefault(place, []).append(_moved(word, segment.start_s or 0.0))
        else:
            heard[id(place)] = place
            found, n_found = place.at((word.start_s + word.end_s) / 2)
            result.n_ambiguous += n_found > 1
            if found is None:
                result.outside.append(word)
            else:
                result.words.setdefault(found, []).append(word)
    for place in heard.values():
        result.heard.update(place.numbers)
    for each in result.words.values():
        each.sort(key=lambda word: (word.start_s, word.end_s))
    return result


class _Stretches:
    """Segments of one recording, or of one of its channels, by time."""

    def __init__(self, numbered: Sequence[tuple[int, Segment]]) -> None:
        order = sorted(numbered, key=lambda pair: pair[1].start_s or 0.0)
        self.numbers = [number for number, _ in order]
        self._starts = [segment.start_s or 0.0 for _, segment in order]
        self._ends = [float("inf") if segment.end_s is None else segment.end_s for _, segment in order]
        self._latest_ends = list(accumulate(self._ends, max))

    def at(self, time_s: float) -> tuple[int | None, int]:
        """Number of the last segment to begin that holds a time, and how many hold it."""
        index = bisect_right(self._starts, time_s) - 1
        found, n_found = None, 0
        while index >= 0 and self._latest_ends[index] > time_s:
            if self._ends[index] > time_s:
                found = self.numbers[index] if found is None else found
                n_found += 1
            index -= 1
        return found, n_found


class _Names:
    """Segments by the names that a file may call their recording by: as it is, a file's name, its stem."""

    def __init__(self, segments: Sequence[Segment], dataset: str) -> None:
        of_recording: dict[str, list[tuple[int, Segment]]] = {}
        for number, segment in enumerate(segments):
            of_recording.setdefault(segment.recording, []).append((number, segment))
        self._channels: dict[str, dict[str, _Stretches]] = {}
        self._all: dict[str, _Stretches] = {}
        for name, numbered in of_recording.items():
            self._all[name] = _Stretches(numbered)
            channels = {_channel(segment.channel) for _, segment in numbered}
            if len(channels) > 1:
                self._channels[name] = {
                    channel: _Stretches([pair for pair in numbered if _channel(pair[1].channel) == channel])
                    for channel in channels
                }
        self._alias = _aliases(of_recording)
        named = {segment.name: number for number, segment in enumerate(segments) if segment.name}
        self._of_key = named | {segment.key: number for number, segment in enumerate(segments)}
        self._prefix = f"{dataset}/"

    def place_of(self, word: TimedWord) -> _Stretches | int | None:
        """Stretches of a word's recording, or the number of the segment that it names; None: neither."""
        name = word.recording if word.recording in self._all else None
        if name is None:
            number = self._of_key.get(word.recording.removeprefix(self._prefix))
            if number is not None:
                return number
        name = name or self._alias.get(bare_name(word.recording))
        if name is None:
            return None
        return self._channels[name].get(_channel(word.channel)) if name in self._channels else self._all[name]


def bare_name(name: str) -> str:
    """Name of a recording without folders and an audio file's suffix."""
    return without_suffix(os.path.basename(name))


def _aliases(recordings: dict[str, list[tuple[int, Segment]]]) -> dict[str, str]:
    """Recording of each bare name; of a name that two recordings share, none."""
    found: dict[str, set[str]] = {}
    for name, numbered in recordings.items():
        audio = numbered[0][1].audio
        for each in (name, *([audio] if audio else [])):
            found.setdefault(bare_name(each), set()).add(name)
    return {alias: next(iter(names)) for alias, names in found.items() if len(names) == 1}


def _channel(channel: str | None) -> str:
    """Channel as one name: `A` and `1` are the first, `B` and `2` the second."""
    name = (channel or "1").upper()
    return {"A": "1", "B": "2"}.get(name, name)


def _moved(word: TimedWord, by_s: float) -> TimedWord:
    return word._replace(start_s=word.start_s + by_s, end_s=word.end_s + by_s) if by_s else word
