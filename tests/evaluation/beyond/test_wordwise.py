"""Spans of an alignment are jiwer's."""

from hypothesis import given
from hypothesis import strategies as st

from evaluation.beyond.wordwise import counterparts, spans
from evaluation.scoring.metrics import alignment, word_counts

KINDS = {"equal": "equal", "replace": "substitute", "delete": "delete", "insert": "insert"}
texts = st.lists(st.sampled_from(["а", "б", "в", "г"]), max_size=9)


@given(texts, texts)
def test_spans_are_the_chunks_of_the_alignment(ref, hyp):
    found = [
        (
            KINDS[each.kind],
            tuple(ref[each.ref_start : each.ref_end]),
            tuple(hyp[each.hyp_start : each.hyp_end]),
            each.ref_start,
        )
        for each in spans(ref, hyp)
    ]
    chunks = alignment(" ".join(ref), " ".join(hyp))
    assert found == [(chunk.kind, chunk.reference, chunk.hypothesis, chunk.start) for chunk in chunks]


@given(texts, texts)
def test_counterparts_rise_and_leave_out_deletions_alone(ref, hyp):
    found = spans(ref, hyp)
    places = counterparts(found, len(ref))
    known = [place for place in places if place >= 0]
    assert known == sorted(set(known))
    assert all(place < len(hyp) for place in known)
    assert places.count(-1) == sum(each.ref_end - each.ref_start for each in found if each.kind == "delete")


def test_joined_words_answer_to_what_they_are_joined_of():
    ref, hyp = ["радио", "пираты", "на", "волне", "да"], ["радиопираты", "на", "вол", "не"]
    found = spans(ref, hyp, compounds=True)
    assert [(each.kind, each.ref_end, each.hyp_end) for each in found] == [
        ("join", 2, 1), ("equal", 3, 2), ("join", 4, 4), ("delete", 5, 4),
    ]  # fmt: skip
    assert counterparts(found, len(ref)) == [0, 0, 1, 2, -1]


@given(texts, texts)
def test_with_compounds_the_errors_are_those_that_are_counted(ref, hyp):
    counts = word_counts(" ".join(ref), " ".join(hyp), compounds=True)
    found = spans(ref, hyp, compounds=True)
    deleted = sum(each.ref_end - each.ref_start for each in found if each.kind == "delete")
    inserted = sum(each.hyp_end - each.hyp_start for each in found if each.kind == "insert")
    assert (deleted, inserted) == (counts.deletions, counts.insertions)
    assert [each.ref_start for each in found[1:]] == [each.ref_end for each in found[:-1]]
    assert [each.hyp_start for each in found[1:]] == [each.hyp_end for each in found[:-1]]
