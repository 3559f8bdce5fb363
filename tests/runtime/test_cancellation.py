"""Work that is called off from another thread: inside a pass of the model, and while a file is decoded."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gigastt_lab.errors import WorkCancelledError
from gigastt_lab.runtime.cancellation import Cancellation
from tests.support.audio_files import by_soundfile

RATE = 16_000


def test_a_pass_of_the_model_is_called_off(engine):
    """Long enough that it would take minutes: it ends because it is told to."""
    cancellation = Cancellation()
    outcome = []

    def work():
        try:
            with cancellation.scope():
                while True:
                    engine.transcribe(np.zeros(25 * RATE, np.float32), sample_rate=RATE)
        except WorkCancelledError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    cancellation.cancel()
    thread.join(timeout=60)
    assert len(outcome) == 1


def test_after_a_cancelled_pass_the_engine_is_as_it_was(engine, clear_clips):
    waveform = clear_clips[0].waveform
    before = engine.transcribe(waveform, sample_rate=RATE)
    cancellation = Cancellation()
    cancellation.cancel()
    with cancellation.scope(), pytest.raises(WorkCancelledError):
        engine.transcribe(waveform, sample_rate=RATE)
    assert engine.transcribe(waveform, sample_rate=RATE) == before
    with Cancellation().scope():
        assert engine.transcribe(waveform, sample_rate=RATE) == before


def test_decoding_is_called_off(engine):
    hours = by_soundfile(np.zeros(1_800 * 8_000, np.float32), 8_000, "FLAC")
    cancellation = Cancellation()
    parts = engine.transcribe_parts(hours)
    with cancellation.scope():
        next(parts)
        cancellation.cancel()
        with pytest.raises(WorkCancelledError):
            list(parts)


def test_what_is_asked_for_too_late_is_done_at_once():
    cancellation = Cancellation()
    calls = []
    cancellation.on_cancel(lambda: calls.append("early"))
    cancellation.cancel()
    cancellation.on_cancel(lambda: calls.append("late"))
    cancellation.cancel()
    assert calls == ["early", "late"]
