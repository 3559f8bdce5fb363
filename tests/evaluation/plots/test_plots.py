"""Every plot draws what it is given: labels with units, an artist for each system, intervals; no window."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from evaluation import plots
from evaluation.beyond import breakdowns
from evaluation.scoring.compare import compare
from evaluation.scoring.scores import profiles, score
from tests.support.made_records import file_of, noisy_file

FILES = [noisy_file(80, seed=1, system="A"), noisy_file(80, seed=2, error_rate=0.1, system="B")]


@pytest.fixture(scope="module")
def scores():
    return {name: score(file, n_resamples=100) for name, file in zip("AB", FILES, strict=True)}


def whiskers(ax):
    return [one for one in ax.containers if isinstance(one, ErrorbarContainer)]


def names(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_wer_by_system(scores):
    ax = plots.wer_by_system(scores)
    assert "%" in ax.get_xlabel()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["A", "B"]
    for whisker, one in zip(whiskers(ax), scores.values(), strict=True):
        [segment] = whisker.lines[2][0].get_segments()
        assert segment[:, 0].tolist() == pytest.approx([100 * one.wer.low, 100 * one.wer.high])


def test_wer_by_profile():
    ax = plots.wer_by_profile({name: profiles(file) for name, file in zip("AB", FILES, strict=True)})
    assert "%" in ax.get_ylabel()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["verbatim", "numbers", "numbers+latin"]
    assert names(ax) == ["A", "B"]
    assert len(whiskers(ax)) == 2


def test_differences():
    ax = plots.differences([compare(*FILES, n_resamples=100)])
    assert "points" in ax.get_xlabel()
    assert len(whiskers(ax)) == 1


def test_wer_by_bin(scores):
    bins = {name: breakdowns.by_duration(one) for name, one in scores.items()}
    ax = plots.wer_by_bin(bins, "seconds of audio")
    assert ax.get_xlabel() == "seconds of audio"
    assert len(whiskers(ax)) == 2
    assert [int(text.get_text()) for text in ax.texts] == bins["A"]["n_utterances"].tolist()


def test_calibration(scores):
    tables = {name: breakdowns.calibration(one) for name, one in scores.items()}
    ax = plots.calibration(tables)
    [beneath] = ax.child_axes
    assert ax.get_xlabel() == "confidence of the word"
    assert ax.get_ylabel() == "share of words right"
    assert beneath.get_ylabel() == "words"
    assert len(whiskers(ax)) == 2
    assert sum(bar.get_height() for bar in beneath.patches) == sum(
        t["n_words"].sum() for t in tables.values()
    )


def test_latency(scores):
    ax = plots.latency(scores)
    assert ax.get_xlabel().endswith("ms")
    assert ax.get_ylabel().endswith("%")
    curve = ax.lines[0].get_xdata()
    assert curve[-1] == pytest.approx(scores["A"].utterances["work_s"].max() * 1000)
    assert names(ax) == ["A", "B"]


def test_work_by_duration(scores):
    ax = plots.work_by_duration(scores)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("audio, s", "work, ms")
    assert [len(line.get_xdata()) for line in ax.lines] == [80, 2, 80, 2]


def test_time_split(scores):
    stages = {name: (one.speed.audio_s, one.speed.stages) for name, one in scores.items()}
    ax = plots.time_split(stages)
    assert ax.get_xlabel().endswith("ms")
    assert names(ax) == ["decode", "features", "encoder", "search", "other"]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert max(ends) == pytest.approx(max(1000 / one.speed.rtfx for one in scores.values()))


def test_interval_width(scores):
    table = breakdowns.width_by_n(
        *(scores["A"].utterances[c].tolist() for c in ("errors", "n_words")), level=0.95
    )
    ax = plots.interval_width({"A": table})
    assert ax.get_xlabel() == "utterances"
    assert "points" in ax.get_ylabel()
    measured, beyond = ax.lines
    assert beyond.get_xdata()[0] == measured.get_xdata()[-1]
    assert beyond.get_ydata()[-1] == pytest.approx(measured.get_ydata()[-1] / np.sqrt(10))


def test_a_given_axes_is_drawn_on_and_returned(scores):
    ax = Figure().subplots()
    assert plots.wer_by_system(scores, ax) is ax


def test_what_is_not_known_is_not_drawn():
    empty, single = score(file_of()), score(file_of(("да", "нет")))
    for drawn in (plots.wer_by_system({"A": empty, "B": single}), plots.latency({"A": empty, "B": single})):
        assert plots.to_svg(drawn).startswith("<svg")
    table = pd.DataFrame({"wer": [0.5], "wer_low": [np.nan], "wer_high": [np.nan], "n_utterances": [1]})
    assert plots.to_svg(plots.wer_by_bin({"A": table}, "x")).startswith("<svg")


def test_a_drawing_needs_no_font_is_the_same_each_time_and_many_points_stay_small(scores):
    drawings = [plots.to_svg(plots.wer_by_system(scores)) for _ in range(2)]
    assert drawings[0] == drawings[1]
    assert "<text" not in drawings[0]
    assert "font-family" not in drawings[0]
    many = plots.to_svg(plots.work_by_duration({"A": score(noisy_file(3000), n_resamples=10)}))
    assert len(many) < 300_000


@pytest.mark.slow
def test_no_backend_is_chosen_and_no_window_state_is_made():
    code = (
        "import sys, evaluation.plots as p; p.wer_by_system({}); "
        "print('matplotlib.pyplot' in sys.modules, any('tk' in name.lower() for name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
    assert mpl.rcParams["svg.fonttype"] == mpl.rcParamsDefault["svg.fonttype"]
