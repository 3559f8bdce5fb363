"""Augmentation of speech: microphone, room, telephone, and SpecAugment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

SAMPLE_RATE = GIGAAM_V3.sample_rate
TELEPHONE_RATE = 8_000  # Hz
Generator = np.random.Generator


@dataclass(frozen=True)
class AugmentOptions:
    """Frequency and strength of each kind of augmentation.

    Attributes:
        share: Share of utterances whose waveform is changed. Gain and SpecAugment's masks are on every one.
        speed: Range of the speed factor; pitch follows, as with a tape.
        noise, reverberation, telephone: Probability of each, where the utterance is changed.
        snr_db: Range of the signal-to-noise ratio.
        frequency_masks, time_masks: SpecAugment's masks per utterance.
    """

    share: float = 1.0
    speed: tuple[float, float] = (0.87, 1.15)
    noise: float = 0.4
    reverberation: float = 0.2
    telephone: float = 0.15
    snr_db: tuple[float, float] = (6.0, 35.0)
    frequency_masks: int = 2
    time_masks: int = 2


def augment(
    waveform: Float32Array, rng: Generator, options: AugmentOptions, babble: Callable[[], Float32Array]
) -> Float32Array:
    """A changed copy of one utterance; `babble` gives another utterance to speak behind it."""
    level = np.float32(10.0 ** rng.uniform(-1.2, 0.1))  # everybody's gain differs
    if rng.random() >= options.share:
        return np.asarray(waveform * level, np.float32)
    waveform = _change_speed(waveform, rng.uniform(*options.speed))
    if rng.random() < options.reverberation:
        waveform = _reverberate(waveform, rng)
    if rng.random() < options.noise:
        waveform = _add_noise(waveform, rng, rng.uniform(*options.snr_db), babble)
    if rng.random() < options.telephone:
        waveform = telephone(waveform, rng)
    peak = float(np.abs(waveform).max(initial=1e-6))
    return np.asarray(np.clip(waveform * (level / max(1.0, peak)), -1.0, 1.0), np.float32)


def silence(rng: Generator, seconds: float) -> Float32Array:
    """A pause with a faint noise floor, or a digital one. Shape (n_samples,)."""
    n = int(seconds * SAMPLE_RATE)
    if rng.random() < 0.4:
        return np.zeros(n, np.float32)
    return rng.standard_normal(n, dtype=np.float32) * np.float32(10.0 ** rng.uniform(-5.0, -3.0))


def telephone(waveform: Float32Array, rng: Generator) -> Float32Array:
    """Speech as an 8 kHz call sounds: 300 to 3400 Hz or wider, mu-law at times, nothing above 4 kHz."""
    narrow = soxr.resample(waveform, SAMPLE_RATE, TELEPHONE_RATE)
    if rng.random() < 0.7:
        band = (rng.uniform(80, 350), rng.uniform(3200, 3800))
        narrow = sosfilt(butter(4, band, "bandpass", fs=TELEPHONE_RATE, output="sos"), narrow)
    if rng.random() < 0.5:
        peak = max(1.0, float(np.abs(narrow).max(initial=0.0)))
        code = np.sign(narrow) * np.log1p(255.0 * np.abs(narrow) / peak) / np.log(256.0)
        code = np.round(code * 127.0) / 127.0
        narrow = np.sign(code) * np.expm1(np.abs(code) * np.log(256.0)) / 255.0 * peak
    return np.asarray(soxr.resample(narrow, TELEPHONE_RATE, SAMPLE_RATE), np.float32)


def spec_augment(
    features: Float32Array, rng: Generator, options: AugmentOptions, fill: Float32Array
) -> Float32Array:
    """Mask bands and moments of (n_mels, T) features in place with the mean `fill` (n_mels, 1)."""
    n_mels, n_frames = features.shape
    for _ in range(options.frequency_masks):
        width = int(rng.integers(0, 11))
        low = int(rng.integers(0, n_mels - width))
        features[low : low + width] = fill[low : low + width]
    for _ in range(options.time_masks * max(1, n_frames // 600)):
        width = int(rng.integers(0, max(1, min(25, n_frames // 12)) + 1))
        first = int(rng.integers(0, max(1, n_frames - width)))
        features[:, first : first + width] = fill
    return features


def _change_speed(waveform: Float32Array, factor: float) -> Float32Array:
    n = max(1, int(len(waveform) / factor))
    return np.asarray(np.interp(np.arange(n) * factor, np.arange(len(waveform)), waveform), np.float32)


def _reverberate(waveform: Float32Array, rng: Generator) -> Float32Array:
    """Convolution with exponentially decaying noise: reverberation times of 0.1 to 0.5 s."""
    decay_s = rng.uniform(0.1, 0.5)
    n = int(decay_s * SAMPLE_RATE)
    tail = rng.standard_normal(n, dtype=np.float32) * np.exp(-6.9 * np.arange(n, dtype=np.float32) / n)
    tail *= np.float32(rng.uniform(0.02, 0.12))
    tail[0] = 1.0
    return np.asarray(fftconvolve(waveform, tail)[: len(waveform)], dtype=np.float32)


def _add_noise(
    waveform: Float32Array, rng: Generator, snr_db: float, babble: Callable[[], Float32Array]
) -> Float32Array:
    kind = rng.random()
    n = len(waveform)
    if kind < 0.25:
        noise = np.resize(babble(), n)
        snr_db += 6.0  # one intelligible voice disturbs more than noise does
    else:
        noise = rng.standard_normal(n, dtype=np.float32)
        if kind < 0.7:  # coloured: most rooms hum more than they hiss
            noise = np.asarray(
                sosfilt(butter(1, rng.uniform(100, 2000), fs=SAMPLE_RATE, output="sos"), noise)
            )
    power, noise_power = float(np.mean(waveform**2)), float(np.mean(noise**2))
    scale = np.sqrt(power / max(noise_power, 1e-12) * 10.0 ** (-snr_db / 10.0))
    return np.asarray(waveform + noise * scale, np.float32)
