"""Endpointing of utterances in a stream: by silence after speech, by loudness and the model's blanks.

Positions count in hops of 10 ms and in encoder frames of 40 ms from the start of the stream, as integers: a
stream may last for days.
"""

from __future__ import annotations

from gigastt_lab.streaming.options import FRAME_MS, EndpointOptions
from gigastt_lab.types import EndReason


class Endpointer:
    """Endpointer of one stream: follows it frame by frame, and says when its utterance has ended.

    Two witnesses: the detector says which frames are quiet, the search in which frame the last word was. Both
    have to agree on `min_silence_ms`; the search alone takes `min_blank_ms`. Without a word there is no end.
    """

    def __init__(self, options: EndpointOptions, *, by_words: bool) -> None:
        """Begin at frame 0.

        Args:
            options: Times that end an utterance.
            by_words: True if `word_at` will be told; else a frame that is not quiet counts as a word.
        """
        self.use(options)
        self._by_words = by_words
        self._position = 0  # frames heard
        self._start = 0
        self._quiet_since = 0
        self._after_word: int | None = None  # the frame after the last one with a word

    def use(self, options: EndpointOptions) -> None:
        """Go on with other times, from this frame on."""
        self._min_silence = _frames(options.min_silence_ms)
        self._min_blank = _frames(options.min_blank_ms)
        self._limit = _frames(options.max_utterance_ms)

    @property
    def spoken(self) -> bool:
        """True if the utterance has a word so far."""
        return self._after_word is not None

    @property
    def quiet_frames(self) -> int:
        """Number of frames for which it has been quiet."""
        return self._position - self._quiet_since

    def begin(self, frame: int) -> None:
        """Begin a new utterance at this frame, without a word."""
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
        """Note that the search found the last word of the utterance so far in this frame."""
        self._after_word = frame + 1

    def reason(self) -> EndReason | None:
        """Reason why the utterance ends here, or None."""
        if self._after_word is not None:
            blank = self._position - self._after_word
            quiet = self._position - self._quiet_since
            if blank >= self._min_blank or min(blank, quiet) >= self._min_silence:
                return "silence"
        return "limit" if self._position - self._start >= self._limit else None

    def contradicted_by(self, frame: int) -> bool:
        """True if a word in this frame, found by the final pass, forbids to end here: it is too near."""
        return self._position - (frame + 1) < self._min_silence / 2


def _frames(milliseconds: int) -> int:
    return -(-milliseconds // FRAME_MS)
