"""Runs that are killed, with a real SIGKILL, and gone on with: nothing redone, and the same in the end."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.datasets.named import open_dataset
from evaluation.records.files import RecordError, read
from evaluation.run.runner import run
from tests.support.paths import SUPPORT
from tests.support.runner_worker import Counting, demo_system, texts_dataset, written_down

WORKER = SUPPORT / "runner_worker.py"

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")


def worker(*arguments, **options):
    return subprocess.Popen([sys.executable, str(WORKER), *map(str, arguments)], **options)


def without_times(file):
    """Header, records and end of a file, but nothing that a clock measured."""
    timed = {f"{stage}_s": None for stage in ("decode", "features", "encoder", "search", "work")}
    return file.header.identity(), [replace(record, **timed) for record in file.records], file.end


def recorded(path):
    if not path.exists():
        return set()
    return {Path(record.audio).name for record in read(path).records}


def wait_for_records(path, n_records, process):
    """Until a running process has recorded so many; at any moment after that."""
    until = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") <= n_records:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.slow
def test_the_demo_model_killed_at_several_moments(tmp_path):
    path, log = tmp_path / "killed.jsonl", tmp_path / "log"
    n_recorded = []
    for moment in ("dies_in:2", "outside", "dies_after:2", "finish", "none"):
        before = recorded(path)
        n_recorded.append(len(before))
        log.unlink(missing_ok=True)
        with worker("engine", path, log, moment) as process:
            if moment == "outside":
                wait_for_records(path, len(before) + 4, process)
                process.kill()
        assert process.returncode == (0 if moment == "none" else -signal.SIGKILL)
        given = written_down(log)
        assert len(given) == len(set(given))
        assert before.isdisjoint(given), f"{moment}: what was recorded was transcribed again"
    assert n_recorded == sorted(n_recorded)
    assert n_recorded[-1] == 24
    unbroken = tmp_path / "unbroken.jsonl"
    run(demo_system(), open_dataset("demo"), unbroken, window=2, show_progress=False)
    assert without_times(read(path)) == without_times(read(unbroken))


@pytest.mark.slow
def test_killed_within_a_write_and_at_the_end(tmp_path):
    path = tmp_path / "killed.jsonl"
    with worker("moments", path, tmp_path / "log", stdout=subprocess.PIPE) as process:
        told = [json.loads(line) for line in process.stdout]
    assert [each["signal"] for each in told] == [signal.SIGKILL] * 9 + [0]
    before = []
    for each in told:
        assert set(before).isdisjoint(each["given"])
        assert set(before) <= set(each["recorded"])
        before = each["recorded"]
    assert told[-1]["given"] == []  # the one before was killed when all was in place
    unbroken = tmp_path / "unbroken.jsonl"
    run(Counting(), texts_dataset(), unbroken, window=2, show_progress=False)
    assert read(path) == replace(read(unbroken), path=path, header=read(path).header)
    assert not list(tmp_path.glob("*.partial"))


def test_the_lock_of_another_process_holds_until_it_is_killed(tmp_path):
    path = tmp_path / "held.jsonl"
    with worker("hold", path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"holding\n"
        with pytest.raises(RecordError, match="is being written by another run; wait for it"):
            run(Counting(), texts_dataset(), path, show_progress=False)
        process.kill()
    assert run(Counting(), texts_dataset(), path, show_progress=False).n_done == 10
