"""A made set without speech: silence, noise, hum, tones, clicks. Every word that is heard in it is made up.

Sounds of seven kinds, three levels and four lengths, 76 clips and 14 minutes; all of them are computed, the
same every time. References are `…`, which has no word; kind, level and length stand in the metadata, so that
tables can be made by them. `evaluation.beyond.hallucination` counts the words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.datasets.audio import RATE, as_wav
from evaluation.datasets.utterances import Dataset, Row
from gigastt_lab.types import Float32Array

NONSPEECH_SET: Final = "nonspeech"
NO_WORDS: Final = "…"
"""Reference of every clip: not blank, and nothing once normalised."""

LEVELS_DBFS: Final = (-60.0, -40.0, -20.0)
LENGTHS_S: Final = (1.0, 3.0, 10.0, 30.0)
_VERSION: Final = 1  # changes with every change that can change a sample
_LOUDEST: Final = 0.99

Samples = npt.NDArray[np.float64]


class NonSpeech:
    """Source of the clips, computed as they are read."""

    description = "silence, noise, hum, tones and clicks, computed"

    def __init__(self) -> None:
        self._cells = [
            (kind, level, length)
            for kind in KINDS
            for level in (LEVELS_DBFS if kind != "silence" else (-np.inf,))
            for length in LENGTHS_S
        ]

    @property
    def revision(self) -> str:
        """Digest of what the clips are computed from."""
        return hashlib.sha256(repr((_VERSION, self._cells)).encode()).hexdigest()

    def count(self) -> int:
        """Number of clips."""
        return len(self._cells)

    def rows(self, wanted: frozenset[int] | None) -> Generator[Row, None, None]:
        """Clips in order, or those with a wanted number."""
        for number, (kind, level, length) in enumerate(self._cells):
            if wanted is None or number in wanted:
                loudness = "none" if np.isinf(level) else f"{level:g} dBFS"
                told = {"kind": kind, "level": loudness, "length": f"{length:g} s"}
                key = f"{kind}_{loudness}_{length:g}s".replace(" ", "-")
                audio = as_wav(sound(kind, level, length))
                yield Row(number, key, audio, NO_WORDS, duration_s=length, metadata=told)


def nonspeech(*, limit: int | None = None, sample: int | None = None, seed: int = 0) -> Dataset:
    """The set as a dataset; arguments as of `open_dataset`."""
    source = NonSpeech()
    return Dataset(
        source,
        name=NONSPEECH_SET,
        prefix=NONSPEECH_SET,
        revision=source.revision,
        description=source.description,
        limit=limit,
        sample=sample,
        seed=seed,
    )


def sound(kind: str, level_dbfs: float, length_s: float) -> Float32Array:
    """A sound without speech, mono at 16 kHz, the same every time. Shape (n_samples,).

    Args:
        kind: One of `KINDS`.
        level_dbfs: Root mean square in dB of full scale; softer where a peak would be clipped.
        length_s: Seconds.
    """
    n_samples = round(length_s * RATE)
    rng = np.random.default_rng([*kind.encode(), n_samples])
    shape = KINDS[kind](n_samples, rng)
    power = float(np.mean(shape**2))
    if not power:
        return np.zeros(n_samples, np.float32)
    loud = shape * (10 ** (level_dbfs / 20) / np.sqrt(power))
    loud *= min(1.0, _LOUDEST / float(np.abs(loud).max()))
    return np.asarray(loud, np.float32)


def _silence(n_samples: int, rng: np.random.Generator) -> Samples:
    return np.zeros(n_samples)


def _white(n_samples: int, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(n_samples)


def _pink(n_samples: int, rng: np.random.Generator) -> Samples:
    """Noise that falls by 3 dB an octave."""
    return _coloured(n_samples, rng, lambda hertz: 1 / np.sqrt(np.maximum(hertz, 20)))


def _hum(n_samples: int, rng: np.random.Generator) -> Samples:
    """Mains hum: 50 Hz and its harmonics."""
    times = np.arange(n_samples) / RATE
    return np.asarray(sum(np.sin(2 * np.pi * 50 * k * times) / k for k in range(1, 8)))


def _tones(n_samples: int, rng: np.random.Generator) -> Samples:
    """Notes of a pentatonic scale, plucked, two or three together, every half second: like music."""
    scale = 220 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
    heard = np.zeros(n_samples + RATE)
    times = np.arange(RATE) / RATE
    for start in range(0, n_samples, RATE // 2):
        for hertz in rng.choice(scale, rng.integers(2, 4), replace=False):
            note = np.sum([np.sin(2 * np.pi * hertz * k * times) / k**2 for k in (1, 2, 3)], axis=0)
            heard[start : start + RATE] += note * np.exp(-4 * times)
    return heard[:n_samples]


def _clicks(n_samples: int, rng: np.random.Generator) -> Samples:
    """Clicks of 20 ms, four a second: a keyboard, a turned page. Over a floor 40 dB below."""
    heard = rng.standard_normal(n_samples) * 0.01
    length = RATE // 50
    for start in rng.integers(0, max(1, n_samples - length), max(1, 4 * n_samples // RATE)):
        heard[start : start + length] += rng.standard_normal(length) * np.exp(
            -np.arange(length) / (length / 5)
        )
    return heard


def _syllables(n_samples: int, rng: np.random.Generator) -> Samples:
    """Noise with the spectrum and the rhythm of speech, four syllables a second, and no speech in it."""
    noise = _coloured(n_samples, rng, lambda hertz: np.minimum(1, (500 / np.maximum(hertz, 1)) ** 1.5))
    times = np.arange(n_samples) / RATE
    return noise * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * times)) ** 2


def _coloured(n_samples: int, rng: np.random.Generator, gain: Callable[[Samples], Samples]) -> Samples:
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    return np.fft.irfft(
        spectrum * gain(np.asarray(np.fft.rfftfreq(n_samples, 1 / RATE), np.float64)), n_samples
    )


KINDS: Final[dict[str, Callable[[int, np.random.Generator], Samples]]] = {
    "silence": _silence,
    "white noise": _white,
    "pink noise": _pink,
    "hum": _hum,
    "tones": _tones,
    "clicks": _clicks,
    "syllables": _syllables,
}
"""Kinds of sound, and what computes each."""
