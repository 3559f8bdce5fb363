"""Measurement of speed, memory and start-up as a whole, in the order in which it goes."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from evaluation.speed_study.clips import Clips
from evaluation.speed_study.contestants import our_contestants, peer_contestants
from evaluation.speed_study.limit import BLAS_VARIABLES, LimitSection
from evaluation.speed_study.memory import MemorySection
from evaluation.speed_study.process import Worker, WorkerError
from evaluation.speed_study.results import Entry, Found, Plan, SectionName
from evaluation.speed_study.rounds import Step
from evaluation.speed_study.sections import BatchSection, EncoderSection, Party, Section, StageSection, files
from evaluation.systems.timed import Conditions, Contestant
from gigastt_lab.models.files import ModelFiles
from gigastt_lab.models.registry import canonical_name, model_directory
from gigastt_lab.runtime.cores import default_threads

TRIAL_S: Final = 2.0
"""Seconds of the clip that shows whether a contestant works at all."""
STAGE_S: Final = 16.0
"""Seconds of the clip whose stages are measured, and that several threads transcribe at once."""


def measure(plan: Plan, *, show_progress: bool = False) -> Found:
    """Measure all of it; each process that this starts has ended when it returns.

    Raises:
        ModelError: there is no such model, or its directory lacks files (`ModelNotFoundError`).
    """
    name = canonical_name(plan.model)
    directory = model_directory(name, plan.directory).absolute()
    counted = ModelFiles.find(directory, "auto", preferred="fp32").encoder
    threads = plan.threads or default_threads()
    before = _load_average()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        conditions = Conditions(
            model=name,
            directory=directory,
            threads=threads,
            folder=Path(folder),
            also=plan.also,
            gigastt_preload=plan.gigastt_preload,
        )
        contestants = our_contestants(conditions)
        if plan.with_peers:
            contestants += peer_contestants(conditions)
        run = _Run(plan, Path(folder), stack)
        with tqdm(
            desc="speed", unit="turn", dynamic_ncols=True, disable=None if show_progress else True
        ) as bar:
            run.load(contestants)
            run.plan_limit(counted, threads)
            run.plan_sections()
            bar.total = run.n_steps
            bar.refresh()
            run.measure(bar.update)
        return Found(
            plan=plan,
            threads=threads,
            entries=run.entries,
            load_average=(before, _load_average()),
            **run.results(),
        )


class _Run:
    """One measurement while it goes on.

    Attributes:
        entries: Contestants, those that cannot take part among them.
    """

    def __init__(self, plan: Plan, folder: Path, stack: ExitStack) -> None:
        self.entries: list[Entry] = []
        self._plan = plan
        self._folder = folder
        self._stack = stack  # ends the processes
        self._clips = Clips(folder)
        self._parties: list[Party] = []
        self._sections: dict[SectionName, Section] = {}
        self._memory: MemorySection | None = None
        self._limit: LimitSection | None = None
        self._limit_error: str | None = None
        self._n_workers = 0

    @property
    def n_steps(self) -> int:
        """Turns and processes to come."""
        in_rounds = sum(section.n_steps for section in self._sections.values())
        return in_rounds + (self._memory.n_steps if self._memory else 0)

    def load(self, contestants: Sequence[Contestant]) -> None:
        """Start whoever can be started, and try it; the entries say who cannot take part, and why."""
        trial = self._clips.of(TRIAL_S)
        for contestant in contestants:
            version, error = "", contestant.missing
            if error is None:
                worker = self._worker(contestant.spec, contestant.environment)
                try:
                    version = worker.ask("load")["version"]
                    worker.ask("transcribe", path=str(trial.path))
                except WorkerError as failure:
                    error = str(failure)
                    worker.close()
                else:
                    self._parties.append(Party(contestant, worker))
            self.entries.append(Entry(contestant, version, error))

    def plan_limit(self, encoder: Path, threads: int) -> None:
        """Count what the encoder computes, if the limit is asked for."""
        if "limit" not in self._plan.sections:
            return
        environment = dict.fromkeys(BLAS_VARIABLES, str(threads))
        worker = self._worker({"kind": "gemm", "threads": threads}, environment)
        self._limit = LimitSection(worker, encoder, self._of(self._plan.lengths_s))
        try:
            worker.ask("load")
            self._limit.prepare()
        except WorkerError as error:
            self._limit_error = str(error)

    def plan_sections(self) -> None:
        """Make the turns of all sections that are asked for."""
        plan, parties, mixed = self._plan, self._parties, self._clips.mixed()
        clips, whole = self._of(plan.lengths_s), self._clips.of(STAGE_S)
        makers: dict[SectionName, Callable[[], Section]] = {
            "end-to-end": lambda: files(parties, clips, plan.n_rounds),
            "batch": lambda: BatchSection(parties, mixed, plan.batch_sizes, plan.n_fewer_rounds),
            "encoder": lambda: EncoderSection(self._pairs(), self._of(plan.encoder_s), plan.n_rounds),
            "stages": lambda: StageSection(parties, whole, mixed, plan.n_rounds),
            "growth": lambda: files(parties, self._of(plan.growth_s), plan.n_fewer_rounds),
        }
        self._sections = {name: make() for name, make in makers.items() if name in plan.sections}
        if self._limit is not None:
            # The machine's rate is measured in the same rounds as those whose limit it is.
            section = self._sections.setdefault("end-to-end", Section(plan.n_rounds))
            section.groups = section.groups or [[] for _ in clips]
            for place, clip in enumerate(clips):
                if clip in self._limit.turns:
                    section.groups[place].append(self._limit.turns[clip])
        if "memory" in plan.sections:
            contestants = [party.contestant for party in parties]
            self._memory = MemorySection(contestants, clips, whole, self._folder)

    def measure(self, step: Step) -> None:
        """Take all turns; then, with nothing else loaded any more, start the fresh processes."""
        for section in self._sections.values():
            section.run(step)
        self._stack.close()
        if self._memory is not None:
            self._memory.run(step)

    def results(self) -> dict[str, Any]:
        """The fields of `Found`."""
        found: dict[str, Any] = {
            name.replace("-", "_"): section.timings() for name, section in self._sections.items()
        }
        if self._memory is not None:
            found["starts"] = self._memory.starts
        if self._limit is not None:
            found["limits"] = self._limit.limits()
            found["limit_error"] = self._limit_error or self._limit.error
        return found

    def _of(self, lengths_s: Sequence[float]) -> list[Any]:
        return [self._clips.of(length) for length in lengths_s]

    def _pairs(self) -> list[tuple[Party, Worker]]:
        """Engines on the CPU, each with a process for its graph alone."""
        return [
            (party, self._worker({**party.contestant.spec, "kind": "session"}))
            for party in self._parties
            if party.contestant.is_ours and party.contestant.provider == "cpu"
        ]

    def _worker(self, spec: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Worker:
        self._n_workers += 1
        log = self._folder / f"{self._n_workers}.log"
        return self._stack.enter_context(Worker(spec, log, environment))


def _load_average() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
