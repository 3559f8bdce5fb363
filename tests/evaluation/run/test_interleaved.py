"""Systems that take turns: records as alone, rounds, ratios that a drifting machine does not decide."""

import logging
import os
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from evaluation.datasets.utterances import DatasetError, Utterance
from evaluation.records.files import line_of, read
from evaluation.run import interleaved
from evaluation.run.interleaved import Job, run_interleaved
from evaluation.run.runner import run
from evaluation.run.shared import SharedReading
from evaluation.run.turns import RunOptions
from evaluation.scoring.latency import speed_ratio
from evaluation.systems.base import Outcome, SystemUnavailableError
from tests.support.runner_worker import (
    N_UTTERANCES,
    Counting,
    Failing,
    dies_in_write,
    texts_dataset,
    written_down,
)

QUIET = RunOptions(show_progress=False)
N_KEPT = N_UTTERANCES - 1


def named(name, system=None):
    system = system or Counting()
    system.name = name
    return system


def jobs_of(folder, *systems):
    return [Job(system, folder / f"{system.name}.jsonl") for system in systems]


def without_rounds(file):
    return [replace(record, round=None) for record in file.records], file.end


@pytest.mark.slow
def test_records_are_those_of_runs_alone(tmp_path):
    systems = [named("a"), named("b", Counting(batch_size=3)), named("c", Counting(batch_size=1))]
    results = run_interleaved(jobs_of(tmp_path, *systems), texts_dataset(), QUIET)
    for system, result in zip(systems, results, strict=True):
        alone = tmp_path / f"alone_{system.name}.jsonl"
        run(named(system.name, Counting(system.batch_size)), texts_dataset(), alone, show_progress=False)
        assert result.n_done == N_KEPT
        assert without_rounds(read(result.path)) == without_rounds(read(alone))
        assert read(result.path).header.identity() == read(alone).header.identity()


def test_systems_take_turns_and_the_order_turns(tmp_path):
    taken = []

    class Noting(Counting):
        def transcribe(self, audios):
            taken.append((self.name, len(audios)))
            return super().transcribe(audios)

    systems = [named(name, Noting()) for name in "abc"]
    run_interleaved(jobs_of(tmp_path, *systems), texts_dataset(), QUIET)
    order = [name for name, _ in taken]
    assert order[:9] == [*"abc", *"bca", *"cab"]
    assert Counter(order) == dict.fromkeys("abc", N_KEPT // 2)
    files = [read(tmp_path / f"{name}.jsonl") for name in "abc"]
    rounds = [[record.round for record in file.records] for file in files]
    assert rounds[0] == rounds[1] == rounds[2]
    assert len(set(rounds[0])) == N_KEPT // 2
    assert all(file.end.load.n_samples >= 2 for file in files)


@pytest.mark.slow
def test_where_a_server_takes_part_its_work_is_not_taken_for_that_of_others(tmp_path):
    server = named("b")
    server.info = server.info | {"kind": "server"}
    run_interleaved(jobs_of(tmp_path, named("a"), server), texts_dataset(), QUIET)
    assert [read(tmp_path / f"{name}.jsonl").end.load.other_cpus for name in "ab"] == [None, None]


@pytest.mark.slow
def test_a_system_alone_has_no_rounds(tmp_path):
    [result] = run_interleaved(jobs_of(tmp_path, named("a")), texts_dataset(), QUIET)
    assert {record.round for record in read(result.path).records} == {None}
    run_interleaved(jobs_of(tmp_path, named("a"), named("b")), texts_dataset(), QUIET)  # a is finished
    assert {record.round for record in read(tmp_path / "b.jsonl").records} == {None}


@pytest.mark.slow
@pytest.mark.parametrize(("n_a", "n_b"), [(0, 4), (3, 6), (N_KEPT, 1)])
def test_a_run_goes_on_and_what_only_one_had_done_shares_no_round(tmp_path, n_a, n_b):
    whole = {}
    run_interleaved(jobs_of(tmp_path, named("a"), named("b")), texts_dataset(), QUIET)
    for name, n_records in (("a", n_a), ("b", n_b)):
        file = whole[name] = read(tmp_path / f"{name}.jsonl")
        kept = [replace(record, round=f"{name} before") for record in file.records[:n_records]]
        file.path.write_bytes(b"".join(map(line_of, [file.header, *kept])))
    systems = [named("a"), named("b")]
    results = run_interleaved(jobs_of(tmp_path, *systems), texts_dataset(), QUIET)
    assert [result.n_done for result in results] == [N_KEPT - n_a, N_KEPT - n_b]
    a, b = (read(tmp_path / f"{name}.jsonl") for name in "ab")
    assert without_rounds(a) == without_rounds(whole["a"])
    together = sum(one.round == other.round for one, other in zip(a.records, b.records, strict=True))
    assert together <= N_KEPT - max(n_a, n_b)
    assert together >= N_KEPT - max(n_a, n_b) - 1  # a batch may straddle what was done


@pytest.mark.slow
def test_one_that_fails_does_not_take_the_others_along(tmp_path):
    systems = [named("a"), named("b", Failing(gone_after=2)), named("c")]
    first, gone, third = run_interleaved(jobs_of(tmp_path, *systems), texts_dataset(), QUIET)
    assert (first.n_done, third.n_done) == (N_KEPT, N_KEPT)
    assert isinstance(gone, SystemUnavailableError)
    assert len(read(tmp_path / "b.jsonl").records) == 4


@pytest.mark.slow
def test_all_are_told_that_reading_broke_off(tmp_path):
    jobs = jobs_of(tmp_path, named("a"), named("b"))
    outcomes = run_interleaved(jobs, texts_dataset(breaks_at=7), QUIET)
    assert [str(outcome) for outcome in outcomes] == ["broke off at 7"] * 2
    assert all(isinstance(outcome, DatasetError) for outcome in outcomes)
    assert [result.n_skipped for result in run_interleaved(jobs, texts_dataset(), QUIET)] == [6, 6]


def test_locks_are_taken_before_any_work_and_freed_after_an_interruption(tmp_path):
    stops = named("b", Failing(gone_after=1, error=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_interleaved(jobs_of(tmp_path, named("a"), stops), texts_dataset(), QUIET)
    results = run_interleaved(jobs_of(tmp_path, named("a"), named("b")), texts_dataset(), QUIET)
    assert [result.n_utterances for result in results] == [N_KEPT, N_KEPT]
    assert all(result.n_skipped >= 2 for result in results)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_within_a_write_and_gone_on_with(tmp_path):
    """Each child dies in a write of some batch of either system; nothing recorded is done again."""
    log = tmp_path / "log"
    jobs = jobs_of(tmp_path, *(named(name, Counting(log=log)) for name in "ab"))
    given = []
    for number, share in ((1, 0.3), (2, 1.0), (3, 0.0), (4, 0.9), (None, 0)):
        child = os.fork()
        if child == 0:
            if number is not None:
                dies_in_write(number, share)
            run_interleaved(jobs, texts_dataset(), QUIET)
            os._exit(0)
        os.waitpid(child, 0)
        given.append(len(written_down(log)))
    assert given == sorted(given)
    for job in jobs:
        alone = tmp_path / "alone.jsonl"
        run(named(job.system.name), texts_dataset(), alone, show_progress=False, fresh=True)
        assert without_rounds(read(job.path)) == without_rounds(read(alone))
    # a batch that a kill took from the file is done again, and no other
    assert len(written_down(log)) <= 2 * N_KEPT + 4 * 2


@pytest.mark.slow
def test_what_does_not_fit_in_memory_runs_afterwards_and_shares_no_round(tmp_path, monkeypatch, caplog):
    taken = iter([10.0, 13.0, *[13.0] * 50])  # before and after the first turn: it takes 3 GiB
    monkeypatch.setattr(interleaved, "own_gib", lambda: next(taken))
    monkeypatch.setattr(interleaved, "available_gib", lambda: 6.9)  # of 7 that may be needed
    with caplog.at_level(logging.WARNING):
        results = run_interleaved(jobs_of(tmp_path, named("a"), named("b")), texts_dataset(), QUIET)
    assert [result.n_done for result in results] == [N_KEPT, N_KEPT]
    assert "b does not take turns with the systems before it, but runs after them: 6.9 GiB" in caplog.text
    a, b = (read(tmp_path / f"{name}.jsonl") for name in "ab")
    assert {record.round for record in b.records} == {None}
    assert speed_ratio(a.records, b.records).n_rounds == 0


def test_a_shared_reading_reads_once_and_keeps_nothing_for_who_has_ended():
    read_so_far = []

    class Noted:
        name = revision = description = "d"
        drawing, n_expected, n_rows, findings = {}, None, 0, ()

        def __iter__(self):
            for number in range(5):
                read_so_far.append(number)
                yield Utterance(str(number), b"", "да")

    shared = SharedReading(Noted(), 3)
    first, second, third = shared.readers
    third.close()
    ones = iter(first)
    assert [next(ones).id for _ in range(3)] == ["0", "1", "2"]
    assert [each.id for each in second] == list("01234")
    assert [each.id for each in ones] == ["3", "4"]
    assert read_so_far == [0, 1, 2, 3, 4]
    assert list(third) == []


class Machine:
    """A machine whose speed drifts: the clock that systems and rounds see."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        steps = rng.normal(0, 0.25, 4000).cumsum()  # every 5 s another slowdown, near the last one
        self.slowdowns = np.exp(np.clip(steps, -1, 1))
        self.now = 0.0

    def monotonic(self):
        return self.now

    def work(self, seconds):
        took = seconds * self.slowdowns[int(self.now / 5) % len(self.slowdowns)]
        self.now += took
        return took


class OnMachine:
    batch_size, info = 1, {"kind": "simulated", "batch_size": 1}

    def __init__(self, name, machine, factor, seed):
        self.name, self.machine, self.factor = name, machine, factor
        self.rng = np.random.default_rng(seed)

    def transcribe(self, audios):
        own = self.factor * self.rng.lognormal(0, 0.1)
        return [Outcome(hypothesis="да", audio_s=3.0, work_s=self.machine.work(0.2 * own)) for _ in audios]


def simulated(folder, seed, monkeypatch, *, in_turns, factor=1.0):
    machine = Machine(seed)
    systems = [OnMachine("a", machine, 1.0, 2 * seed), OnMachine("b", machine, factor, 2 * seed + 1)]
    jobs = [Job(system, folder / f"{seed}_{in_turns}_{system.name}.jsonl") for system in systems]
    with monkeypatch.context() as patched:
        patched.setattr("evaluation.run.interleaved.time.monotonic", machine.monotonic)
        patched.setattr(interleaved, "_rest", lambda: None)
        for group in [jobs] if in_turns else [[job] for job in jobs]:
            run_interleaved(group, texts_dataset(150), QUIET)
    a, b = (read(job.path) for job in jobs)
    return speed_ratio(a.records, b.records)


@pytest.mark.slow
def test_turns_keep_a_drifting_machine_from_deciding(tmp_path, monkeypatch):
    """The 95 % interval of equal systems holds 1 of nearly all pairs; without turns, seldom."""
    found = {
        in_turns: [simulated(tmp_path, seed, monkeypatch, in_turns=in_turns) for seed in range(6)]
        for in_turns in (True, False)
    }
    holds = {way: sum(one.low <= 1 <= one.high for one in ratios) for way, ratios in found.items()}
    assert holds[True] >= 5
    assert holds[False] <= 3
    spread = {way: np.std(np.log([one.ratio for one in ratios])) for way, ratios in found.items()}
    assert spread[False] > 5 * spread[True]
    assert all(one.n_rounds >= 20 for one in found[True])


@pytest.mark.slow
def test_turns_find_a_difference_that_is_there(tmp_path, monkeypatch):
    one = simulated(tmp_path, 1, monkeypatch, in_turns=True, factor=1.3)
    assert one.low < 1.3 < one.high
    assert one.low > 1.1


@pytest.mark.slow
def test_rounds_follow_the_pace(tmp_path, monkeypatch):
    machine = Machine(3)
    machine.slowdowns[:] = 1
    jobs = jobs_of(tmp_path, *(OnMachine(name, machine, 1.0, 0) for name in "ab"))
    monkeypatch.setattr("evaluation.run.interleaved.time.monotonic", machine.monotonic)
    monkeypatch.setattr(interleaved, "_N_ROUNDS", 1)  # as of a large set
    monkeypatch.setattr(interleaved, "_rest", lambda: None)
    run_interleaved(jobs, texts_dataset(300), QUIET)
    sizes = [*Counter(record.round for record in read(jobs[0].path).records).values()]
    assert all(n <= 2 * before for before, n in pairwise(sizes))
    assert 20 <= max(sizes[:-1]) <= 30  # 0.2 s each, so about 25 in the 5 s of a turn
