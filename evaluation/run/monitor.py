"""Monitor of the machine's load: other processes, clock rate, memory, time that a host took.

Read from ``/proc`` and ``/sys`` of Linux, a few small files every few seconds. Elsewhere, and where a
container hides them, what is not known is None: nothing here raises.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from evaluation.records.machine_load import Load

_LEAST_S: Final = 5.0  # between two samples: each takes less than a thousandth of that
_MOST_SAMPLES: Final = 10_000
_CPU_COLUMNS: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


class LoadMonitor:
    """Samples of the machine's load, the first when it is made.

    Attributes:
        has_server: True where a server takes part: its work cannot be told from that of other processes.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        """Take the first sample.

        Args:
            root: Root of the file system; another one in tests.
        """
        self.has_server = False
        self._root = root
        self._samples = [_Sample.taken(root)]

    def sample(self, *, least_s: float = _LEAST_S) -> None:
        """Take a sample, unless the latest is younger than `least_s` seconds."""
        if time.monotonic() - self._samples[-1].at_s >= least_s:
            self._samples.append(_Sample.taken(self._root))
            if len(self._samples) > _MOST_SAMPLES:  # half a day: the ends count, and every other one between
                self._samples[1:-1] = self._samples[1:-1:2]

    def load(self, n_utterances: int | None = None) -> Load:
        """Load from the first sample up to now."""
        self.sample(least_s=0)
        found = _summed(self._samples, n_utterances)
        return replace(found, other_cpus=None) if self.has_server else found


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """Readings of one moment; counters count from the start of the system, in seconds."""

    at_s: float
    own_s: float
    cores: int | None
    busy_s: float | None
    stolen_s: float | None
    average: float | None
    cpu_waiting_s: float | None
    memory_waiting_s: float | None
    quota_waiting_s: float | None
    mhz: float | None
    available_gib: float | None
    swapped_mib: float | None

    @classmethod
    def taken(cls, root: Path) -> _Sample:
        times, proc = os.times(), root / "proc"
        cores, busy_s, stolen_s = _processors(_text(proc / "stat"))
        throttled = _number(r"^throttled_usec (\d+)", _text(root / "sys/fs/cgroup/cpu.stat"))
        return cls(
            at_s=time.monotonic(),
            own_s=times.user + times.system + times.children_user + times.children_system,
            cores=cores if cores is not None else os.cpu_count(),
            busy_s=busy_s,
            stolen_s=stolen_s,
            average=_load_average(proc),
            cpu_waiting_s=_stalled_s(proc / "pressure/cpu"),
            memory_waiting_s=_stalled_s(proc / "pressure/memory"),
            quota_waiting_s=None if throttled is None else throttled / 1e6,
            mhz=_clock_mhz(root, cores or 0),
            available_gib=available_gib(root),
            swapped_mib=_swapped_mib(_text(proc / "vmstat")),
        )


def available_gib(root: Path = Path("/")) -> float | None:
    """Memory that a process could still take, GiB: of the machine, or of its container where that is less."""
    kib = _number(r"^MemAvailable:\s+(\d+)", _text(root / "proc/meminfo"))
    found = [] if kib is None else [kib / 2**20]
    group = root / "sys/fs/cgroup"
    limit, used = (_number(r"^(\d+)", _text(group / f"memory.{name}")) for name in ("max", "current"))
    if limit is not None and used is not None:
        found.append((limit - used) / 2**30)
    return min(found, default=None)


def own_gib(root: Path = Path("/")) -> float:
    """Memory that this process takes, GiB; 0 where that is not known."""
    pages = _number(r"^\d+ (\d+)", _text(root / "proc/self/statm"))
    return 0.0 if pages is None else pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def _summed(samples: Sequence[_Sample], n_utterances: int | None) -> Load:
    first, last = samples[0], samples[-1]
    passed_s = max(last.at_s - first.at_s, 1e-6)

    def per_second(name: str) -> float | None:
        begun, ended = getattr(first, name), getattr(last, name)
        return None if begun is None or ended is None else round(max(0.0, ended - begun) / passed_s, 3)

    def each(name: str) -> list[float]:
        return [value for one in samples if (value := getattr(one, name)) is not None]

    busy, own = per_second("busy_s"), per_second("own_s")
    averages, clocks, swapped = each("average"), each("mhz"), each("swapped_mib")
    return Load(
        seconds=round(passed_s, 1),
        n_samples=len(samples),
        n_utterances=n_utterances,
        cores=last.cores,
        usable_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else last.cores,
        load_before=first.average,
        load_mean=round(sum(averages) / len(averages), 2) if averages else None,
        load_highest=max(averages, default=None),
        own_cpus=own,
        other_cpus=None if busy is None or own is None else round(max(0.0, busy - own), 3),
        stolen_cpus=per_second("stolen_s"),
        cpu_waiting=per_second("cpu_waiting_s"),
        memory_waiting=per_second("memory_waiting_s"),
        quota_waiting=per_second("quota_waiting_s"),
        mhz_lowest=min(clocks, default=None),
        mhz_highest=max(clocks, default=None),
        available_gib=min((round(value, 2) for value in each("available_gib")), default=None),
        swapped_mib=round(swapped[-1] - swapped[0], 1) if swapped else None,
    )


def _processors(stat: str) -> tuple[int | None, float | None, float | None]:
    """Number of processors, and the seconds that they were busy and that the host took, in all."""
    lines = [line.split() for line in stat.splitlines() if line.startswith("cpu")]
    if not lines or lines[0][0] != "cpu" or len(lines[0]) < 5:
        return None, None, None
    ticks = dict(zip(_CPU_COLUMNS, map(int, lines[0][1:]), strict=False))
    per_second = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    busy = sum(ticks.get(name, 0) for name in ("user", "nice", "system", "irq", "softirq"))
    return len(lines) - 1 or None, busy / per_second, ticks.get("steal", 0) / per_second


def _load_average(proc: Path) -> float | None:
    """Load average of one minute; macOS has no file of it."""
    found = _number(r"^([\d.]+)", _text(proc / "loadavg"))
    if found is not None or proc.is_dir() or not hasattr(os, "getloadavg"):
        return found
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def _stalled_s(path: Path) -> float | None:
    """Seconds in which at least one task waited."""
    total = _number(r"^some .*total=(\d+)", _text(path))
    return None if total is None else total / 1e6


def _clock_mhz(root: Path, cores: int) -> float | None:
    """Clock rate of the fastest processor now; an idle one says nothing."""
    folder = root / "sys/devices/system/cpu"
    rates = [
        rate / 1000
        for number in range(min(cores, 256))
        if (rate := _number(r"^(\d+)", _text(folder / f"cpu{number}/cpufreq/scaling_cur_freq"))) is not None
    ]
    if not rates:  # a virtual machine: what its host says
        told = _text(root / "proc/cpuinfo")
        rates = [float(rate) for rate in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", told, re.MULTILINE)]
    return round(max(rates), 0) if rates else None


def _swapped_mib(vmstat: str) -> float | None:
    pages = _number(r"^pswpin (\d+)", vmstat)
    size = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
    return None if pages is None else pages * size / 2**20


def _text(path: Path) -> str:
    """Content of a file of the system; "" where it is not there, or not for us."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else None
