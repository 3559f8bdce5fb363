"""Times of a row, as `gigastt_lab.audio.manifests.times` has them; errors are a dataset's here."""

from __future__ import annotations

from evaluation.datasets.utterances import DatasetError
from gigastt_lab.audio.manifests import times
from gigastt_lab.audio.manifests.columns import Cells
from gigastt_lab.audio.manifests.times import times_used

__all__ = ["piece_of", "times_used"]


def piece_of(cells: Cells, where: str) -> tuple[float, float | None] | None:
    """Start and end of a row's piece, in seconds of its file; None where the row is its whole file.

    Raises:
        DatasetError: a time that is no number or negative, an end without a start, or not after it.
    """
    return times.piece_of(cells, where, DatasetError)
