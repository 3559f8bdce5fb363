"""Columns of other engines' output by what they hold, and cells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evaluation.datasets.rows import AUDIO_COLUMNS, TEXT_COLUMNS, Cells, column, optional
from evaluation.records.files import RecordError

# The first of these that is there, where the caller names none.
REFERENCE_COLUMNS: Final = tuple(dict.fromkeys(("reference", "ref", "target", *TEXT_COLUMNS)))
HYPOTHESIS_COLUMNS: Final = (
    "hypothesis",
    "hyp",
    "prediction",
    "pred_text",
    "pred",
    "predicted",
    "transcript",
)
SYSTEM_COLUMNS: Final = ("system", "engine", "model")
ID_COLUMNS: Final = ("id", "utterance_id", "utt_id", *AUDIO_COLUMNS)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns, or JSON keys, by what they hold; None: the first of the usual names that is there.

    Attributes:
        reference: Required where no references are given beside; see `REFERENCE_COLUMNS`.
        hypothesis: Required; see `HYPOTHESIS_COLUMNS`.
        system: Whose hypothesis it is; see `SYSTEM_COLUMNS`.
        id: What tells utterances apart; see `ID_COLUMNS`. Without one, rows are counted, for each system.
    """

    reference: str | None = None
    hypothesis: str | None = None
    system: str | None = None
    id: str | None = None


def used(cells: Cells, columns: Columns) -> set[str | None]:
    """Names of the columns whose cells a record has of its own; the others are metadata."""
    found = (
        (columns.reference, REFERENCE_COLUMNS),
        (columns.hypothesis, HYPOTHESIS_COLUMNS),
        (columns.system, SYSTEM_COLUMNS),
        (columns.id, ID_COLUMNS),
        (None, AUDIO_COLUMNS),
    )
    return {named or next((name for name in usual if name in cells), None) for named, usual in found}


def text(cells: Cells, named: str | None, usual: tuple[str, ...], where: str) -> str | None:
    """A cell as text, of the column that is named, or of a usual name; None where there is none.

    Raises:
        DatasetError: the named column is not there.
    """
    if named is not None:
        column(cells, named, usual, named, where)
    return optional(cells, usual if named is None else (named,))


def cell(cells: Cells, named: str | None, usual: tuple[str, ...], what: str, where: str) -> str | None:
    """A text, or None for null, of the column that holds `what`.

    Raises:
        DatasetError: there is no such column.
        RecordError: the cell holds something else.
    """
    value = cells[column(cells, named, usual, what, where)]
    if not isinstance(value, str | None):
        raise RecordError(f"{where}: the {what} {value!r} is no text; quote it")
    return value
