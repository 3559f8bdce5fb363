"""Waveforms of one pass each, alone or in a batch, to tokens with frames and probabilities."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gigastt_lab.recognition.features import log_mel_batch
from gigastt_lab.recognition.networks import Encoder, Networks
from gigastt_lab.recognition.search import GreedySearch, Tokens
from gigastt_lab.spec import GIGAAM_V3, MAX_SYMBOLS_PER_FRAME, AcousticSpec
from gigastt_lab.types import Float32Array, Int64Array, Timings

logger = logging.getLogger(__name__)

# An encoder's output for an utterance in a batch may differ from that for it alone by rounding: at
# most this much, relative to the largest output.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Recognition:
    """Tokens of one utterance, and the time they took.

    Attributes:
        tokens: Tokens with encoder frames and probabilities.
        timings: Seconds of work; in a batch, each utterance's share by its length.
    """

    tokens: Tokens
    timings: Timings


class Recognizer:
    """Features, encoder and search put together. Safe to use from several threads at once.

    Attributes:
        encoder: The encoder; its session says which provider was taken.
        search: The search, over its predictor and joiner.
        spec: The front end that the model was trained with.
    """

    def __init__(
        self,
        networks: Networks,
        *,
        blank_id: int,
        max_symbols: int = MAX_SYMBOLS_PER_FRAME,
        spec: AcousticSpec = GIGAAM_V3,
    ) -> None:
        """Put the parts together.

        Args:
            networks: The three networks of one model.
            blank_id: Id of the vocabulary's blank.
            max_symbols: Tokens that one encoder frame may emit.
            spec: The front end that the model was trained with.
        """
        self.encoder = networks.encoder
        self.spec = spec
        self.search = GreedySearch(
            networks.predictor, networks.joiner, blank_id=blank_id, max_symbols=max_symbols
        )

    def __call__(self, waveforms: Sequence[Float32Array]) -> list[Recognition]:
        """Recognise utterances together; what else is in a batch never changes the tokens of one.

        Args:
            waveforms: Mono samples in [-1, 1] at `spec.sample_rate`, each of at most one encoder pass.
                Each of shape (n_samples,). One shorter than a window gives no tokens.

        Returns:
            One recognition per waveform, in the same order.

        Raises:
            AudioError: a waveform is not one-dimensional float32.
            ModelError: the encoder failed.
        """
        if not waveforms:
            return []
        started = time.perf_counter()
        features, lengths = log_mel_batch(waveforms, self.spec)
        featured_s = time.perf_counter() - started
        return self._recognized(features, lengths, featured_s)

    def from_features(self, features: Float32Array) -> Recognition:
        """Recognise one utterance whose features are there already.

        Args:
            features: Log-mel features, shape (n_mels, n_frames), of at most one encoder pass.

        Raises:
            ModelError: the encoder failed.
        """
        (recognition,) = self._recognized(features[None], np.array([features.shape[1]]), 0.0)
        return recognition

    def encode(self, features: Float32Array) -> Float32Array:
        """Encoder frames of one stretch of features: (n_mels, n_frames) to (n_encoder_frames, n_encoded).

        Raises:
            ModelError: the encoder failed.
        """
        encoded, _ = self._encode(features[None], np.array([features.shape[1]]))
        frames: Float32Array = encoded[0]
        return frames

    def _recognized(
        self, features: Float32Array, lengths: Int64Array, featured_s: float
    ) -> list[Recognition]:
        started = time.perf_counter()
        encoded, encoded_lengths = self._encode(features, lengths)
        encoded_at = time.perf_counter()
        tokens, _ = self.search(encoded, encoded_lengths)
        searched = time.perf_counter()
        shares = np.maximum(lengths, 1) / np.maximum(lengths, 1).sum()
        stages = (featured_s, encoded_at - started, searched - encoded_at)
        return [
            Recognition(found, Timings(0.0, *(seconds * float(share) for seconds in stages)))
            for found, share in zip(tokens, shares, strict=True)
        ]

    def _encode(self, features: Float32Array, lengths: Int64Array) -> tuple[Float32Array, Int64Array]:
        """Encoder frames of a batch, (B, T', D) and (B,); the graph never sees an empty utterance."""
        spoken = np.flatnonzero(lengths)
        counts = np.zeros(len(lengths), np.int64)
        if not spoken.size:
            return np.zeros((len(lengths), 0, 1), np.float32), counts
        together = len(spoken) > 1 and self._batches_freely
        groups = [spoken] if together else [spoken[i : i + 1] for i in range(len(spoken))]
        parts = []
        for rows in groups:
            frames, counts[rows] = self.encoder(features[rows, :, : lengths[rows].max()], lengths[rows])
            parts.append((rows, frames))
        if len(parts) == 1 and len(spoken) == len(lengths):
            return parts[0][1], counts
        encoded = np.zeros((len(lengths), int(counts.max()), parts[0][1].shape[2]), np.float32)
        for rows, frames in parts:
            encoded[rows, : frames.shape[1]] = frames[:, : encoded.shape[1]]
        return encoded, counts

    @cached_property
    def _batches_freely(self) -> bool:
        """True if an utterance is encoded in a batch as it is alone; tried once, on noise.

        A graph for one utterance at a time takes none. Two kinds of others mix the utterances: dynamic
        INT8, whose activation scale spans the whole batch, and older exports, which do not mask the padding
        between the strided convolutions.
        """
        if not self.encoder.takes_batches:
            return False
        free = encodes_alike(self.encoder)
        if not free:
            logger.info(
                "%s mixes the utterances of a batch: they are encoded one by one", self.encoder.session.name
            )
        return free


def encodes_alike(encoder: Encoder) -> bool:
    """True if two utterances of noise give the same frames in one batch as one by one, up to rounding."""
    rng = np.random.default_rng(0)
    lengths = np.array([96, 61])
    features = rng.normal(-9.0, 3.0, (2, encoder.n_mels, 96)).astype(np.float32)
    features[0] += 3.0  # as loud and quiet speech differ
    features[1, :, 61:] = 0.0
    together, counts = encoder(features, lengths)
    for row, length in enumerate(lengths):
        alone, (count,) = encoder(features[row : row + 1, :, :length], lengths[row : row + 1])
        if counts[row] != count:
            return False
        difference = np.abs(together[row, :count] - alone[0, :count]).max()
        if not difference <= _ROUNDING * np.abs(alone).max():  # NaN is not alike
            return False
    return True
