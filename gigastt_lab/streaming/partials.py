"""Partial results, the words of an utterance while it is spoken: chunk by chunk, with context around."""

from __future__ import annotations

import time

import numpy as np

from gigastt_lab.recognition.recognizer import Recognizer
from gigastt_lab.recognition.search import SearchState, Tokens
from gigastt_lab.streaming.feature_buffer import FeatureBuffer
from gigastt_lab.streaming.options import FRAME_MS, StreamOptions
from gigastt_lab.types import BoolArray, Float32Array, Timings


class PartialSearch:
    """Search for partials: left context, chunk and right context are encoded, the chunk's tokens settle.

    The search goes on from chunk to chunk with the predictor's state, so that no texts have to be merged.
    From the end of the chunk it runs on through the right context on a copy of the state: those tokens are
    shown, and found anew with the next chunk. Frames are the encoder's, from the start of the stream.

    Source: NeMo's buffered RNN-T streaming, which keeps the middle of each buffer and the decoder's state.

    Attributes:
        searched: The frame after the last one whose tokens have settled.
        settled: Tokens up to `searched`, with frames of the stream.
        unsettled: Tokens of the right context.
    """

    def __init__(self, recognizer: Recognizer, options: StreamOptions, is_closing: BoolArray) -> None:
        """Begin at frame 0; `is_closing` as `tokenizer.Tokenizer` has it."""
        self._recognizer = recognizer
        self._is_closing = is_closing
        self._subsampling = recognizer.spec.subsampling
        self.use(options)
        self.begin(0)

    def use(self, options: StreamOptions) -> None:
        """Go on with other contexts; what has settled stays."""
        self._left = options.left_ms // FRAME_MS
        self._right = options.right_ms // FRAME_MS

    def begin(self, frame: int, *, goes_on: bool = False) -> None:
        """Start anew at this frame, as at the start of an utterance.

        Args:
            frame: The encoder frame.
            goes_on: True behind words of the same breath: their punctuation, found once more here, is none of
                this utterance.
        """
        self._goes_on = goes_on
        self.searched = self._base = frame
        self.settled = self.unsettled = Tokens.concatenate([])
        self._state = self._recognizer.search.start

    @property
    def tokens(self) -> Tokens:
        """All tokens found so far."""
        return Tokens.concatenate([self.settled, self.unsettled])

    def advance(self, features: FeatureBuffer, position: int, start: int) -> Timings:
        """Search up to `position`.

        Args:
            features: Features of the stream, from `start` to `position` at least.
            position: The newest frame + 1; what lies less than the right context before it stays unsettled.
            start: The first frame that the left context may hold.

        Returns:
            Seconds of work, by stage.

        Raises:
            ModelError: the encoder failed.
        """
        started = time.perf_counter()
        first = max(start, self.searched - self._left)
        settles = max(self.searched, position - self._right)
        scale = self._subsampling
        encoded = self._recognizer.encode(features.between(scale * first, scale * position))
        encoded_at = time.perf_counter()
        chunk = encoded[self.searched - first : settles - first]
        tokens, self._state = self._search(chunk)
        self.settled = self._without_first_marks(Tokens.concatenate([self.settled, tokens]))
        self.searched = settles
        unsettled, _ = self._search(encoded[settles - first :])
        self.unsettled = unsettled if len(self.settled) else self._without_first_marks(unsettled)
        return Timings(encoder_s=encoded_at - started, search_s=time.perf_counter() - encoded_at)

    def skip_to(self, position: int) -> None:
        """Go on as `advance` would over frames without a token."""
        self.begin(max(self.searched, position - self._right), goes_on=self._goes_on)

    def _without_first_marks(self, tokens: Tokens) -> Tokens:
        if not self._goes_on:
            return tokens
        others = np.flatnonzero(~self._is_closing[tokens.ids])
        first = others[0] if len(others) else len(tokens)
        return Tokens(tokens.ids[first:], tokens.frames[first:], tokens.probabilities[first:])

    def _search(self, encoded: Float32Array) -> tuple[Tokens, SearchState]:
        (tokens,), (state,) = self._recognizer.search(encoded[None], np.array([len(encoded)]), [self._state])
        return Tokens(tokens.ids, tokens.frames + self._base, tokens.probabilities), state
