"""Partial results, the words of an utterance while it is spoken: chunk by chunk, with context around."""

from __future__ import annotations

import time

import numpy as np

from gigastt_lab.recognition.recognizer import Recognizer
from gigastt_lab.recognition.search import SearchState, Tokens
from gigastt_lab.streaming.feature_buffer import FeatureBuffer
from gigastt_lab.streaming.options import FRAME_MS, StreamOptions
from gigastt_lab.types import Float32Array, Timings


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

    def __init__(self, recognizer: Recognizer, options: StreamOptions) -> None:
        self._recognizer = recognizer
        self._subsampling = recognizer.spec.subsampling
        self._left = options.left_ms // FRAME_MS
        self._right = options.right_ms // FRAME_MS
        self.begin(0)

    def begin(self, frame: int) -> None:
        """Start anew at this frame, as at the start of an utterance."""
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
        self.settled = Tokens.concatenate([self.settled, tokens])
        self.searched = settles
        unsettled, _ = self._search(encoded[settles - first :])
        self.unsettled = unsettled
        return Timings(encoder_s=encoded_at - started, search_s=time.perf_counter() - encoded_at)

    def skip_to(self, position: int) -> None:
        """Go on as `advance` would over frames without a token."""
        self.begin(max(self.searched, position - self._right))

    def _search(self, encoded: Float32Array) -> tuple[Tokens, SearchState]:
        (tokens,), (state,) = self._recognizer.search(encoded[None], np.array([len(encoded)]), [self._state])
        return Tokens(tokens.ids, tokens.frames + self._base, tokens.probabilities), state
