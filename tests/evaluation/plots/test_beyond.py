"""Plots of marks and groups: a row for each, intervals, names as they are."""

from dataclasses import replace

import pytest
from matplotlib.container import ErrorbarContainer

from evaluation import plots
from evaluation.beyond.groups import MACRO, MICRO, by_group
from evaluation.beyond.punctuation import punctuation
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def rows(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def whiskers(ax):
    return [one for one in ax.containers if isinstance(one, ErrorbarContainer)]


def test_marks_stand_in_rows_with_all_of_them_last():
    pairs = [[("Да, нет.", "Да, нет."), ("Ну?", "Ну.")] * 9, [("Да, нет.", "Да нет!"), ("Ну?", "Ну?")] * 9]
    tables = {name: punctuation(score(file_of(*each))) for name, each in zip("AB", pairs, strict=True)}
    ax = plots.marks(tables)
    assert rows(ax) == ["period", "comma", "question mark", "exclamation mark", "all"]
    assert "%" in ax.get_xlabel()
    assert len(whiskers(ax)) == len(tables["A"]) + len(tables["B"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["A", "B"]


def test_groups_stand_in_rows_with_the_averages_last():
    file = noisy_file(60)
    named = [
        replace(one, metadata={"place": ("дом", r"$\frac{1}$")[i % 2]}) for i, one in enumerate(file.records)
    ]
    table = by_group(score(file_of(*named)), "place")
    ax = plots.wer_by_group({"A": table}, "place")
    assert len(rows(ax)) == 4
    assert rows(ax)[2:] == [MICRO, MACRO]
    assert ax.get_legend() is None
    [segment] = whiskers(ax)[-1].lines[2][0].get_segments()
    expected = 100 * table.loc[MACRO, ["wer_low", "wer_high"]].to_numpy(float)
    assert segment[:, 0].tolist() == pytest.approx(expected.tolist())
    assert "<svg" in plots.to_svg(ax)  # where `$` would be mathematics, it ends here


def test_one_group_without_an_interval_is_a_dot():
    records = [replace(one, metadata={"a": str(i > 0)}) for i, one in enumerate(noisy_file(30).records)]
    ax = plots.wer_by_group({"A": by_group(score(file_of(*records)), "a")}, "a")
    assert len(rows(ax)) == 4
    assert "<svg" in plots.to_svg(ax)
