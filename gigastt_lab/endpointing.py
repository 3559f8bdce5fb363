"""When an utterance of a stream has ended: by silence after speech, by loudness and the model's blanks.

Positions count in hops of 10 ms and in encoder frames of 40 ms from the start of the stream, as integers: a
stream may last for days.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.stream_options import FRAME_MS, EndpointOptions
from gigastt_lab.types import BoolArray, EndReason, Float32Array

HOP: Final = GIGAAM_V3.hop_length


class SpeechDetector(Protocol):
    """Tells hops that may hold speech from quiet ones. One object serves one stream.

    `EnergyDetector` is the one that needs nothing; `silero.SileroDetector` is another.
    """

    def accept(self, samples: Float32Array) -> BoolArray:
        """Take the next samples.

        The answers, joined, must not depend on how the stream is cut into chunks.

        Args:
            samples: Mono, in [-1, 1], at 16 kHz, any number. Shape (n_samples,).

        Returns:
            For every further hop of 160 samples that can be judged by now: True where it may be speech. Hops
            may come late, by as much as the detector looks ahead, but each comes once and in order.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class EnergyOptions:
    """What counts as quiet. Levels are root mean squares in dB below full scale.

    Attributes:
        margin_db: So far above the noise floor a hop may be speech.
        floor_window_ms: The noise floor is the lowest level of the last so many ms.
        lowest_floor_db: The floor is never taken lower than this: in digital silence all else would be loud.
    """

    margin_db: float = 9.0
    floor_window_ms: int = 3_000
    lowest_floor_db: float = -70.0


class EnergyDetector:
    """Loudness against a noise floor that follows the room.

    The level of a hop is that of the last 50 ms, so that the gaps within a word are no silence. The floor is
    the lowest level of the last seconds: the noise in the gaps between words, or of the silence before them.
    It cannot tell speech from other sounds; the model's blanks do that (`Endpointer`).
    """

    _SMOOTHING_HOPS = 5
    _BLOCK_HOPS = 25  # the floor's window moves on in steps of 250 ms

    def __init__(self, options: EnergyOptions | None = None) -> None:
        self._options = options or EnergyOptions()
        self._pending = np.empty(0, np.float32)
        self._powers: deque[float] = deque(maxlen=self._SMOOTHING_HOPS)
        n_blocks = max(1, round(self._options.floor_window_ms / 10 / self._BLOCK_HOPS))
        self._block_floors: deque[float] = deque(maxlen=n_blocks)
        self._n_in_block = self._BLOCK_HOPS
        self._margin = 10.0 ** (self._options.margin_db / 10.0)
        self._lowest = 10.0 ** (self._options.lowest_floor_db / 10.0)

    def accept(self, samples: Float32Array) -> BoolArray:
        """See `SpeechDetector`; hops come at once."""
        waveform = np.concatenate([self._pending, samples])
        n_hops = len(waveform) // HOP
        hops = waveform[: n_hops * HOP].reshape(n_hops, HOP).astype(np.float64)
        self._pending = waveform[n_hops * HOP :].copy()
        powers = np.einsum("ij,ij->i", hops, hops) / HOP
        return np.array([self._may_be_speech(power) for power in powers.tolist()], np.bool_)

    def _may_be_speech(self, power: float) -> bool:
        self._powers.append(power)
        level = sum(self._powers) / len(self._powers)
        if self._n_in_block == self._BLOCK_HOPS:
            self._block_floors.append(level)
            self._n_in_block = 0
        self._n_in_block += 1
        self._block_floors[-1] = min(self._block_floors[-1], level)
        return bool(level > self._margin * max(self._lowest, min(self._block_floors)))


class Endpointer:
    """Follows one stream frame by frame, and says when its utterance has ended.

    Two witnesses: the detector says which frames are quiet, the search in which frame the last word was. Both
    have to agree on `min_silence_ms`; the search alone takes `min_blank_ms`. Without a word there is no end.
    """

    def __init__(self, options: EndpointOptions, *, by_words: bool) -> None:
        """Begin at frame 0.

        Args:
            options: The times.
            by_words: Whether `word_at` will be told; else a frame that is not quiet counts as a word.
        """
        self._min_silence = _frames(options.min_silence_ms)
        self._min_blank = _frames(options.min_blank_ms)
        self._limit = _frames(options.max_utterance_ms)
        self._by_words = by_words
        self._position = 0  # frames heard
        self._start = 0
        self._quiet_since = 0
        self._after_word: int | None = None  # the frame after the last one with a word

    @property
    def spoken(self) -> bool:
        """Whether the utterance has a word so far."""
        return self._after_word is not None

    @property
    def quiet_frames(self) -> int:
        """For how many frames it has been quiet."""
        return self._position - self._quiet_since

    def begin(self, frame: int) -> None:
        """A new utterance begins at this frame, without a word."""
        self._start = frame
        self._after_word = None

    def hear(self, may_be_speech: bool) -> None:
        """Go on by one frame."""
        self._position += 1
        if may_be_speech:
            self._quiet_since = self._position
            if not self._by_words:
                self._after_word = self._position

    def word_at(self, frame: int) -> None:
        """The search found the last word of the utterance so far in this frame."""
        self._after_word = frame + 1

    def reason(self) -> EndReason | None:
        """Why the utterance ends here, or None."""
        if self._after_word is not None:
            blank = self._position - self._after_word
            quiet = self._position - self._quiet_since
            if blank >= self._min_blank or min(blank, quiet) >= self._min_silence:
                return "silence"
        return "limit" if self._position - self._start >= self._limit else None

    def contradicted_by(self, frame: int) -> bool:
        """Whether a word in this frame, found by the final pass, forbids to end here: it is too near."""
        return self._position - (frame + 1) < self._min_silence / 2


def _frames(milliseconds: int) -> int:
    return -(-milliseconds // FRAME_MS)
