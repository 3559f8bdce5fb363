"""Holm's correction against examples worked out by hand."""

import math

import pytest

from evaluation.statistics.holm import holm


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.001, 0.5], [0.002, 0.5]),
        ([0.9, 0.8], [1.0, 1.0]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_p_values_are_those_of_the_step_down_rule(given, adjusted):
    assert holm(given) == pytest.approx(adjusted)


def test_what_has_no_p_value_does_not_count():
    found = holm([math.nan, 0.02, 0.03])
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([0.04, 0.04])
