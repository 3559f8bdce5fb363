"""Comparison of encoders: relative error of their outputs, and speed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.runtime.sessions import RuntimeOptions, load_session
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array


@dataclass(frozen=True)
class Speed:
    """Speed of encoders on audio of one length.

    Attributes:
        audio_s: Length of the audio in seconds.
        median_s: Median seconds of one pass, encoder by encoder.
    """

    audio_s: float
    median_s: tuple[float, ...]

    def rtfx(self, i: int) -> float:
        """RTFx of encoder `i`: seconds of audio per second of work."""
        return self.audio_s / self.median_s[i]

    def speedup(self, i: int) -> float:
        """Speed of encoder `i` as a multiple of the first one's."""
        return self.median_s[0] / self.median_s[i]


def encoder_at(path: Path, threads: int | None) -> Encoder:
    """Encoder of a graph as it is, on the CPU.

    Args:
        path: The graph, FP32 or INT8.
        threads: Threads inside one operator; None takes the default.

    Raises:
        ModelError, ModelNotFoundError: it cannot be loaded.
    """
    return Encoder(load_session(path, RuntimeOptions(provider="cpu", threads=threads)))


def relative_error(reference: Encoder, other: Encoder, waveform: Float32Array) -> float:
    """Relative L2 error, ||other - reference|| / ||reference||, over the encoder frames of one utterance.

    Args:
        reference: Encoder that is taken for exact, usually FP32.
        other: Another encoder of the same model.
        waveform: Speech at 16 kHz, at least one window. Shape (n_samples,).
    """
    features = log_mel(waveform)[None]
    lengths = np.array([features.shape[2]])
    (expected, _), (found, _) = reference(features, lengths), other(features, lengths)
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def measure_speed(
    encoders: Sequence[Encoder],
    audio_s: float,
    *,
    repetitions: int = 7,
    clips: Sequence[Float32Array] | None = None,
) -> Iterator[Speed]:
    """Time encoders in turn, so that whatever else the machine does falls on all of them.

    Yields after each round, so that progress can be shown; the last one counts. A round that warms up
    goes before.

    Args:
        encoders: Encoders to compare, at least one.
        audio_s: Length of the audio in seconds: the clips one after another, as often as needed.
        repetitions: Number of rounds that are timed.
        clips: Speech at 16 kHz; the packaged clips where None.

    Raises:
        ValueError: less than one repetition, or no sound.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions is {repetitions}; give 1 or more")
    speech = np.concatenate(sample_clips() if clips is None else clips)
    waveform = np.resize(speech, round(audio_s * GIGAAM_V3.sample_rate))
    features = log_mel(waveform)[None]
    lengths = np.array([features.shape[2]])
    if not lengths[0]:
        raise ValueError(f"audio_s is {audio_s}; give at least one window of {GIGAAM_V3.win_length} samples")
    seconds: list[list[float]] = [[] for _ in encoders]
    for encoder in encoders:
        encoder(features, lengths)
    for _ in range(repetitions):
        for encoder, its_seconds in zip(encoders, seconds, strict=True):
            started = time.perf_counter()
            encoder(features, lengths)
            its_seconds.append(time.perf_counter() - started)
        yield Speed(audio_s, tuple(float(np.median(its)) for its in seconds))
