"""The command `run`: every system over the dataset, in turns, a record file each."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.cli import output
from evaluation.cli.datasets import why_none
from evaluation.cli.options import (
    add_dataset_options,
    add_loss_options,
    add_out_options,
    add_score_options,
    add_system_options,
    dataset_of,
    specs_of,
)
from evaluation.datasets.utterances import DatasetError, Utterances
from evaluation.records.files import RecordFile, read
from evaluation.run.interleaved import Job, run_interleaved
from evaluation.run.naming import run_name
from evaluation.run.results import RunResult
from evaluation.run.runner import run
from evaluation.run.turns import RunOptions
from evaluation.systems.availability import require_available
from evaluation.systems.base import System
from evaluation.systems.registry import SystemSpec
from gigastt_lab.errors import GigasttError
from gigastt_lab.exit_codes import ExitCode, exit_code

logger = logging.getLogger(__name__)


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_system_options(parser)
    add_dataset_options(parser)
    add_loss_options(parser)
    add_score_options(parser)
    add_out_options(parser)
    parser.add_argument("--one-after-another", action="store_true",
        help="load and run one system after the other: less memory, and no statement about their speeds; "
        "by default they take turns")  # fmt: skip


def carry_out(options: argparse.Namespace) -> int:
    """Run every system over the dataset, one record file each."""
    files, _, code = run_all(options)
    if files:
        output.show_scores(files, options)
    return code


def run_all(options: argparse.Namespace) -> tuple[list[RecordFile], Path, int]:
    """The finished record files, where they are, and the exit code: of the first system that failed."""
    dataset = dataset_of(options)
    specs = specs_of(options)
    for spec in specs:
        require_available(spec)  # an hour of work is not lost to a system that cannot start
    directory = options.out or Path("runs") / run_name(dataset, specs)
    directory.mkdir(parents=True, exist_ok=True)
    files: list[RecordFile] = []
    code = int(ExitCode.OK)
    told: set[str] = set()
    for spec, outcome in _outcomes(specs, dataset, directory, options):
        if not isinstance(outcome, GigasttError):
            files.append(read(outcome.path))
        elif not (isinstance(outcome, DatasetError) and str(outcome) in told):  # it ends all that read it
            told.add(str(outcome))
            logger.error("%s: %s", spec.name, outcome)
            code = code or exit_code(outcome)
    if any(not file.records for file in files):
        logger.error("%s has no utterance to score: %s", dataset.name, why_none(dataset))
        code = code or int(ExitCode.FAILED)
    return [file for file in files if file.records], directory, code


def _outcomes(
    specs: Sequence[SystemSpec], dataset: Utterances, directory: Path, options: argparse.Namespace
) -> Iterator[tuple[SystemSpec, RunResult | GigasttError]]:
    """Result of each system, or its error: of all in turns, or of one after the other where asked for."""
    chosen = _run_options(options)
    if not options.one_after_another:
        jobs = [Job(spec, directory / f"{spec.name}.jsonl") for spec in specs]
        yield from zip(specs, run_interleaved(jobs, dataset, chosen), strict=True)
        return
    for spec in specs:
        [outcome] = run_interleaved([Job(spec, directory / f"{spec.name}.jsonl")], dataset, chosen)
        yield spec, outcome
        if isinstance(outcome, DatasetError):
            return  # it would break off for the others, too


def _run_options(options: argparse.Namespace) -> RunOptions:
    return RunOptions(
        fresh=options.fresh,
        retry_failed=options.retry_failed,
        show_progress=not options.json,
        command=options.command,
    )


def record(
    system: System | SystemSpec, dataset: Utterances, directory: Path, options: argparse.Namespace
) -> RecordFile:
    """The finished record file of a system, in a folder."""
    path = directory / f"{system.name}.jsonl"
    run(
        system,
        dataset,
        path,
        fresh=options.fresh,
        retry_failed=options.retry_failed,
        show_progress=not options.json,
        command=options.command,
    )
    return read(path)
