"""Tables of where the errors are, on cases whose answer is known."""

import math

import pytest

from evaluation.beyond.breakdowns import (
    by_duration,
    by_length,
    by_noise,
    calibration,
    confusions,
    width_by_n,
    wilson,
)
from evaluation.records.files import Record
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def word(text, confidence):
    return (text, 0.0, 0.1, confidence)


def test_an_utterance_belongs_to_the_bin_of_its_reference():
    one = score(file_of(("да", "нет"), ("да да", "да да"), ("а б в", "а б в"), ("…", "да")))
    table = by_length(one)
    assert table.index.tolist() == ["1–2", "3–4"]
    assert table["n_utterances"].tolist() == [2, 1]
    assert table["wer"].tolist() == [1 / 3, 0]
    assert by_duration(one).empty


def test_the_bins_of_a_set_hold_all_of_it():
    one = score(noisy_file(300))
    for table in (by_length(one), by_duration(one)):
        assert table["n_utterances"].sum() == 300
        assert table["n_words"].sum() == one.wer.n_reference
        assert (table["wer"] * table["n_words"]).sum() / table["n_words"].sum() == pytest.approx(one.wer.rate)


def test_noise_by_its_levels_or_in_steps():
    one = score(noisy_file(40))
    ids = one.utterances.index
    mixed = by_noise(one, {name: (-5.0, 20.0)[i % 2] for i, name in enumerate(ids[:10])})
    assert mixed.index.tolist() == ["-5", "20"]
    assert mixed["n_utterances"].tolist() == [5, 5]
    measured = by_noise(one, {name: i / 2 - 3.1 for i, name in enumerate(ids)})
    assert measured.index.tolist() == ["-5 to 0", "0 to 5", "5 to 10", "10 to 15", "15 to 20"]
    assert measured["n_utterances"].sum() == 40
    assert by_noise(one, {}).empty


def test_confidences_find_their_words_through_the_normaliser():
    #  hypothesis   Да,   21:00              нет
    #  confidence   0.95  0.55               0.15
    #  normalised   да    двадцать один час  нет
    words = (word("Да,", 0.95), word("21:00", 0.55), word("нет", 0.15))
    record = Record(
        id="u", reference="да двадцать один ноль ноль да", hypothesis="Да, 21:00 нет", words=words
    )
    table = calibration(score(file_of(record)))
    assert table["confidence"].tolist() == pytest.approx([0.15, 0.55, 0.95])
    assert table["n_right"].tolist() == [0, 3, 1]
    assert table["n_words"].tolist() == [1, 3, 1]


def test_words_that_the_normaliser_joins_share_their_confidence():
    # The whole is normalised otherwise than its words one by one: "80", "000" -> "восемьдесят тысяча".
    words = (word("80", 0.9), word("000", 0.5), word("манатов", 0.7))
    record = Record(id="u", reference="восемьдесят тысяч манатов", hypothesis="80 000 манатов", words=words)
    table = calibration(score(file_of(record)))
    assert table["n_words"].sum() == score(file_of(record)).utterances["n_words"].sum()
    assert (table["right"] == 1).all()


def test_nothing_is_known_of_words_without_confidence():
    assert calibration(score(file_of(("да", "да")))).empty


def test_wilson_stays_inside_0_and_1():
    assert wilson(0, 5) == pytest.approx((0, 0.43448), abs=1e-5)
    assert wilson(5, 5) == pytest.approx((0.56552, 1), abs=1e-5)
    assert wilson(50, 100) == pytest.approx((0.40383, 0.59617), abs=1e-5)


def test_confusions_count_and_show_where():
    table = confusions(score(file_of(("включи свет на кухне", "включи цвет на кухне"), ("свет", "цвет"))))
    assert table.iloc[0].tolist() == [
        "substitution", "свет", "цвет", 2, "u0", "включи свет на кухне",
    ]  # fmt: skip
    table = confusions(score(file_of(("а б в г д е", "а б в д е"), ("раз два", "раз и два"))))
    assert set(table["kind"]) == {"deletion", "insertion"}
    assert table.set_index("kind")["example"].to_dict() == {
        "deletion": "… б в г д е",
        "insertion": "раз [и] два",
    }


def test_the_interval_narrows_as_one_over_the_root_of_n():
    one = score(noisy_file(800))
    table = width_by_n(one.utterances["errors"].tolist(), one.utterances["n_words"].tolist(), level=0.95)
    assert table["n_utterances"].iloc[-1] == 800
    first, last = table.iloc[0], table.iloc[-1]
    ratio = first["half_width"] / last["half_width"]
    assert ratio == pytest.approx(math.sqrt(last["n_utterances"] / first["n_utterances"]), rel=0.35)
    assert last["half_width"] == pytest.approx((one.wer.high - one.wer.low) / 2, rel=0.25)
    assert width_by_n([1] * 5, [3] * 5, level=0.95).empty
