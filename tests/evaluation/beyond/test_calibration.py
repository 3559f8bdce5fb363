"""ECE, NCE and AUC against formulas written out, and what they say of made confidences."""

import math
import random

import numpy as np
import pytest

from evaluation.beyond.calibration import calibration, confidence_measures
from evaluation.beyond.judged_words import judged_words
from evaluation.records.files import Record
from evaluation.scoring.scores import score
from tests.support.made_records import file_of, noisy_file


def record(number, told, *, speaker=None):
    """An utterance whose words have these confidences; those that are right stand in the reference."""
    said = [("да" if right else "мимо", confidence) for confidence, right in told]
    return Record(
        id=str(number),
        reference=" ".join("да" for _ in told),
        hypothesis=" ".join(text for text, _ in said),
        words=tuple((text, 0.0, 0.1, confidence) for text, confidence in said),
        speaker=speaker,
    )


def made(n, *, seed=0, skill=1.0, n_words=8):
    """Utterances whose confidences are right (skill 1), or say nothing (skill 0)."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(n):
        chances = rng.beta(4, 1, n_words)
        right = rng.random(n_words) < chances
        told = skill * chances + (1 - skill) * rng.beta(4, 1, n_words)
        records.append(record(number, list(zip(told.tolist(), right.tolist(), strict=True))))
    return file_of(*records)


def values(one):
    return confidence_measures(one)["value"]


@pytest.fixture(scope="module")
def noisy():
    return score(noisy_file(120))


def test_words_are_judged_in_their_order(noisy):
    words = judged_words(noisy)
    assert len(words.right) == noisy.utterances[["hits", "substitutions", "insertions"]].to_numpy().sum()
    assert words.right.sum() == noisy.utterances["hits"].sum()
    assert calibration(noisy)["n_words"].sum() == len(words.right)


def test_ece_is_the_weighted_distance_of_the_bins(noisy):
    words = judged_words(noisy)
    distance = 0.0
    for number in range(10):
        inside = [
            (confidence, right)
            for confidence, right in zip(words.confidences.tolist(), words.right.tolist(), strict=True)
            if min(int(confidence * 10), 9) == number
        ]
        if inside:
            confidence, right = np.mean(inside, axis=0)
            distance += len(inside) / len(words.right) * abs(confidence - right)
    assert values(noisy)["ece"] == pytest.approx(distance, abs=1e-12)


def test_nce_is_sclites(noisy):
    # compute_SCORE_nce of NIST's sclite: floor and ceiling at 1e-7, entropies in bits.
    words = judged_words(noisy)
    n, n_right = len(words.right), int(words.right.sum())
    p = n_right / n
    entropy = -(n_right * math.log2(p) + (n - n_right) * math.log2(1 - p))
    told = sum(
        math.log2(c if right else 1 - c)
        for c, right in zip(np.clip(words.confidences, 1e-7, 1 - 1e-7).tolist(), words.right, strict=True)
    )
    assert values(noisy)["nce"] == pytest.approx((entropy + told) / entropy, abs=1e-12)


def test_nce_is_what_sclite_prints():
    # `sclite -r r.stm stm -h h.ctm ctm -o sum` (SCTK at 9688a26) printed these of the same words.
    printed = {"spk0": 0.246, "spk1": 0.212, "spk2": 0.156, "spk3": 0.242, "spk4": 0.200}
    rng = random.Random(3)
    records = []
    for number in range(300):
        ref = [f"w{rng.randrange(50):02}" for _ in range(rng.randrange(3, 9))]
        said = []
        for word in ref:
            confidence = round(min(max(rng.betavariate(4, 1), 0), 1), 4)
            if rng.random() < 0.02:
                confidence = rng.choice([0.0, 1.0])
            said.append((word if rng.random() < confidence else f"x{word}", 0.0, 0.1, confidence))
        heard = " ".join(text for text, *_ in said)
        records.append(Record(id=str(number), reference=" ".join(ref), hypothesis=heard, words=tuple(said)))
    assert values(score(file_of(*records), profile="verbatim"))["nce"] == pytest.approx(0.213, abs=5e-4)
    for number, nce in enumerate(printed.values()):
        one = score(file_of(*records[number::5]), profile="verbatim")
        assert values(one)["nce"] == pytest.approx(nce, abs=5e-4)


def test_auc_is_the_share_of_pairs_in_order(noisy):
    words = judged_words(noisy)
    confidences = np.round(words.confidences, 2)  # ties
    pairs = list(zip(confidences.tolist(), words.right.tolist(), strict=True))
    told = score(file_of(record(0, pairs), record(1, [(0.5, True)])))
    words = judged_words(told)
    ups, downs = words.confidences[words.right], words.confidences[~words.right]
    pairs = np.sign(ups[:, None] - downs[None, :])
    assert values(told)["auc"] == pytest.approx(((pairs + 1) / 2).mean(), abs=1e-12)


@pytest.mark.slow
def test_confidences_that_are_right_show_chance_alone():
    one = score(made(4000))
    table = confidence_measures(one)
    assert table.loc["ece", "value"] == pytest.approx(table.loc["ece_by_chance", "value"], rel=0.6)
    assert abs(table.loc["overconfidence", "value"]) < 0.01
    assert table.loc["nce", "value"] > 0.1
    assert table.loc["auc", "low"] > 0.65


@pytest.mark.slow
def test_ece_by_chance_is_the_mean_over_sets_that_are_calibrated():
    found = [values(score(made(40, seed=seed), n_resamples=100)) for seed in range(60)]
    ece, chance = (np.array([each[name] for each in found]) for name in ("ece", "ece_by_chance"))
    assert ece.mean() == pytest.approx(chance.mean(), rel=0.15)


def test_confidences_that_say_nothing():
    table = confidence_measures(score(made(1500, skill=0.0)))
    assert table.loc["auc", "low"] < 0.5 < table.loc["auc", "high"]
    assert table.loc["nce", "value"] < 0


def test_every_value_lies_in_its_interval(noisy):
    table = confidence_measures(noisy).drop("ece_by_chance")
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()


def test_words_of_one_speaker_stay_together():
    # Ten speakers, each right throughout or wrong throughout: as many independent verdicts, not 400.
    rng = np.random.default_rng(1)
    records = [
        record(number, [(float(rng.uniform(0.3, 0.9)), number % 10 < 7)] * 4, speaker=f"s{number % 10}")
        for number in range(100)
    ]
    blocks, alone = (
        confidence_measures(score(file_of(*records), blocks=kind)) for kind in ("speaker", "utterance")
    )
    widths = [
        table.loc["overconfidence", "high"] - table.loc["overconfidence", "low"] for table in (blocks, alone)
    ]
    assert widths[0] > 2 * widths[1]


@pytest.mark.parametrize("right", [True, False])
def test_without_both_kinds_of_words_nothing_can_be_ranked(right):
    table = confidence_measures(score(file_of(*[record(i, [(0.9, right)]) for i in range(20)])))
    assert math.isnan(table.loc["nce", "value"])
    assert math.isnan(table.loc["auc", "value"])
    assert table.loc["ece", "value"] == pytest.approx(0.1 if right else 0.9)


def test_confidences_of_0_and_1_are_no_end_of_the_world():
    table = confidence_measures(
        score(file_of(record(0, [(1.0, False), (0.0, True)]), record(1, [(1.0, True)])))
    )
    assert math.isfinite(table.loc["nce", "value"])
    assert table.loc["nce", "value"] < -10


def test_without_confidences_there_is_no_table():
    assert confidence_measures(score(file_of(("да", "да")))).empty
