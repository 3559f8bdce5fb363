"""Word alignment as spans of indices: what jiwer's alignment says, at a tenth of its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from evaluation.scoring.compounds import Edit, edits_with_joins


class Span(NamedTuple):
    """Run of words with one kind of edit.

    Attributes:
        kind: "equal", "replace" (as many words on both sides), "delete", "insert"; or "join", where words
            that only a space parts are no error: one word on one side, several on the other.
        ref_start, ref_end: Words of the reference, the end not among them.
        hyp_start, hyp_end: Words of the hypothesis, likewise.
    """

    kind: str
    ref_start: int
    ref_end: int
    hyp_start: int
    hyp_end: int


def spans(reference: Sequence[str], hypothesis: Sequence[str], *, compounds: bool = False) -> list[Span]:
    """Spans of the alignment with the fewest edits, in order; the one that `metrics.alignment` gives.

    Args:
        reference: Words of the reference.
        hypothesis: Words of the hypothesis.
        compounds: True where joined and parted words are no error, as of `options.Options`.

    >>> [tuple(span) for span in spans("да нет ну".split(), "да ну ну ну".split())]
    [('equal', 0, 1, 0, 1), ('insert', 1, 1, 1, 2), ('replace', 1, 2, 2, 3), ('equal', 2, 3, 3, 4)]
    """
    if reference == hypothesis:
        n = len(reference)
        return [Span("equal", 0, n, 0, n)] if n else []
    edits = edits_with_joins(reference, hypothesis) if compounds else None
    if edits is not None:
        return _of_edits(edits)
    return [
        Span(each.tag, each.src_start, each.src_end, each.dest_start, each.dest_end)
        for each in Levenshtein.opcodes(reference, hypothesis)
    ]


def counterparts(found: Sequence[Span], n_reference: int) -> list[int]:
    """Index of the word of the hypothesis that each word of the reference answers to; -1 where deleted.

    >>> counterparts(spans(["а", "б", "в"], ["а", "в"]), 3)
    [0, -1, 1]
    """
    places = [-1] * n_reference
    for span in found:
        if span.kind in ("equal", "replace"):
            places[span.ref_start : span.ref_end] = range(span.hyp_start, span.hyp_end)
        elif span.kind == "join":
            places[span.ref_start : span.ref_end] = [span.hyp_start] * (span.ref_end - span.ref_start)
    return places


def _of_edits(edits: Iterable[Edit]) -> list[Span]:
    """Spans of single edits: runs of one kind together, each join alone."""
    found: list[Span] = []
    ref = hyp = 0
    for edit in edits:
        joined = edit.kind == "equal" and edit.n_reference != edit.n_hypothesis
        kind = "join" if joined else "replace" if edit.kind == "substitute" else edit.kind
        start = (ref, hyp)
        ref, hyp = ref + edit.n_reference, hyp + edit.n_hypothesis
        if found and found[-1].kind == kind != "join":
            found[-1] = found[-1]._replace(ref_end=ref, hyp_end=hyp)
        else:
            found.append(Span(kind, start[0], ref, start[1], hyp))
    return found
