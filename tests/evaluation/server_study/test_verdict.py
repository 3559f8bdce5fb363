"""Verdict of a soak: what has to be found in what was seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.server_study.job_book import JobsLeft
from evaluation.server_study.operations import Done
from evaluation.server_study.process import Footprint
from evaluation.server_study.sampling import Sample, memory_change
from evaluation.server_study.verdict import Evidence, checks


def evidence(*, sizes=(100,) * 40, seconds=400.0, after=10, log=None, exit_code=None):
    samples = [
        Sample(
            at_s=seconds * place / (len(sizes) - 1), footprint=Footprint(size, size, 8, 10, 0.0),
            pool_available=4, probe_status=200, probe_s=0.02,
        )
        for place, size in enumerate(sizes)
    ]  # fmt: skip
    return Evidence(
        seconds=seconds, done=[Done("transcribe", "200", True, "", 0.1)], samples=samples, pool_size=4,
        pool_available=4, before=Footprint(1, 1, 8, 10, 0.0), after=Footprint(1, 1, 8, after, 0.0),
        exit_code=exit_code, log=log,
    )  # fmt: skip


def failed(found):
    return [each.what for each in checks(found) if each.is_met is False]


def test_memory_that_grows_is_found():
    assert failed(evidence()) == []
    [what] = failed(evidence(sizes=range(100, 140)))
    assert "memory grew" in what
    assert failed(evidence(sizes=range(100, 140), seconds=60.0)) == []  # too short to judge


def test_memory_that_settles_during_the_warm_up_has_not_grown():
    change = memory_change(evidence(sizes=(50, 60, 80, *(100,) * 37)).samples, 400.0)
    assert (change.growth, round(change.bytes_per_hour)) == (0.0, 0)


def test_descriptors_that_stay_open_are_found():
    [what] = failed(evidence(after=100))
    assert "Descriptors" in what


def test_the_log_is_read(tmp_path):
    log = Path(tmp_path / "log")
    log.write_text("ERROR - a model that cannot be loaded\n")
    assert failed(evidence(log=log, exit_code=0)) == []
    log.write_text(log.read_text() + "ERROR a stream failed\nTraceback (most recent call last):\n")
    assert len(failed(evidence(log=log, exit_code=1))) == 2


def test_threads_that_stay_are_found():
    [what] = failed(replace(evidence(), after=Footprint(1, 1, 100, 10, 0.0)))
    assert "Threads" in what


JOBS = JobsLeft(
    n_accepted=9, n_swept=3, lost=(), stuck=(), unswept=(), n_after=0, n_recordings=0, folder_bytes=100_000
)


@pytest.mark.parametrize("kind", ["lost", "stuck", "unswept"])
def test_jobs_that_are_not_as_promised_are_found(kind):
    assert failed(replace(evidence(), jobs=JOBS)) == []
    [what] = failed(replace(evidence(), jobs=replace(JOBS, **{kind: ("a",)})))
    assert what == "No job was lost, stuck, or kept too long."


@pytest.mark.parametrize("left", [{"n_after": 1}, {"n_recordings": 1}])
def test_what_is_left_in_the_jobs_folder_is_found(left):
    found = evidence()
    samples = [replace(each, jobs_bytes=9_000_000) for each in found.samples]
    bounded = replace(found, samples=samples, jobs=JOBS, jobs_max_bytes=6_000_000)
    assert failed(bounded) == []
    for wrong in (replace(bounded, jobs=replace(JOBS, **left)), replace(bounded, jobs_max_bytes=4_000_000)):
        [what] = failed(wrong)
        assert "kept to its bound" in what
