"""A live stream: chunks of audio in, partial and final results out.

Everything is decided at positions of the stream, in encoder frames of 40 ms, never by when or how audio
arrives: chunks of any size give the same results. While an utterance is spoken, `partials` follows it;
when it has ended (`endpointing`), one pass over the whole of it gives the final, as a file's would.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from gigastt_lab.audio.vad import EnergyDetector, SpeechDetector
from gigastt_lab.recognition.recognizer import Recognizer
from gigastt_lab.recognition.search import Tokens
from gigastt_lab.recognition.stitching import joined, seam_after, within
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.streaming.cutting import words_before_gap
from gigastt_lab.streaming.endpointing import Endpointer
from gigastt_lab.streaming.input import StreamInput
from gigastt_lab.streaming.options import FRAME_MS, StreamOptions
from gigastt_lab.streaming.partials import PartialSearch
from gigastt_lab.types import EndReason, Float32Array, ResultKind, StreamResult, Timings, Word

# After a cut, the next utterance hears so much of the one before, to find the words at the seam.
_OVERLAP_FRAMES = 2_000 // FRAME_MS
# So long a quiet stretch ends a word: longer than the closure of a stop.
_QUIET_FRAMES = 120 // FRAME_MS


@dataclass
class _Utterance:
    """The utterance that is being spoken.

    Attributes:
        start: The encoder frame where its own audio begins.
        heard_from: The encoder frame where the encoder's audio begins: earlier, after a cut.
        before: Words of the last utterance between `heard_from` and `start`.
        n_kept: Number of words of `before` that were delivered.
        shown: Text and stable length of its newest partial.
    """

    start: int = 0
    heard_from: int = 0
    before: tuple[Word, ...] = ()
    n_kept: int = 0
    shown: tuple[str, int] = ("", 0)


class StreamingSession:
    """One live stream. Made by `Engine.stream`; to be used by one thread at a time.

    Sessions share nothing that changes: as many as wanted may run beside each other, in threads of their own.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        tokenizer: Tokenizer,
        *,
        sample_rate: int,
        options: StreamOptions,
        detector: SpeechDetector | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            recognizer: Recogniser of the model: features to tokens.
            tokenizer: Tokenizer of the model: tokens to words.
            sample_rate: Sample rate of the audio to come, in Hz.
            options: Options of partial results and endpointing.
            detector: Detector of speech; None: one that goes by loudness.

        Raises:
            AudioError: a sample rate that cannot be.
        """
        self._recognizer = recognizer
        self._tokenizer = tokenizer
        self._options = options
        self._input = StreamInput(sample_rate, recognizer.spec, detector or EnergyDetector())
        self._endpointer = Endpointer(options.endpoint, by_words=options.partials)
        self._partial = PartialSearch(recognizer, options, tokenizer.is_closing)
        self._now = _Utterance()
        self._n_utterances = 0  # ended
        self._position = 0  # encoder frames heard
        self._spent = Timings()  # since the last result
        self._is_open = True

    def accept(self, audio: bytes | bytearray | memoryview | npt.NDArray[Any]) -> list[StreamResult]:
        """Take the next audio, any amount, and return what it completes.

        Args:
            audio: PCM16 little-endian mono bytes, cut anywhere, or mono samples of shape (n_samples,):
                floating in [-1, 1] or PCM integers. At the stream's rate.

        Returns:
            New results in order, often none. A partial replaces the one before; a final ends its utterance.

        Raises:
            AudioError: an array of another shape or type, NaN or infinity; the stream is as it was before.
            ModelError: the model failed.
            ValueError: the stream has ended.
        """
        self._require_open()
        return [result for block in self._input.blocks(audio) for result in self._advance(block)]

    def finish(self) -> list[StreamResult]:
        """End the stream: what is left of its audio is recognised, and nothing is accepted any more.

        Raises:
            ModelError: the model failed.
            ValueError: the stream has ended already.
        """
        self._require_open()
        results = self._advance(self._input.rest())
        self._is_open = False
        if not self._now.shown[0] and self._input.is_muted_from(self._now.start):
            return results
        return results + self._end("stop")

    def flush(self) -> list[StreamResult]:
        """End the utterance here, whatever comes next: the final of what was said, of the reason "flush".

        A word that is being spoken is cut in two. The stream goes on with another utterance.

        Returns:
            One final, or none where nothing was said.

        Raises:
            ModelError: the model failed.
            ValueError: the stream has ended.
        """
        self._require_open()
        if not self._now.shown[0] and self._input.is_muted_from(self._now.start):
            return []
        return self._end("flush")

    def configure(self, options: StreamOptions) -> None:
        """Go on with other options, from the audio to come on; the utterance that is being spoken stays.

        Raises:
            ValueError: `partials` is another than the stream began with, or the stream has ended.
        """
        self._require_open()
        if options.partials != self._options.partials:
            raise ValueError("a stream goes on with partials, or without, as it began; open another one")
        self._options = options
        self._endpointer.use(options.endpoint)
        self._partial.use(options)

    def _require_open(self) -> None:
        if not self._is_open:
            raise ValueError("this stream has ended; open another with Engine.stream")

    def _advance(self, block: Float32Array) -> list[StreamResult]:
        """Take samples at the model's rate, and go on frame by frame as far as they reach."""
        started = time.perf_counter()
        frames = self._input.take(block)
        self._spent += Timings(features_s=time.perf_counter() - started)
        results: list[StreamResult] = []
        for may_be_speech in frames:
            self._position += 1
            self._endpointer.hear(may_be_speech)
            if self._position % (self._options.chunk_ms // FRAME_MS) == 0:
                if self._options.partials:
                    results += self._search()
                self._pass_over_silence()
            reason = self._endpointer.reason()
            if reason:
                results += self._end(reason)
        return results

    def _search(self) -> list[StreamResult]:
        """Move the partial search on; the partial that shows it, if that shows anything new."""
        partial = self._partial
        if not self._endpointer.spoken and self._input.is_muted_from(partial.searched):
            partial.skip_to(self._position)
            return []
        self._spent += partial.advance(self._input.features, self._position, self._now.heard_from)
        tokens = partial.tokens
        last = self._last_word_frame(tokens)
        if last is not None:
            self._endpointer.word_at(last)
        words = within(self._complete(tokens), _seconds(self._now.start), _seconds(self._position))
        text = _text(words)
        shown = text, min(len(text), len(self._tokenizer.text(partial.settled.ids)))
        if shown == self._now.shown:
            return []
        self._now.shown = shown
        return [self._result("partial", words, stable=shown[1])]

    def _complete(self, tokens: Tokens) -> tuple[Word, ...]:
        """The words of tokens without the newest, which may still be growing; what has been shown stays.

        Half words would be most of what partials take back.
        """
        held = 0 if self._endpointer.quiet_frames >= _QUIET_FRAMES else self._options.hold_ms // FRAME_MS
        last_frames = self._tokenizer.last_frames(tokens.ids, tokens.frames)
        n_complete = sum(frame < self._position - held for frame in last_frames)
        return self._words(tokens)[: max(n_complete, len(self._now.shown[0].split()))]

    def _pass_over_silence(self) -> None:
        """Drop the older audio of an utterance without a word: it was silence."""
        if self._endpointer.spoken or self._now.shown[0]:
            return
        reached = self._partial.searched if self._options.partials else self._position
        start = reached - -(-self._options.endpoint.max_leading_silence_ms // FRAME_MS)
        if start > self._now.start:
            self._begin(_Utterance(start, start), search_from=reached)

    def _end(self, reason: EndReason) -> list[StreamResult]:
        """The final of the utterance, unless the pass over it shows that it goes on."""
        features, scale = self._input.features, self._recognizer.spec.subsampling
        end = features.end if reason in {"stop", "flush"} else scale * self._position
        heard_from = self._now.heard_from
        recognition = self._recognizer.from_features(features.between(scale * heard_from, end))
        self._spent += recognition.timings
        found = recognition.tokens
        tokens = Tokens(found.ids, found.frames + heard_from, found.probabilities)
        last = self._last_word_frame(tokens)
        if reason == "silence" and last is not None and self._endpointer.contradicted_by(last):
            self._endpointer.word_at(last)
            return []
        words = self._words(tokens)
        first = seam_after(self._now.before, words, self._now.n_kept)
        if reason == "limit":
            return self._cut(words, first, self._tokenizer.last_frames(tokens.ids, tokens.frames))
        results = self._final(words[first:], reason, self._position)
        self._begin(_Utterance(self._position, self._position), search_from=self._position)
        return results

    def _cut(self, words: tuple[Word, ...], first: int, last_frames: list[int]) -> list[StreamResult]:
        """End an utterance that grew too long at a gap between words; the next one overlaps it."""
        n_words = words_before_gap(words, first, _seconds(self._position))
        cut = search_from = self._position
        if n_words < len(words):
            cut = _frame((words[n_words - 1].end + words[n_words].start) / 2)
            search_from = min(cut, last_frames[n_words - 1] + 1)
        results = self._final(words[first:n_words], "limit", cut)
        heard_from = max(self._now.heard_from, cut - _OVERLAP_FRAMES)
        heard_again = tuple(word for word in words if _frame(word.end) > heard_from)
        n_kept = max(0, n_words - (len(words) - len(heard_again)))
        self._begin(_Utterance(cut, heard_from, heard_again, n_kept), search_from=search_from)
        return results

    def _final(self, words: Sequence[Word], reason: EndReason, end: int) -> list[StreamResult]:
        """The final of these words; none where nothing was found and nothing was shown."""
        is_stop = reason == "stop"
        end_s = self._input.n_samples / self._recognizer.spec.sample_rate if is_stop else _seconds(end)
        new = joined(self._now.before[: self._now.n_kept], words)
        new = within(new, _seconds(self._now.start), end_s)
        if not new and not self._now.shown[0]:
            return []
        final = replace(self._result("final", new, stable=len(_text(new))), reason=reason, end=end_s)
        self._n_utterances += 1
        return [replace(final, heard=end_s) if is_stop else final]

    def _begin(self, utterance: _Utterance, *, search_from: int) -> None:
        self._now = utterance
        self._input.features.drop_before(self._recognizer.spec.subsampling * utterance.heard_from)
        self._partial.begin(search_from, goes_on=utterance.n_kept > 0)
        self._endpointer.begin(utterance.start)

    def _words(self, tokens: Tokens) -> tuple[Word, ...]:
        frame_s = self._recognizer.spec.encoder_frame_s
        return self._tokenizer.words(tokens.ids, tokens.frames, tokens.probabilities, frame_s)

    def _last_word_frame(self, tokens: Tokens) -> int | None:
        spoken = tokens.frames[self._tokenizer.is_spoken[tokens.ids]]
        return int(spoken[-1]) if len(spoken) else None

    def _result(self, kind: ResultKind, words: tuple[Word, ...], *, stable: int) -> StreamResult:
        spent, self._spent = self._spent, Timings()
        return StreamResult(
            kind=kind,
            utterance=self._n_utterances,
            words=words,
            stable=stable,
            start=_seconds(self._now.start),
            end=_seconds(self._position),
            heard=self._input.heard_by(self._position),
            timings=spent,
        )


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _seconds(frame: int) -> float:
    return frame * FRAME_MS / 1000


def _frame(seconds: float) -> int:
    return round(1000 * seconds / FRAME_MS)
