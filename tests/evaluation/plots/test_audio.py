"""Waveform and log-mel picture, with words over their times; of nothing, too."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from evaluation import plots
from gigastt_lab.recognition.features import log_mel
from gigastt_lab.types import Word

RATE = 16_000
WORDS = (Word("Раз", 0.2, 0.4, 0.91), Word("два.", 0.52, 0.8, 0.5))


def noise(seconds):
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def test_both_pictures_share_their_time():
    upper, lower = plots.speech(noise(1.0), WORDS)
    assert upper.figure is lower.figure
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("amplitude", "mel band")
    assert lower.get_xlabel() == "time, s"
    assert upper.get_xlim() == lower.get_xlim() == pytest.approx((0, 1), abs=0.02)
    assert plots.to_svg(upper) == plots.to_svg(plots.speech(noise(1.0), WORDS)[0])


def test_words_stand_over_their_times():
    ax = plots.waveform(noise(1.0), WORDS)
    assert [text.get_text() for text in ax.texts] == ["Раз 0.91", "два. 0.50"]
    assert [text.xy[0] for text in ax.texts] == pytest.approx([0.3, 0.66])
    spans = [edge for bar in ax.patches for edge in (bar.get_x(), bar.get_x() + bar.get_width())]
    assert spans == pytest.approx([0.2, 0.4, 0.52, 0.8])


def test_the_outline_keeps_every_peak_and_stays_small():
    samples = np.zeros(60 * RATE, np.float32)
    samples[30 * RATE] = 0.9
    [outline] = plots.waveform(samples).collections
    [path] = outline.get_paths()
    assert path.vertices[:, 1].max() == pytest.approx(0.9)
    assert len(path.vertices) < 20_000


def test_the_picture_is_in_decibels_below_the_loudest():
    features = log_mel(noise(1.0))
    ax = plots.log_mel(features, WORDS)
    [picture] = ax.images
    assert picture.get_array().max() == pytest.approx(10 * np.log10(np.e) * features.max(), rel=1e-5)
    low, high = picture.get_clim()
    assert high - low == pytest.approx(80)
    assert ax.figure.axes[1].get_ylabel() == "energy, dB"
    edges = [path.vertices[0, 0] for lines in ax.collections for path in lines.get_paths()]
    assert edges == pytest.approx([0.2, 0.4, 0.52, 0.8])


@pytest.mark.parametrize("n_samples", [0, 1, 319])
def test_almost_nothing_was_heard(n_samples):
    upper, _ = plots.speech(np.zeros(n_samples, np.float32), ())
    assert plots.to_svg(upper).startswith("<svg")


def test_given_axes_are_drawn_on_and_returned():
    upper, lower = Figure().subplots(2, 1)
    assert plots.waveform(noise(0.5), WORDS, upper) is upper
    assert plots.log_mel(log_mel(noise(0.5)), WORDS, lower) is lower
