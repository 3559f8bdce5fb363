"""Greedy RNN-T search: which token each encoder frame emits. Pure logic over two Protocols."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gigastt_lab.spec import MAX_SYMBOLS_PER_FRAME
from gigastt_lab.types import Float32Array, Int64Array

# Frames that one joiner call scores, over all utterances together: many for one utterance, where the cost
# of a call counts, few for each of a batch, where frames behind the next emission are wasted work. At
# GigaAM's sizes with one emission in seven frames, ms of CPU per second of audio by frames per utterance:
#   frames          1     2     3     4     6     8     12    16
#   1 utterance     2.40  1.59  1.32  1.29  1.24  1.23  1.27  1.38
#   16 utterances   0.59  0.53  0.54  0.53  0.57  0.61  0.65  0.78
# (compact networks, 20-30 s utterances, two busy AMD EPYC cores).
FRAMES_PER_CALL = 32
MIN_WINDOW = 2
MAX_WINDOW = 8


class Predictor(Protocol):
    """The network that reads the tokens emitted so far."""

    @property
    def state_size(self) -> int:
        """Numbers in the state of one utterance; the start state is all zeros."""
        ...

    def __call__(self, tokens: Int64Array, states: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Read one more token in each of N utterances.

        Args:
            tokens: Token ids. Shape (N,).
            states: State of each utterance. Shape (N, state_size).

        Returns:
            The output for the joiner, shape (N, n_predicted), and the new states, shape (N, state_size).
        """
        ...


class Joiner(Protocol):
    """The network that scores the next token of an encoder frame."""

    def project(self, encoded: Float32Array) -> Float32Array:
        """Projected frames, what depends on the encoder alone: (B, T, n_encoded) to (B, T, n_projected)."""
        ...

    def __call__(self, projected: Float32Array, predicted: Float32Array) -> Float32Array:
        """Score W frames of each of N utterances.

        Args:
            projected: Frames as `project` gives them. Shape (N, W, n_projected).
            predicted: The predictor's output, the same for all W frames. Shape (N, n_predicted).

        Returns:
            Log-probabilities up to a constant per frame. Shape (N, W, n_vocabulary).
        """
        ...


@dataclass(frozen=True)
class SearchState:
    """State of the search of one utterance between two calls. Opaque but for `n_frames`.

    Attributes:
        predicted: The predictor's output after the last token, so that no call repeats it.
        hidden: The predictor's state after the last token.
        n_frames: Encoder frames searched so far.
    """

    predicted: Float32Array
    hidden: Float32Array
    n_frames: int = 0


@dataclass(frozen=True, eq=False)
class Tokens:
    """Tokens of one utterance, in the order emitted.

    Attributes:
        ids: Token ids. Shape (n_tokens,).
        frames: Encoder frame of each token, counted from the utterance's first frame. Shape (n_tokens,).
        probabilities: Probability of each token among the whole vocabulary. Shape (n_tokens,).
    """

    ids: Int64Array
    frames: Int64Array
    probabilities: Float32Array

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def concatenate(cls, parts: Iterable[Tokens]) -> Tokens:
        """The tokens of consecutive parts as one."""
        empty = cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        parts = [empty, *parts]
        return cls(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.frames for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
        )


class GreedySearch:
    """Greedy RNN-T search over a batch: in each frame the best token, until it is the blank.

    The predictor changes only when a token is emitted. So the joiner scores a window of frames at once for
    the predictor's last output, and all utterances of a batch step together, each at its own frame: label
    looping (arXiv 2406.06220), here with a window instead of the inner loop over blanks.

    The tokens are those of frame-by-frame search. A matrix product over many rows may differ from one over a
    single row in the last bit of a sum, as BLAS libraries choose another order of summation; that could turn
    only a choice between scores that are equal up to rounding. Equal scores go to the lowest id in both.

    Safe to call from several threads: nothing is changed after construction.
    """

    def __init__(
        self,
        predictor: Predictor,
        joiner: Joiner,
        *,
        blank_id: int,
        max_symbols: int = MAX_SYMBOLS_PER_FRAME,
        window: int | None = None,
    ) -> None:
        """Put the networks together and read the start token.

        Args:
            predictor: Predictor; read once here, with the blank, as GigaAM starts (its embedding is zero).
            joiner: Joiner that scores the vocabulary that `blank_id` belongs to.
            blank_id: Id of the token that stands for "nothing more in this frame".
            max_symbols: Tokens that one frame may emit.
            window: Frames that the joiner scores at once for each utterance; None chooses by batch size.

        Raises:
            ValueError: `max_symbols` or `window` is less than 1.
        """
        if max_symbols < 1 or (window is not None and window < 1):
            raise ValueError(f"max_symbols is {max_symbols}, window is {window}; give 1 or more")
        self._predictor = predictor
        self._joiner = joiner
        self._blank_id = blank_id
        self._max_symbols = max_symbols
        self._window = window
        zeros = np.zeros((1, predictor.state_size), np.float32)
        predicted, hidden = predictor(np.array([blank_id]), zeros)
        self._start = SearchState(predicted[0], hidden[0])

    @property
    def start(self) -> SearchState:
        """The state before the first frame of an utterance."""
        return self._start

    def __call__(
        self,
        encoded: Float32Array,
        lengths: Int64Array,
        states: Sequence[SearchState] | None = None,
    ) -> tuple[list[Tokens], list[SearchState]]:
        """Search the next frames of a batch of utterances.

        Searching an utterance in parts, each from the state that the last part returned, gives the tokens of
        searching it whole.

        Args:
            encoded: Encoder output. Shape (B, T, n_encoded).
            lengths: Valid frames of each utterance, 0 to T. Shape (B,).
            states: State of each utterance; None for the start. They stay as they are.

        Returns:
            For each utterance its new tokens and its new state.
        """
        if states is None:
            states = [self._start] * len(encoded)
        n_utterances, n_frames, _ = encoded.shape
        if not n_utterances == len(lengths) == len(states) or np.any(lengths > n_frames):
            raise ValueError(
                f"encoded is {encoded.shape} for lengths {list(lengths)} and {len(states)} states; "
                "give one length and one state per utterance, no length beyond the frames"
            )
        if not np.any(lengths):
            return [Tokens.concatenate([]) for _ in states], list(states)
        batch = _Batch(self._joiner.project(encoded), np.asarray(lengths, np.int64), states)
        while batch.active.size:
            self._step(batch)
        return batch.tokens(), batch.states()

    def _step(self, batch: _Batch) -> None:
        """Move every active utterance on: to its next token, or by a window of blanks."""
        active = batch.active
        window = self._window or min(max(FRAMES_PER_CALL // active.size, MIN_WINDOW), MAX_WINDOW)
        scores = self._joiner(batch.window(window), batch.predicted[active])
        best = scores.argmax(axis=2)
        left = batch.lengths[active] - batch.position[active]
        emits = (best != self._blank_id) & (np.arange(window) < left[:, None])
        emitting = emits.any(axis=1)
        # Blanks before the first emission; without one the whole window is blank.
        blanks = np.where(emitting, emits.argmax(axis=1), np.minimum(window, left))
        batch.advance(active, blanks)
        rows = np.flatnonzero(emitting)
        if rows.size:
            first = blanks[rows]
            tokens = best[rows, first]
            emitters = active[rows]
            batch.emit(emitters, tokens, _best_probability(scores[rows, first]))
            batch.predicted[emitters], batch.hidden[emitters] = self._predictor(
                tokens, batch.hidden[emitters]
            )
            # Full frames are left without asking for their blank.
            batch.advance(emitters, (batch.symbols[emitters] >= self._max_symbols).astype(np.int64))
        batch.active = active[batch.position[active] < batch.lengths[active]]


class _Batch:
    """The utterances of one call while they are searched."""

    def __init__(self, projected: Float32Array, lengths: Int64Array, states: Sequence[SearchState]) -> None:
        self.projected = projected
        self.lengths = lengths
        self.position = np.zeros_like(lengths)  # the frame at which each utterance stands
        self.symbols = np.zeros_like(lengths)  # tokens that this frame has emitted
        self.active = np.flatnonzero(lengths)
        self.predicted = np.stack([state.predicted for state in states])
        self.hidden = np.stack([state.hidden for state in states])
        self._offsets = np.array([state.n_frames for state in states])
        self._emitted: list[tuple[Int64Array, Int64Array, Int64Array, Float32Array]] = []

    def window(self, size: int) -> Float32Array:
        """The next `size` frames of the active utterances; frames beyond the end repeat the last."""
        frames = self.position[self.active, None] + np.arange(size)
        np.minimum(frames, self.projected.shape[1] - 1, out=frames)
        window: Float32Array = self.projected[self.active[:, None], frames]
        return window

    def advance(self, utterances: Int64Array, n_frames: Int64Array) -> None:
        """Leave `n_frames` frames behind; a new frame has emitted nothing yet."""
        self.position[utterances] += n_frames
        self.symbols[utterances] *= n_frames == 0

    def emit(self, utterances: Int64Array, tokens: Int64Array, probabilities: Float32Array) -> None:
        """Note one token of each of `utterances` at the frame where it stands."""
        self._emitted.append((utterances, tokens, self.position[utterances], probabilities))
        self.symbols[utterances] += 1

    def tokens(self) -> list[Tokens]:
        """Tokens that each utterance has emitted."""
        if not self._emitted:
            return [Tokens.concatenate([]) for _ in self.lengths]
        utterances, ids, frames, probabilities = (np.concatenate(c) for c in zip(*self._emitted, strict=True))
        order = np.argsort(utterances, kind="stable")  # stable: each utterance's tokens stay in order
        frames = frames + self._offsets[utterances]
        ends = np.cumsum(np.bincount(utterances, minlength=len(self.lengths)))
        return [Tokens(ids[part], frames[part], probabilities[part]) for part in np.split(order, ends[:-1])]

    def states(self) -> list[SearchState]:
        """State of each utterance now."""
        counts = self._offsets + self.lengths
        return [
            SearchState(self.predicted[i].copy(), self.hidden[i].copy(), int(counts[i]))
            for i in range(len(counts))
        ]


def _best_probability(scores: Float32Array) -> Float32Array:
    """Softmax probability of the highest score: (N, n_vocabulary) to (N,)."""
    peak = scores.max(axis=1, keepdims=True)
    probabilities: Float32Array = 1.0 / np.exp(scores - peak).sum(axis=1)
    return probabilities
