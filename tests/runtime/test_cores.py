"""How many threads: affinity, quotas of control groups as containers lay them out, OMP_NUM_THREADS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gigastt_lab.runtime import cores
from gigastt_lab.runtime.cores import core_count, cpu_quota, default_threads


def system(root: Path, group: str, files: dict[str, str]) -> Path:
    """A file system with the control group of this process and what its directories hold."""
    for name, content in {"proc/self/cgroup": group, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")
    return root


@pytest.mark.parametrize(
    ("group", "files", "expected"),
    [
        # Version 2, in a container: its own group is the root that it sees.
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2.0),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"sys/fs/cgroup/cgroup.procs": ""}, None),
        # On a host: a service within a slice; the smaller quota counts.
        (
            "0::/a.slice/b.service\n",
            {
                "sys/fs/cgroup/a.slice/cpu.max": "150000 100000\n",
                "sys/fs/cgroup/a.slice/b.service/cpu.max": "400000 100000\n",
            },
            1.5,
        ),
        ("0::/a.slice/b.service\n", {"sys/fs/cgroup/other/cpu.max": "100000 100000\n"}, None),
        # Version 1: the group's path is the host's, and the container sees only its own directory.
        (
            "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n",
            {
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            "1:cpu:/a\n",
            {
                "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "25000\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "50000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        # Both versions side by side, each with a group of its own.
        (
            "1:cpu:/\n0::/user.slice/x\n",
            {
                "sys/fs/cgroup/cpu/user.slice/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/user.slice/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ("1:cpu:/\n0::/\n", {"sys/fs/cgroup/unified/cpu.max": "100000 100000\n"}, 1.0),
        # Nothing that can be read.
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "\n"}, None),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "100000 0\n"}, None),
        ("", {}, None),
        ("\nnonsense\n1:cpu\n", {}, None),
    ],
)
def test_quotas(tmp_path: Path, group: str, files: dict[str, str], expected: float | None) -> None:
    assert cpu_quota(system(tmp_path, group, files)) == expected


def test_a_system_without_control_groups(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(
    ("n_cores", "quota", "expected"),
    [
        (1, None, 1),
        (64, None, 64),
        (64, 4.0, 4),
        (64, 2.5, 3),
        (64, 1.2, 1),
        (64, 0.3, 1),
        (2, 8.0, 2),
        (1, 1.5, 1),
    ],
)
def test_no_more_threads_than_cores_and_cpus_of_the_quota(
    monkeypatch: pytest.MonkeyPatch, n_cores: int, quota: float | None, expected: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(cores, "core_count", lambda: n_cores)
    monkeypatch.setattr(cores, "cpu_quota", lambda: quota)
    assert default_threads() == expected


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("5,2", 5), (" 4 ", 4), ("64", 64)])
def test_the_variable_of_openmp_goes_first(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    monkeypatch.setattr(cores, "cpu_quota", lambda: 2.0)
    assert default_threads() == expected


@pytest.mark.parametrize("value", ["0", "-2", "many", "1.5", ",2", "1025", "9" * 5000, "²"])
def test_what_is_no_number_of_threads_is_told_and_ignored(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    monkeypatch.setattr(cores, "core_count", lambda: 7)
    monkeypatch.setattr(cores, "cpu_quota", lambda: None)
    cores._outermost.cache_clear()
    assert default_threads() == default_threads() == 7
    assert [record.getMessage() for record in caplog.records] == [
        f"OMP_NUM_THREADS={value!r} is no number of threads (1 to 1024): ignored"
    ]


@pytest.mark.slow
def test_the_variable_reaches_an_engine() -> None:
    """In a process of its own, as a container starts it."""
    code = "import gigastt_lab; print(gigastt_lab.load_engine('demo', provider='cpu').info.threads)"
    environment = os.environ | {"OMP_NUM_THREADS": "3"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "3\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity on this system")
def test_cores_follow_the_affinity() -> None:
    allowed = os.sched_getaffinity(0)
    assert 1 <= core_count() <= len(allowed)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert core_count() == 1
    finally:
        os.sched_setaffinity(0, allowed)
