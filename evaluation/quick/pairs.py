"""References and hypotheses put together, as they come: lists, arrays, columns of tables, dicts by id."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from evaluation.datasets.cells import key_of
from evaluation.scoring.counting import ScoreError
from evaluation.show.display import counted

Texts = str | Mapping[Any, object] | Iterable[object]
"""Texts of utterances: one text, or many in a fixed order, or many by their ids."""

_MANY: Final = "a list, an array, a column of a table, or a dict from ids to texts"
_ONE: Final = {
    "references": "reference",
    "hypotheses": "hypothesis",
    "ids": "id",
    "speakers": "speaker",
    "sessions": "session",
}
_SHOWN: Final = 3
_LONGEST_PATH: Final = 1000


@dataclass(frozen=True)
class Pairs:
    """Cells of references and hypotheses, one with the other.

    Attributes:
        labels: Label of each pair: of an index, a key, or its number.
        references: Cells of the references.
        hypotheses: Cells of the hypotheses.
    """

    labels: Sequence[object]
    references: Sequence[object]
    hypotheses: Sequence[object]

    def column(self, given: Iterable[object] | None, what: str) -> list[object]:
        """Another column of the same utterances, in their order; None for each where none is given.

        Raises:
            ScoreError: it has fewer or more, or others.
        """
        if given is None:
            return [None] * len(self.labels)
        if isinstance(given, pd.Series) and not _is_numbered(given.index) and given.index.is_unique:
            found = dict(zip(given.index, given, strict=True))
            if found.keys() == set(self.labels):
                return [found[label] for label in self.labels]
        if isinstance(given, Mapping):
            _check_same(self.labels, list(given), "references", what)
            return [given[label] for label in self.labels]
        cells = cells_of(given, what)
        if len(cells) != len(self.labels):
            raise ScoreError(
                f"{_number(len(cells), what)} of {counted(len(self.labels), 'utterance')}; give one for each"
            )
        return cells


def paired(references: Texts, hypotheses: Texts) -> Pairs:
    """References and hypotheses, paired by keys or an index that both have, else by their order.

    Raises:
        ScoreError: they are no texts, or not as many, or have other keys than each other.
    """
    if isinstance(references, Mapping) != isinstance(hypotheses, Mapping):
        raise ScoreError("one is a dict and the other is not; give both from ids to texts, or neither")
    if isinstance(references, Mapping) and isinstance(hypotheses, Mapping):
        _check_same(list(references), list(hypotheses), "references", "hypotheses")
        keys = list(references)
        return Pairs(keys, [references[key] for key in keys], [hypotheses[key] for key in keys])
    refs, hyps = cells_of(references, "references"), cells_of(hypotheses, "hypotheses")
    if isinstance(references, pd.Series) and isinstance(hypotheses, pd.Series):
        if not references.index.equals(hypotheses.index) and not _are_numbered(references, hypotheses):
            hyps = _by_index(references, hypotheses)
    elif isinstance(hypotheses, pd.Series) and not isinstance(references, pd.Series):
        references = hypotheses  # whose labels stand for both
    if len(refs) != len(hyps):
        told = f"{_number(len(refs), 'references')} and {_number(len(hyps), 'hypotheses')}"
        raise ScoreError(
            f"{told}; give as many of each, in one order, and None for an utterance that was not recognised"
        )
    labels: Sequence[object] = range(len(refs))
    if isinstance(references, pd.Series) and references.index.is_unique:
        labels = references.index.tolist()
    return Pairs(labels, refs, hyps)


def ids_of(labels: Iterable[object]) -> list[str]:
    """Ids from labels.

    Raises:
        ScoreError: one is missing, or there twice.
    """
    ids = list(map(key_of, labels))
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if "" in ids:
        raise ScoreError(f"the id of utterance {ids.index('')} is missing; give one to each")
    if twice:
        occur = "occurs" if len(twice) == 1 else "occur"
        told = f"{counted(len(twice), 'id')} {occur} twice, {twice[0]!r} first"
        raise ScoreError(f"{told}; ids tell utterances apart")
    return ids


def cells_of(given: object, what: str) -> list[object]:
    """Cells of a column, in whatever it comes; a single text is a column of one.

    Raises:
        ScoreError: it has no order, several columns, or is no column.
    """
    if isinstance(given, str):
        if len(given) < _LONGEST_PATH and os.path.isfile(given):
            raise ScoreError(
                f"{what} are the path {given!r}; give texts, such as Path({given!r}).read_text()"
            )
        return [given]
    n_dimensions = getattr(given, "ndim", 1)
    if n_dimensions == 0 and hasattr(given, "item"):
        return [given.item()]
    if n_dimensions != 1:
        raise ScoreError(f"{what} have {n_dimensions} dimensions; give one column, such as table['text']")
    if hasattr(given, "to_pylist"):  # of pyarrow
        return list(given.to_pylist())
    if isinstance(given, set | frozenset):
        raise ScoreError(f"{what} are a set, which has no order to pair by; give {_MANY}")
    if isinstance(given, bytes | bytearray) or not isinstance(given, Iterable):
        raise ScoreError(f"{what} are {given!r:.60} ({type(given).__name__}); give {_MANY}")
    return list(given)


def _by_index(references: pd.Series, hypotheses: pd.Series) -> list[object]:
    """The hypotheses in the order of the references' index."""
    if not (references.index.is_unique and hypotheses.index.is_unique):
        raise ScoreError(
            "the two columns have other indexes, with labels that occur twice; give unique ones, or pair by "
            "order with .tolist()"
        )
    labels = references.index.tolist()
    _check_same(labels, hypotheses.index.tolist(), "references", "hypotheses")
    found = dict(zip(hypotheses.index, hypotheses, strict=True))
    return [found[label] for label in labels]


def _number(n: int, what: str) -> str:
    """A count of references, hypotheses and the like, in the right number."""
    return f"{n} {_ONE.get(what, what) if n == 1 else what}"


def _check_same(ours: Sequence[object], theirs: Sequence[object], of_ours: str, of_theirs: str) -> None:
    """Raise `ScoreError` where one has labels that the other lacks."""
    lacking = [
        f"{len(labels)} of the {mine} {'has' if len(labels) == 1 else 'have'} no {_ONE.get(other, other)} "
        f"({', '.join(map(repr, labels[:_SHOWN]))}{' ...' if len(labels) > _SHOWN else ''})"
        for labels, mine, other in (
            (_others(ours, theirs), of_ours, of_theirs),
            (_others(theirs, ours), of_theirs, of_ours),
        )
        if labels
    ]
    if lacking:
        raise ScoreError(f"{' and '.join(lacking)}; give None for an utterance that was not recognised")


def _others(labels: Sequence[object], known: Sequence[object]) -> list[object]:
    there = set(known)
    return [label for label in labels if label not in there]


def _is_numbered(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex)


def _are_numbered(*columns: pd.Series) -> bool:
    return all(_is_numbered(column.index) for column in columns)
