"""Requests per second and latency of `POST /v1/transcribe`, of so many clients at once.

A closed loop: each client sends its next request when it has the answer to the last, over a connection that
it keeps. Latency is the wall clock from the first byte sent to the last one received. Clients are threads of
this process, on the server's machine: what they take of its cores is missing there.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from evaluation.server_study.client import Address, Client
from evaluation.statistics.intervals import Interval, interval
from evaluation.statistics.quantiles import Quantiles, quantiles

TIMEOUT_S: Final = 120.0

_N_BLOCKS: Final = 10  # of the run: what is resampled, since neighbours in time are alike
_N_WARM_UP: Final = 3
_BROKEN: Final = 0  # in place of a status
_PAUSE_S: Final = 0.05  # after a refusal, which costs the server nothing: they would be thousands


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Attributes:
        started_s: Seconds since the run began.
        latency_s: Seconds to the end of the answer.
        status: HTTP status; 0 without an answer.
    """

    started_s: float
    latency_s: float
    status: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """Results of a load: what so many clients saw.

    Attributes:
        n_clients: Number of clients at once.
        seconds: Seconds for which they sent.
        n_ok: Number of answers with status 200.
        n_busy: Number of answers with status 503.
        n_other: Number of requests with another answer, or none at all.
        latency: Latency of the answers with 200, in seconds; its interval is of the median, over tenths of
            the run.
        rate: Answers with 200 per millisecond, and its interval over tenths of the run.
    """

    n_clients: int
    seconds: float
    n_ok: int
    n_busy: int
    n_other: int
    latency: Quantiles
    rate: Interval


def closed_loop(address: Address, audio: bytes, n_clients: int, seconds: float) -> Load:
    """Have clients send the same audio again and again, for so long.

    Raises:
        OSError, HTTPException: the server cannot be reached at the beginning.
    """
    with ExitStack() as stack, ThreadPoolExecutor(n_clients) as threads:
        clients = [stack.enter_context(Client(address, TIMEOUT_S)) for _ in range(n_clients)]
        for client in clients:
            for _ in range(_N_WARM_UP if n_clients == 1 else 1):
                client.transcribe(audio)
        loop = _Loop(audio, n_clients, seconds)
        exchanges = [each for found in threads.map(loop.run, clients) for each in found]
    return summary(exchanges, n_clients, seconds)


class _Loop:
    """Loop that each client runs, all from the same moment on."""

    def __init__(self, audio: bytes, n_clients: int, seconds: float) -> None:
        self._audio = audio
        self._seconds = seconds
        self._begin = threading.Barrier(n_clients, action=self._start)

    def _start(self) -> None:
        self._started = time.perf_counter()

    def run(self, client: Client) -> list[Exchange]:
        self._begin.wait()
        found: list[Exchange] = []
        while (started := time.perf_counter()) < self._started + self._seconds:
            try:
                status = client.transcribe(self._audio).status
            except (OSError, http.client.HTTPException):
                status = _BROKEN
            ended = time.perf_counter()
            found.append(Exchange(started - self._started, ended - started, status))
            if status != http.client.OK:
                time.sleep(_PAUSE_S)
        return found


def summary(exchanges: Sequence[Exchange], n_clients: int, seconds: float) -> Load:
    """Counts, percentiles and rates of a run.

    >>> found = summary([Exchange(0.1, 0.2, 200), Exchange(0.3, 0.9, 200), Exchange(0.5, 0.1, 503)], 1, 1.0)
    >>> found.n_ok, found.n_busy, found.latency.n, round(1000 * found.rate.rate)
    (2, 1, 2, 1)
    """
    answered = [each for each in exchanges if each.status == http.client.OK]
    blocks: list[list[float]] = [[] for _ in range(_N_BLOCKS)]
    n_ended = np.zeros(_N_BLOCKS, np.int64)
    for each in answered:
        blocks[min(_N_BLOCKS - 1, int(_N_BLOCKS * each.started_s / seconds))].append(each.latency_s)
        ended = int(_N_BLOCKS * (each.started_s + each.latency_s) / seconds)
        if ended < _N_BLOCKS:  # what ends after the run is no part of its rate
            n_ended[ended] += 1
    n_busy = sum(each.status == http.client.SERVICE_UNAVAILABLE for each in exchanges)
    return Load(
        n_clients=n_clients,
        seconds=seconds,
        n_ok=len(answered),
        n_busy=n_busy,
        n_other=len(exchanges) - len(answered) - n_busy,
        latency=quantiles(blocks),
        rate=interval(n_ended, np.full(_N_BLOCKS, max(1, round(1000 * seconds / _N_BLOCKS)), np.int64)),
    )
