"""The utterances of a dataset in windows, and those of a window in batches of about one length.

Both depend on the dataset and the two sizes alone: a run that goes on makes the same batches as one that was
never broken off.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from evaluation.datasets.audio import RATE
from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import DatasetError, Utterance

MAX_WINDOW_BYTES: Final = 256 * 2**20  # of encoded audio that a window holds in memory
_SAMPLE_BYTES: Final = 2


def windows_of(dataset: Iterable[Utterance], size: int) -> Generator[list[Utterance], None, None]:
    """The utterances, `size` at a time, fewer where they are large.

    Raises:
        DatasetError: reading broke off; what came before has been given.
    """
    window: list[Utterance] = []
    n_bytes = 0
    try:
        for utterance in dataset:
            window.append(utterance)
            n_bytes += _n_held(utterance)
            if len(window) == size or n_bytes > MAX_WINDOW_BYTES:
                yield window
                window, n_bytes = [], 0
    except DatasetError:
        yield window
        raise
    yield window


def batches_of(window: Sequence[Utterance], batch_size: int) -> Iterator[list[Utterance]]:
    """The utterances by length, `batch_size` at a time: neighbours need the least padding."""
    by_length = list(window)
    if batch_size > 1:
        stated = all(utterance.duration_s is not None for utterance in window)
        by_length.sort(key=lambda each: (each.duration_s or 0.0) if stated else _n_bytes(each))
    for start in range(0, len(by_length), batch_size):
        yield by_length[start : start + batch_size]


def _n_held(utterance: Utterance) -> int:
    """Bytes that the utterance's audio takes in a window; of a piece, those of the WAV file it becomes."""
    if isinstance(utterance.audio, Piece):
        return round((utterance.audio.duration_s or 0.0) * RATE) * _SAMPLE_BYTES
    return len(utterance.audio) if isinstance(utterance.audio, bytes) else 0


def _n_bytes(utterance: Utterance) -> int:
    """Size of the encoded audio: within one dataset, about proportional to its length."""
    if not isinstance(utterance.audio, Path):
        return _n_held(utterance)
    try:
        return utterance.audio.stat().st_size
    except OSError:  # the system will say so
        return 0
