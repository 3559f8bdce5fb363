"""Clips to transcribe: the packaged ones, joined and cut to exact lengths, as WAV files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evaluation.datasets.audio import as_wav
from gigastt_lab.quantization.calibration import sample_clips
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import Float32Array

N_MIXED: Final = 16
"""Utterances of the batch study."""

_SHORTEST_S, _LONGEST_S = 2.0, 12.0
_SEED: Final = 0


@dataclass(frozen=True)
class Clip:
    """A file of speech: mono PCM16 at 16 kHz.

    Attributes:
        path: Path of the WAV file.
        audio_s: Length in seconds, to the sample.
    """

    path: Path
    audio_s: float


def total_s(clips: Sequence[Clip]) -> float:
    """Seconds of several clips, without what floating sums leave behind."""
    return round(sum(clip.audio_s for clip in clips), 6)


class Clips:
    """Factory of clips in a folder, each written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._speech: Float32Array = np.concatenate(sample_clips())
        self._known: dict[tuple[float, int], Clip] = {}

    def of(self, audio_s: float, *, start: int = 0) -> Clip:
        """A clip of so many seconds.

        Args:
            audio_s: Length in seconds; a clip longer than all packaged ones together repeats them.
            start: Index of the sample of the joined clips that it begins with.
        """
        key = audio_s, start
        if key not in self._known:
            n_samples = round(audio_s * GIGAAM_V3.sample_rate)
            path = self._folder / f"{audio_s:g}s_{start}.wav"
            path.write_bytes(as_wav(np.resize(np.roll(self._speech, -start), n_samples)))
            self._known[key] = Clip(path, n_samples / GIGAAM_V3.sample_rate)
        return self._known[key]

    def mixed(self) -> Sequence[Clip]:
        """`N_MIXED` utterances of 2 to 12 s, always the same ones, each from another place."""
        lengths = np.random.default_rng(_SEED).uniform(_SHORTEST_S, _LONGEST_S, N_MIXED).round(1)
        starts = np.linspace(0, len(self._speech), N_MIXED, endpoint=False).astype(int)
        return [
            self.of(length, start=start)
            for length, start in zip(lengths.tolist(), starts.tolist(), strict=True)
        ]
