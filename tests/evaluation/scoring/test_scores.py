"""Scores against counts by hand, against jiwer, and where there is little or nothing to score."""

import math
from dataclasses import replace

import jiwer
import numpy as np
import pytest

from evaluation.normalize import PROFILES, RULES, normalize
from evaluation.records.files import Record
from evaluation.scoring.counting import n_nameless
from evaluation.scoring.joined_words import wer_without_compounds
from evaluation.scoring.latency import speed, speed_ratio
from evaluation.scoring.scores import (
    ALL,
    PLAIN,
    Options,
    ScoreError,
    labels,
    plain_ids,
    profiles,
    rules,
    score,
    summarize,
)
from evaluation.statistics import intervals as bootstrap
from tests.support.made_records import file_of, noisy_file

# reference    включи свет       пять минут     …
# hypothesis   Включи цвет да.   5 минут        (failed: two words)
#              =      S    I     =    =         D D
BY_HAND = (
    ("включи свет", "Включи цвет да."),
    ("пять минут", "5 минут"),
    Record(id="u2", reference="да нет", hypothesis=None, error="AudioError: no audio"),
)


def test_counted_by_hand():
    one = score(file_of(*BY_HAND))
    assert one.wer.rate == 4 / 6
    assert one.ser.rate == 2 / 3
    assert one.utterances[["substitutions", "deletions", "insertions"]].sum().tolist() == [1, 2, 1]
    assert one.utterances["errors"].tolist() == [2, 0, 2]
    assert one.failures["error"].to_dict() == {"u2": "AudioError: no audio"}
    # Characters: с/ц and " да"; all of "да нет". The reference's "минут" became "минута".
    assert one.cer.rate == (4 + 6) / (11 + 11 + 6)


def test_the_rates_are_those_of_jiwer_on_the_normalised_texts():
    file = noisy_file(200)
    for profile in PROFILES:
        one = score(file, profile=profile)
        refs = [normalize(record.reference, profile) for record in file.records]
        hyps = [normalize(record.hypothesis, profile) for record in file.records]
        assert one.wer.rate == pytest.approx(jiwer.wer(refs, hyps), abs=1e-12)
        assert one.cer.rate == pytest.approx(jiwer.cer(refs, hyps), abs=1e-12)


def test_the_interval_is_that_of_the_bootstrap_with_the_options_given():
    file = noisy_file(60)
    one = score(file, n_resamples=200, level=0.9, seed=5)
    errors, words = one.utterances["errors"], one.utterances["n_words"]
    expected = bootstrap.interval(errors.to_numpy(), words.to_numpy(), n_resamples=200, level=0.9, seed=5)
    assert one.wer == expected
    assert one.ser.n_reference == 60


def test_speakers_are_drawn_where_records_name_them():
    assert score(noisy_file(40, n_speakers=8)).options.blocks == "speaker"
    assert score(noisy_file(40, n_speakers=8)).wer.n_blocks == 8
    assert score(noisy_file(40, n_speakers=1)).options.blocks == "utterance"
    assert score(noisy_file(40, n_speakers=8), blocks="utterance").wer.n_blocks is None


def test_a_missing_name_does_not_make_the_others_independent():
    """One missing speaker in 480 once took the interval from [5.6, 20.2] to [11.9, 15.4]."""
    named = noisy_file(40, n_speakers=8).records
    one = score(file_of(*named[:-1], replace(named[-1], speaker=None)))
    assert (one.options.blocks, one.wer.n_blocks) == ("speaker", 9)
    assert n_nameless(one.block_names) == 1
    whole = score(file_of(*named))
    assert one.wer.high - one.wer.low == pytest.approx(whole.wer.high - whole.wer.low, rel=0.2)
    assert score(file_of(*named[:-1], replace(named[-1], speaker=None)), blocks="speaker").wer == one.wer
    with pytest.raises(ScoreError, match="names a speaker for no utterance"):
        score(noisy_file(4), blocks="speaker")


def test_an_older_normaliser_scores_as_it_did():
    file = file_of(("тридцать восемь десятый сезон", "3810 сезон"), ("да", "да"))
    assert score(file, normalizer="1").wer.rate == 0
    assert score(file, normalizer="1").normalizer == "1"
    assert score(file).wer.rate > 0
    with pytest.raises(ValueError, match="no version '0'"):
        score(file, normalizer="0")


def test_words_that_only_a_space_parts_are_forgiven_on_request():
    file = file_of(("включи радио пираты", "включи радиопираты"), ("не когда", "некогда"))
    assert score(file).wer.rate == 4 / 5
    forgiving = score(file, compounds=True)
    assert forgiving.wer.rate == 0
    assert wer_without_compounds(forgiving) == 4 / 5
    assert "split and joined words forgiven (WER 80.00 % if they were not)" in repr(forgiving)
    assert "forgiven" not in repr(score(file))


def test_a_reference_that_normalising_empties_stays_and_its_insertions_count():
    one = score(file_of(("…", "да"), ("нет", "нет")))
    assert len(one.utterances) == 2
    assert one.wer.rate == 1.0
    assert one.wer.n_reference == 1


def test_an_utterance_that_occurs_twice_is_refused():
    record = Record(id="u1", reference="да", hypothesis="да")
    with pytest.raises(ScoreError, match="more than once, 'u1' first"):
        score(file_of(record, record))


@pytest.mark.parametrize("records", [(), (("да", "да"),), (("…", ""),)])
def test_little_to_score_gives_nan_and_no_error(records):
    one = score(file_of(*records))
    assert math.isnan(one.wer.low)
    assert math.isnan(one.speed.rtfx)
    table = summarize([one])
    assert len(table) == 1
    for text in (one._repr_html_(), str(profiles(one.file).shape), str(rules(one.file).shape)):
        assert "nan" not in text.lower()


def test_every_profile_has_two_rows_and_the_chosen_one_agrees_with_the_score():
    file = file_of(("пять минут", "5 минут"), ("ютуб", "YouTube"), ("да", "нет"), ("три", "три"))
    table = profiles(file)
    assert table["profile"].tolist() == [profile for profile in PROFILES for _ in (ALL, PLAIN)]
    rates = table[table["utterances"] == ALL].set_index("profile")["wer"]
    assert rates["verbatim"] == 3 / 5
    assert rates["numbers"] == 2 / 5 == score(file).wer.rate
    assert rates["numbers+latin"] == 1 / 5
    plain = table[table["utterances"] == PLAIN]
    assert plain["n_utterances"].tolist() == [2, 2, 2]
    assert plain["wer"].tolist() == [0.5] * 3


def test_systems_that_are_compared_need_one_subset():
    a, b = file_of(("пять", "5"), ("да", "да")), file_of(("пять", "пять"), ("да", "нет"))
    assert plain_ids([a]) == {"u1"}
    assert plain_ids([b]) == {"u0", "u1"}
    assert plain_ids([a, b]) == {"u1"}
    assert profiles(b, Options(), plain=plain_ids([a, b]))["n_utterances"].tolist() == [2, 1] * 3


def test_each_rule_is_judged_on_the_texts_that_the_earlier_ones_left():
    table = rules(file_of(("включи ёлку", "Включи елку."), ("пять", "5")))
    assert table.index.tolist() == ["as written", *(rule.name for rule in RULES)]
    # "Включи", "елку.", "5" are wrong; case, yo and punctuation, numbers mend them one by one.
    assert table["errors"].loc[["as written", "case", "yo", "punctuation", "numbers"]].tolist() == [
        3,
        2,
        2,
        1,
        0,
    ]
    assert table["difference"].loc["case"] == pytest.approx(-1 / 3)
    assert math.isnan(table["difference"].iloc[0])
    assert table["n_changed"].loc[["case", "yo", "punctuation"]].tolist() == [1, 1, 1]
    total = table["wer"].iloc[-1] - table["wer"].iloc[0]
    assert table["difference"].iloc[1:].sum() == pytest.approx(total)


def test_speed_pools_and_leaves_out_what_failed_or_was_not_timed():
    def timed(own_id, audio_s, work_s, *stages):
        names = ("decode_s", "features_s", "encoder_s", "search_s")
        parts = dict(zip(names, stages, strict=True))
        return Record(id=own_id, reference="", hypothesis="", audio_s=audio_s, work_s=work_s, **parts)

    failed = Record(id="3", reference="", hypothesis=None, audio_s=99.0, work_s=0.001)
    untimed = Record(id="4", reference="", hypothesis="", audio_s=99.0)
    found = speed(
        [
            timed("1", 10.0, 1.0, 0.1, 0.1, 0.4, 0.3),
            timed("2", 2.0, 0.5, 0.1, 0.1, 0.2, 0.1),
            failed,
            untimed,
        ]
    )
    assert found.n_timed == 2
    assert found.rtfx == pytest.approx(8.0)
    assert found.p50_s == pytest.approx(0.75)
    assert found.p99_s == pytest.approx(np.quantile([0.5, 1.0], 0.99))
    assert found.stages == pytest.approx(
        {"decode": 0.2, "features": 0.2, "encoder": 0.6, "search": 0.4, "other": 0.1}
    )


def test_the_speed_ratio_pairs_utterances():
    def timed(*work):
        return [
            Record(id=str(i), reference="", hypothesis="", audio_s=1.0, work_s=w) for i, w in enumerate(work)
        ]

    found = speed_ratio(timed(1.0, 2.0, 3.0), timed(2.0, 4.0, 9.0))
    assert found.ratio == pytest.approx(15 / 6)
    assert found.median == pytest.approx(2.0)
    assert found.low < found.ratio < found.high


def test_two_files_of_one_system_have_different_labels():
    a, b = file_of(("да", "да"), name="a"), file_of(("да", "да"), name="b")
    assert labels([a, b]) == ["система (a)", "система (b)"]
    assert len(set(labels([a, a]))) == 2
