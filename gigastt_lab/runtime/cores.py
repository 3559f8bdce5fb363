"""Thread count of this process: cores, affinity, the quota of its container.

A container's quota (``docker --cpus``, a Kubernetes limit) does not show in the affinity mask: a process that
starts a thread for each core is stopped for most of each period, with all its threads.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

THREADS_VARIABLE: Final = "OMP_NUM_THREADS"
DEFAULT_THREADS: Final = f"{THREADS_VARIABLE}, else every physical core within the CPU quota"  # for helps
_MOST_THREADS: Final = 1024
# Where control groups are mounted: version 2, alone or beside version 1; version 1.
_MOUNTS_2: Final = ("", "unified")
_MOUNTS_1: Final = ("cpu", "cpu,cpuacct")


def default_threads() -> int:
    """Threads inside one operator where nobody says how many.

    ``OMP_NUM_THREADS``, if it is set; else one for each physical core that this process may use, and no more
    than CPUs in the quota of its control group, rounded.
    """
    if (asked := _asked_for()) is not None:
        return asked
    quota = cpu_quota()
    # Rounded to the nearest, halves up: passes of 4 s, INT8, with a quota of 1.5 CPUs, took 167 ms with one
    # thread and 136 with two; with one of 1.2, 172 and 207 (docs/deployment.md).
    return core_count() if quota is None else max(1, min(core_count(), int(quota + 0.5)))


def core_count() -> int:
    """Physical cores that this process may use: its CPU affinity, two hardware threads counted once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cpus = os.sched_getaffinity(0)
    topology = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    try:
        return len({Path(topology.format(cpu)).read_text() for cpu in cpus})
    except OSError:  # not Linux, or a container that hides it
        return len(cpus)


def cpu_quota(root: Path = Path("/")) -> float | None:
    """CPUs that the control groups of this process grant it, the smallest of all levels; None without limit.

    Args:
        root: Root of the file system; another one in tests.

    >>> cpu_quota(Path("/nowhere")) is None
    True
    """
    found = [quota for folder in _groups(root) if (quota := _quota_of(folder)) is not None]
    return min(found, default=None)


def _asked_for() -> int | None:
    """Number in the variable, which may have one for each level of nesting: then the outermost."""
    text = os.environ.get(THREADS_VARIABLE, "").strip()
    return _outermost(text) if text else None


@cache
def _outermost(text: str) -> int | None:
    """First number of `text`; a warning, once, where it is none."""
    first = text.split(",", maxsplit=1)[0].strip()
    if first.isdecimal() and len(first) < 5 and 0 < int(first) <= _MOST_THREADS:
        return int(first)
    logger.warning("%s=%r is no number of threads (1 to %d): ignored", THREADS_VARIABLE, text, _MOST_THREADS)
    return None


def _groups(root: Path) -> Iterator[Path]:
    """Directories of the control groups that this process is in, from the innermost to the outermost."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, entry = line.partition(":")
        controllers, _, path = entry.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in _MOUNTS_1 if controllers else _MOUNTS_2:
            top = root / "sys/fs/cgroup" / mount
            group = top / path.strip("/")
            yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(top))


def _quota_of(folder: Path) -> float | None:
    """The quota of one group: ``cpu.max`` of version 2, ``cpu.cfs_*`` of version 1."""
    try:
        if (limit := folder / "cpu.max").is_file():
            quota, period = limit.read_text(encoding="ascii").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii")
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii")
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
    except (OSError, ValueError):  # no such group; or "max", no limit
        return None
