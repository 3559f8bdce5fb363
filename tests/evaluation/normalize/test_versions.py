"""Versions of the normaliser: the old one as it was, the new one by profile, and bad names of either."""

import pytest

from evaluation.normalize import (
    NORMALIZER_VERSION,
    PROFILE_RULES,
    PROFILE_RULES_OF,
    PROFILES,
    RULES,
    RULES_OF,
    VERSIONS,
    normalize,
    normalize_each,
    profile_rules,
    rules_of,
)
from evaluation.scoring.texts import after_each_rule, normalized
from tests.evaluation.normalize import golden_version_1 as golden


def test_the_present_version_is_the_last():
    assert (VERSIONS, NORMALIZER_VERSION) == (("1", "2"), "2")
    assert RULES == RULES_OF["2"] == rules_of()
    assert PROFILE_RULES_OF["2"] == PROFILE_RULES
    assert all(profile_rules(profile, "1") == PROFILE_RULES_OF["1"][profile] for profile in PROFILES)


def test_rules_keep_their_names_and_verbatim_its_rules():
    assert " ".join(rule.name for rule in RULES_OF["1"]) == (
        "case unicode yo signs punctuation hyphen roman numbers units latin spelling"
    )
    assert {rule.name for rule in RULES_OF["1"]} < {rule.name for rule in RULES_OF["2"]}
    assert profile_rules("verbatim", "1") == profile_rules("verbatim", "2")


@pytest.mark.parametrize(("text", "numbers", "latin"), golden.SAMPLE)
def test_version_1_scores_as_it_did(text, numbers, latin):
    assert (normalize(text, "numbers", "1"), normalize(text, "numbers+latin", "1")) == (numbers, latin)


@pytest.mark.slow
def test_version_1_of_many_texts_is_what_it_was():
    assert golden.digest(golden.made_texts(3000)) == golden.DIGEST


def test_version_1_of_real_texts_is_what_it_was():
    texts = golden.golos_texts()
    if texts is None:
        pytest.skip("GIGASTT_TEST_GOLOS names no folder with hypotheses.jsonl")
    assert golden.digest(texts) == golden.GOLOS_DIGEST


@pytest.mark.parametrize(
    "call", [rules_of, lambda name: normalize("раз", version=name), lambda name: normalize_each("раз", name)]
)
def test_an_unknown_version_is_named(call):
    with pytest.raises(ValueError, match="no version '3' of the normaliser; there are 1, 2"):
        call("3")


def test_texts_are_kept_by_version():
    assert normalized("тридцать восемь десять", "numbers") == "тридцать восемь десять"
    assert normalized("тридцать восемь десять", "numbers", "1") == "три тысяча восемьсот десять"
    assert after_each_rule("Ещё 3 раза.", "1")[-1] == normalized("Ещё 3 раза.", "numbers+latin", "1")
    assert len(after_each_rule("Ещё", "1")) == 1 + len(RULES_OF["1"])
