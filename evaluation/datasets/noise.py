"""A dataset with noise added, at levels that are ordered: how much of it does a recogniser bear?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from evaluation.datasets.audio import RATE, as_wav, decoded, speech_bounds
from evaluation.datasets.utterances import DatasetError, Derived, Utterance, Utterances
from gigastt_lab.types import Float32Array

NoiseKind = Literal["white", "speech-shaped"]


class Noisy(Derived):
    """Each utterance of a dataset at each of several signal-to-noise ratios, the noise always the same.

    Audio that cannot be decoded ends the reading, as noise cannot be added to it.

    Attributes:
        name, revision, description, drawing: Those of the dataset, with the noise named.
    """

    def __init__(
        self,
        dataset: Utterances,
        levels_db: Sequence[float],
        *,
        kind: NoiseKind = "speech-shaped",
        seed: int = 0,
    ) -> None:
        """Wrap a dataset.

        Args:
            dataset: Dataset whose utterances are taken as clean.
            levels_db: Signal-to-noise ratios in dB; at an infinite one nothing is added.
            kind: "white", or noise with the spectrum of the utterance itself, which covers speech best.
            seed: Seed of the noise.
        """
        super().__init__(dataset)
        levels = ", ".join(f"{level:g}" for level in levels_db)
        self.name = f"{dataset.name}-noisy"
        self.description = f"{dataset.description}, with {kind} noise at {levels} dB, seed {seed}"
        self.drawing: dict[str, Any] = dataset.drawing | {
            "noise": kind, "snr_db": [str(level) for level in levels_db], "noise_seed": seed,
        }  # fmt: skip
        self._levels_db = tuple(levels_db)
        self._kind = kind
        self._seed = seed

    @property
    def n_expected(self) -> int | None:
        """About how many utterances there will be: as many as the dataset has, at each level."""
        n = self._dataset.n_expected
        return None if n is None else n * len(self._levels_db)

    def __iter__(self) -> Iterator[Utterance]:
        """The utterances, each at all levels.

        Raises:
            DatasetError: reading breaks off, or an utterance cannot be decoded.
        """
        for number, utterance in enumerate(self._dataset):
            found = decoded(utterance.audio)
            if found.waveform is None:
                raise DatasetError(f"{utterance.id}: {found.error}; leave it out to add noise to the others")
            noise = noise_like(found.waveform, self._kind, np.random.default_rng([self._seed, number]))
            for level_db in self._levels_db:
                content = as_wav(mixed(found.waveform, noise, level_db))
                told = (*utterance.warnings, *found.warnings)
                yield replace(utterance, id=f"{utterance.id}@{level_db:g}dB", audio=content, warnings=told)


def snr_db_of(ids: Iterable[str]) -> dict[str, float]:
    """The signal-to-noise ratio of utterances of a `Noisy` set, for `evaluation.beyond.breakdowns.by_noise`.

    >>> snr_db_of(["demo/clip_1@10dB", "demo/clip_1@infdB"])
    {'demo/clip_1@10dB': 10.0, 'demo/clip_1@infdB': inf}
    """
    return {name: float(name.rpartition("@")[2].removesuffix("dB")) for name in ids}


def noise_like(waveform: Float32Array, kind: NoiseKind, rng: np.random.Generator) -> Float32Array:
    """Noise as long as the waveform, at any level.

    Speech-shaped noise has the waveform's own spectrum with phases drawn at random.
    """
    if kind == "white":
        return rng.standard_normal(len(waveform)).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(waveform))
    phases = np.exp(2j * np.pi * rng.random(len(spectrum)))
    return np.fft.irfft(spectrum * phases, len(waveform)).astype(np.float32)


def mixed(waveform: Float32Array, noise: Float32Array, snr_db: float) -> Float32Array:
    """Waveform with noise so loud that speech is `snr_db` above it; softer where it would be clipped.

    The speech's power is that between its onset and its end (`speech_bounds`); of silence, nothing changes.
    """
    bounds = speech_bounds(waveform)
    power = float(np.mean(noise**2, dtype=np.float64)) if len(noise) else 0.0
    if bounds is None or not power or math.isinf(snr_db):
        return waveform
    start, end = (round(bound * RATE) for bound in bounds)
    speech_power = float(np.mean(waveform[start:end] ** 2, dtype=np.float64))
    together = waveform + noise * math.sqrt(speech_power / power / 10 ** (snr_db / 10))
    loudest = max(1.0, float(np.abs(together).max()))
    softer: Float32Array = (together / loudest).astype(np.float32)
    return softer
