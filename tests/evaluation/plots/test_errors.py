"""Plots of rules, of errors, of files' sizes: labels with units, intervals; and of next to nothing."""

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from evaluation import plots
from evaluation.beyond import breakdowns
from evaluation.normalize import RULES
from evaluation.scoring.compare import compare
from evaluation.scoring.scores import rules, score
from tests.support.made_records import file_of, noisy_file


def whiskers(ax):
    return [one for one in ax.containers if isinstance(one, ErrorbarContainer)]


def labels(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def ends_of(whisker):
    [segment] = whisker.lines[2][0].get_segments()
    return segment[:, 0].tolist()


def test_wer_by_rule():
    file = file_of(("включи ёлку", "Включи елку."), ("пять", "5"), ("да", "да"))
    table = rules(file)
    ax = plots.wer_by_rule({"A": table})
    assert labels(ax) == ["as written", *(rule.name for rule in RULES)]
    assert ax.get_xlabel().endswith("%")
    for whisker, (_, row) in zip(whiskers(ax), table.iterrows(), strict=True):
        assert ends_of(whisker) == pytest.approx([100 * row["wer_low"], 100 * row["wer_high"]])
    title, *changed = ax.texts
    assert title.get_text() == "points"
    changes = {labels(ax)[int(text.xy[1])]: text.get_text() for text in changed}
    assert changes == {"case": "−25.00", "punctuation": "−25.00", "numbers": "−25.00"}
    both = plots.wer_by_rule({"A": table, "B": table})
    assert [text.get_text() for text in both.get_legend().get_texts()] == ["A", "B"]
    assert not both.texts


def test_kinds_of_errors_add_up_to_the_rate():
    one = score(noisy_file(60, seed=1), n_resamples=100)
    table = breakdowns.by_kind(one)
    assert table["count"].sum() == one.utterances["errors"].sum()
    assert table["rate"].sum() == pytest.approx(one.wer.rate)
    ax = plots.error_kinds({"A": table})
    assert labels(ax) == ["substitutions", "deletions", "insertions"]
    assert "per 100" in ax.get_xlabel()
    assert ends_of(whiskers(ax)[1]) == pytest.approx(
        [100 * table["low"]["deletions"], 100 * table["high"]["deletions"]]
    )


def test_commonest_confusions():
    pairs = (("свет да", "цвет да"), ("свет", "цвет"), ("да", ""), ("да", "да же"))
    one = score(file_of(*pairs), n_resamples=10)
    ax = plots.confusions(breakdowns.confusions(one))
    assert labels(ax) == ["свет → цвет", "да → ∅", "∅ → же"]
    bars = [(round(bar.get_y() + 0.35), bar.get_width()) for bar in ax.patches]
    assert bars == [(0, 2), (1, 1), (2, 1)]
    assert ax.get_xlabel() == "times"
    assert len(labels(plots.confusions(breakdowns.confusions(one), n=1))) == 1


def test_where_two_disagree():
    a = file_of(("раз два", "раз два"), ("раз два", "раз"), ("раз два", ""), ("раз", "раз"), system="A")
    b = file_of(("раз два", "раз"), ("раз два", "раз"), ("раз два", "раз"), ("раз", "раз"), system="B")
    ax = plots.disagreement(compare(a, b, n_resamples=10))
    *counts, left, right = ax.texts
    assert (left.get_text(), right.get_text()) == ("A has fewer", "B has fewer")
    assert {text.xy: text.get_text() for text in counts} == {
        (0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 1): "1",
    }  # fmt: skip
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("word errors of A", "word errors of B")


def test_sizes():
    ax = plots.sizes({"fp32": 9_500_000, "int8": 4_700_000})
    assert ax.get_xlabel().endswith("MB")
    assert [text.get_text() for text in ax.texts] == ["9.5", "4.7 (49%)"]


@pytest.mark.slow
@pytest.mark.parametrize("records", [(), (("да", "нет"),), (("…", ""),)])
def test_of_next_to_nothing(records):
    file = file_of(*records)
    one = score(file, n_resamples=10)
    drawn = [
        plots.wer_by_rule({"A": rules(file)}),
        plots.error_kinds({"A": breakdowns.by_kind(one)}),
        plots.confusions(breakdowns.confusions(one)),
        plots.disagreement(compare(file, file, n_resamples=10)),
        plots.sizes({}),
        plots.calibration({"A": breakdowns.calibration(one)}),
        plots.interval_width({"A": breakdowns.width_by_n([], [], level=0.95)}),
        plots.wer_by_system({}),
    ]
    for ax in drawn:
        assert plots.to_svg(ax).startswith("<svg")


def test_utterances_that_a_question_needs():
    one = score(noisy_file(80), n_resamples=10)
    errors, words = (one.utterances[name].tolist() for name in ("errors", "n_words"))
    widths = breakdowns.width_by_n(errors, words, level=0.95)
    last = widths.iloc[-1]
    assert breakdowns.utterances_needed(widths, last["half_width"]) == pytest.approx(80)
    assert breakdowns.utterances_needed(widths, last["half_width"] / 2) == pytest.approx(320)
    assert np.isnan(breakdowns.utterances_needed(widths.iloc[:0], 0.01))
