"""Windows of one pass over recordings of any length, in constant memory, stitched where they overlap."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gigastt_lab.audio.vad import HOP, EnergyDetector
from gigastt_lab.recognition.recognizer import Recognition, Recognizer
from gigastt_lab.recognition.stitching import joined, seam
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.spec import GIGAAM_V3, MAX_SINGLE_PASS_S
from gigastt_lab.types import AudioWarning, Float32Array, Part, Timings, Word

_RATE: Final = GIGAAM_V3.sample_rate
# Windows begin at whole encoder frames, so that all of them have one grid of times.
_FRAME: Final = GIGAAM_V3.hop_length * GIGAAM_V3.subsampling
# Of the silence behind a pause's last word, a window keeps so much at most: models write full stops into it.
_KEPT_PAUSE_HOPS: Final = 50


@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """Division of a recording of more than one pass into windows.

    Attributes:
        length_s: Seconds of a window, up to the 30 s of one pass. GigaAM gains from long ones: gigastt
            measured 2.21 % WER with 30 s and 6.25 % with 10 s (its `docs/longform-stitching.md`).
        overlap_s: Seconds that a window shares with the one before. It is work done twice.
        min_pause_ms: Length of a pause that ends a window early, without overlap; for models that were
            trained on single utterances. None: windows are as long as they may be.
    """

    length_s: float = 28.0
    overlap_s: float = 2.0
    min_pause_ms: int | None = None

    def __post_init__(self) -> None:
        if not 6.0 <= self.length_s <= MAX_SINGLE_PASS_S:
            raise ValueError(f"length_s is {self.length_s}; give 6 to {MAX_SINGLE_PASS_S:g}")
        if not 0.5 <= self.overlap_s <= self.length_s / 3:
            raise ValueError(f"overlap_s is {self.overlap_s}; give 0.5 to a third of length_s")
        if self.min_pause_ms is not None and not 200 <= self.min_pause_ms <= 10_000:
            raise ValueError(f"min_pause_ms is {self.min_pause_ms}; give 200 to 10000, or None")

    @property
    def length(self) -> int:
        """Samples of a window: whole encoder frames."""
        return round(self.length_s * _RATE) // _FRAME * _FRAME

    @property
    def overlap(self) -> int:
        """Samples of an overlap: whole encoder frames."""
        return round(self.overlap_s * _RATE) // _FRAME * _FRAME


@dataclass(frozen=True)
class Window:
    """A stretch of a recording for one pass.

    Attributes:
        start: Position of its first sample, a multiple of an encoder frame's 640.
        waveform: Samples of the window, shape (n_samples,).
        is_last: True if the recording ends with it.
        decode_s: Seconds that it took to read and decode what was new in it.
    """

    start: int
    waveform: Float32Array
    is_last: bool
    decode_s: float

    @property
    def end(self) -> int:
        """Position of the sample after its last."""
        return self.start + len(self.waveform)


def window_length(n_samples: int, options: WindowOptions, *, is_end: bool) -> int | None:
    """Length of the next window, if no pause ends it.

    What fits one pass is one window. Of a longer rest the last two windows are equally long, so that none is
    short: a short one would know little.

    Args:
        n_samples: Samples known from the window's start on.
        options: Options of the division.
        is_end: True if the recording ends with them.

    Returns:
        Number of samples; None where more have to be known first.

    >>> rests = (0.5, 30, 30.5, 50, 54, 60)
    >>> [window_length(round(s * 16_000), WindowOptions(), is_end=True) / 16_000 for s in rests]
    [0.5, 30.0, 16.28, 26.0, 28.0, 28.0]
    >>> window_length(40 * 16_000, WindowOptions(), is_end=False) is None
    True
    """
    if n_samples >= 2 * options.length - options.overlap:
        return options.length
    if not is_end:
        return None
    if n_samples <= MAX_SINGLE_PASS_S * _RATE:
        return n_samples
    return -(-(n_samples + options.overlap) // (2 * _FRAME)) * _FRAME


def windows(blocks: Iterable[Float32Array], options: WindowOptions) -> Iterator[Window]:
    """The windows of a recording that is read block by block; no more of it is held than two windows need.

    Args:
        blocks: Mono samples at 16 kHz, in order, each of shape (n_samples,).
        options: Lengths of windows and overlaps.

    Yields:
        At least one window; together they hold every sample, in order.
    """
    source = iter(blocks)
    held, start, is_end, decode_s = np.empty(0, np.float32), 0, False, 0.0
    is_last = False
    while not is_last:
        pending, n_samples = [held], len(held)
        while (length := window_length(n_samples, options, is_end=is_end)) is None:
            started = time.perf_counter()
            block = next(source, None)
            decode_s += time.perf_counter() - started
            if block is None:
                is_end = True
            else:
                pending.append(block)
                n_samples += len(block)
        held = pending[0] if len(pending) == 1 else np.concatenate(pending)
        fits_one_pass = start == 0 and length == n_samples
        pause = (
            None
            if options.min_pause_ms is None or fits_one_pass
            else _pause_in(held[:length], options.min_pause_ms)
        )
        is_last = is_end and length == n_samples and pause is None
        yield Window(start, held[: pause or length], is_last, decode_s)
        decode_s = 0.0
        next_start = pause or length - options.overlap
        start += next_start
        held = held[next_start:].copy()  # not a view, which would keep the whole


def _pause_in(waveform: Float32Array, min_pause_ms: int) -> int | None:
    """The sample in the first pause after speech where a window may end; None without a pause."""
    detector = EnergyDetector()
    n_pause = -(-min_pause_ms * _RATE // (1000 * HOP))
    last_speech = None
    for second in range(0, len(waveform), _RATE):  # the first pause is near, and the rest comes again
        may_be_speech = detector.accept(waveform[second : second + _RATE])
        for hop in (np.flatnonzero(may_be_speech) + second // HOP).tolist():
            if last_speech is not None and hop - last_speech > n_pause:
                at = last_speech + 1 + min((hop - last_speech - 1) // 2, _KEPT_PAUSE_HOPS)
                return at * HOP // _FRAME * _FRAME
            last_speech = hop
    return None


def transcribed(
    recognizer: Recognizer,
    tokenizer: Tokenizer,
    blocks: Iterable[Float32Array],
    *,
    options: WindowOptions,
    duration_s: float | None,
    batch_size: int,
    warnings: list[AudioWarning] | None = None,
) -> Iterator[Part]:
    """Recognise a recording of any length, part by part.

    Args:
        recognizer: Recogniser of the model: samples to tokens.
        tokenizer: Tokenizer of the model: tokens to words.
        blocks: Mono samples at 16 kHz, in order, each of shape (n_samples,).
        options: Division into windows.
        duration_s: Length of the whole in seconds, where it is known before.
        batch_size: Windows that the encoder takes at once.
        warnings: List that fills while `blocks` are read; each part takes what is new in it.

    Yields:
        At least one part. A part ends where its window's words pass to the next one's: near the middle of
        the overlap. A batch of windows is recognised before the first of its parts comes.

    Raises:
        AudioError: reading breaks off; what came before is good.
        ModelError: the model failed.
    """
    stitcher = _Stitcher(tokenizer, recognizer.spec.encoder_frame_s, duration_s)
    batch: list[Window] = []
    for window in windows(blocks, options):
        batch.append(window)
        if len(batch) == batch_size or window.is_last:
            recognitions = recognizer([each.waveform for each in batch])
            for each, recognition in zip(batch, recognitions, strict=True):
                for part in stitcher.add(each, recognition):
                    yield replace(part, warnings=_taken(warnings))
            batch = []


def _taken(warnings: list[AudioWarning] | None) -> tuple[AudioWarning, ...]:
    taken = tuple(warnings or ())
    if warnings:
        del warnings[:]
    return taken


class _Stitcher:
    """Stitcher that holds the words of one window back until the next one has said what it heard."""

    def __init__(self, tokenizer: Tokenizer, frame_s: float, duration_s: float | None) -> None:
        self._tokenizer = tokenizer
        self._frame_s = frame_s
        self._duration_s = duration_s
        self._held: tuple[Word, ...] = ()
        self._end_s = 0.0  # of the window that they are of
        self._spent = Timings()
        self._n_tokens = 0

    def add(self, window: Window, recognition: Recognition) -> Iterator[Part]:
        """Parts that the words of one more window complete."""
        words = self._words(window, recognition)
        if window.start:
            start_s = window.start / _RATE
            middle = (start_s + self._end_s) / 2
            n_kept, n_dropped = len(self._held), 0
            if self._end_s > start_s:
                first = sum(word.end <= start_s for word in self._held)
                n_kept, n_dropped = seam(self._held[first:], words, middle)
                n_kept += first
            kept = self._held[:n_kept]
            words = joined(kept, words[n_dropped:])
            yield self._part(kept, middle)
        self._held, self._end_s = words, window.end / _RATE
        self._spent += replace(recognition.timings, decode_s=window.decode_s)
        self._n_tokens += len(recognition.tokens)
        if window.is_last:
            self._duration_s = self._end_s
            yield self._part(words, self._end_s, is_last=True)

    def _words(self, window: Window, recognition: Recognition) -> tuple[Word, ...]:
        tokens = recognition.tokens
        frames = tokens.frames + window.start // _FRAME
        until_s = window.end / _RATE
        return self._tokenizer.words(tokens.ids, frames, tokens.probabilities, self._frame_s, until_s=until_s)

    def _part(self, words: Sequence[Word], done_s: float, *, is_last: bool = False) -> Part:
        part = Part(tuple(words), done_s, self._duration_s, self._spent, self._n_tokens, is_last=is_last)
        self._spent, self._n_tokens = Timings(), 0
        return part
