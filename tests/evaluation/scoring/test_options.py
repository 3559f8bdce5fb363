"""Options are stated once, as fields with their defaults; keywords change them, and others are refused."""

import math
from dataclasses import fields

import numpy as np
import pytest

from evaluation.scoring.compare import compare
from evaluation.scoring.options import DEFAULTS, Bootstrap, BootstrapDict, Options, OptionsDict
from evaluation.scoring.scores import score
from evaluation.statistics.intervals import interval, percentile_interval
from evaluation.statistics.quantiles import p50_p95_p99
from tests.support.made_records import noisy_file


@pytest.mark.parametrize(("options", "keywords"), [(Bootstrap, BootstrapDict), (Options, OptionsDict)])
def test_keywords_are_the_fields(options, keywords):
    assert keywords.__optional_keys__ == {field.name for field in fields(options)}


def test_an_options_object_and_keywords_say_the_same():
    a, b = noisy_file(30, seed=1, n_speakers=3), noisy_file(30, seed=2, n_speakers=3)
    chosen = {"profile": "verbatim", "n_resamples": 50, "level": 0.8, "seed": 3, "blocks": "speaker"}
    assert score(a, Options(**chosen)).wer == score(a, **chosen).wer
    assert compare(a, b, Options(**chosen)).wer == compare(a, b, **chosen).wer
    assert interval([1, 2], [3, 4], Bootstrap(seed=5, level=0.5)) == interval(
        [1, 2], [3, 4], seed=5, level=0.5
    )
    assert score(a, Options(**chosen), seed=4).options.seed == 4  # a keyword changes the object's


def test_options_of_a_score_say_what_was_drawn():
    assert DEFAULTS.blocks == "auto"
    assert score(noisy_file(10)).options == Options(blocks="utterance")


def test_options_outside_their_range_or_unknown_are_refused():
    for wrong in ({"level": 95}, {"level": 0}, {"n_resamples": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
            Options(**wrong)
    with pytest.raises(TypeError, match="resamples"):
        score(noisy_file(2), resamples=100)


def test_percentiles_are_those_of_numpy():
    values = np.random.default_rng(0).normal(size=37)
    assert p50_p95_p99(values) == tuple(np.quantile(values, [0.5, 0.95, 0.99]))
    assert percentile_interval(values, 0.9) == tuple(np.quantile(values, [(1 - 0.9) / 2, (1 + 0.9) / 2]))
    assert all(map(math.isnan, p50_p95_p99([]) + percentile_interval([], 0.95)))
