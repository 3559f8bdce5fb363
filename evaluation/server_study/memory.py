"""Resident memory of the server by the number of its permits, which share one set of weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from evaluation.server_study.load import closed_loop
from evaluation.server_study.process import Footprint, ServerProcess, footprint

TARGET: Final = 0.10
"""Share by which memory may grow at most, from the smallest number of permits to the largest."""


@dataclass(frozen=True)
class Memory:
    """Memory of one fresh process; None where /proc does not tell.

    Attributes:
        pool_size: Number of its permits.
        loaded: Footprint when it was ready, before any request.
        worked: Footprint after the load.
        n_clients: Number of clients of the load.
    """

    pool_size: int
    loaded: Footprint | None
    worked: Footprint | None
    n_clients: int


def memory_by_pool(
    start: Callable[[int], AbstractContextManager[ServerProcess]],
    sizes: Sequence[int],
    audio: bytes,
    seconds: float,
) -> Iterator[Memory]:
    """Memory of a fresh server for each number of permits, before and after as many clients for all.

    Args:
        start: Starter of a server with so many permits.
        sizes: Numbers of permits.
        audio: Encoded audio that the clients send.
        seconds: Length of the load, in seconds.
    """
    n_clients = max(sizes)
    for size in sizes:
        with start(size) as server:
            loaded = footprint(server.pid)
            closed_loop(server.address, audio, n_clients, seconds)
            yield Memory(size, loaded, footprint(server.pid), n_clients)


def growth(found: Sequence[Memory], of: Callable[[Memory], Footprint | None]) -> float:
    """Growth of memory from the smallest number of permits to the largest, a share; NaN where not known.

    >>> few, many = Footprint(100, 120, 4, 9, 0.0), Footprint(105, 130, 11, 9, 0.0)
    >>> found = [Memory(1, None, few, 8), Memory(8, None, many, 8)]
    >>> round(growth(found, lambda each: each.worked), 3), growth(found, lambda each: each.loaded)
    (0.05, nan)
    """
    if len(found) < 2:
        return math.nan
    ordered = sorted(found, key=lambda each: each.pool_size)
    few, many = of(ordered[0]), of(ordered[-1])
    if few is None or many is None:
        return math.nan
    return many.resident_bytes / few.resident_bytes - 1
