"""Times of a row: which part of its recording it is, and how long it says to be.

**Pieces.** A row with a start is a piece of its file: from there to its `end`, or for its `duration`, or to
the file's end. `offset` is NeMo's name for a start, and 0 is one. Without a start a row is the whole file,
whatever it states as its duration.

Seconds, unless the column's name ends in `_ms`; a decimal comma will do.
"""

from __future__ import annotations

from gigastt_lab.audio.manifests.columns import (
    DURATION_COLUMNS,
    END_COLUMNS,
    START_COLUMNS,
    Cells,
    first_of,
    number_of,
)
from gigastt_lab.errors import GigasttError, ManifestError


def piece_of(
    cells: Cells, where: str, failure: type[GigasttError] = ManifestError
) -> tuple[float, float | None] | None:
    """Start and end of a row's piece, in seconds of its file; the end is None where it is the file's.

    Args:
        cells: The row.
        where: Its place, for messages.
        failure: Class of the error that is raised.

    Returns:
        None where the row is its whole file.

    Raises:
        GigasttError: a `failure`: a time that is no number or negative, an end without a start, or not
            after it.

    >>> piece_of({"offset": 0, "duration": "1,5"}, "line 1"), piece_of({"duration": 1.5}, "line 2")
    ((0.0, 1.5), None)
    """
    start_name, end_name = first_of(cells, START_COLUMNS), first_of(cells, END_COLUMNS)
    if start_name is None:
        if end_name is not None and any(name in cells for name in START_COLUMNS):
            raise failure(f"{where}: {end_name} is {cells[end_name]!r} without a start; give both, or none")
        return None
    start = _seconds(cells, start_name, where, failure)
    if end_name is not None:
        end = _seconds(cells, end_name, where, failure)
        if end <= start:
            raise failure(
                f"{where}: the piece ends at {end:g} s ({end_name}), not after its start at {start:g} s "
                f"({start_name}); mend the row"
            )
        return start, end
    duration_name = first_of(cells, DURATION_COLUMNS)
    if duration_name is None:
        return start, None
    duration = number_of(cells[duration_name])
    if duration is None or duration <= 0:
        unit = "milliseconds" if duration_name.endswith("_ms") else "seconds"
        raise failure(f"{where}: {duration_name} is {cells[duration_name]!r}; give {unit} above 0, or none")
    duration = duration / 1000 if duration_name.endswith("_ms") else duration
    return start, start + duration


def times_used(cells: Cells) -> set[str | None]:
    """Names of the columns that `piece_of` takes its times from."""
    start_name = first_of(cells, START_COLUMNS)
    return set() if start_name is None else {start_name, first_of(cells, END_COLUMNS)}


def _seconds(cells: Cells, name: str, where: str, failure: type[GigasttError]) -> float:
    """Seconds in a cell, 0 or more."""
    value = number_of(cells[name])
    if value is None or value < 0:
        raise failure(
            f"{where}: {name} is {cells[name]!r}; give seconds from the file's start, such as 12.5, 0 or more"
        )
    return value / 1000 if name.endswith("_ms") else value


def duration_of(cells: Cells) -> float | None:
    """Seconds as a cell states them; None where none does, or not as a number above 0."""
    name = first_of(cells, DURATION_COLUMNS)
    seconds = None if name is None else number_of(cells[name])
    if name is None or seconds is None or seconds <= 0:
        return None
    return seconds / 1000 if name.endswith("_ms") else seconds
