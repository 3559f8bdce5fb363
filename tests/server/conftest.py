"""One server for the tests that leave it as it was, and recordings to send."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab import Engine, load_engine
from tests.support.recordings import RATE, as_wav
from tests.support.server_process import serving


@pytest.fixture(scope="session")
def server():
    """A server with four permits and metrics, in INT8."""
    with serving("--metrics", "--precision", "int8") as running:
        yield running
        assert running.available() == 4
        assert running.end() == 0
        assert "Traceback" not in running.log, running.log[running.log.index("Traceback") - 500 :][:6_000]


@pytest.fixture(scope="session")
def heard() -> Engine:
    """What the server runs, without the server."""
    return load_engine("demo", precision="int8")


@pytest.fixture(scope="session")
def speech(clear_clips):
    """Three utterances with pauses between, 16 kHz."""
    rng = np.random.default_rng(0)
    pause = (1e-4 * rng.standard_normal(RATE)).astype(np.float32)
    parts = [part for clip in clear_clips[:3] for part in (clip.waveform, pause)]
    return np.concatenate(parts)


@pytest.fixture(scope="session")
def wav(clear_clips):
    """One utterance as a WAV."""
    return as_wav(clear_clips[0].waveform)


@pytest.fixture(scope="session")
def long_wav(speech):
    """Nine minutes of speech as a WAV: some seconds of work."""
    return as_wav(np.tile(speech, 1 + 540 * RATE // len(speech))[: 540 * RATE])
