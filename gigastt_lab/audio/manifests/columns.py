"""Columns of a manifest: the names that are usual for each, and what is in a row's cells."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gigastt_lab.errors import GigasttError

# The first of these that is there, where the caller names none.
AUDIO_COLUMNS: Final = (
    "audio_filepath", "audio", "path", "file", "filename", "file_name", "audio_path", "audio_file",
    "wav_filename", "wav_path",
)  # fmt: skip
TEXT_COLUMNS: Final = ("text", "transcription", "sentence", "reference")
# A manifest has no hypotheses, for which "transcript" may stand in other engines' output.
MANIFEST_TEXT_COLUMNS: Final = (*TEXT_COLUMNS, "transcript", "ref")
SPEAKER_COLUMNS: Final = ("speaker", "speaker_id", "client_id", "voice", "spk_id", "spk")
SESSION_COLUMNS: Final = ("session", "session_id")

_UNITS: Final = ("", "_s", "_sec", "_seconds", "_ms")


def _in_units(*names: str) -> tuple[str, ...]:
    """Names of a time, each in every unit."""
    return tuple(name + unit for unit in _UNITS for name in names)


DURATION_COLUMNS: Final = _in_units("duration")
START_COLUMNS: Final = _in_units(
    "offset", "start", "start_time", "begin", "begin_time", "audio_start", "segment_start"
)
END_COLUMNS: Final = _in_units(
    "end", "end_time", "finish", "finish_time", "stop", "stop_time", "audio_end", "segment_end"
)

_USUAL: Final = frozenset(
    (*AUDIO_COLUMNS, *MANIFEST_TEXT_COLUMNS, *SPEAKER_COLUMNS, *SESSION_COLUMNS, *DURATION_COLUMNS,
     *START_COLUMNS, *END_COLUMNS)
)  # fmt: skip

Cells = Mapping[str, object]


def column(
    found: Collection[str],
    named: str | None,
    usual: Sequence[str],
    what: str,
    *,
    where: str,
    failure: type[GigasttError],
) -> str:
    """The name of the column that holds `what`.

    Args:
        found: Names that are there.
        named: Name that the caller gave; None: one of the usual ones.
        usual: Usual names, the first of which is taken.
        what: What the column holds, for messages.
        where: Place, for messages.
        failure: Class of the error that is raised.

    Raises:
        GigasttError: a `failure`: it is not there, or none of the usual ones is.
    """
    for name in usual if named is None else [named]:
        if name in found:
            return name
    wanted = f"named {named!r}" if named is not None else f"with a usual name ({', '.join(usual)})"
    raise failure(
        f"{where}: no column {wanted} for the {what}; there are: {', '.join(found) or 'none'}. "
        f"Say which one holds the {what}"
    )


def in_usual_case(cells: Cells, *asked: str | None) -> Cells:
    """A row whose columns have usual names in lower case; other names, and those asked for, stay.

    >>> in_usual_case({"Path": "a.wav", "Text": "да", "City": "Казань"})
    {'path': 'a.wav', 'text': 'да', 'City': 'Казань'}
    """
    renamed = _renamed(tuple(cells))
    if not renamed:
        return cells
    return {name if name in asked else renamed.get(name, name): value for name, value in cells.items()}


@functools.lru_cache(maxsize=256)  # the rows of a table have the same names
def _renamed(names: tuple[str, ...]) -> dict[str, str]:
    lower = {name: name.lower() for name in names if name != name.lower()}
    return {name: other for name, other in lower.items() if other in _USUAL and other not in names}


def optional(cells: Cells, usual: Sequence[str]) -> str | None:
    """The first cell of a usual name that holds something, as text."""
    name = first_of(cells, usual)
    return None if name is None else str(cells[name])


def first_of(cells: Cells, usual: Sequence[str]) -> str | None:
    """The first of the usual names whose cell holds something; blanks and NaN, as pandas writes, are nothing.

    >>> first_of({"offset": float("nan"), "start": " ", "begin": 0}, ("offset", "start", "begin"))
    'begin'
    """
    for name in usual:  # a loop: a hundred thousand rows ask ten times each
        if name in cells and not _is_nothing(cells[name]):
            return name
    return None


def _is_nothing(cell: object) -> bool:
    if isinstance(cell, str):
        return not cell or cell.isspace()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def number_of(value: object) -> float | None:
    """A finite number, or a text that is one, with a point or a comma; None for all else.

    >>> number_of("1,5"), number_of(" 2.5 "), number_of("NaN"), number_of(True), number_of("1,000.5")
    (1.5, 2.5, None, None, None)
    """
    if isinstance(value, bool):
        return None
    text = str(value).strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
