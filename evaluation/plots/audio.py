"""Plots of audio with its words: waveform and log-mel spectrogram, each word over its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.plots.style import COLORS, INK, axes_or_new, clean
from evaluation.plots.texts import drawing, shown
from gigastt_lab.recognition.features import log_mel as log_mel_of
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array, Word

_WIDTH: Final = 9.0
_POINTS: Final = 4_000  # of a waveform: more than there are pixels across
_SPANS: Final = ((COLORS[5], COLORS[0]), (COLORS[4], "#8a5a00"))  # time and name of neighbours, in turn
_RANGE_DB: Final = 80.0  # below the loudest; what is softer looks the same


@drawing
def speech(samples: Float32Array, words: Sequence[Word]) -> tuple[Axes, Axes]:
    """Waveform above log-mel spectrogram, over one time axis.

    Args:
        samples: Mono samples at 16 kHz. Shape (n_samples,).
        words: Words with times in seconds.
    """
    figure = Figure((_WIDTH, 4.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    waveform(samples, words, upper).set_xlabel("")
    upper.tick_params(labelbottom=False)
    log_mel(log_mel_of(samples), words, lower)
    return upper, lower


@drawing
def waveform(samples: Float32Array, words: Sequence[Word] = (), ax: Axes | None = None) -> Axes:
    """Waveform: amplitude over time; each word is written over its time, with its confidence.

    Args:
        samples: Mono samples at 16 kHz. Shape (n_samples,).
        words: Words with times in seconds.
        ax: Axes to draw on; by default of a new figure.
    """
    ax = axes_or_new(ax, width=_WIDTH, height=2.2)
    rate = GIGAAM_V3.sample_rate
    step = max(1, len(samples) // _POINTS)
    blocks = samples[: len(samples) // step * step].reshape(-1, step)  # the outline of each block is drawn
    at = np.arange(len(blocks)) * step / rate
    ax.fill_between(at, blocks.min(axis=1), blocks.max(axis=1), color=INK, linewidth=0.5, zorder=2)
    loudest = max(0.05, float(np.abs(samples).max(initial=0)))
    for number, word in enumerate(words):
        ax.axvspan(word.start, word.end, color=_SPANS[number % 2][0], alpha=0.45, linewidth=0)
        _write(ax, word, row=number % 2)
    ax.set(xlabel="time, s", ylabel="amplitude", ylim=(-1.1 * loudest, 1.1 * loudest))
    ax.set_xlim(0, max(len(samples) / rate, 0.02))
    ax.grid(False, axis="x")
    return ax


@drawing
def log_mel(features: Float32Array, words: Sequence[Word] = (), ax: Axes | None = None) -> Axes:
    """Log-mel spectrogram as the encoder sees it, in dB; white lines are the beginnings and ends of words.

    Args:
        features: Natural logarithm of mel energies, from `recognition.features.log_mel`. Shape (n_mels,
            n_frames).
        words: Words with times in seconds.
        ax: Axes to draw on; by default of a new figure.
    """
    ax = axes_or_new(ax, width=_WIDTH, height=2.8)
    n_mels, n_frames = features.shape
    ends_s = max(n_frames, 1) * GIGAAM_V3.hop_length / GIGAAM_V3.sample_rate
    decibels = 10 / np.log(10) * features
    highest = float(decibels.max(initial=-_RANGE_DB))
    picture = ax.imshow(
        decibels, aspect="auto", origin="lower", extent=(0, ends_s, 0, n_mels), cmap="cividis",
        vmin=highest - _RANGE_DB, vmax=highest, interpolation="nearest", rasterized=True,
    )  # fmt: skip
    for word in words:
        ax.vlines((word.start, word.end), 0, n_mels, color="white", linewidth=0.9, linestyles=(0, (3, 2)))
    ax.set(xlabel="time, s", ylabel="mel band")
    ax.grid(False)
    clean(ax.figure.colorbar(picture, ax=ax, pad=0.01).ax).set_ylabel("energy, dB")
    return ax


def _write(ax: Axes, word: Word, row: int) -> None:
    """A word above the axes; neighbours on two lines, so that short ones do not meet."""
    ax.annotate(
        f"{shown(word.text)} {word.confidence:.2f}", ((word.start + word.end) / 2, 1), (0, 3 + 12 * row),
        xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", fontsize="small",
        color=_SPANS[row][1],
    )  # fmt: skip
