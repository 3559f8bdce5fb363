"""Batches of about equal work: utterances by length, at times joined into long ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gigastt_lab.recognition.features import log_mel
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.training.augment import SAMPLE_RATE, AugmentOptions, augment, silence, spec_augment
from gigastt_lab.training.corpus import Corpus, Entry
from gigastt_lab.training.pieces import Pieces, character_ids
from gigastt_lab.training.synthesize import as_pcm16
from gigastt_lab.types import Float32Array

MAX_S = 28.0  # longest joined utterance, before its speed is changed and silence is put around it


@dataclass(frozen=True)
class Batch:
    """Batch: features (B, n_mels, T), lengths (B,), targets of each utterance, seconds of audio in all."""

    features: Tensor
    lengths: Tensor
    pieces: list[Tensor]
    characters: list[Tensor]
    seconds: float


@dataclass(frozen=True)
class BatchOptions:
    """Options of batches.

    Attributes:
        seconds: Audio in one batch, in seconds.
        longest_s: Longest utterance, in seconds; longer ones of the corpus are left out.
        joined: Share of batches made of joined utterances, up to `MAX_S` seconds.
        padded: Share of utterances that get leading and trailing silence.
    """

    seconds: float = 32.0
    longest_s: float = 15.0
    joined: float = 0.0
    padded: float = 0.3


class Batches:
    """An endless, seeded stream of training batches; `plain` gives a split as it is."""

    def __init__(self, corpus: Corpus, pieces: Pieces, mean: Float32Array, seed: int) -> None:
        self.entries = corpus.select("train")
        self.corpus, self._pieces, self._mean = corpus, pieces, mean[:, None]
        self._rng = np.random.default_rng(seed)

    def next(self, options: BatchOptions, augmentation: AugmentOptions) -> Batch:
        """Next batch."""
        rng = self._rng
        groups = self._joined(options) if rng.random() < options.joined else self._single(options)
        items = []
        for group in groups:
            waveform = self._join([self.corpus.waveform(entry) for entry in group], options)
            waveform = augment(waveform, rng, augmentation, self._babble)
            if rng.random() < 0.5:  # 16-bit, as files are
                waveform = as_pcm16(waveform).astype(np.float32) / np.float32(32768.0)
            features = spec_augment(log_mel(waveform), rng, augmentation, self._mean)
            items.append((features, " ".join(e.written for e in group), " ".join(e.spoken for e in group)))
        return self._collate(items)

    def plain(self, entries: Sequence[Entry], per_batch: int = 16) -> Iterator[Batch]:
        """Utterances as they are, in order."""
        for i in range(0, len(entries), per_batch):
            group = entries[i : i + per_batch]
            yield self._collate([(log_mel(self.corpus.waveform(e)), e.written, e.spoken) for e in group])

    def _single(self, options: BatchOptions) -> list[list[Entry]]:
        """Utterances of about one length: the neighbours of a random one in a sorted random pool."""
        rng = self._rng
        limit = int(options.longest_s * SAMPLE_RATE)
        pool = [self.entries[i] for i in rng.integers(0, len(self.entries), 160)]
        pool = sorted((e for e in pool if e.n_samples <= limit), key=lambda e: e.n_samples)
        first = int(rng.integers(0, len(pool)))
        count = max(1, int(options.seconds * SAMPLE_RATE / pool[first].n_samples))
        first = min(first, max(0, len(pool) - count))
        return [[entry] for entry in pool[first : first + count]]

    def _joined(self, options: BatchOptions) -> list[list[Entry]]:
        rng = self._rng
        target_s = rng.uniform(5.0, 14.0) if rng.random() < 0.8 else rng.uniform(14.0, MAX_S)
        groups = []
        for _ in range(max(1, int(options.seconds / target_s))):
            group: list[Entry] = []
            room_s = target_s
            while room_s > 0 and (entry := self._any()).n_samples / SAMPLE_RATE < max(room_s, 4.0):
                group.append(entry)
                room_s -= entry.n_samples / SAMPLE_RATE + 0.4
            groups.append(group or [entry])
        return groups

    def _join(self, waveforms: list[Float32Array], options: BatchOptions) -> Float32Array:
        rng = self._rng
        parts: list[Float32Array] = []
        for i, waveform in enumerate(waveforms):
            gain = np.float32(rng.uniform(0.5, 1.0)) if len(waveforms) > 1 else np.float32(1.0)
            parts += [silence(rng, rng.exponential(0.4))] if i else []
            parts.append(waveform * gain)
        if rng.random() < options.padded:
            parts = [silence(rng, rng.exponential(0.35)), *parts, silence(rng, rng.exponential(0.35))]
        return np.concatenate(parts)

    def _babble(self) -> Float32Array:
        return self.corpus.waveform(self._any())

    def _any(self) -> Entry:
        return self.entries[int(self._rng.integers(0, len(self.entries)))]

    def _collate(self, items: Sequence[tuple[Float32Array, str, str]]) -> Batch:
        lengths = [features.shape[1] for features, _, _ in items]
        features = np.zeros((len(items), items[0][0].shape[0], max(lengths)), np.float32)
        for row, (item, _, _) in zip(features, items, strict=True):
            row[:, : item.shape[1]] = item
        return Batch(
            torch.from_numpy(features),
            torch.tensor(lengths),
            [torch.tensor(self._pieces.ids(written)) for _, written, _ in items],
            [torch.tensor(character_ids(spoken)) for _, _, spoken in items],
            sum(lengths) * GIGAAM_V3.hop_length / GIGAAM_V3.sample_rate,
        )
