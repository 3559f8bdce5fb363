"""Rows of tables, as `gigastt_lab.audio.manifests` reads them, and what else they say: metadata.

A missing column is a dataset's error here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Final

from evaluation.datasets.utterances import DatasetError
from gigastt_lab.audio.manifests import columns
from gigastt_lab.audio.manifests.columns import (
    AUDIO_COLUMNS,
    DURATION_COLUMNS,
    MANIFEST_TEXT_COLUMNS,
    SESSION_COLUMNS,
    SPEAKER_COLUMNS,
    TEXT_COLUMNS,
    Cells,
    first_of,
    number_of,
    optional,
)
from gigastt_lab.audio.manifests.rows import SUFFIXES, first_line, read_text, rows_of
from gigastt_lab.audio.manifests.times import duration_of

__all__ = [
    "AUDIO_COLUMNS", "DURATION_COLUMNS", "MANIFEST_TEXT_COLUMNS", "SESSION_COLUMNS", "SPEAKER_COLUMNS",
    "SUFFIXES", "TEXT_COLUMNS", "Cells", "column", "duration_of", "first_line", "first_of", "metadata_of",
    "number_of", "optional", "read_text", "rows_of",
]  # fmt: skip

_LONGEST_TEXT: Final = 1000
_LONGEST_JSON: Final = 200


def column(found: Collection[str], named: str | None, usual: Sequence[str], what: str, where: str) -> str:
    """The name of the column that holds `what`.

    Raises:
        DatasetError: it is not there, or none of the usual ones is.
    """
    return columns.column(found, named, usual, what, where=where, failure=DatasetError)


def metadata_of(cells: Cells, *, used: Collection[str | None]) -> dict[str, str]:
    """Metadata of a row: its cells as texts, without those that are used, are empty, or are large.

    Args:
        cells: The row.
        used: Names of the columns with the audio, the reference and the times.

    Returns:
        Numbers and truth values as JSON has them; lists and objects as JSON, up to 200 characters of it.
        Texts of more than 1,000 characters are left out, as are bytes.

    >>> metadata_of({"text": "да", "city": "Казань", "age": 30, "tags": ["a"], "note": None}, used=["text"])
    {'city': 'Казань', 'age': '30', 'tags': '["a"]'}
    """
    known = {
        *used,
        *(first_of(cells, usual) for usual in (SPEAKER_COLUMNS, SESSION_COLUMNS, DURATION_COLUMNS)),
    }
    found = {}
    for name, value in cells.items():
        if (
            name in known
            or not name
            or value in (None, "")
            or (isinstance(value, float) and math.isnan(value))
        ):
            continue
        text = _as_text(value)
        if text is not None:
            found[name] = text
    return found


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else None
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # bytes, dates and what else `datasets` makes of cells
        return None if isinstance(value, bytes | bytearray | memoryview) else str(value)[:_LONGEST_JSON]
    return text if len(text) <= _LONGEST_JSON else None
