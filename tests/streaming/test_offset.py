"""Streams with an offset or hum: the same utterances as without, cut at the same places."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.recognition.windows import WindowOptions, windows
from tests.support.word_errors import word_errors

RATE = 16_000


@pytest.fixture(scope="module")
def recording(clear_clips):
    """Four clips with pauses of a second."""
    rng = np.random.default_rng(0)
    parts = []
    for clip in clear_clips[:4]:
        parts += [clip.waveform, (rng.integers(-2, 3, RATE) / 2**15).astype(np.float32)]
    return np.concatenate(parts)


def hum(n_samples, hz):
    """Mains hum whose root mean square is 20 dB below full scale: as loud as speech."""
    return 0.1 * np.sqrt(2) * np.sin(2 * np.pi * hz / RATE * np.arange(n_samples))


def stepped(n_samples):
    """An offset that is switched on after two seconds, within a clip."""
    return np.where(np.arange(n_samples) < 2 * RATE, 0.0, 0.3)


DISTURBANCES = {
    "offset 0.1": lambda n: np.full(n, 0.1),
    "offset -0.5": lambda n: np.full(n, -0.5),
    "offset from 2 s on": stepped,
    "hum of 50 Hz": lambda n: hum(n, 50.0),
    "hum of 60 Hz": lambda n: hum(n, 60.0),
}


def finals(engine, waveform):
    session = engine.stream()
    results = [*session.accept(waveform.astype(np.float32)), *session.finish()]
    return [result for result in results if result.kind == "final"]


@pytest.fixture(scope="module")
def clean(engine, recording):
    return finals(engine, recording)


@pytest.mark.parametrize("make", DISTURBANCES.values(), ids=DISTURBANCES)
def test_utterances_are_cut_as_without(engine, recording, clean, clear_clips, make):
    found = finals(engine, recording + make(len(recording)))
    assert len(clean) == len(found) == 4
    for one, other, clip in zip(clean, found, clear_clips, strict=False):
        assert other.reason == "silence"
        assert other.end == pytest.approx(one.end, abs=0.081)  # two encoder frames
        # The model hears the disturbance too; of a clip it may change a word.
        assert word_errors(other.text, clip.text) <= 1


def test_windows_end_at_pauses_as_without(recording):
    """Long recordings of the demo model: in windows that pauses end."""
    long = np.concatenate([recording] * 3)
    ends = [
        [window.end for window in windows([waveform], WindowOptions(min_pause_ms=400))]
        for waveform in (long, (long + 0.3 + hum(len(long), 50.0)).astype(np.float32))
    ]
    assert len(ends[0]) >= 10
    np.testing.assert_allclose(ends[1], ends[0], atol=2 * 640)
