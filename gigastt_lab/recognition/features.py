"""Log-mel features of GigaAM v3: one utterance, a batch, or a stream chunk by chunk.

A frame's features depend on its own samples alone, down to the last bit, however many frames are
computed together: elementwise float operations, one FFT per frame, and a mel filterbank summed in a
fixed order. A matrix product would be no slower, but BLAS may sum one row differently from many, and
starts threads for tiny work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3, AcousticSpec
from gigastt_lab.types import Float32Array, Int64Array

Float64Array = npt.NDArray[np.float64]

BLOCK_FRAMES = 128  # frames worked on at once: the intermediate arrays stay in the processor's cache


def log_mel(waveform: Float32Array, spec: AcousticSpec = GIGAAM_V3) -> Float32Array:
    """Log-mel features of one utterance.

    Args:
        waveform: Mono samples in [-1, 1] at `spec.sample_rate` Hz. Shape (n_samples,).
        spec: The front end that the model was trained with.

    Returns:
        Natural log of the clamped mel energies, contiguous. Shape (n_mels, n_frames), one frame per
        10 ms without centring or padding; fewer than `win_length` samples give (n_mels, 0).

    Raises:
        AudioError: `waveform` is not one-dimensional float32.

    Source: GigaAM `gigaam/preprocess.py` FeatureExtractor; v3 constants from the model configuration.
    """
    _check_waveform(waveform)
    features = np.empty((spec.n_mels, spec.n_frames(len(waveform))), np.float32)
    _fill(features, waveform, spec)
    return features


def log_mel_batch(
    waveforms: Sequence[Float32Array], spec: AcousticSpec = GIGAAM_V3
) -> tuple[Float32Array, Int64Array]:
    """Log-mel features of several utterances, each equal to its own `log_mel` bit for bit.

    Frames beyond an utterance's end are zero, which is what the encoder's first convolution sees
    beyond the end of a lone utterance; GigaAM masks them to zero, too (`gigaam/encoder.py`,
    `StridingSubsampling._mask_time`). onnx-asr pads the waveforms instead, so its frames there hold
    log(1e-9), and those that straddle the end a mixture.

    Args:
        waveforms: Mono samples in [-1, 1] at `spec.sample_rate` Hz. Each of shape (n_samples,).
        spec: The front end that the model was trained with.

    Returns:
        Features, shape (B, n_mels, T_max), and the number of frames of each utterance, shape (B,).

    Raises:
        AudioError: a waveform is not one-dimensional float32.
    """
    for waveform in waveforms:
        _check_waveform(waveform)
    lengths = np.array([spec.n_frames(len(waveform)) for waveform in waveforms], np.int64)
    features = np.zeros((len(waveforms), spec.n_mels, lengths.max(initial=0)), np.float32)
    for row, waveform, length in zip(features, waveforms, lengths, strict=True):
        _fill(row[:, :length], waveform, spec)
    return features, lengths


class LogMelStream:
    """Log-mel features of a waveform that arrives in chunks; together they equal `log_mel` bit for bit."""

    def __init__(self, spec: AcousticSpec = GIGAAM_V3) -> None:
        self._spec = spec
        self._pending = np.empty(0, np.float32)  # samples that a later frame still needs

    def accept(self, samples: Float32Array) -> Float32Array:
        """Take the next samples and return the frames that they complete.

        Args:
            samples: Mono samples in [-1, 1] at `spec.sample_rate` Hz, any number. Shape (n_samples,).

        Returns:
            Shape (n_mels, n_new_frames), often with no frame at all.

        Raises:
            AudioError: `samples` is not one-dimensional float32; the stream is as it was before.
        """
        _check_waveform(samples)
        waveform = np.concatenate([self._pending, samples])
        features = log_mel(waveform, self._spec)
        # A copy, because a slice would keep the whole chunk in memory.
        self._pending = waveform[features.shape[1] * self._spec.hop_length :].copy()
        return features


def round_to_bfloat16(values: Float32Array) -> Float32Array:
    """The nearest bfloat16 numbers, ties to even, as float32; for finite values.

    >>> round_to_bfloat16(np.array([1.0, 1.00390625, 1.01171875, -0.1], np.float32)).tolist()
    [1.0, 1.0, 1.015625, -0.10009765625]
    """
    bits = values.view(np.uint32)
    lowest_kept_bit = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = bits + np.uint32(0x7FFF) + lowest_kept_bit
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)


def window(spec: AcousticSpec = GIGAAM_V3) -> Float32Array:
    """Periodic Hann window as the v3 checkpoint holds it, rounded to bfloat16. Shape (win_length,)."""
    phase = 2 * np.pi * np.arange(spec.win_length) / spec.win_length
    return round_to_bfloat16((0.5 - 0.5 * np.cos(phase)).astype(np.float32))


def filterbank(spec: AcousticSpec = GIGAAM_V3) -> Float32Array:
    """Triangular HTK mel filters as the v3 checkpoint holds them, rounded to bfloat16.

    Returns:
        Weights without normalisation. Shape (n_bins, n_mels), n_bins = win_length // 2 + 1.

    Source: torchaudio `functional.melscale_fbanks` with `norm=None, mel_scale="htk"`.
    """
    mel_min, mel_max = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (spec.f_min, spec.f_max))
    corners_mel = np.linspace(mel_min, mel_max, spec.n_mels + 2)
    corners_hz = 700.0 * (10.0 ** (corners_mel / 2595.0) - 1.0)
    bins_hz = np.linspace(0.0, spec.sample_rate / 2, spec.win_length // 2 + 1)[:, None]
    width_hz = np.diff(corners_hz)
    rising = (bins_hz - corners_hz[:-2]) / width_hz[:-1]
    falling = (corners_hz[2:] - bins_hz) / width_hz[1:]
    return round_to_bfloat16(np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32))


@dataclass(frozen=True)
class _FilterStep:
    """One term of each filter's sum: `weights` times the power in `bins`, for the filters from `first` on."""

    first: int
    bins: Int64Array  # shape (n_mels - first,)
    weights: Float32Array  # shape (n_mels - first, 1)


def _filter_steps(weights: Float32Array) -> tuple[_FilterStep, ...]:
    """The filterbank as its few non-zero terms: step j holds the j-th bin of every filter.

    Filters widen with frequency, so the late steps concern the upper filters only: 13 steps with 319
    terms in all for GigaAM v3, instead of 161 x 64.
    """
    n_bins, n_mels = weights.shape
    filled = weights > 0
    first_bins = filled.argmax(axis=0)
    widths = filled.sum(axis=0)
    steps = []
    for j in range(int(widths.max())):
        first = int(np.argmax(widths > j))
        mels = np.arange(first, n_mels)
        bins = np.minimum(first_bins[mels] + j, n_bins - 1)
        # A filter that ended before this step adds zero times something.
        terms = np.where(j < widths[mels], weights[bins, mels], np.float32(0))
        steps.append(_FilterStep(first, bins, terms[:, None]))
    return tuple(steps)


@lru_cache(maxsize=8)
def _constants(spec: AcousticSpec) -> tuple[Float64Array, tuple[_FilterStep, ...]]:
    """The window, widened for the float64 FFT, and the steps of the filterbank."""
    return window(spec).astype(np.float64), _filter_steps(filterbank(spec))


def _check_waveform(waveform: Float32Array) -> None:
    if waveform.ndim != 1 or waveform.dtype != np.float32:
        raise AudioError(
            f"a waveform of shape {waveform.shape} and type {waveform.dtype} was given; "
            "pass mono samples in [-1, 1] as float32 of shape (n_samples,)"
        )


def _fill(features: Float32Array, waveform: Float32Array, spec: AcousticSpec) -> None:
    """Write the features of `waveform` into `features`, shape (n_mels, n_frames)."""
    n_frames = features.shape[1]
    if n_frames == 0:
        return
    every_sample = np.lib.stride_tricks.sliding_window_view(waveform, spec.win_length)
    frames = every_sample[:: spec.hop_length]  # a view: nothing is copied
    for start in range(0, n_frames, BLOCK_FRAMES):
        block = slice(start, start + BLOCK_FRAMES)
        energies = _mel_energies(frames[block], spec)
        features[:, block] = np.log(np.clip(energies, spec.log_floor, spec.log_ceiling))


def _mel_energies(frames: Float32Array, spec: AcousticSpec) -> Float32Array:
    """Mel energies of frames of shape (n_frames, win_length). Shape (n_mels, n_frames).

    The FFT runs in float64: numpy's costs the same in both precisions, numpy 1.26 knows no other, and
    float32 would blur the quiet bins beside a loud one.
    """
    window_weights, steps = _constants(spec)
    spectrum = np.fft.rfft(frames * window_weights)
    power = (spectrum.real**2 + spectrum.imag**2).T.astype(np.float32, order="C")
    energies = np.zeros((spec.n_mels, len(frames)), np.float32)
    for step in steps:
        energies[step.first :] += power[step.bins] * step.weights
    return energies
