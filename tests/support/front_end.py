"""Stands in for a widget's front end: says what its script says, and keeps what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

# For every test of the widgets: they are skipped where the extra `notebook` is not installed.
pytest.importorskip("anywidget")

RATE = 16_000
DEADLINE_S = 60.0


def speech_of(clips: Sequence[Any]) -> np.ndarray:
    """The clips one after the other, a faintly noisy second behind each; PCM16 holds it exactly."""
    rng = np.random.default_rng(0)
    parts = []
    for clip in clips:
        parts += [clip.waveform, (rng.integers(-2, 3, RATE) / 2**15).astype(np.float32)]
    return np.concatenate(parts)


class FrontEnd:
    """One front end of one widget.

    Attributes:
        told: Messages of the widget, in order.
    """

    def __init__(self, widget: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self._widget = widget
        self._news = threading.Condition()
        widget.send = self._hear

    def _hear(self, content: dict[str, Any], buffers: Any = None) -> None:
        with self._news:
            self.told.append(json.loads(json.dumps(content)))
            self._news.notify_all()

    def say(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """A message, as it comes out of a comm."""
        data = {"method": "custom", "content": content}
        views = [memoryview(buffer) for buffer in buffers or []]
        self._widget._handle_msg({"content": {"data": data}, "buffers": views})

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What it was told of one kind."""
        return [message for message in list(self.told) if message["type"] == kind]

    def wait_for(self, kind: str, n: int = 1) -> dict[str, Any]:
        """The n-th message of one kind."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.of(kind)) >= n, DEADLINE_S), self.told
        return self.of(kind)[n - 1]

    # -- a live microphone --------------------------------------------------------------------------------

    def speak(self, recording: str, waveform: np.ndarray, rate: int, order: Any = None) -> int:
        """Send samples in frames of 100 ms, in the order given, and return how many they are."""
        pcm16 = np.clip(np.round(waveform * 2**15), -(2**15), 2**15 - 1).astype("<i2")
        starts = list(range(0, len(pcm16), rate // 10))
        for at in starts if order is None else order(starts):
            frame = pcm16[at : at + rate // 10].tobytes()
            self.say({"type": "frame", "recording": recording, "at": at, "sample_rate": rate}, [frame])
        return len(pcm16)

    def stop(self, recording: str, n_samples: int | None, rate: int | None) -> None:
        self.say({"type": "stop", "recording": recording, "n_samples": n_samples, "sample_rate": rate})

    def record(self, recording: str, waveform: np.ndarray, rate: int) -> None:
        """A whole recording; waits for the end of its text."""
        n_ended = len(self.of("ended"))
        self.stop(recording, self.speak(recording, waveform, rate), rate)
        self.wait_for("ended", n_ended + 1)
