"""The detector by loudness on what is no sound: an offset of the converter, and hum of the mains."""

from __future__ import annotations

import numpy as np
import pytest

from gigastt_lab.audio.vad import HOP, EnergyDetector

RATE = 16_000
# Hops that may differ at an edge of speech, of 100 a second: hum adds to what is as faint as the threshold.
FEW = 0.005


def sine(hz, level_db, n_samples, phase=0.0):
    """A tone whose root mean square is so many dB below full scale."""
    peak = np.sqrt(2) * 10 ** (level_db / 20)
    return peak * np.sin(2 * np.pi * hz / RATE * np.arange(n_samples) + phase)


@pytest.fixture(scope="module")
def speech(clips):
    """Six clips with pauses of 0.9 s, over the noise of a quiet room."""
    pause = np.zeros(round(0.9 * RATE), np.float32)
    waveform = np.concatenate([part for clip in clips[::4] for part in (clip.waveform, pause)])
    return waveform + (1e-3 * np.random.default_rng(0).standard_normal(len(waveform))).astype(np.float32)


def judged(waveform):
    return EnergyDetector().accept(waveform.astype(np.float32))


@pytest.mark.parametrize("offset", [-0.5, -0.1, 0.003, 0.1, 0.3, 0.5])
def test_an_offset_changes_nothing(speech, offset):
    assert 0.4 < judged(speech).mean() < 0.9
    assert np.mean(judged(speech + offset) != judged(speech)) < FEW / 5  # as samples of float32 round


@pytest.mark.parametrize("hz", [50.0, 50.3, 100.0, 1.0, 20.0])
def test_hum_and_rumble_change_next_to_nothing(speech, hz):
    assert np.mean(judged(speech + sine(hz, -20.0, len(speech), phase=1.0)) != judged(speech)) < FEW


def test_hum_of_60_hz_changes_little(speech):
    assert np.mean(judged(speech + sine(60.0, -20.0, len(speech))) != judged(speech)) < 2 * FEW


@pytest.mark.parametrize("level_db", [-50.0, -10.0])
def test_hum_alone_is_quiet(level_db):
    faint = 1e-4 * np.random.default_rng(0).standard_normal(5 * RATE)
    assert not judged(faint + 0.2 + sine(50.0, level_db, len(faint))).any()


def test_an_offset_from_the_first_sample_on_is_no_click():
    faint = 1e-4 * np.random.default_rng(0).standard_normal(2 * RATE)
    assert not judged(faint + 0.5).any()


def test_an_offset_that_is_switched_on_is_a_click_and_no_more():
    faint = 1e-4 * np.random.default_rng(0).standard_normal(4 * RATE)
    faint[2 * RATE + 77 :] += 0.5
    loud = np.flatnonzero(judged(faint))
    assert set(loud) <= set(range(200, 208))


def test_speech_over_the_telephone_is_heard():
    """300 to 3,400 Hz: no fundamental of a man's voice is left."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal(3 * RATE))
    hz = np.fft.rfftfreq(3 * RATE, 1 / RATE)
    spectrum[(hz < 300) | (hz > 3_400)] = 0
    waveform = 1e-3 * rng.standard_normal(3 * RATE)
    waveform[RATE : 2 * RATE] += 0.05 * np.fft.irfft(spectrum)[RATE : 2 * RATE]
    hops = judged(waveform)
    assert hops[101:200].all()
    assert not hops[:100].any()
    assert not hops[207:].any()


@pytest.mark.parametrize("level_db", [-45.0, -30.0, -6.0])
def test_levels_are_those_of_the_samples(level_db):
    """A tone counts with its power; the margin is 9 dB above the lowest level of the noise."""
    waveform = 10 ** ((level_db - 20) / 20) * np.random.default_rng(0).standard_normal(4 * RATE)
    n_tone = RATE // 2
    for number, above_db in enumerate((7.0, 11.0)):
        at = (1 + number) * RATE
        # Powers add: the tone alone is what is above the floor.
        tone_db = level_db - 20 + 10 * np.log10(10 ** (above_db / 10) - 1)
        waveform[at : at + n_tone] += sine(1_000.0, tone_db, n_tone)
    hops = judged(waveform)
    assert not hops[100:160].any()
    assert hops[206:249].all()


@pytest.mark.parametrize("chunk", [1, 159, 160, 161, 319, 320, 321, 1_600, 16_000, 10**9])
def test_chunks_change_nothing(speech, chunk):
    waveform = (speech[: 2 * RATE + 33] + 0.2).astype(np.float32)
    detector = EnergyDetector()
    parts = [detector.accept(waveform[at : at + chunk]) for at in range(0, len(waveform), chunk)]
    assert not len(detector.accept(waveform[:0]))
    np.testing.assert_array_equal(np.concatenate(parts), judged(waveform))
    assert len(judged(waveform)) == len(waveform) // HOP


def test_nothing_is_judged_before_anything_came():
    detector = EnergyDetector()
    assert detector.accept(np.empty(0, np.float32)).tolist() == []
    assert detector.accept(np.zeros(2 * HOP - 1, np.float32)).tolist() == [False]
    assert detector.accept(np.zeros(1, np.float32)).tolist() == [False]
