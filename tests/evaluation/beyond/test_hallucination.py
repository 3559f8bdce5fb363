"""Words where nobody speaks are counted against minutes of audio."""

import math

import pytest

from evaluation.beyond.hallucination import ALL, hallucination
from evaluation.records.files import Record
from evaluation.scoring.scores import score
from tests.support.made_records import file_of


def silent(number, hypothesis, audio_s=30.0, **metadata):
    return Record(id=str(number), reference="…", hypothesis=hypothesis, audio_s=audio_s, metadata=metadata)


def test_words_per_minute_of_the_clips_without_speech():
    clips = [silent(i, "да ну нет" if i % 5 == 0 else "") for i in range(20)]
    row = hallucination(score(file_of(*clips, ("да нет", "да нет ну")))).loc[ALL]
    assert row[["n_clips", "n_failed", "minutes", "n_words"]].tolist() == [20, 0, 10, 12]
    assert (row["words_per_minute"], row["share"]) == (pytest.approx(1.2), 0.2)
    assert 0 < row["words_per_minute_low"] < 1.2 < row["words_per_minute_high"]
    assert 0 < row["share_low"] < 0.2 < row["share_high"] < 1


def test_not_a_word_is_a_bound():
    row = hallucination(score(file_of(*[silent(i, "", 60.0) for i in range(20)]))).loc[ALL]
    assert (row["words_per_minute"], row["words_per_minute_low"]) == (0, 0)
    assert row["words_per_minute_high"] == pytest.approx(
        -math.log(0.025) / 20, rel=0.01
    )  # Poisson, none seen
    assert row["share_high"] == pytest.approx(1 - 0.025 ** (1 / 20), abs=1e-6)


def test_failures_are_named_and_in_no_rate():
    row = hallucination(score(file_of(silent(0, None), silent(1, "да"), silent(2, "")))).loc[ALL]
    assert row[["n_clips", "n_failed", "minutes", "n_words", "share"]].tolist() == [3, 1, 1, 1, 0.5]


def test_without_seconds_there_are_words_and_no_rate():
    row = hallucination(score(file_of(("…", "да"), ("—", "")))).loc[ALL]
    assert (row["n_words"], row["share"]) == (1, 0.5)
    assert math.isnan(row["words_per_minute"])


def test_kinds_of_sound_apart():
    clips = [silent(i, "да" if i % 2 else "", kind="шум" if i % 2 else "тишина") for i in range(10)]
    table = hallucination(score(file_of(*clips)), "kind")
    assert table.index.tolist() == ["тишина", "шум", ALL]
    assert table["n_words"].tolist() == [0, 5, 5]
    assert table["n_words"].iloc[:-1].sum() == table.loc[ALL, "n_words"]


def test_where_everybody_speaks_there_is_no_table():
    assert hallucination(score(file_of(("да", "да")))).empty
