"""Error rates by group against pandas, the two averages, and what is refused."""

import math
import random

import numpy as np
import pytest

from evaluation.beyond.groups import MACRO, MICRO, NO_GROUP, by_group, columns, groups_of
from evaluation.records.files import Record
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def grouped(n=120, n_groups=4, **options):
    """A score of utterances with a source each; one in ten states none."""
    rng = random.Random(0)
    file = noisy_file(n, **options)
    sources = [None if rng.random() < 0.1 else f"источник {rng.randrange(n_groups) + 8}" for _ in range(n)]
    records = [
        Record(**{**vars(record), "metadata": {"source": name} if name else {}})
        for record, name in zip(file.records, sources, strict=True)
    ]
    return score(file_of(*records))


def test_rates_of_groups_are_those_of_a_group_by():
    one = grouped()
    table = by_group(one, "source")
    sums = (
        one.utterances.assign(source=groups_of(one, "source")).groupby("source")[["errors", "n_words"]].sum()
    )
    rates = sums["errors"] / sums["n_words"]
    for name, rate in rates.items():
        assert table.loc[name, "wer"] == pytest.approx(rate)
        assert table.loc[name, "wer_low"] < rate < table.loc[name, "wer_high"]
    assert table.loc[MACRO, "wer"] == pytest.approx(rates.mean())
    assert table.loc[MICRO, ["wer", "wer_low", "wer_high"]].tolist() == [
        one.wer.rate,
        one.wer.low,
        one.wer.high,
    ]
    assert table.loc[MACRO, "wer_low"] < rates.mean() < table.loc[MACRO, "wer_high"]
    assert table["n_utterances"][:-2].sum() == 120


def test_groups_stand_in_the_order_of_their_names():
    names = by_group(grouped(), "source").index.tolist()
    assert names == ["источник 8", "источник 9", "источник 10", "источник 11", NO_GROUP, MICRO, MACRO]


def test_speakers_are_groups_too():
    one = score(noisy_file(60, n_speakers=3))
    assert columns(one) == ["speaker"]
    assert one.options.blocks == "speaker"
    table = by_group(one, "speaker")
    assert table.index.tolist() == ["s0", "s1", "s2", MICRO, MACRO]
    assert table.loc["s0", "wer_low"] < table.loc["s0", "wer"] < table.loc["s0", "wer_high"]


@pytest.mark.slow
def test_the_mean_of_many_groups_is_as_wide_as_its_standard_error():
    one = score(noisy_file(3000, n_speakers=300))
    table = by_group(one, "speaker")
    rates = table["wer"].to_numpy()[:-2]
    error = rates.std(ddof=1) / math.sqrt(len(rates))
    width = table.loc[MACRO, "wer_high"] - table.loc[MACRO, "wer_low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_mean_of_few_groups_is_as_sure_as_they_are():
    # Fixed groups: the variance of the mean is the sum of theirs, over the square of their number.
    one = grouped(n=900, n_groups=3)
    table = by_group(one, "source")
    names = groups_of(one, "source")
    variance = 0.0
    for name in dict.fromkeys(names):
        part = one.utterances[names == name]
        rate = part["errors"].sum() / part["n_words"].sum()
        variance += ((part["errors"] - rate * part["n_words"]) ** 2).sum() / part["n_words"].sum() ** 2
    error = math.sqrt(variance) / len(set(names))
    width = table.loc[MACRO, "wer_high"] - table.loc[MACRO, "wer_low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_without_an_error_the_mean_has_a_bound():
    records = [
        Record(id=str(i), reference="да нет", hypothesis="да нет", metadata={"a": "bc"[i % 2]})
        for i in range(40)
    ]
    table = by_group(score(file_of(*records)), "a")
    assert (table["wer"] == 0).all()
    assert (table["wer_high"] > 0).all()


def test_a_group_without_a_word_has_no_rate():
    records = [
        Record(id=str(i), reference="…" if i < 3 else "да", hypothesis="да", metadata={"a": "xy"[i > 2]})
        for i in range(9)
    ]
    table = by_group(score(file_of(*records)), "a")
    assert math.isnan(table.loc["x", "wer"])
    assert table.loc[MACRO, "wer"] == table.loc["y", "wer"] or np.isfinite(table.loc[MACRO, "wer"])


def test_an_unknown_column_is_refused_with_those_that_are_known():
    with pytest.raises(ScoreError, match="no column 'city' to group by; it has source"):
        by_group(grouped(), "city")
    with pytest.raises(ScoreError, match="it states none, neither speakers nor metadata"):
        by_group(score(file_of(("да", "да"))), "speaker")
