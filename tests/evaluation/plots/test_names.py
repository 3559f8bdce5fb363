"""Every plot takes every text: formulas that are none, underscores, letters no font has, lengths, lines."""

import inspect
import warnings
from dataclasses import replace
from functools import cache

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from evaluation import plots
from evaluation.beyond import breakdowns
from evaluation.normalize import RULES
from evaluation.plots.texts import shown
from evaluation.scoring.compare import compare
from evaluation.scoring.options import Options
from evaluation.scoring.scores import profiles, rules, score
from gigastt_lab.types import Word
from tests.support.made_records import noisy_file

NAMES = [
    r"$\frac{1}$", "$x$", "a$b", r"\$\alpha$", "_hidden", "__", "_nolegend_", "%s %d {0} {} }{", "😀 漢字",
    "one\ntwo\tthree\r", "nul\0and\x1b[31m", "x" * 400, "", " ", "\u202eright to left", "<b>&amp;|",
]  # fmt: skip
OPTIONS = Options(n_resamples=100)
FILES = [noisy_file(24, seed=seed, system="s") for seed in (1, 2)]


@cache
def scored():
    """What plots are made of, worked out once: scores, rates by profile, by rule, by length, widths."""
    scores = [score(file, n_resamples=100) for file in FILES]
    return (
        scores,
        compare(*FILES, n_resamples=100),
        [profiles(file, OPTIONS) for file in FILES],
        [rules(file, OPTIONS) for file in FILES],
        [breakdowns.by_length(one) for one in scores],
        [breakdowns.calibration(one) for one in scores],
        [breakdowns.by_kind(one) for one in scores],
    )


def drawn(name):
    """Every plot, drawn of systems, words and columns of that name."""
    (a, b), compared, *tables = scored()
    by_profile, by_rule, bins, calibrations, kinds = (
        dict(zip((name, "other"), each, strict=True)) for each in tables
    )
    scores = {name: a, "other": b}
    pair = replace(compared, label_a=name, label_b=name + "2")
    groups = {label: table.rename(index={table.index[0]: name}) for label, table in bins.items()}
    edits = pd.DataFrame(
        {
            "kind": ["substitution", "insertion"],
            "reference": [name, ""],
            "hypothesis": ["да", name],
            "count": [2, 1],
        }
    )
    speeds = {label: (one.speed.audio_s, {name: 1.0, "rest": 2.0}) for label, one in scores.items()}
    widths = {label: pd.DataFrame({"n_utterances": [9, 18], "half_width": [0.2, 0.1]}) for label in scores}
    words = [Word(name, 0.1, 0.4, 0.9), Word("да", 0.5, 0.8, 0.8)]
    samples = np.sin(np.arange(16_000) / 30, dtype=np.float32)
    yield plots.wer_by_system(scores)
    yield plots.wer_by_profile(by_profile)
    yield plots.wer_by_rule(by_rule)
    yield plots.differences([pair])
    yield plots.wer_by_bin(groups, name)
    yield plots.interval_width(widths)
    yield plots.calibration(calibrations)
    yield plots.confusions(edits)
    yield plots.error_kinds(kinds)
    yield plots.disagreement(pair)
    yield plots.latency(scores)
    yield plots.work_by_duration(scores)
    yield plots.time_split(speeds)
    yield plots.sizes({name: 5, "other": 4})
    yield plots.waveform(samples, words)
    yield plots.speech(samples, words)[0]


@pytest.fixture(scope="module")
def of_a_formula():
    return list(drawn(r"$\frac{1}$"))


def texts(ax):
    return {text.get_text() for text in ax.findobj(Text)}


@pytest.mark.parametrize(
    "name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])]
)
def test_labels_ticks_legends_and_notes_take_every_name(name):
    (a, b), compared, *_ = scored()
    scores = {name: a, "other": b}
    for ax in (
        plots.wer_by_system(scores),
        plots.latency(scores),
        plots.disagreement(replace(compared, label_a=name, label_b=name)),
        plots.wer_by_bin({name: breakdowns.by_length(a).iloc[:1].rename(index=lambda _: name)}, name),
    ):
        assert plots.to_svg(ax).startswith("<svg")  # warnings are errors here: no glyph is missing
        assert any(shown(name, most=24) in text for text in texts(ax) | {shown(x) for x in texts(ax)})


@pytest.mark.slow
def test_what_looks_like_a_formula_stands_as_it_is(of_a_formula):
    name = r"$\frac{1}$"
    without = []
    for ax in of_a_formula:
        assert not any(text.get_parse_math() for text in ax.findobj(Text))
        if not any(name in text for text in texts(ax)):
            without.append(ax)
        assert plots.to_svg(ax).startswith("<svg")
    assert without == []


def test_what_begins_with_an_underscore_is_in_the_legend():
    tables = {
        name: pd.DataFrame({"n_utterances": [9, 18], "half_width": [0.2, 0.1]}) for name in ("_a", "__b")
    }
    ax = plots.interval_width(tables)
    assert [text.get_text().strip() for text in ax.get_legend().get_texts()] == ["_a", "__b"]


def test_a_drawing_on_ones_own_axes_leaves_formulas_elsewhere_alone():
    figure = Figure()
    own, other = figure.subplots(1, 2)
    other.set_title("$x^2$")
    plots.wer_by_system({"$x": score(FILES[0], n_resamples=100)}, own)
    assert other.title.get_parse_math()
    assert not own.title.get_parse_math()
    assert mpl.rcParams["text.parse_math"]


def test_every_plot_of_the_package_is_one_of_those_tested_here():
    helpers = {"axes_or_new", "log_ticks", "rows_named", "style_of", "to_svg", "with_legend"}
    functions = {name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))} - helpers
    undecorated = [name for name in functions if not hasattr(getattr(plots, name), "__wrapped__")]
    assert undecorated == [], "a plot needs @drawing from evaluation.plots.texts"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gigaam_fp32", "gigaam_fp32"),
        ("ёж — 5 %", "ёж — 5 %"),
        ("漢", "□"),
        ("漢\u200d字", "□□"),
        ("a\n b\t\tc", "a b c"),
        ("_a", "\u200a_a"),
        ("\0", "□"),
        ("\ud800", "□"),
        ("", "–"),
        ("начало" * 5 + "конец" * 5, "началоначалоначалоначало…конецконецконец"),
    ],
)
def test_texts_as_they_are_shown(text, expected):
    assert shown(text) == expected
    assert shown(shown(text)) == expected


def test_a_name_in_the_font_of_the_user():
    with mpl.rc_context({"font.family": ["serif"]}), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plots.to_svg(plots.sizes({"имя 漢": 1})).startswith("<svg")


def test_rules_that_a_plot_names_are_those_of_the_normaliser():
    assert all(shown(rule.name) == rule.name for rule in RULES)
