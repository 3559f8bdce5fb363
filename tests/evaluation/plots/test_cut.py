"""An interval that goes on for hundreds of points must not squeeze the rates into a corner."""

import pandas as pd
import pytest

from evaluation import plots


def table(*rows):
    index = [f"{i}-{i + 1}" for i in range(len(rows))]
    columns = ["wer", "wer_low", "wer_high"]
    return pd.DataFrame(rows, columns=columns, index=index).assign(n_utterances=9, n_words=50)


def arrows(ax, marker):
    return [line for line in ax.lines if line.get_marker() == marker]


def test_a_long_interval_ends_at_an_arrow():
    ax = plots.wer_by_bin({"A": table((0.125, 0.006, 2.697), (0.145, 0.05, 0.3))}, "words")
    assert ax.get_ylim() == pytest.approx((0, 2.5 * 14.5))
    [arrow] = arrows(ax, "^")
    assert arrow.get_xdata() == [0]
    assert "arrow" in ax.get_ylabel()
    assert "<svg" in plots.to_svg(ax)


def test_intervals_that_fit_are_left_as_they_are():
    ax = plots.wer_by_bin({"A": table((0.125, 0.06, 0.25), (0.145, 0.05, 0.3))}, "words")
    assert arrows(ax, "^") == []
    assert ax.get_ylim()[1] >= 30
    assert "arrow" not in ax.get_ylabel()


def test_high_rates_keep_room_of_sixty_points():
    groups = table((0.9, 0.2, 4.0), (0.5, 0.2, 1.2), (0.7, 0.4, 1.1), (0.7, 0.4, 1.1))
    ax = plots.wer_by_group({"A": groups}, "place")
    assert ax.get_xlim()[1] == pytest.approx(150)
    assert [line.get_ydata() for line in arrows(ax, ">")] == [[0]]


def test_without_an_error_the_exact_bounds_are_drawn():
    ax = plots.wer_by_bin({"A": table((0, 0, 0.3), (0, 0, 0.2))}, "words")
    assert ax.get_ylim()[1] >= 30
    assert arrows(ax, "^") == []
