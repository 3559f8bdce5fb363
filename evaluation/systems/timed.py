"""Contestants of `speed_study`: systems that are timed, their files, and the operations of their processes.

Cheap to import: this runs in the processes whose memory is measured.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gigastt_lab.models.files import ENCODER_NAMES, PREFIX, Precision

if TYPE_CHECKING:
    from gigastt_lab.engine import Engine

FP32_ENCODER, INT8_ENCODER = (ENCODER_NAMES[precision][0] for precision in ("fp32", "int8"))
PREDICTOR: Final = f"{PREFIX}_decoder.onnx"
JOINER: Final = f"{PREFIX}_joint.onnx"
"""Names of a model's graphs, for directories of links to them under other names; see `linked`."""

Operations = dict[str, Callable[..., dict[str, Any]]]
"""Operations of a contestant's process: functions by name, each giving what JSON holds."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class Also:
    """Another directory for the engine: the same model by another recipe, say.

    Attributes:
        label: Name in tables and plots, after "ours".
        directory: Directory of the model.
        precision: Precision of the encoder.
    """

    label: str
    directory: Path
    precision: Precision = "int8"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Conditions of a measurement, which are the same for all systems.

    Attributes:
        model: Full name of the model.
        directory: Directory of the model.
        threads: Threads inside one operator.
        folder: Directory, perhaps not there yet, for directories of links as the system wants them.
        also: More directories for the engine.
        gigastt_preload: Library to preload for gigastt's wheel; None: the environment may name one.
    """

    model: str
    directory: Path
    threads: int
    folder: Path
    also: Sequence[Also] = ()
    gigastt_preload: str | None = None


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """System that takes part in a measurement, over its own directory.

    Attributes:
        label: Name in tables and plots.
        kind: Name of its `SystemKind`.
        directory: Directory with the model's files as this system wants them.
        precision: Precision of the encoder.
        threads: Threads inside one operator, where it can be told; else the cores that it may use.
        model: Name of the model; for the engine.
        provider: Execution provider; for the engine.
        environment: Environment variables that its process gets beside those of this one.
        note: Peculiarities, for people.
        takes_batches: True if it takes several utterances at once.
        missing: Reason why it cannot even be started; None of one that can.
    """

    label: str
    kind: str
    directory: Path
    precision: Precision
    threads: int
    model: str = "demo"
    provider: str = "cpu"
    environment: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    takes_batches: bool = False
    missing: str | None = None

    @property
    def is_ours(self) -> bool:
        """True if it is this package's engine."""
        return self.kind == "engine"

    @property
    def spec(self) -> dict[str, Any]:
        """Description for its process, which `SystemKind.timed` gets there."""
        return {
            "kind": self.kind,
            "model": self.model,
            "directory": str(self.directory),
            "precision": self.precision,
            "provider": self.provider,
            "threads": self.threads,
        }


@dataclass(frozen=True)
class Timed:
    """A system that was loaded to be timed.

    Attributes:
        operations: Operations that it can be asked for; see `transcribing`.
        version: Version of its package.
        engine: This package's engine, whose parts are timed, too; None of any other system.
    """

    operations: Operations
    version: str
    engine: Engine | None = None


def timed(work: Callable[[], Result]) -> tuple[Result, dict[str, float]]:
    """A result, and "wall_s" and "cpu_s": seconds that passed, and that this process's threads worked."""
    worked, started = time.process_time(), time.perf_counter()
    result = work()
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - worked
    return result, {"wall_s": wall_s, "cpu_s": cpu_s}


def transcribing(one: Callable[[str], str], many: Callable[[list[str]], list[str]] | None) -> Operations:
    """Operations of a system that turns files into text.

    Args:
        one: Function from the path of a file to its text.
        many: The same for several files together; None of one that takes one at a time.
    """

    def transcribe(path: str) -> dict[str, Any]:
        text, took = timed(lambda: one(path))
        return {"text": text, **took}

    operations: Operations = {"transcribe": transcribe}
    if many is not None:
        together = many

        def batch(paths: list[str]) -> dict[str, Any]:
            texts, took = timed(lambda: together(paths))
            return {"texts": list(texts), **took}

        operations["batch"] = batch
    return operations


def linked(source: Path, target: Path, names: Mapping[str, str]) -> Path:
    """A directory of links: new name to old one; files that are not there are left out."""
    target.mkdir(parents=True)
    for new, old in names.items():
        path = (source / old).resolve()
        if path.is_file():
            (target / new).symlink_to(path)
    return target


def restrict_to(n_cores: int) -> None:
    """Leave this process so many of the cores that it may use: for those who take no number of threads.

    With hardware threads, the first of each core is left. Where all cores are asked for, nothing changes.
    """
    if not hasattr(os, "sched_getaffinity"):
        return
    siblings: dict[str, int] = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            siblings.setdefault(topology.read_text(), cpu)
        except OSError:
            siblings[str(cpu)] = cpu
    if n_cores < len(siblings):
        os.sched_setaffinity(0, list(siblings.values())[:n_cores])


def package_version(distribution: str) -> str:
    """Version of an installed distribution, or "unknown"."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
