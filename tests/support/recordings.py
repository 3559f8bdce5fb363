"""Samples as clients send them."""

from __future__ import annotations

import io

import numpy as np
import soundfile

RATE = 16_000


def as_wav(waveform: np.ndarray, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def as_pcm16(waveform: np.ndarray) -> bytes:
    return np.clip(np.round(waveform * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes()
