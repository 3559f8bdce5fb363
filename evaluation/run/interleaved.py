"""Several systems over one dataset in turns, so that whatever else the machine does falls on all of them.

**Rounds.** In a round every system takes the same utterances, one system after the other; the order is turned
by one from round to round. A round lasts about `TURN_S` seconds for each system, and is no more than a
twentieth of the set, so that there are twenty where the batches allow that. Records name their round. Systems
with other batch sizes than each other change turns where all have finished a window.

**Memory.** All systems of a group are loaded at once. A further one is loaded only where twice the most that
one of them took so far is available, and `SPARE_GIB` beside; what does not fit runs in a group of its own
later, and no times are compared across groups. Where the system does not tell its memory, all are one group.

**Going on.** A run that was killed goes on as always, and nothing that is recorded is done again. What one
system had done and another had not stands in different rounds then.
"""

from __future__ import annotations

import gc
import logging
import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evaluation.datasets.utterances import Utterances
from evaluation.run.monitor import available_gib, own_gib
from evaluation.run.results import RunResult
from evaluation.run.runner import stepwise
from evaluation.run.shared import Reader, SharedReading
from evaluation.run.turns import RunOptions, Step, Turns
from evaluation.systems.base import System
from evaluation.systems.registry import SystemSpec
from gigastt_lab.errors import GigasttError

logger = logging.getLogger(__name__)

TURN_S: Final = 5.0
SPARE_GIB: Final = 1.0
_N_ROUNDS: Final = 20  # at least, of a set whose size is known
_REST_S, _LONGEST_REST_S = 0.005, 1.0


@dataclass(frozen=True)
class Job:
    """A system to be run, and its record file."""

    system: System | SystemSpec
    path: Path


def run_interleaved(
    jobs: Sequence[Job], dataset: Utterances, options: RunOptions
) -> list[RunResult | GigasttError]:
    """Record what each system makes of a dataset, in turns; see above.

    Args:
        jobs: Systems and their record files, which are as after `runner.run` of each.
        dataset: Dataset, read once for all systems of a group.
        options: Options of each run.

    Returns:
        Result of each system; the error of one that failed, which does not end the others.
    """
    results: dict[Path, RunResult | GigasttError] = {}
    waiting = list(jobs)
    while waiting:
        with _Group(waiting, dataset, options) as group:
            waiting = group.go()
            results |= group.results
        gc.collect()  # systems of one group leave before those of the next come
    return [results[job.path] for job in jobs]


class _Member:
    """A run of the group: the generator of its steps, and how far it is."""

    def __init__(self, job: Job, reader: Reader, options: RunOptions, turns: Turns) -> None:
        self.job = job
        self.result: RunResult | GigasttError | None = None
        self.at = Step()
        self.is_loaded = False
        self._reader = reader
        self._steps = stepwise(job.system, reader, job.path, options, turns)

    def step(self) -> None:
        """One step; at the end, or where it fails, there is a result."""
        try:
            self.at = next(self._steps)
        except StopIteration as end:
            self.result = end.value
        except GigasttError as error:
            self.result = error
        if self.result is not None:
            self.close()

    def close(self) -> None:
        self._steps.close()
        self._reader.close()


class _Group:
    """Systems that are loaded at once. A context manager: all of its runs are closed at the end."""

    def __init__(self, jobs: Sequence[Job], dataset: Utterances, options: RunOptions) -> None:
        self._turns = Turns()
        self._reading = SharedReading(dataset, len(jobs))
        self._members = [
            _Member(job, reader, options, self._turns)
            for job, reader in zip(jobs, self._reading.readers, strict=True)
        ]
        self._size = _Size(dataset.n_expected)
        self._most_gib = 0.0  # that a system took
        self._left: list[_Member] = []

    @property
    def results(self) -> dict[Path, RunResult | GigasttError]:
        """Results by record file."""
        return {member.job.path: member.result for member in self._members if member.result is not None}

    def __enter__(self) -> _Group:
        return self

    def __exit__(self, *exception: object) -> None:
        with ExitStack() as stack:
            stack.callback(self._reading.close)
            for member in self._members:
                stack.callback(member.close)

    def go(self) -> list[Job]:
        """Take turns until all are done; returns the jobs that were left for want of memory."""
        for member in self._members:
            member.step()  # its file is open and fits, or it has a result: no work is done for nothing
        session = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        number, target = 0, 1
        while active := self._active():
            shared = len(active) > 1
            self._turns.round = f"{session}/{number}" if shared else None
            started = time.monotonic()
            first = number % len(active)
            for member in (*active[first:], *active[:first]):
                if self._fits(member):
                    self._take_turn(member, target if shared else math.inf)
            turn_s = (time.monotonic() - started) / len(active)
            target = self._size.next(target, [member.at for member in self._active()], turn_s)
            number += 1
        return [member.job for member in self._left]

    def _active(self) -> list[_Member]:
        return [member for member in self._members if member.result is None and member not in self._left]

    def _take_turn(self, member: _Member, target: float) -> None:
        """Steps of a system until `target` utterances are recorded."""
        before_gib, is_first, n_new = own_gib(), not member.is_loaded, 0
        member.is_loaded = True
        while member.result is None and member.at.n_passed < target:
            member.step()
            n_new += member.at.n_new
        if is_first:
            self._most_gib = max(self._most_gib, own_gib() - before_gib)
        if n_new:
            _rest()

    def _fits(self, member: _Member) -> bool:
        """True if there is memory for this system beside those that are loaded; else it is left for later."""
        free, needed = available_gib(), 2 * self._most_gib + SPARE_GIB
        is_only = not any(each.is_loaded for each in self._active())
        if member.is_loaded or is_only or free is None or free >= needed:
            return True
        logger.warning(
            "%s does not take turns with the systems before it, but runs after them: %.1f GiB of memory are "
            "available, and it may take %.1f. Its speed will not be compared with theirs",
            member.job.system.name, free, needed,
        )  # fmt: skip
        member.close()
        self._left.append(member)
        return False


class _Size:
    """Number of utterances in a round, from what the one before took."""

    def __init__(self, n_expected: int | None) -> None:
        self._most = math.inf if n_expected is None else max(1, n_expected // _N_ROUNDS)
        self._n = 1

    def next(self, target: int, places: Sequence[Step], turn_s: float) -> int:
        """The next `target`: all systems can stop there, whatever their batches.

        >>> eight, one = Step(8, 8, batch_size=8, window_size=128), Step(1, 1, batch_size=1, window_size=1)
        >>> _Size(None).next(1, [eight, eight], 1.0), _Size(None).next(1, [eight, one], 1.0)
        (16, 128)
        """
        batch_sizes = {place.batch_size for place in places}
        grain = max(batch_sizes, default=1)
        if len(batch_sizes) > 1:
            grain = max(place.window_size for place in places)
        self._n = int(min(self._n * TURN_S / max(turn_s, 1e-6), 2 * self._n, self._most))
        self._n = max(1, self._n // grain) * grain
        at = max((target, *(place.n_passed for place in places)))
        return at // grain * grain + self._n


def _rest() -> None:
    """Wait until no thread of this process works any more: it would slow whoever has the next turn."""
    give_up_at = time.monotonic() + _LONGEST_REST_S
    while time.monotonic() < give_up_at:
        worked = time.process_time()
        time.sleep(_REST_S)
        if time.process_time() - worked < _REST_S / 5:
            break
