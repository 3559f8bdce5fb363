"""A language of four tones, and a recogniser that hears it: exact answers for streams of any length.

A word is a tone of 120 ms. The recogniser reads real features, and its search carries a state from frame to
frame, as an RNN-T's does: a word is emitted where its tone begins, so a search that forgets its state at a
border doubles the word, and a pass that begins inside a tone hears it as a word, too. If asked, it writes a
full stop behind a word, late: once it has been quiet for a while, as models do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gigastt_lab.recognition.features import filterbank, log_mel
from gigastt_lab.recognition.recognizer import Recognition
from gigastt_lab.recognition.search import Tokens
from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.streaming.options import Preset, StreamOptions, stream_options
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import Float32Array, Timings

TONES_HZ = (500.0, 1_000.0, 2_000.0, 4_000.0)
WORDS = ("раз", "два", "три", "пять")
WORD_S = 0.12
TOKENIZER = Tokenizer([*(f"▁{word}" for word in WORDS), ".", "<blk>"])
_FULL_STOP = len(WORDS)
_BANDS = [int(filterbank()[round(hz / 50)].argmax()) for hz in TONES_HZ]  # bins are 50 Hz apart


@dataclass(frozen=True)
class ToneState:
    """Frames searched so far, which tones sounded in the last of them, and since when a full stop is owed."""

    n_frames: int = 0
    sounding: tuple[bool, ...] = (False,) * len(TONES_HZ)
    quiet_from: int | None = None


class ToneSearch:
    """As `search.GreedySearch`, for one utterance at a time.

    Attributes:
        stop_after: Quiet frames behind a word after which a full stop is written; None: never.
    """

    start = ToneState()

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after

    def __call__(
        self, encoded: Float32Array, lengths: Any, states: Sequence[ToneState] | None = None
    ) -> tuple[list[Tokens], list[ToneState]]:
        (frames,), (state,) = encoded, states or [self.start]
        ids, at, sounding, quiet_from = [], [], state.sounding, state.quiet_from
        for number, frame in enumerate(frames[: lengths[0]], start=state.n_frames):
            now = tuple((frame > 0).tolist())
            if any(now):
                quiet_from = number + 1
            elif quiet_from is not None and self.stop_after == number - quiet_from:
                ids.append(_FULL_STOP)
                at.append(number)
                quiet_from = None
            for tone in range(len(TONES_HZ)):
                if now[tone] and not sounding[tone]:
                    ids.append(tone)
                    at.append(number)
            sounding = now
        tokens = Tokens(np.array(ids, np.int64), np.array(at, np.int64), np.ones(len(ids), np.float32))
        return [tokens], [ToneState(state.n_frames + len(frames), sounding, quiet_from)]


class ToneRecognizer:
    """As `recognizer.Recognizer`: (64, T) features to a level per tone; counts the frames that it encodes."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.spec = GIGAAM_V3
        self.search = ToneSearch(stop_after)
        self.n_encoded = 0
        self.longest = 0

    def __call__(self, waveforms: Sequence[Float32Array]) -> list[Recognition]:
        return [self.from_features(log_mel(waveform)) for waveform in waveforms]

    def encode(self, features: Float32Array) -> Float32Array:
        n_frames = features.shape[1] // 4
        self.n_encoded += n_frames
        self.longest = max(self.longest, n_frames)
        levels = features[_BANDS, : 4 * n_frames].reshape(len(_BANDS), n_frames, 4).mean(axis=2)
        return levels.T

    def from_features(self, features: Float32Array) -> Recognition:
        encoded = self.encode(features)
        (tokens,), _ = self.search(encoded[None], [len(encoded)])
        return Recognition(tokens, Timings())


def tone_stream(
    options: Preset | StreamOptions = "balanced",
    sample_rate: int = 16_000,
    stop_after: int | None = None,
    **parts: Any,
) -> tuple[StreamingSession, ToneRecognizer]:
    recognizer = ToneRecognizer(stop_after)
    session: Any = StreamingSession(
        recognizer,  # type: ignore[arg-type]
        TOKENIZER,
        sample_rate=sample_rate,
        options=stream_options(options),
        **parts,
    )
    return session, recognizer


def speak(
    words: Sequence[tuple[float, int]], duration_s: float, sample_rate: int = 16_000, noise: float = 1e-4
) -> Float32Array:
    """Tones at the given seconds, over faint noise."""
    rng = np.random.default_rng(0)
    waveform = noise * rng.standard_normal(round(duration_s * sample_rate), np.float32)
    n_word = round(WORD_S * sample_rate)
    for start_s, tone in words:
        at = round(start_s * sample_rate)
        phase = 2 * np.pi * TONES_HZ[tone] / sample_rate * np.arange(n_word)
        waveform[at : at + n_word] += (0.3 * np.hanning(n_word) * np.sin(phase)).astype(np.float32)
    return waveform


def said(words: Sequence[tuple[float, int]]) -> list[str]:
    return [WORDS[tone] for _, tone in words]
