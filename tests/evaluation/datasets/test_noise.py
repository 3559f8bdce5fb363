"""Noise is mixed in at the level that was ordered, the same each time, and nothing is lost."""

import math

import numpy as np
import pytest

from evaluation.beyond.breakdowns import by_noise
from evaluation.datasets.audio import as_wav
from evaluation.datasets.noise import Noisy, mixed, noise_like, snr_db_of
from evaluation.datasets.utterances import DatasetError, Finding, Utterance
from evaluation.run.on_demand import recorded
from evaluation.scoring.scores import score
from gigastt_lab.audio.reading import decode_audio
from tests.support.made_records import file_of

RATE = 16_000


def speech(seconds=1.0, loudness=0.2):
    """Something loud from 0.2 s on to 0.2 s before the end."""
    waveform = np.zeros(round(seconds * RATE), np.float32)
    n = round((seconds - 0.4) * RATE)
    waveform[RATE // 5 : RATE // 5 + n] = loudness * np.sin(0.3 * np.arange(n))
    return waveform


class Made:
    """A dataset of two utterances."""

    name, revision, description, n_rows = "made", "1", "two utterances", 2
    drawing = {"limit": None, "sample": None, "seed": None, "duplicates": "keep"}  # noqa: RUF012
    n_expected = 2
    findings = (Finding("made/2", "blank reference", excluded=True),)

    def __iter__(self):
        for number in range(2):
            yield Utterance(f"made/{number}", as_wav(speech(1 + number)), "раз два", speaker="s")


@pytest.mark.parametrize("kind", ["white", "speech-shaped"])
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_the_level_is_what_was_ordered(kind, snr_db):
    clean = speech(2.0, loudness=0.05)
    noise = noise_like(clean, kind, np.random.default_rng(0))
    added = mixed(clean, noise, snr_db) - clean
    power = np.mean(clean[RATE // 5 : -RATE // 5] ** 2)
    assert 10 * math.log10(power / np.mean(added**2)) == pytest.approx(snr_db, abs=0.1)


def test_speech_shaped_noise_has_the_spectrum_of_the_speech():
    clean = np.cumsum(np.random.default_rng(1).normal(0, 0.01, RATE)).astype(np.float32)
    clean -= clean.mean()
    noise = noise_like(clean, "speech-shaped", np.random.default_rng(0))
    spectra = [np.abs(np.fft.rfft(each))[1:-1] for each in (noise, clean)]  # the ends have no phase
    assert spectra[0] == pytest.approx(spectra[1], rel=0.01, abs=0.1)
    assert not np.allclose(noise, clean, atol=0.1)


def test_what_would_be_clipped_is_softer():
    clean = speech(loudness=0.9)
    loud = mixed(clean, noise_like(clean, "white", np.random.default_rng(0)), -10.0)
    assert np.abs(loud).max() == pytest.approx(1.0)


@pytest.mark.parametrize("clean", [np.zeros(0, np.float32), np.zeros(RATE, np.float32), speech()[:100]])
def test_silence_and_too_little_stay_as_they_are(clean):
    noise = noise_like(clean, "white", np.random.default_rng(0)) if len(clean) else clean
    assert mixed(clean, noise, 0.0) is clean


def test_no_noise_is_none():
    clean = speech()
    assert mixed(clean, np.ones_like(clean), math.inf) is clean


def test_each_utterance_comes_at_each_level_and_always_the_same():
    noisy = Noisy(Made(), (0, math.inf))
    first, again = list(noisy), list(noisy)
    assert [each.id for each in first] == ["made/0@0dB", "made/0@infdB", "made/1@0dB", "made/1@infdB"]
    assert [each.audio for each in first] == [each.audio for each in again]
    assert first[1].audio == as_wav(speech(1))
    assert {each.reference for each in first} == {"раз два"}
    assert {each.speaker for each in first} == {"s"}
    assert (noisy.n_expected, noisy.n_rows, len(noisy.findings)) == (4, 2, 1)
    assert "speech-shaped noise at 0, inf dB" in noisy.description
    assert not np.array_equal(decode_audio(first[0].audio), speech(1))


def test_audio_that_cannot_be_decoded_ends_the_reading():
    class Broken(Made):
        def __iter__(self):
            yield Utterance("made/0", b"no audio", "раз")

    with pytest.raises(DatasetError, match=r"made/0: .*leave it out"):
        list(Noisy(Broken(), (0,)))


def test_error_rates_by_level():
    noisy = [f"u{number}@{level}dB" for number in range(3) for level in ("inf", "5")]
    file = file_of(*[("раз два", "раз" if "5" in name else "раз два") for name in noisy])
    one = score(file, n_resamples=20)
    levels = snr_db_of(noisy)
    table = by_noise(one, dict(zip(one.utterances.index, levels.values(), strict=True)))
    assert table.index.tolist() == ["5", "clean"]
    assert table["wer"].tolist() == [0.5, 0.0]
    assert table["n_utterances"].tolist() == [3, 3]


class Silent:
    """A system that hears nothing."""

    name, batch_size = "silent", 1
    info = {"kind": "engine", "model": "none"}  # noqa: RUF012

    def __init__(self):
        self.n_heard = 0

    def transcribe(self, audios):
        from evaluation.systems.base import Outcome

        self.n_heard += len(audios)
        return [Outcome(hypothesis="", audio_s=1.0, work_s=0.1) for _ in audios]


def test_what_is_recorded_is_not_run_again_unless_asked(tmp_path):
    system = Silent()
    for fresh, n_heard in ((False, 2), (False, 2), (True, 4)):
        file = recorded(system, Made(), tmp_path, fresh=fresh)
        assert file.path == tmp_path / "made" / "silent.jsonl"
        assert len(file.records) == 2
        assert system.n_heard == n_heard
