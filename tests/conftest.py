"""What several test files share: one engine with the packaged demo model, and its sample clips."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gigastt_lab import Engine, load_engine
from gigastt_lab.audio import decode_audio
from gigastt_lab.models import DEMO_CLIPS_DIRECTORY


@dataclass(frozen=True)
class Clip:
    """A packaged utterance: where it is, what it says, its samples at 16 kHz."""

    path: Path
    text: str
    waveform: np.ndarray


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The demo model; no test may change it."""
    return load_engine("demo")


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    """All packaged clips; every waveform is a multiple of 2^-15, so PCM16 holds it exactly."""
    lines = (DEMO_CLIPS_DIRECTORY / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    paths = [(DEMO_CLIPS_DIRECTORY / entry["audio"], entry["text"]) for entry in map(json.loads, lines)]
    return [Clip(path, text, decode_audio(path)) for path, text in paths]


@pytest.fixture(scope="session")
def clear_clips(clips: list[Clip]) -> list[Clip]:
    """The clips that the demo model knows best: commands to an assistant, spoken by espeak-ng."""
    return [clip for clip in clips if "assistant_espeak" in clip.path.name]
