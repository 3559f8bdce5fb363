"""Fixed input lengths, for providers that prepare themselves anew for every length they see.

A GPU's libraries search for the best kernel for each new shape, and compilers build a program for it. Padding
to a few lengths, each tried once at the start, took gigastt's CUDA server from 1.4 to 5.4 times real time on
eight streams (gigastt issue 307). A CPU does not mind, so there lengths stay as they are.
"""

from __future__ import annotations

import logging
import time
from typing import Final

import numpy as np

from gigastt_lab.recognition.networks import Encoder
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array, Int64Array, ProviderName

logger = logging.getLogger(__name__)

# Of audio. Neighbours differ by half at most, so that padding costs a third at worst, from 2 s on.
BUCKETS_S: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0)
BUCKET_FRAMES: Final = tuple(
    GIGAAM_V3.n_frames(round(seconds * GIGAAM_V3.sample_rate)) for seconds in BUCKETS_S
)

FIXED_LENGTH_PROVIDERS: Final[frozenset[ProviderName]] = frozenset(
    {"cuda", "tensorrt", "coreml", "openvino", "directml", "nnapi"}
)

# Accelerators compute in TF32 or bfloat16: what padding leaks in an export without masks is far more.
_ROUNDING = 5e-2


def bucket_of(n_frames: int) -> int:
    """The smallest bucket that holds `n_frames` feature frames; what no bucket holds stays as it is.

    >>> [bucket_of(n) for n in (1, 99, 100, 2999, 5000)]
    [99, 99, 149, 2999, 5000]
    """
    return next((bucket for bucket in BUCKET_FRAMES if bucket >= n_frames), n_frames)


class BucketedEncoder(Encoder):
    """An encoder that sees inputs of a few lengths only."""

    def __call__(self, features: Float32Array, lengths: Int64Array) -> tuple[Float32Array, Int64Array]:
        """See `Encoder`; features are padded to a bucket, and frames of the padding alone cut off."""
        n_frames = features.shape[2]
        padding = bucket_of(n_frames) - n_frames
        padded = np.pad(features, ((0, 0), (0, 0), (0, padding))) if padding else features
        frames, counts = super().__call__(padded, lengths)
        return frames[:, : counts.max()], counts


def with_fixed_lengths(encoder: Encoder) -> Encoder:
    """The encoder as its provider likes it: in buckets, each run once, or as it is.

    The first run of every bucket takes seconds on some providers; the log says so.
    """
    if encoder.session.provider not in FIXED_LENGTH_PROVIDERS:
        return encoder
    if not _padding_is_harmless(encoder):
        logger.warning(
            "%s computes other frames where its input is padded: lengths stay as they are, "
            "which is slow on %s; export the model with masks",
            encoder.session.name, encoder.session.provider,
        )  # fmt: skip
        return encoder
    bucketed = BucketedEncoder(encoder.session)
    _warm_up(bucketed)
    return bucketed


def _warm_up(encoder: Encoder) -> None:
    started = time.perf_counter()
    for n_frames in BUCKET_FRAMES:
        logger.info("%s: warming up for %d frames", encoder.session.name, n_frames)
        encoder(np.zeros((1, encoder.n_mels, n_frames), np.float32), np.array([n_frames]))
    logger.info(
        "%s: %d lengths warmed up in %.1f s on %s",
        encoder.session.name, len(BUCKET_FRAMES), time.perf_counter() - started, encoder.session.provider,
    )  # fmt: skip


def _padding_is_harmless(encoder: Encoder) -> bool:
    """True if noise gives the same frames with zeros behind it, up to rounding."""
    n_frames, n_padded = 61, 96
    noise = np.random.default_rng(0).normal(-9.0, 3.0, (1, encoder.n_mels, n_frames)).astype(np.float32)
    padded = np.zeros((1, encoder.n_mels, n_padded), np.float32)
    padded[..., :n_frames] = noise
    lengths = np.array([n_frames])
    (alone, (count,)), (within, (padded_count,)) = encoder(noise, lengths), encoder(padded, lengths)
    if count != padded_count:
        return False
    difference = np.abs(within[0, :count] - alone[0, :count]).max()
    return bool(difference <= _ROUNDING * np.abs(alone).max())  # NaN is not harmless
