"""Intervals beyond the WER hold the truth about as often as they say."""

import pytest

from evaluation.studies import beyond_coverage


@pytest.mark.slow
def test_intervals_hold_the_truth_nearly_as_often_as_they_say():
    table = beyond_coverage.coverage((60,), n_trials=60, n_for_truth=8000).astype(float)
    assert set(table) == {"F1", "words per minute", "AUC", "NCE", "overconfidence", "ECE"}
    # Of 60 trials the standard error is 3 points; the bias of the ECE costs it some more.
    assert (table.drop(columns="ECE") >= 85).all(axis=None)
    assert (table["ECE"] >= 80).all()
