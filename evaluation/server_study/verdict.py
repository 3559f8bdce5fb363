"""Verdict of a soak: one check after the other, each with what was found."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.server_study.job_book import JobsLeft
from evaluation.server_study.operations import Done
from evaluation.server_study.process import Footprint
from evaluation.server_study.sampling import MOST_GROWTH, Sample, memory_change
from evaluation.show.display import counted, decimal

_SHORTEST_S: Final = 300.0  # of a soak whose memory can be judged: allocators take minutes to have it all
_MORE_DESCRIPTORS: Final = 16  # than before: kept connections, a log, a temporary file
# Threads of asyncio's pool, which starts them when they are needed. Source: `ThreadPoolExecutor`.
_POOL_THREADS: Final = min(32, (os.cpu_count() or 1) + 4)
_DATABASE_BYTES: Final = 4 * 2**20  # SQLite's files, beyond the jobs
_TRACEBACK: Final = re.compile(rb"^Traceback|never retrieved", re.MULTILINE)
_N_SHOWN: Final = 10


@dataclass(frozen=True)
class Check:
    """One thing that has to be so.

    Attributes:
        what: Requirement, as a sentence.
        is_met: True if it is so; None where it could not be looked at.
        found: What was seen.
        details: What was wrong, a line each.
    """

    what: str
    is_met: bool | None
    found: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evidence of a soak: what it has seen.

    Attributes:
        seconds: Seconds that it lasted.
        done: Every operation.
        samples: Samples of the server, oldest first.
        pool_size: Permits that the server has.
        pool_available: Permits that were free when all was over, after some time.
        before, after: Footprints of its process before the soak and after it, nobody being connected.
        exit_code: Exit code of its process, which was told to end; None where force was needed, or it was not
            ours.
        log: File of what it wrote; None where that is not ours.
        jobs: Jobs when all was over; None where the server has none.
        jobs_max_bytes: Bytes that all jobs together may take.
    """

    seconds: float
    done: Sequence[Done]
    samples: Sequence[Sample]
    pool_size: int | None
    pool_available: int | None
    before: Footprint | None
    after: Footprint | None
    exit_code: int | None
    log: Path | None
    jobs: JobsLeft | None = None
    jobs_max_bytes: int = 0


def checks(found: Evidence) -> list[Check]:
    """All checks of a soak."""
    always = (_pool, _answers, _hangs, _memory, _descriptors, _threads)
    jobs = () if found.jobs is None else (_jobs(found.jobs), _folder(found, found.jobs))
    return [*(check(found) for check in always), *jobs, *_process(found)]


def _pool(found: Evidence) -> Check:
    told = f"{found.pool_available} of {found.pool_size} free"
    is_met = found.pool_size is not None and found.pool_available == found.pool_size
    return Check("Every permit was given back.", is_met, told)


def _answers(found: Evidence) -> Check:
    wrong = [each for each in found.done if not each.is_allowed and each.outcome != "hang"]
    probes = Counter(each.probe_status for each in found.samples if each.probe_status not in {200, 503})
    told = f"{counted(len(wrong), 'wrong one')} of {counted(len(found.done), 'operation')}"
    if probes:
        told += f", probes answered with {dict(probes)} (0: not at all)"
    return Check("Every answer was one that is allowed.", not wrong and not probes, told, _first(wrong))


def _hangs(found: Evidence) -> Check:
    late = [each for each in found.done if each.outcome == "hang"]
    longest_s = max((each.took_s for each in found.done), default=0.0)
    told = f"{counted(len(late), 'hang')}, the longest operation took {decimal(longest_s, 1)} s"
    return Check("Nothing hung.", not late, told, _first(late))


def _memory(found: Evidence) -> Check:
    what = f"After the first tenth of the time, memory grew by {MOST_GROWTH:.0%} at most."
    change = memory_change(found.samples, found.seconds)
    if change is None:
        return Check(what, None, "not known: no process of this machine, or too few samples")
    before, after = (decimal(value / 1e6, 1) for value in (change.before_bytes, change.after_bytes))
    slope = decimal(change.bytes_per_hour / 1e6, 1, sign=True)
    told = f"{decimal(100 * change.growth, 1, sign=True)} %, {before} to {after} MB, {slope} MB an hour"
    if found.seconds < _SHORTEST_S:
        return Check(what, None, f"{told}; too short a time to judge")
    return Check(what, change.growth <= MOST_GROWTH, told)


def _descriptors(found: Evidence) -> Check:
    what = "Descriptors were closed."
    if found.before is None or found.after is None:
        return Check(what, None, "not known")
    told = f"{found.before.n_descriptors} open before, {found.after.n_descriptors} after"
    return Check(what, found.after.n_descriptors <= found.before.n_descriptors + _MORE_DESCRIPTORS, told)


def _threads(found: Evidence) -> Check:
    what = "Threads ended, those that decode live streams among them."
    if found.before is None or found.after is None:
        return Check(what, None, "not known")
    before, after = found.before.n_threads, found.after.n_threads
    told = f"{before} before, {after} after"
    return Check(what, after <= before + _POOL_THREADS + (found.pool_size or 0), told)


def _jobs(found: JobsLeft) -> Check:
    told = f"{counted(found.n_accepted, 'job')}, {found.n_swept} of them swept, {len(found.lost)} lost, "
    told += f"{len(found.stuck)} stuck, {len(found.unswept)} kept too long"
    details = [
        *(f"lost: {job_id}" for job_id in found.lost),
        *(f"stuck: {job_id}" for job_id in found.stuck),
        *(f"kept too long: {job_id}" for job_id in found.unswept),
    ]
    return Check("No job was lost, stuck, or kept too long.", not details, told, tuple(details[:_N_SHOWN]))


def _folder(found: Evidence, jobs: JobsLeft) -> Check:
    what = "The jobs' folder kept to its bound, and was empty when all were deleted."
    sizes = [each.jobs_bytes for each in found.samples if each.jobs_bytes is not None]
    if jobs.folder_bytes is None or not sizes:
        return Check(what, jobs.n_after == 0 or None, f"{counted(jobs.n_after, 'job')} left")
    most, bound, after = (
        decimal(size / 1e6, 1) for size in (max(sizes), found.jobs_max_bytes, jobs.folder_bytes)
    )
    told = f"at most {most} MB of {bound} MB, {after} MB after, with {jobs.n_recordings} recordings and "
    told += f"{jobs.n_after} jobs"
    is_bounded = max(sizes) <= found.jobs_max_bytes + _DATABASE_BYTES
    return Check(what, is_bounded and not jobs.n_recordings and not jobs.n_after, told)


def _process(found: Evidence) -> list[Check]:
    """Checks of what only the parent of a process knows."""
    if found.log is None:
        return []
    said = found.log.read_bytes()
    n_tracebacks = len(_TRACEBACK.findall(said))
    ended = "by force" if found.exit_code is None else f"exit code {found.exit_code}"
    told = f"{counted(n_tracebacks, 'traceback')} in {found.log}"
    return [
        Check("The log holds no traceback.", not n_tracebacks, told),
        Check("When it was told to end, it ended in good order.", found.exit_code == 0, ended),
    ]


def _first(done: Sequence[Done]) -> tuple[str, ...]:
    """Details of the first ones, those of a kind together."""
    kinds = Counter(f"{each.operation}: {each.detail}" for each in done).most_common()
    return (*(f"{n} x {kind}" for kind, n in kinds[:_N_SHOWN]), *["..."] * (len(kinds) > _N_SHOWN))
