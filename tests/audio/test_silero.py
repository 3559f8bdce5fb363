"""Silero VAD as a detector of streams; where its package is not installed, only that it is asked for."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from gigastt_lab import ModelNotFoundError
from gigastt_lab.audio import silero
from gigastt_lab.audio.silero import WINDOW, SileroDetector

RATE = 16_000

needs_silero = pytest.mark.skipif(
    importlib.util.find_spec("silero_vad") is None, reason="the package silero-vad is not installed"
)


@pytest.fixture
def waveform(clear_clips):
    silence = np.zeros(RATE, np.float32)
    return np.concatenate([silence, clear_clips[0].waveform, silence, silence])


def by_hand(waveform):
    """Probabilities of whole windows, by ONNX Runtime directly."""
    import onnxruntime

    folder = importlib.util.find_spec("silero_vad").submodule_search_locations[0]
    session = onnxruntime.InferenceSession(
        f"{folder}/data/silero_vad.onnx", providers=["CPUExecutionProvider"]
    )
    padded, state, found = (
        np.concatenate([np.zeros(64, np.float32), waveform]),
        np.zeros((2, 1, 128), np.float32),
        [],
    )
    for at in range(0, len(waveform) // WINDOW * WINDOW, WINDOW):
        feeds = {"input": padded[None, at : at + 576], "state": state, "sr": np.array(16_000)}
        probability, state = session.run(None, feeds)
        found.append(probability[0, 0])
    return np.array(found)


@needs_silero
def test_hops_are_those_of_the_windows_they_end_in(waveform):
    expected, is_speech = [], False
    for probability in by_hand(waveform):
        is_speech = probability >= (0.35 if is_speech else 0.5)
        expected.append(is_speech)
    found = SileroDetector().accept(waveform)
    assert len(found) == len(expected) * WINDOW // 160
    for hop, may_be_speech in enumerate(found):
        assert may_be_speech == expected[(160 * hop + 159) // WINDOW]


@needs_silero
def test_speech_is_found_and_silence_is_not(waveform, clear_clips):
    found = SileroDetector().accept(waveform)
    assert not found[:90].any()
    assert found[100 : 100 + len(clear_clips[0].waveform) // 160].mean() > 0.5
    assert not found[-80:].any()
    noise = 1e-3 * np.random.default_rng(0).standard_normal(5 * RATE, np.float32)
    assert not SileroDetector().accept(noise).any()


@needs_silero
@pytest.mark.parametrize("chunk", [16, 320, 511, 512, 513, 16_000])
def test_chunks_change_nothing(waveform, chunk):
    whole = SileroDetector().accept(waveform)
    detector, other = SileroDetector(), SileroDetector()
    parts = []
    for at in range(0, len(waveform), chunk):
        parts.append(detector.accept(waveform[at : at + chunk]))
        other.accept(waveform[::-1][at : at + chunk])  # another stream does not disturb it
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@needs_silero
def test_a_stream_with_it_hears_the_same(engine, waveform):
    texts = []
    for detector in (None, SileroDetector()):
        session = engine.stream(detector=detector)
        results = [*session.accept(waveform), *session.finish()]
        texts.append([(result.text, result.reason) for result in results if result.kind == "final"])
    assert texts[0] == texts[1]
    assert texts[0][0][1] == "silence"


@needs_silero
def test_a_machine_that_is_louder_than_the_room_is_no_speech():
    hum = np.zeros(4 * RATE, np.float32)
    hum[RATE:] = 0.1 * np.sign(np.sin(2 * np.pi * 100 * np.arange(3 * RATE) / RATE))
    assert SileroDetector().accept(hum).mean() < 0.1


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_thresholds_outside_their_range_are_refused(threshold):
    with pytest.raises(ValueError, match=r"give 0\.2 to 0\.99"):
        SileroDetector(threshold=threshold)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    silero._session.cache_clear()
    with pytest.raises(ModelNotFoundError, match="pip install --no-deps silero-vad"):
        SileroDetector()
    silero._session.cache_clear()
