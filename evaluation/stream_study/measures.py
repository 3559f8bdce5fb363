"""Measures of one stream, from its log: instability and latencies.

**Instability.** Of the results of one utterance, each is compared with the next: its words behind the longest
common prefix of the two, in words, were taken back, and count as unstable once for every time that happens.
The unstable partial word ratio (UPWR) is their number over the number of words in the finals, pooled over
all streams (Y. Shangguan, K. Knister, Y. He, I. McGraw, F. Beaufays, "Analyzing the Quality and Stability of
a Streaming End-to-End On-Device Speech Recognizer", Interspeech 2020, arXiv 2006.01416). Counted as shown,
case and punctuation too, with what the final changes: that is what a reader sees flicker. Beside it without
case and punctuation, which a text has more of at its end than on the way there, and among partials alone.

**Latencies**, all on the stream's clock (`evaluation.records.stream_log`):

- first text: from the first audio, and from the onset of speech, to the first result with a text. No
  recogniser can show the first word before it was heard, so the onset is what to judge it by.
- partial lag: from the arrival of the newest sample that a partial needs to the partial. A sample arrives
  with its chunk. Work that is slower than the speech shows here.
- decision to final: from the arrival of the newest sample that the decision "the utterance has ended" needs
  to the final; of finals that came by silence.
- end of speech to final: of the last final of a stream, where it came by silence.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.normalize.letters import drop_punctuation, lower
from evaluation.records.stream_log import StreamEvent, StreamLog, utterances_of

# How the last final of a stream came: by silence after the speech; before the speech had ended, so that
# nothing was recognised behind it; by length or by the stop. Else there was no final, or no speech.
Ending = Literal["silence", "early", "stop", "none", "no speech"]


@dataclass(frozen=True)
class Instability:
    """Instability counts: words taken back, and words in the finals.

    Attributes:
        unstable, unstable_plain: Words taken back, as shown, and without case and punctuation.
        among_partials, among_partials_plain: Words taken back, likewise, without what finals change.
        n_words: Words in the finals.
        n_utterances, n_revised: Utterances with a result; and those that took back a word, as shown.
    """

    unstable: int = 0
    unstable_plain: int = 0
    among_partials: int = 0
    among_partials_plain: int = 0
    n_words: int = 0
    n_utterances: int = 0
    n_revised: int = 0


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Measures of one stream; None and empty where there is nothing to measure.

    Attributes:
        first_text_s: Seconds from the first audio to the first result with a text.
        first_text_from_onset_s: Seconds from the onset of speech to the first result with a text.
        partial_lags_s: Lag of each partial, in seconds.
        decisions_s: Seconds from the decision to the final, of each final that came by silence.
        end_to_final_s: Seconds from the end of speech to the last final.
        ending: The way that final came.
        n_partials: Number of partials.
        instability: Instability counts of its utterances.
        worst_behind_s: Seconds by which the latest piece of audio was handed over late, for lack of time.
        growth_s: Seconds by which pieces of the last quarter were later than those of the first: medians.
    """

    first_text_s: float | None
    first_text_from_onset_s: float | None
    partial_lags_s: tuple[float, ...]
    decisions_s: tuple[float, ...]
    end_to_final_s: float | None
    ending: Ending
    n_partials: int
    instability: Instability
    worst_behind_s: float
    growth_s: float


def measures(log: StreamLog) -> Measures:
    """Measures of one stream."""
    first_s = next((event.at_s for event in log.events if event.text), None)
    partials = [event for event in log.events if event.kind == "partial"]
    by_silence = [event for event in log.events if event.kind == "final" and event.reason == "silence"]
    ending = _ending(log)
    behind = [handed_s - end_s for end_s, handed_s in log.chunks] or [0.0]
    quarter = max(1, len(behind) // 4)
    return Measures(
        first_text_s=first_s,
        first_text_from_onset_s=None if first_s is None or log.speech is None else first_s - log.speech[0],
        partial_lags_s=_lags(log, partials),
        decisions_s=_lags(log, by_silence),
        end_to_final_s=by_silence[-1].at_s - log.speech[1] if ending == "silence" and log.speech else None,
        ending=ending,
        n_partials=len(partials),
        instability=instability(log.events),
        worst_behind_s=max(behind),
        growth_s=float(np.median(behind[-quarter:]) - np.median(behind[:quarter])),
    )


def instability(events: Iterable[StreamEvent]) -> Instability:
    """Instability counts of all utterances of a stream."""
    counts = np.zeros(7, int)
    for results in utterances_of(events):
        partials = [event.text for event in results if event.kind == "partial"]
        final = next((event.text for event in results if event.kind == "final"), None)
        shown = partials + ([] if final is None else [final])
        n_unstable = n_taken_back(shown)
        counts += (
            n_unstable, n_taken_back(shown, plain), n_taken_back(partials), n_taken_back(partials, plain),
            len((final or "").split()), 1, n_unstable > 0,
        )  # fmt: skip
    return Instability(*counts.tolist())


def settling_s(events: Iterable[StreamEvent], form: Callable[[str], str] = str) -> tuple[float, ...]:
    """Settling times of the finals' words: seconds from when something stood in their place until they did.

    A word's place is its number in the utterance. It stays from the first result on after which it and all
    words before it are those of the final. A word that never changed took no time, and so did one that only
    the final shows. Words of utterances without a final are left out.

    >>> texts = [(1.0, "partial", "при"), (2.0, "partial", "привет как"), (3.0, "final", "привет вам")]
    >>> settling_s(StreamEvent(kind=kind, utterance=0, text=text, at_s=at_s) for at_s, kind, text in texts)
    (1.0, 1.0)
    """
    found = []
    for results in utterances_of(events):
        texts = [form(event.text).split() for event in results]
        final = texts[-1] if results[-1].kind == "final" else []
        for place in range(1, len(final) + 1):
            first = next(at for at, words in enumerate(texts) if len(words) >= place)
            stayed = len(texts) - 1
            while stayed > first and texts[stayed - 1][:place] == final[:place]:
                stayed -= 1
            found.append(results[stayed].at_s - results[first].at_s)
    return tuple(found)


def n_taken_back(texts: Sequence[str], form: Callable[[str], str] = str) -> int:
    """Number of words taken back: those of each text behind the longest common prefix with the next one.

    >>> n_taken_back(["привет", "привет как", "приветы как дела", "Приветы, как дела?"])
    5
    >>> n_taken_back(["привет", "привет как", "приветы как дела", "Приветы, как дела?"], plain)
    2
    """
    each = [form(text).split() for text in texts]
    return sum(len(one) - _n_common(one, other) for one, other in itertools.pairwise(each))


def plain(text: str) -> str:
    """Text without case and punctuation.

    >>> plain("Привет, как дела?").split()
    ['привет', 'как', 'дела']
    """
    return drop_punctuation(lower(text))


def _n_common(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _lags(log: StreamLog, events: Iterable[StreamEvent]) -> tuple[float, ...]:
    """Seconds from the arrival of what each result needed to the result."""
    return tuple(event.at_s - log.arrival_of(event.heard_s) for event in events if event.heard_s is not None)


def _ending(log: StreamLog) -> Ending:
    finals = [event for event in log.events if event.kind == "final"]
    if log.speech is None:
        return "no speech"
    if not finals:
        return "none"
    last = finals[-1]
    if last.reason != "silence":
        return "stop"
    decided_s = last.at_s if last.heard_s is None else last.heard_s
    return "silence" if decided_s >= log.speech[1] else "early"
