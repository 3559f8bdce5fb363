"""Encoders beside one another: how far their outputs are apart, and how fast each is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array


@dataclass(frozen=True)
class Speed:
    """How fast encoders were on audio of one length.

    Attributes:
        audio_s: Length of the audio.
        median_s: Median seconds of one pass, encoder by encoder.
    """

    audio_s: float
    median_s: tuple[float, ...]

    def rtfx(self, i: int) -> float:
        """Seconds of audio per second of work of encoder `i`."""
        return self.audio_s / self.median_s[i]

    def speedup(self, i: int) -> float:
        """How many times as fast encoder `i` is as the first one."""
        return self.median_s[0] / self.median_s[i]


def relative_error(reference: Encoder, other: Encoder, waveform: Float32Array) -> float:
    """||other - reference|| / ||reference|| over the encoder frames of one utterance (L2).

    Args:
        reference: Usually FP32.
        other: Another encoder of the same model.
        waveform: Shape (n_samples,), at least one window.
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
        encoders: At least one.
        audio_s: Length of the audio: the clips one after another, as often as needed.
        repetitions: Rounds that are timed.
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
