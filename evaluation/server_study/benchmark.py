"""The whole benchmark of the server: what is measured, in which order, and all that is known of it."""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from evaluation.records.machine import machine_info, package_versions
from evaluation.server_study.client import Address, Client
from evaluation.server_study.clips import AUDIO_S, measured_wav
from evaluation.server_study.load import Load, closed_loop
from evaluation.server_study.memory import TARGET, Memory, growth, memory_by_pool
from evaluation.server_study.overhead import TARGET_S, Overhead, overhead
from evaluation.server_study.process import ModelChoice, ServerProcess
from evaluation.server_study.streams import Streams, live_streams
from evaluation.statistics.quantiles import Quantiles
from evaluation.systems.base import SystemUnavailableError
from gigastt_lab.errors import brief


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Plan of a benchmark: what to measure.

    Attributes:
        choice: Model of the server.
        clients: Numbers of clients at once, one run each.
        pool_sizes: Numbers of permits, one fresh server each; none: memory is not measured.
        pool_size: Number of permits of the server that latency is measured on.
        streams: Numbers of live streams at once, one run each; none: not measured.
        seconds: Length of each run, in seconds.
        address: Address of a server that runs already; then neither memory nor overhead is measured. None:
            one of our own.
    """

    choice: ModelChoice = field(default_factory=ModelChoice)
    clients: Sequence[int] = (1, 4, 8)
    pool_sizes: Sequence[int] = (1, 2, 4, 8)
    pool_size: int = 4
    streams: Sequence[int] = ()
    seconds: float = 10.0
    address: Address | None = None


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Results of a benchmark.

    Attributes:
        plan: Plan that was asked for.
        server: Facts that the server says of itself, at ``/v1/models``.
        loads: Loads by the number of clients.
        overhead: Overhead over the engine; None of a server that was running.
        memory: Memory by the number of permits.
        streams: Live streams by their number.
    """

    plan: Plan
    server: dict[str, Any]
    loads: Sequence[Load]
    overhead: Overhead | None
    memory: Sequence[Memory]
    streams: Sequence[Streams]

    @property
    def memory_growth(self) -> tuple[float, float]:
        """Growth of memory from the fewest permits to the most, as shares: when loaded, and after work."""
        return growth(self.memory, lambda each: each.loaded), growth(self.memory, lambda each: each.worked)

    def as_content(self) -> dict[str, Any]:
        """Content for JSON, all of it."""
        loaded, worked = self.memory_growth
        return {
            "machine": machine_info(),
            "packages": package_versions(),
            "server": self.server,
            "audio": {"seconds": AUDIO_S, "format": "WAV, PCM16, 16 kHz, mono"},
            "plan": asdict(self.plan) | {"address": self.plan.address and self.plan.address.url},
            "loads": [
                asdict(each)
                | {
                    "latency": _quantiles(each.latency),
                    "requests_per_s": {
                        name: 1000 * getattr(each.rate, name) for name in ("rate", "low", "high")
                    },
                }
                for each in self.loads
            ],
            "overhead": self.overhead
            and asdict(self.overhead) | {"target_s": TARGET_S, "is_met": self.overhead.is_met},
            "memory": [asdict(each) for each in self.memory],
            "memory_growth": {"loaded": loaded, "worked": worked, "target": TARGET},
            "streams": [
                asdict(each)
                | {name: _quantiles(getattr(each, name)) for name in ("partial_lag", "decision_to_final")}
                for each in self.streams
            ],
        }


def benchmark(plan: Plan, *, show_progress: bool = False) -> Benchmark:
    """Measure all of it; each server that this starts has ended when it returns.

    Raises:
        SystemUnavailableError: a server cannot be started or reached, or the engine not loaded.
        OSError, HTTPException: a connection broke where nothing can be measured without it.
    """
    audio, is_ours = measured_wav(), plan.address is None
    n_runs = len(plan.clients) + len(plan.streams) + is_ours * (1 + len(plan.pool_sizes))
    with tempfile.TemporaryDirectory() as folder, _bar(n_runs, show=show_progress) as bar:

        def start(pool_size: int) -> ServerProcess:
            flags = [*plan.choice.flags, "--pool-size", str(pool_size)]
            return ServerProcess(flags, Path(folder) / "server.log")

        with _measured(plan, start) as address:
            server = _models(address)
            loads, streams = [], []
            for n in plan.clients:
                loads.append(closed_loop(address, audio, n, plan.seconds))
                bar.update()
            over = overhead(address, plan.choice, audio, 2 * plan.seconds) if is_ours else None
            bar.update(is_ours)
            for n in plan.streams:
                streams.append(live_streams(address, n, plan.seconds))
                bar.update()
        memory = []
        for each in memory_by_pool(start, plan.pool_sizes, audio, plan.seconds) if is_ours else ():
            memory.append(each)
            bar.update()
    return Benchmark(plan=plan, server=server, loads=loads, overhead=over, memory=memory, streams=streams)


@contextmanager
def _measured(plan: Plan, start: Callable[[int], ServerProcess]) -> Iterator[Address]:
    """The server that latency is measured on: one that runs already, or one of our own."""
    if plan.address is not None:
        yield plan.address
        return
    with start(plan.pool_size) as server:
        yield server.address


def _models(address: Address) -> dict[str, Any]:
    """Facts that a server says of itself."""
    with Client(address, timeout_s=10) as client:
        try:
            answer = client.request("GET", "/v1/models")
        except (OSError, http.client.HTTPException) as error:
            raise SystemUnavailableError(
                f"nobody answers at {address.url} ({brief(error)}); start the server first"
            ) from error
    if answer.status != http.client.OK or not isinstance(answer.content, dict):
        raise SystemUnavailableError(f"{address.url}/v1/models answers {answer.status}; is it such a server?")
    return answer.content


def _bar(n_runs: int, *, show: bool) -> Any:
    return tqdm(total=n_runs, desc="server", unit="run", dynamic_ncols=True, disable=None if show else True)


def _quantiles(found: Quantiles) -> dict[str, Any]:
    """Content for JSON: the values themselves to the microsecond, since they can be plotted again."""
    return asdict(found) | {"values": [round(value, 6) for value in found.values]}
