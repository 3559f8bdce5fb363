"""Silero VAD as the detector of a stream, where its package is installed; never required.

    pip install --no-deps silero-vad
    engine.stream(detector=SileroDetector())

Of the package only the ONNX file is used, by ONNX Runtime: its Python code needs torch.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from gigastt_lab.audio.vad import HOP
from gigastt_lab.errors import ModelNotFoundError
from gigastt_lab.runtime.sessions import RuntimeOptions, Session, as_float32, load_session
from gigastt_lab.types import BoolArray, Float32Array

# Source: silero-vad 6.2, `utils_vad.py`, OnnxWrapper: at 16 kHz the model hears windows of 512 samples, each
# with the 64 samples before it, and hands a state on.
WINDOW: Final = 512
_CONTEXT: Final = 64
_STATE_SHAPE: Final = (2, 1, 128)
_MODEL: Final = "data/silero_vad.onnx"
# Source: the same, VADIterator: what began at the threshold goes on until so much below it.
_HYSTERESIS: Final = 0.15


class SileroDetector:
    """Detector of speech against everything else, by a small network: music and machines are none.

    A hop is judged by the window of 32 ms in which it ends, so that answers come up to 32 ms late. All
    detectors of a process share one session; each has a state of its own.
    """

    def __init__(self, *, threshold: float = 0.5) -> None:
        """Begin a stream.

        Args:
            threshold: Probability from which a window is speech; it ends 0.15 lower.

        Raises:
            ModelNotFoundError: the package is not installed, or lacks its model.
            ModelError: the model cannot be loaded.
            ValueError: a threshold outside 0.2 to 0.99.
        """
        if not 0.2 <= threshold <= 0.99:
            raise ValueError(f"threshold is {threshold}; give 0.2 to 0.99")
        self._threshold = threshold
        self._session = _session()
        self._state: Float32Array = np.zeros(_STATE_SHAPE, np.float32)
        self._pending: Float32Array = np.zeros(_CONTEXT, np.float32)  # context first
        self._is_speech = False
        self._n_windows = 0
        self._n_hops = 0

    def accept(self, samples: Float32Array) -> BoolArray:
        """See `vad.SpeechDetector`."""
        waveform = np.concatenate([self._pending, samples])
        n_new = (len(waveform) - _CONTEXT) // WINDOW
        windows = [
            self._judge(waveform[at : at + _CONTEXT + WINDOW]) for at in range(0, n_new * WINDOW, WINDOW)
        ]
        self._pending = waveform[n_new * WINDOW :].copy()
        first, self._n_windows = self._n_windows, self._n_windows + n_new
        # The hops that end in the new windows.
        hops = np.arange(self._n_hops, self._n_windows * WINDOW // HOP)
        self._n_hops += len(hops)
        judged: BoolArray = np.array(windows, np.bool_)[(hops * HOP + HOP - 1) // WINDOW - first]
        return judged

    def probability(self, window: Float32Array) -> float:
        """Probability of speech in the next window, shape (576,): 64 samples of context and 512 new ones."""
        speech, state = self._session.run(window[None], self._state, np.array(16_000, np.int64))
        self._state = as_float32(state)
        return float(speech[0, 0])

    def _judge(self, window: Float32Array) -> bool:
        bar = self._threshold - (_HYSTERESIS if self._is_speech else 0.0)
        self._is_speech = self.probability(window) >= bar
        return self._is_speech


@cache
def _session() -> Session:
    # Not imported: that would import torch.
    package = importlib.util.find_spec("silero_vad")
    folders = [Path(folder) for folder in (package.submodule_search_locations or ())] if package else []
    path = next((folder / _MODEL for folder in folders if (folder / _MODEL).is_file()), None)
    if path is None:
        raise ModelNotFoundError(
            f"the package silero-vad is not installed, or lacks {_MODEL}: pip install --no-deps silero-vad, "
            "or leave the detector out to tell silence by loudness"
        )
    return load_session(path, RuntimeOptions(provider="cpu", threads=1))
