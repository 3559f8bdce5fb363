"""Samples of the server every few seconds of a soak: memory, descriptors, threads, permits, a probe."""

from __future__ import annotations

import http.client
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np

from evaluation.server_study.client import Address, Client
from evaluation.server_study.job_book import folder_bytes
from evaluation.server_study.operations import DEADLINE_S
from evaluation.server_study.process import Footprint, footprint
from evaluation.statistics.quantiles import p50_p95_p99

WARM_UP: Final = 0.1
"""Share of the time after which memory has to have settled."""
MOST_GROWTH: Final = 0.10
"""Share by which memory may grow from then on."""

_BROKEN: Final = 0  # in place of a status


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The server at one moment.

    Attributes:
        at_s: Seconds since the soak began.
        footprint: Footprint of its process; None where /proc does not tell.
        pool_available: Number of permits that are free; None where it did not say.
        probe_status: HTTP status of the probe's answer; 0 without one.
        probe_s: Latency of the probe in seconds, if it was answered with 200.
        jobs_bytes: Bytes of the jobs' folder; None where it is not ours.
    """

    at_s: float
    footprint: Footprint | None
    pool_available: int | None
    probe_status: int
    probe_s: float | None
    jobs_bytes: int | None = None


class Sampler:
    """Takes samples in a thread of its own for as long as its `with` lasts.

    Attributes:
        samples: Samples taken so far.
    """

    def __init__(
        self,
        address: Address,
        pid: int | None,
        probe: bytes,
        *,
        interval_s: float,
        jobs_folder: Path | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            address: Address of the server.
            pid: Process id of the server, if it is on this machine and ours.
            probe: Encoded audio, always the same.
            interval_s: Seconds from one sample to the next.
            jobs_folder: Folder of the server's jobs, if it is ours.
        """
        self.samples: list[Sample] = []
        self._address = address
        self._pid = pid
        self._probe = probe
        self._interval_s = interval_s
        self._jobs_folder = jobs_folder
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> Sampler:
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def take(self) -> None:
        """Take a sample now."""
        at_s = time.perf_counter() - self._started
        found = footprint(self._pid)  # before the probe, which is work of ours
        available = pool_available(self._address, DEADLINE_S)
        status, took_s = _probed(self._address, self._probe, DEADLINE_S)
        self.samples.append(
            Sample(
                at_s=at_s,
                footprint=found,
                pool_available=available,
                probe_status=status,
                probe_s=took_s if status == http.client.OK else None,
                jobs_bytes=folder_bytes(self._jobs_folder),
            )
        )

    def _run(self) -> None:
        while True:
            self.take()
            if self._is_over.wait(self._interval_s):
                return


def pool_available(address: Address, deadline_s: float) -> int | None:
    """The permits that are free, as ``/v1/models`` tells; None where it does not."""
    found = models(address, deadline_s).get("pool_available")
    return found if isinstance(found, int) else None


def models(address: Address, deadline_s: float) -> dict[str, object]:
    """Facts that a server says of itself; nothing where it does not answer."""
    with Client(address, deadline_s) as client:
        try:
            content = client.request("GET", "/v1/models").content
        except (OSError, http.client.HTTPException):
            return {}
    return content if isinstance(content, dict) else {}


def _probed(address: Address, probe: bytes, deadline_s: float) -> tuple[int, float]:
    """Status, and seconds from the first byte sent to the last received."""
    with Client(address, deadline_s) as client:
        started = time.perf_counter()
        try:
            status = client.transcribe(probe).status
        except (OSError, http.client.HTTPException):
            status = _BROKEN
        return status, time.perf_counter() - started


@dataclass(frozen=True)
class Change:
    """Change of memory after it had settled.

    Attributes:
        before_bytes: Median of VmRSS between a tenth and two tenths of the time.
        after_bytes: Median of the last tenth.
        bytes_per_hour: Slope of the straight line through all from the first tenth on.
    """

    before_bytes: float
    after_bytes: float
    bytes_per_hour: float

    @property
    def growth(self) -> float:
        """Growth as a share."""
        return self.after_bytes / self.before_bytes - 1


def memory_change(samples: Sequence[Sample], seconds: float) -> Change | None:
    """Change of memory in a soak of so many seconds; None where it is not known, or of too few samples.

    >>> sizes = [80, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109]
    >>> samples = [Sample(at_s=float(at), footprint=Footprint(size, size, 1, 1, 0.0), pool_available=None,
    ...                   probe_status=200, probe_s=0.1) for at, size in enumerate(sizes)]
    >>> found = memory_change(samples, 10.0)
    >>> found.before_bytes, found.after_bytes, round(found.growth, 3), round(found.bytes_per_hour)
    (100.5, 108.5, 0.08, 3600)
    """
    points = np.array(
        [(each.at_s, each.footprint.resident_bytes) for each in samples if each.footprint is not None], float
    ).reshape(-1, 2)
    at, resident = points.T
    settled, last = at >= WARM_UP * seconds, at >= (1 - WARM_UP) * seconds
    early = settled & (at <= 2 * WARM_UP * seconds)
    if not early.any() or not last.any() or len(np.unique(at[settled])) < 2:
        return None
    slope = np.polyfit(at[settled], resident[settled], 1)[0]
    return Change(float(np.median(resident[early])), float(np.median(resident[last])), float(3600 * slope))


def latest(samples: Sequence[Sample]) -> Footprint | None:
    """The last footprint that is known."""
    return next((each.footprint for each in reversed(samples) if each.footprint is not None), None)


def cores_used(samples: Sequence[Sample]) -> float:
    """Number of cores that the server kept busy, on average; NaN where that is not known."""
    known = [(each.at_s, each.footprint.cpu_s) for each in samples if each.footprint is not None]
    if len(known) < 2:
        return math.nan
    (from_s, before_s), (to_s, after_s) = known[0], known[-1]
    return (after_s - before_s) / (to_s - from_s)


def probe_percentiles(samples: Sequence[Sample]) -> tuple[float, float]:
    """p50 and p95 of the probes, in seconds; NaN without any."""
    p50, p95, _ = p50_p95_p99([each.probe_s for each in samples if each.probe_s is not None])
    return p50, p95
