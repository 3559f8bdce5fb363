"""Counts against jiwer itself, against a plain edit distance, and against cases counted by hand."""

import json
import math
import os
from pathlib import Path

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scoring.metrics import Counts, alignment, char_counts, error_rates, pooled, word_counts

# Few words, so that repetitions and shifts make alignments ambiguous; some share letters.
TEXTS = st.lists(st.sampled_from(["да", "дай", "нет", "и", "ёж", "не"]), max_size=9).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)
GOLOS = Path(os.environ.get("GIGASTT_TEST_GOLOS", "")) / "hypotheses.jsonl"


def edit_distance(reference, hypothesis):
    """The textbook's table, one cell at a time."""
    row = list(range(len(hypothesis) + 1))
    for i, ref in enumerate(reference, start=1):
        above, row = row, [i]
        for j, hyp in enumerate(hypothesis, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (ref != hyp)))
    return row[-1]


def as_counts(output):
    return Counts(output.hits, output.substitutions, output.deletions, output.insertions)


# reference    а  б  в  г  д  .      .  .  а  б      а  б  в      а  б  в  г
# hypothesis   а  х  .  г  д  е      х  у  а  б      .  .  .      а  х  г  д
#              =  S  D  =  =  I      I  I  =  =      D  D  D      =  S  S  S  (= S D = I is as long)
@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("а б в г д", "а х г д е", Counts(hits=3, substitutions=1, deletions=1, insertions=1)),
        ("а б", "х у а б", Counts(hits=2, insertions=2)),
        ("а б в", "", Counts(deletions=3)),
        ("а б в г", "а х г д", Counts(hits=1, substitutions=3)),
    ],
)
def test_counted_by_hand(reference, hypothesis, counts):
    assert word_counts(reference, hypothesis) == counts


def test_each_kind_of_edit_has_its_own_count():
    assert word_counts("а б в", "а б в") == Counts(hits=3)
    assert word_counts("а б в", "а х в") == Counts(hits=2, substitutions=1)
    assert word_counts("а б в", "а в") == Counts(hits=2, deletions=1)
    assert word_counts("а б в", "а б х в") == Counts(hits=3, insertions=1)


def test_spaces_between_words_are_characters_and_others_are_not():
    assert char_counts(" аб вг ", "абвг") == Counts(hits=4, deletions=1)
    assert char_counts("аб вг", "аб  вг") == Counts(hits=5, insertions=1)


@given(TEXTS, TEXTS)
def test_counts_are_those_of_jiwer_and_as_few_as_can_be(reference, hypothesis):
    words, characters = word_counts(reference, hypothesis), char_counts(reference, hypothesis)
    assert words == as_counts(jiwer.process_words(reference, hypothesis))
    assert characters == as_counts(jiwer.process_characters(reference, hypothesis))
    assert words.errors == edit_distance(reference.split(), hypothesis.split())
    assert characters.errors == edit_distance(reference, hypothesis)
    assert (words.n_reference, words.n_hypothesis) == (len(reference.split()), len(hypothesis.split()))
    assert (characters.n_reference, characters.n_hypothesis) == (len(reference), len(hypothesis))


@given(PAIRS)
def test_rates_are_pooled_as_jiwer_pools_them(pairs):
    references, hypotheses = [list(side) for side in zip(*pairs, strict=True)] or ([], [])
    rates = error_rates(references, hypotheses)
    if any(reference for reference in references):
        assert rates.wer == pytest.approx(jiwer.wer(references, hypotheses))
        assert rates.cer == pytest.approx(jiwer.cer(references, hypotheses))
    else:
        assert math.isnan(rates.wer)
        assert math.isnan(rates.cer)
    if pairs:
        assert rates.ser == sum(ref.split() != hyp.split() for ref, hyp in pairs) / len(pairs)


@given(TEXTS, TEXTS)
def test_the_alignment_tells_both_texts_and_the_counts(reference, hypothesis):
    chunks = alignment(reference, hypothesis)
    assert [word for chunk in chunks for word in chunk.reference] == reference.split()
    assert [word for chunk in chunks for word in chunk.hypothesis] == hypothesis.split()
    position = 0
    for chunk in chunks:
        assert chunk.start == position
        assert (chunk.reference == chunk.hypothesis) == (chunk.kind == "equal")
        position += len(chunk.reference)
    n_words = dict.fromkeys(("equal", "substitute", "delete", "insert"), 0)
    for chunk in chunks:
        n_words[chunk.kind] += max(len(chunk.reference), len(chunk.hypothesis))
    assert Counts(*n_words.values()) == word_counts(reference, hypothesis)


def test_a_rate_is_pooled_not_averaged():
    # 1 error in 1 word, none in 9: the mean of the rates would be 50 %.
    rates = error_rates(["да", "а б в г д е ж з и"], ["нет", "а б в г д е ж з и"])
    assert (rates.wer, rates.ser) == (0.1, 0.5)


def test_an_empty_reference_earns_insertions_and_no_word():
    assert word_counts("", "а б") == char_counts("", "аб") == Counts(insertions=2)
    assert math.isnan(word_counts("", "а б").rate)
    rates = error_rates(["", "а б в г"], ["х", "а б в г"])
    assert (rates.wer, rates.ser) == (0.25, 0.5)


def test_an_empty_hypothesis_deletes_every_word():
    assert word_counts("а б", "") == Counts(deletions=2)
    assert word_counts("а б", "").rate == 1.0


def test_nothing_against_nothing_is_no_error_and_no_rate():
    assert word_counts("", "") == char_counts("", "") == Counts()
    assert error_rates([""], [""]).ser == 0.0
    assert alignment("", "") == []


def test_no_utterances_have_no_rate():
    rates = error_rates([], [])
    assert pooled([]) == Counts()
    assert all(math.isnan(rate) for rate in (rates.wer, rates.cer, rates.ser))


def test_all_failures_are_a_rate_of_one():
    rates = error_rates(["а б", "в"], ["", ""])
    assert (rates.wer, rates.cer, rates.ser) == (1.0, 1.0, 1.0)


def test_a_missing_hypothesis_is_refused():
    with pytest.raises(ValueError, match="2 references and 1 hypotheses"):
        error_rates(["а", "б"], ["а"])


@pytest.mark.skipif(not GOLOS.is_file(), reason="GIGASTT_TEST_GOLOS names no folder with hypotheses.jsonl")
def test_real_output_counted_by_someone_else():
    """vosk's lower-case words on Golos need no more normalising than this; gigastt counted their errors."""
    rows = [json.loads(line) for line in GOLOS.read_text(encoding="utf-8").splitlines()]
    counted, ours = Counts(), Counts()
    for row in rows:
        if row["engine"] == "vosk" and row["reference"]:
            hypothesis = row["hypothesis"].replace("ё", "е").replace("-", " ")
            ours += word_counts(row["reference"].replace("ё", "е"), hypothesis)
            counted += Counts(hits=row["ref_words"] - row["errors"], substitutions=row["errors"])
    assert (ours.errors, ours.n_reference) == (counted.errors, counted.n_reference) == (57, 1011)
