"""Load of a machine from files as Linux has them: sums worked out by hand; nothing where nothing is told."""

import os
from dataclasses import replace

import pytest

from evaluation.records.files import End, Header, line_of, read
from evaluation.records.machine_load import Load
from evaluation.run import monitor
from evaluation.run.monitor import LoadMonitor, available_gib, own_gib

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def machine(root, *, busy_s, stolen_s, average, waited_s, mhz, available_kib, swapped_pages):
    ticks = [int(value * TICKS) for value in (busy_s / 2, 0, busy_s / 2, 1000, 5, 0, 0, stolen_s)]
    lines = [f"cpu  {' '.join(map(str, ticks))} 0 0", "cpu0 1 0 0 0", "cpu1 1 0 0 0", "intr 5"]
    write(root, "proc/stat", "\n".join(lines) + "\n")
    write(root, "proc/loadavg", f"{average} 0.5 0.4 1/90 7\n")
    write(
        root,
        "proc/pressure/cpu",
        f"some avg10=1 avg60=1 avg300=1 total={int(waited_s * 1e6)}\nfull total=1\n",
    )
    write(root, "proc/pressure/memory", "some avg10=0 avg60=0 avg300=0 total=0\n")
    write(root, "proc/cpuinfo", f"cpu MHz\t\t: {mhz}\nmodel name: X\ncpu MHz\t\t: 800.0\n")
    write(root, "proc/meminfo", f"MemTotal: 9 kB\nMemAvailable:    {available_kib} kB\n")
    write(root, "proc/vmstat", f"pswpin {swapped_pages}\npswpout 3\n")


@pytest.fixture
def clock(monkeypatch):
    """Seconds that have passed, and seconds that this process has worked."""
    now = {"at": 100.0, "own": 10.0}
    monkeypatch.setattr(monitor.time, "monotonic", lambda: now["at"])
    own = type("Times", (), {"system": 0.0, "children_user": 0.0, "children_system": 0.0})
    monkeypatch.setattr(monitor.os, "times", lambda: setattr(own, "user", now["own"]) or own)
    return now


def test_a_busy_machine(tmp_path, clock):
    machine(tmp_path, busy_s=50, stolen_s=2, average=1.5, waited_s=1, mhz=3000,
            available_kib=4 * 2**20, swapped_pages=0)  # fmt: skip
    watch = LoadMonitor(tmp_path)
    clock["at"], clock["own"] = 110.0, 20.0
    machine(tmp_path, busy_s=67, stolen_s=3, average=3.9, waited_s=6, mhz=2000,
            available_kib=2 * 2**20, swapped_pages=1024)  # fmt: skip
    load = watch.load(7)
    assert load == Load(
        seconds=10.0, n_samples=2, n_utterances=7, cores=2, usable_cores=load.usable_cores, load_before=1.5,
        load_mean=2.7, load_highest=3.9, own_cpus=1.0, other_cpus=pytest.approx(0.7), stolen_cpus=0.1,
        cpu_waiting=0.5, memory_waiting=0.0, mhz_lowest=2000, mhz_highest=3000, available_gib=2.0,
        swapped_mib=load.swapped_mib,
    )  # fmt: skip
    assert load.swapped_mib == 1024 * os.sysconf("SC_PAGE_SIZE") / 2**20
    assert load.to_text() == "load 2.7 on 2 cores, others 0.7"
    watch.has_server = True
    assert watch.load(7).other_cpus is None
    assert replace(load, usable_cores=2).disturbances() == [
        "load 2.7 on 2 cores, other processes kept 0.7 cores busy",
        "the host took 0.10 cores away",
        f"{load.swapped_mib:.0f} MiB came back from swap",
        "the clock rate went from 3000 down to 2000 MHz",
    ]


def test_an_idle_machine_is_not_spoken_of(tmp_path, clock):
    same = {
        "stolen_s": 0,
        "average": 2.4,
        "waited_s": 0,
        "mhz": 3000,
        "available_kib": 2**20,
        "swapped_pages": 9,
    }
    machine(tmp_path, busy_s=50, **same)
    watch = LoadMonitor(tmp_path)
    clock["at"], clock["own"] = 110.0, 28.0
    machine(tmp_path, busy_s=69, **same)  # this system's own two threads, and a tenth of a core besides
    load = watch.load()
    assert load.other_cpus == pytest.approx(0.1)
    assert load.disturbances() == []


def test_neighbours_on_other_cores_of_a_large_host_are_no_matter():
    load = Load(seconds=9, n_samples=2, cores=64, usable_cores=4, load_mean=40.0, other_cpus=40.0)
    assert load.disturbances() == []
    assert replace(load, other_cpus=61.0).disturbances()


def test_samples_are_not_taken_more_often_than_asked(tmp_path, clock):
    watch = LoadMonitor(tmp_path)
    for at in (101.0, 104.9, 105.0, 106.0, 111.0):
        clock["at"] = at
        watch.sample()
    clock["at"] = 111.5
    assert watch.load().n_samples == 4


def test_where_nothing_is_told_nothing_is_known(tmp_path):
    load = LoadMonitor(tmp_path / "nowhere").load(3)
    assert (load.other_cpus, load.mhz_lowest, load.available_gib, load.cpu_waiting) == (None,) * 4
    assert load.disturbances() == []
    write(tmp_path, "proc/stat", "cpu nonsense\n")
    write(tmp_path, "proc/loadavg", "n/a\n")
    assert LoadMonitor(tmp_path).load().other_cpus is None
    assert own_gib(tmp_path) == 0.0


def test_memory_of_a_container_counts_where_it_is_less(tmp_path):
    write(tmp_path, "proc/meminfo", f"MemAvailable: {8 * 2**20} kB\n")
    assert available_gib(tmp_path) == 8.0
    write(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    write(tmp_path, "sys/fs/cgroup/memory.current", f"{2**30}\n")
    assert available_gib(tmp_path) == 8.0
    write(tmp_path, "sys/fs/cgroup/memory.max", f"{3 * 2**30}\n")
    assert available_gib(tmp_path) == 2.0


def test_a_quota_that_held_the_process_back_is_told(tmp_path, clock):
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 1000000\n")
    watch = LoadMonitor(tmp_path)
    clock["at"] = 110.0
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "usage_usec 5\nthrottled_usec 3000000\n")
    load = watch.load()
    assert load.quota_waiting == 0.2
    assert "the container's CPU quota held it back 20 % of the time" in load.disturbances()


def test_a_record_file_keeps_it_and_old_files_are_read(tmp_path):
    path = tmp_path / "a.jsonl"
    load = Load(seconds=9, n_samples=2, n_utterances=1, load_mean=1.0)
    path.write_bytes(line_of(Header(system="a")) + line_of(End(n_rows=0, load=load)))
    assert read(path).end.load == load
    later = line_of(End(n_rows=0, load=load)).replace(b'"seconds"', b'"from_a_later_version": 1, "seconds"')
    path.write_bytes(line_of(Header(system="a")) + later)
    assert read(path).end.load == load
    path.write_bytes(line_of(Header(system="a")) + line_of(End(n_rows=0)))
    assert b"load" not in path.read_bytes()
    assert read(path).end == End(n_rows=0, load=load)  # no part of equality
    assert read(path).end.load is None
