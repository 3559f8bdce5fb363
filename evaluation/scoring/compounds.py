"""Compound-tolerant alignment: words that only a space parts are hits (`радио пираты`, `радиопираты`).

Edits are those of the plain alignment (substitution, deletion, insertion, one error each) and two more that
cost nothing: several words of the reference that are one word of the hypothesis once their spaces are gone,
and one word that is several words of the hypothesis. The alignment has the fewest errors of all that these
edits allow, so never more than the plain one. The price: `не когда` and `некогда`, `за то` and `зато` are
equal, too, as are `рас сказ` and `рассказ`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Levenshtein

EditKind = Literal["equal", "substitute", "delete", "insert"]

MAX_CELLS = 1_000_000  # of the table; longer texts are cut where `_MIN_ANCHOR` words in a row are equal
_MIN_ANCHOR = 12


@dataclass(frozen=True)
class Edit:
    """One edit: words of the reference and of the hypothesis that answer to each other.

    Attributes:
        kind: Kind of the edit, or "equal".
        n_reference: Number of the reference's words; above 1 where they are one word of the hypothesis.
        n_hypothesis: Number of the hypothesis' words; above 1 where they are one word of the reference.
    """

    kind: EditKind
    n_reference: int
    n_hypothesis: int


_Place = tuple[int, int]  # words of the reference and of the hypothesis that lie behind
_PLAIN: dict[str, Edit] = {
    "equal": Edit("equal", 1, 1),
    "replace": Edit("substitute", 1, 1),
    "delete": Edit("delete", 1, 0),
    "insert": Edit("insert", 0, 1),
}


def edits_with_joins(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit] | None:
    """Edits with the fewest errors, joined words free; None where joins save nothing.

    >>> edits_with_joins("радио пираты да".split(), "радиопираты да".split())
    [Edit(kind='equal', n_reference=2, n_hypothesis=1), Edit(kind='equal', n_reference=1, n_hypothesis=1)]
    """
    joins = _joins(reference, hypothesis)
    if not joins:
        return None
    plain = Levenshtein.distance(reference, hypothesis)
    if len(reference) * len(hypothesis) > MAX_CELLS:
        edits = [edit for ref, hyp in _pieces(reference, hypothesis) for edit in _piece(ref, hyp)]
    else:
        edits = _best(reference, hypothesis, joins)
    return edits if sum(edit.kind != "equal" for edit in edits) < plain else None


def _joins(reference: Sequence[str], hypothesis: Sequence[str]) -> dict[_Place, list[_Place]]:
    """Place behind a join to the places before it."""
    found: dict[_Place, list[_Place]] = {}
    for start, end, at in _runs(reference, hypothesis):
        found.setdefault((end, at + 1), []).append((start, at))
    for start, end, at in _runs(hypothesis, reference):
        found.setdefault((at + 1, end), []).append((at, start))
    return found


def _runs(parts: Sequence[str], wholes: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of words that are one together: first word, word after the last, place of the whole."""
    known = set(wholes)
    longest = max(map(len, known), default=0)
    for start, first in enumerate(parts):
        run = first
        for end in range(start + 1, len(parts)):
            run += parts[end]
            if len(run) > longest:
                break
            if run in known:
                yield from ((start, end + 1, at) for at, whole in enumerate(wholes) if whole == run)


def _best(
    reference: Sequence[str], hypothesis: Sequence[str], joins: dict[_Place, list[_Place]]
) -> list[Edit]:
    """Edits with the fewest errors, by the table of the edit distance with joins as free steps."""
    costs = [list(range(len(hypothesis) + 1))]
    for i, ref in enumerate(reference, start=1):
        above = costs[-1]
        row = [i]
        for j, hyp in enumerate(hypothesis, start=1):
            cost = min(above[j - 1] + (ref != hyp), above[j] + 1, row[j - 1] + 1)
            for before, at in joins.get((i, j), ()):
                cost = min(cost, costs[before][at])
            row.append(cost)
        costs.append(row)
    return _path(reference, hypothesis, joins, costs)


def _path(
    reference: Sequence[str],
    hypothesis: Sequence[str],
    joins: dict[_Place, list[_Place]],
    costs: list[list[int]],
) -> list[Edit]:
    """Edits along the cheapest way through the table, plain ones rather than joins where both do."""
    edits: list[Edit] = []
    i, j = len(reference), len(hypothesis)
    while i or j:
        cost = costs[i][j]
        if i and j and costs[i - 1][j - 1] + (reference[i - 1] != hypothesis[j - 1]) == cost:
            edits.append(_PLAIN["equal" if reference[i - 1] == hypothesis[j - 1] else "replace"])
        elif i and costs[i - 1][j] + 1 == cost:
            edits.append(_PLAIN["delete"])
        elif j and costs[i][j - 1] + 1 == cost:
            edits.append(_PLAIN["insert"])
        else:
            before = next(place for place in joins[i, j] if costs[place[0]][place[1]] == cost)
            edits.append(Edit("equal", i - before[0], j - before[1]))
        i, j = i - edits[-1].n_reference, j - edits[-1].n_hypothesis
    return edits[::-1]


def _pieces(
    reference: Sequence[str], hypothesis: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Long texts cut in the middle of long runs of equal words."""
    ref_start = hyp_start = 0
    for chunk in Levenshtein.opcodes(reference, hypothesis):
        size = chunk.src_end - chunk.src_start
        if chunk.tag == "equal" and size >= _MIN_ANCHOR:
            ref_end, hyp_end = chunk.src_start + size // 2, chunk.dest_start + size // 2
            yield reference[ref_start:ref_end], hypothesis[hyp_start:hyp_end]
            ref_start, hyp_start = ref_end, hyp_end
    yield reference[ref_start:], hypothesis[hyp_start:]


def _piece(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Edits of a piece of a long text; plain ones where it is still too long for the table."""
    joins = _joins(reference, hypothesis)
    if joins and len(reference) * len(hypothesis) <= MAX_CELLS:
        return _best(reference, hypothesis, joins)
    edits: list[Edit] = []
    for chunk in Levenshtein.opcodes(reference, hypothesis):
        size = max(chunk.src_end - chunk.src_start, chunk.dest_end - chunk.dest_start)
        edits += [_PLAIN[chunk.tag]] * size
    return edits
