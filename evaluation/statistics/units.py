"""Counts of the units that intervals rest on: utterances, or speakers and sessions as wholes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

# Draws in memory at a time, 8 bytes each: small enough to stay in a processor's cache.
_CHUNK_DRAWS = 200_000


def checked(columns: Sequence[npt.ArrayLike], blocks: Sequence[Hashable] | None) -> Int64Array:
    """Counts side by side. Shape (n_utterances, n_columns).

    Raises:
        ValueError: lengths that differ, or a negative count.
    """
    arrays = [np.asarray(column) for column in columns]
    lengths = [*map(len, arrays), *([] if blocks is None else [len(blocks)])]
    if len(set(lengths)) > 1:
        raise ValueError(f"columns of {lengths} utterances; errors, totals and blocks must be as many")
    counts = np.array(arrays, np.int64).T
    if counts.size and counts.min() < 0:
        raise ValueError(f"a count of {counts.min()}; errors and totals cannot be negative")
    return counts


def per_unit(counts: Int64Array, blocks: Sequence[Hashable] | None) -> Int64Array:
    """Counts of the units drawn: utterances, or the blocks' sums in the order of their first utterance."""
    if blocks is None:
        return counts
    index_of: dict[Hashable, int] = {}
    indices = [index_of.setdefault(block, len(index_of)) for block in blocks]
    sums = np.zeros((len(index_of), counts.shape[1]), np.int64)
    np.add.at(sums, indices, counts)
    return sums


def resampled(units: Int64Array, n_resamples: int, seed: int) -> Int64Array:
    """Sums over each resample of the units, drawn with replacement; zeros of fewer than two units.

    Shape (n_resamples, n_columns).
    """
    sums = np.zeros((n_resamples, units.shape[1]), np.int64)
    if len(units) < 2:
        return sums
    columns = np.ascontiguousarray(units.T)
    start = 0
    for picks in _draws(len(units), n_resamples, seed):
        for column, values in enumerate(columns):
            sums[start : start + len(picks), column] = values[picks].sum(axis=1)
        start += len(picks)
    return sums


def _draws(n_units: int, n_resamples: int, seed: int) -> Iterator[Int64Array]:
    """Indices of the units drawn, some resamples at a time; how many does not change what is drawn."""
    rng = np.random.default_rng(seed)
    n_rows = max(1, _CHUNK_DRAWS // n_units)
    for start in range(0, n_resamples, n_rows):
        yield rng.integers(0, n_units, (min(n_rows, n_resamples - start), n_units))
