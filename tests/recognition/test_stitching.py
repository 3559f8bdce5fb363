"""Two passes over one text: what they share is heard twice and written once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigastt_lab.recognition.stitching import MATCH_TOLERANCE_S, align, joined, seam, seam_after
from gigastt_lab.types import Word
from tests.support.examples import examples


def words(text, start_s=0.0, step_s=0.5, length_s=0.3):
    """A word every `step_s`."""
    return [
        Word(word, start_s + n * step_s, start_s + n * step_s + length_s, 1.0)
        for n, word in enumerate(text.split())
    ]


def texts(found):
    return " ".join(word.text for word in found)


# before   0.0 мама  0.5 мыла  1.0 раму  1.5 а.
# after                        1.0 Раму, 1.5 а   2.0 папа  2.5 мыл
BEFORE = words("мама мыла раму а.")
AFTER = words("Раму, а папа мыл", start_s=1.0)


def test_words_heard_twice_are_found():
    assert align(BEFORE, AFTER) == [(2, 0), (3, 1)]


@pytest.mark.parametrize(
    ("middle", "text"), [(1.5, "мама мыла раму а папа мыл"), (9.0, "мама мыла раму а. папа мыл")]
)
def test_the_seam_is_at_the_match_nearest_to_the_middle(middle, text):
    i, j = seam(BEFORE, AFTER, middle)
    assert texts([*BEFORE[:i], *AFTER[j:]]) == text


def test_repeated_words_are_told_apart_by_time():
    before, after = words("да да да да"), words("да да да да", start_s=1.0)
    assert align(before, after) == [(2, 0), (3, 1)]
    i, j = seam(before, after, 1.5)
    assert texts([*before[:i], *after[j:]]) == "да да да да да да"


def test_the_same_word_far_away_is_another():
    assert align(words("да"), words("да", start_s=MATCH_TOLERANCE_S + 0.01)) == []


def test_punctuation_alone_matches_nothing():
    assert align(words("—"), words("—")) == []


# The window's edge garbled one copy of each word: only time is left.
# before   0.0 мама  0.5 мыла  1.0 рам
# after              0.5 ыла   1.0 раму  1.5 папа
@pytest.mark.parametrize("jitter_s", [-0.12, -0.04, 0.0, 0.04, 0.12])
@pytest.mark.parametrize("middle", [0.9, 1.15])
def test_without_a_match_time_decides(jitter_s, middle):
    before, after = words("мама мыла рам"), words("ыла раму папа", start_s=0.5 + jitter_s)
    i, j = seam(before, after, middle)
    assert i + len(after) - j == 4  # none lost, none doubled


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([], [], ""),
        ([], AFTER, "Раму, а папа мыл"),
        (BEFORE[:2], [], "мама мыла"),
        (BEFORE[:2], AFTER, "мама мыла Раму, а папа мыл"),
    ],
)
def test_one_side_may_be_empty(before, after, text):
    i, j = seam(before, after, 0.9)
    assert texts([*before[:i], *after[j:]]) == text


@pytest.mark.parametrize("n_kept", [0, 1, 2, 3, 4])
def test_a_cut_that_is_delivered_is_gone_on_from(n_kept):
    later = words("мама мыла раму а папа")
    j = seam_after(BEFORE, later, n_kept)
    assert j == n_kept


@pytest.mark.parametrize("n_kept", [1, 2, 3])
@pytest.mark.parametrize("jitter_s", [-0.08, 0.08])
def test_a_cut_between_garbled_words_is_gone_on_from(n_kept, jitter_s):
    later = words("х ц ч а папа", start_s=jitter_s)
    assert seam_after(BEFORE, later, n_kept) == n_kept


def test_without_words_before_all_are_new():
    assert seam_after([], AFTER, 0) == 0


def test_times_never_run_backwards_at_a_seam():
    (late,) = joined(words("мама"), [Word("мыла", 0.25, 0.5, 1.0)])
    assert (late.start, late.end) == (0.3, 0.5)
    (inside,) = joined(words("мама"), [Word("мыла", 0.1, 0.2, 1.0)])
    assert (inside.start, inside.end) == (0.3, 0.3)
    assert joined([], AFTER) == tuple(AFTER)


@st.composite
def overlapping(draw):
    """A text, and two passes over parts of it: times differ by two frames, words at the edges are garbled."""
    gaps = draw(st.lists(st.floats(0.2, 1.0), min_size=8, max_size=30))
    starts, at = [], 0.0
    for gap in gaps:
        at += gap
        starts.append(at)
    spoken = draw(
        st.lists(st.sampled_from(["раз", "два", "три", "да"]), min_size=len(gaps), max_size=len(gaps))
    )
    overlap_from = draw(st.floats(starts[1], starts[-2]))
    overlap_to = overlap_from + draw(st.floats(1.5, 2.5))

    def heard(start, text, edge):
        jitter = draw(st.integers(-2, 2)) * 0.04
        garbled = abs(start - edge) < 0.5 and draw(st.booleans())
        return Word("хм" if garbled else text, start + jitter, start + jitter + 0.12, 1.0)

    pairs = list(zip(starts, spoken, strict=True))
    before = [heard(start, text, overlap_to) for start, text in pairs if start < overlap_to - 0.2]
    after = [heard(start, text, overlap_from) for start, text in pairs if start > overlap_from + 0.1]
    ordered = [sorted(each, key=lambda word: word.start) for each in (before, after)]
    return spoken, *ordered, (overlap_from + overlap_to) / 2


@settings(max_examples=examples(300))
@given(overlapping())
def test_no_word_is_lost_or_doubled(case):
    spoken, before, after, middle = case
    i, j = seam(before, after, middle)
    whole = [*before[:i], *joined(before[:i], after[j:])]
    assert len(whole) == len(spoken)
    assert all(word.text in (text, "хм") for word, text in zip(whole, spoken, strict=True))
    assert all(one.start <= other.start for one, other in pairwise(whole))
