"""The command `run`: every system over the dataset, a record file each."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from evaluation.cli import output
from evaluation.cli.options import (
    add_dataset_options,
    add_out_options,
    add_score_options,
    add_system_options,
    dataset_of,
    specs_of,
)
from evaluation.datasets.utterances import DatasetError, Utterances
from evaluation.records.files import RecordFile, read
from evaluation.run.naming import run_name
from evaluation.run.runner import run
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
    add_score_options(parser)
    add_out_options(parser)


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
    for spec in specs:
        try:
            files.append(record(spec, dataset, directory, options))
        except GigasttError as error:
            logger.error("%s: %s", spec.name, error)
            code = code or exit_code(error)
            if isinstance(error, DatasetError):
                break  # it would break off for the others, too
    if any(not file.records for file in files):
        logger.error("%s has no utterance to score", dataset.name)
        code = code or int(ExitCode.FAILED)
    return [file for file in files if file.records], directory, code


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
