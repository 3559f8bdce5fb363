"""The set without speech is the same every time, as loud as it says, and has not a word in it."""

import numpy as np
import pytest

from evaluation.datasets import open_dataset
from evaluation.datasets.audio import RATE, decoded
from evaluation.datasets.nonspeech import KINDS, LENGTHS_S, LEVELS_DBFS, NonSpeech, nonspeech, sound
from evaluation.normalize import PROFILES, normalize


def level(waveform):
    return 10 * np.log10(np.mean(np.square(waveform, dtype=np.float64)))


def test_every_kind_at_every_level_and_length():
    assert nonspeech().n_expected == ((len(KINDS) - 1) * len(LEVELS_DBFS) + 1) * len(LENGTHS_S) == 76
    short = [*NonSpeech().rows(frozenset(range(0, 76, len(LENGTHS_S))))]
    assert {each.duration_s for each in short} == {1.0}
    assert len({each.key for each in short}) == 19
    assert {each.metadata["kind"] for each in short} == set(KINDS)
    assert all(set(each.metadata) == {"kind", "level", "length"} for each in short)
    assert all(normalize(each.reference, profile) == "" for each in short for profile in PROFILES)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "silence"])
@pytest.mark.parametrize("level_dbfs", [-60.0, -20.0])
def test_sounds_are_as_loud_as_they_say_and_not_clipped(kind, level_dbfs):
    heard = sound(kind, level_dbfs, 3.0)
    assert heard.shape == (3 * RATE,)
    assert np.abs(heard).max() <= 0.99 + 1e-6
    assert level(heard) == pytest.approx(level_dbfs, abs=0.1 if level_dbfs < -20 or kind != "clicks" else 12)


def test_silence_is_silent_whatever_the_level():
    assert not sound("silence", -20.0, 1.0).any()


def test_sounds_are_the_same_every_time():
    first, again = (next(iter(nonspeech(sample=1, seed=3))) for _ in range(2))
    assert first == again
    assert first.audio == again.audio
    assert np.array_equal(sound("tones", -40, 2), sound("tones", -40, 2))


def test_the_file_holds_the_sound():
    [clip] = [
        each for each in nonspeech(limit=8) if each.metadata["level"] == "-60 dBFS" and each.duration_s == 1
    ]
    waveform = decoded(clip.audio).waveform
    assert len(waveform) == RATE
    assert level(waveform) == pytest.approx(-60, abs=0.2)  # 33 steps of 16 bits


def test_pink_noise_falls_by_3_db_an_octave():
    power = np.abs(np.fft.rfft(sound("pink noise", -20, 10.0))) ** 2
    octaves = [10 * np.log10(power[10 * low : 20 * low].mean()) for low in (125, 250, 500, 1000, 2000)]
    assert np.diff(octaves) == pytest.approx([-3.01] * 4, abs=0.4)


def test_it_is_a_dataset_by_name():
    named = open_dataset("nonspeech", limit=2)
    assert (named.name, named.n_expected) == ("nonspeech", 2)
    assert [each.id for each in named] == [each.id for each in nonspeech(limit=2)]
    assert named.revision == nonspeech().revision
