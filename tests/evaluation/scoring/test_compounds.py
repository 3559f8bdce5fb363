"""Compound-tolerant alignment against all ways to join, and against cases counted by hand."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scoring import compounds
from evaluation.scoring.metrics import Counts, alignment, word_counts

# Few short words: most runs of them are one of the longer words, too.
WORDS = ["а", "б", "аа", "аб", "ба", "ааб", "абб", "бв"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5)


def fewest_errors(reference, hypothesis):
    """Errors by trying every edit at every place: what the table has to find."""
    if not reference or not hypothesis:
        return len(reference) + len(hypothesis)
    ways = [
        fewest_errors(reference[1:], hypothesis[1:]) + (reference[0] != hypothesis[0]),
        fewest_errors(reference[1:], hypothesis) + 1,
        fewest_errors(reference, hypothesis[1:]) + 1,
    ]
    for size in range(2, max(len(reference), len(hypothesis)) + 1):
        if "".join(reference[:size]) == hypothesis[0] and size <= len(reference):
            ways.append(fewest_errors(reference[size:], hypothesis[1:]))
        if "".join(hypothesis[:size]) == reference[0] and size <= len(hypothesis):
            ways.append(fewest_errors(reference[1:], hypothesis[size:]))
    return min(ways)


# reference    радио пираты на волне      радиопираты  на      железно  дорожный  путь
# hypothesis   радиопираты  на волны      радио пираты да      железнодорожный    пут
#              =======      =  S          ===          S       ======             S
@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("радио пираты", "радиопираты", Counts(hits=2)),
        ("радиопираты", "радио пираты", Counts(hits=1)),
        ("радио пираты на волне", "радиопираты на волны", Counts(hits=3, substitutions=1)),
        ("радиопираты на", "радио пираты да", Counts(hits=1, substitutions=1)),
        ("железно дорожный путь", "железнодорожный пут", Counts(hits=2, substitutions=1)),
        ("а б в г", "абвг", Counts(hits=4)),
        ("радио пираты", "радиопираты да", Counts(hits=2, insertions=1)),
        ("да радио пираты", "радиопираты", Counts(hits=2, deletions=1)),
        ("радио пират", "радиопираты", Counts(substitutions=1, deletions=1)),
        # Both joins in their order; the first `а` of the hypothesis is too much.
        ("а б в г", "а абвг", Counts(hits=4, insertions=1)),
        ("", "радио пираты", Counts(insertions=2)),
        ("радио пираты", "", Counts(deletions=2)),
        ("", "", Counts()),
    ],
)
def test_counted_by_hand(reference, hypothesis, counts):
    assert word_counts(reference, hypothesis, compounds=True) == counts


def test_without_the_option_a_joined_word_is_an_error():
    assert word_counts("радио пираты", "радиопираты").errors == 2


@given(TEXTS, TEXTS)
def test_no_alignment_with_joins_has_fewer_errors(reference, hypothesis):
    ref, hyp = " ".join(reference), " ".join(hypothesis)
    counts = word_counts(ref, hyp, compounds=True)
    assert counts.errors == fewest_errors(reference, hypothesis) <= word_counts(ref, hyp).errors
    assert counts.n_reference == len(reference)


@given(TEXTS, TEXTS)
def test_the_alignment_is_what_is_counted_and_has_the_letters_of_both_sides(reference, hypothesis):
    ref, hyp = " ".join(reference), " ".join(hypothesis)
    chunks = alignment(ref, hyp, compounds=True)
    n_words = dict.fromkeys(("equal", "substitute", "delete", "insert"), 0)
    position = 0
    for chunk in chunks:
        assert chunk.start == position
        assert (chunk.reference == chunk.hypothesis) == (chunk.kind == "equal")
        position += len(chunk.reference)
        n_words[chunk.kind] += max(len(chunk.reference), len(chunk.hypothesis))
    assert Counts(*n_words.values()) == word_counts(ref, hyp, compounds=True)
    assert [word for chunk in chunks for word in chunk.reference] == reference
    assert "".join(word for chunk in chunks for word in chunk.hypothesis) == "".join(hypothesis)
    assert all(a.kind != b.kind for a, b in itertools.pairwise(chunks))


@given(st.lists(st.sampled_from(["раз", "два", "три", "четыре"]), max_size=8), st.randoms())
def test_spaces_alone_are_never_an_error_where_one_side_joins(words, rng):
    joined = "".join(word + rng.choice(["", " "]) for word in words)
    assert word_counts(" ".join(words), joined, compounds=True).errors == 0
    assert word_counts(joined, " ".join(words), compounds=True).errors == 0


@given(TEXTS, TEXTS)
def test_without_joins_counts_and_alignment_are_the_plain_ones(reference, hypothesis):
    ref, hyp = (
        " ".join(word + "!" for word in side) for side in (reference, hypothesis)
    )  # no join has "!" inside
    assert word_counts(ref, hyp, compounds=True) == word_counts(ref, hyp)
    assert alignment(ref, hyp, compounds=True) == alignment(ref, hyp)


def test_a_long_text_is_cut_and_its_joins_are_found():
    rng = random.Random(1)
    reference = [f"слово{rng.randrange(5000)}" for _ in range(3000)]
    hypothesis = list(reference)
    for at in range(2900, 0, -100):
        hypothesis[at : at + 2] = ["".join(hypothesis[at : at + 2])]
    hypothesis[1050] = "иное"
    whole = word_counts(" ".join(reference), " ".join(hypothesis), compounds=True)
    assert whole == Counts(hits=2999, substitutions=1)


def test_what_is_too_long_even_in_pieces_has_the_plain_edits(monkeypatch):
    monkeypatch.setattr(compounds, "MAX_CELLS", 3)
    counts = word_counts("радио пираты на волне", "радиопираты на волне", compounds=True)
    assert counts == word_counts("радио пираты на волне", "радиопираты на волне")
