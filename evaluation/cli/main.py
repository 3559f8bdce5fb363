"""`python -m gigastt_lab.eval`: runs, scores, comparisons and reports on the command line."""

from __future__ import annotations

import argparse
import io
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from evaluation.cli import output, server, speed, stream
from evaluation.cli.options import (
    add_dataset_options,
    add_out_options,
    add_score_options,
    add_system_options,
    dataset_of,
    scoring,
    specs_of,
)
from evaluation.datasets.utterances import DatasetError
from evaluation.records.files import RecordFile, read, read_all
from evaluation.records.importing import Columns, import_records
from evaluation.report.report import write_report
from evaluation.run.naming import run_name
from evaluation.run.runner import run
from evaluation.scoring.compare import compare
from evaluation.systems.availability import require_available
from gigastt_lab.errors import GigasttError
from gigastt_lab.exit_codes import DOWNLOAD_CODES, ExitCode, epilog, exit_code

logger = logging.getLogger("evaluation")

# One at a time, so that latencies are what one utterance takes.
_WITHOUT_ARGUMENTS = ("--model", "demo", "--dataset", "demo", "--batch-size", "1")
_EPILOG = """commands:
  (none)    the whole study: run every system, one table, the report; without any
            option, on the packaged demo model and clips
  run       make record files only
  stream    live streams: latency, stability, error rates against whole files
  server    the server: requests per second, latency, what it adds to the engine, memory
  speed     speed, memory and start-up beside every installed peer, and the machine's limit
  score     score record files
  compare   paired difference of two record files
  report    report.html and report.md of record files
  import    records of another engine's output (JSONL, CSV)
  datasets  what can be named, or a look into one set
  systems   which systems can run here

A run that was stopped goes on when the same command is given again.

""" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, *DOWNLOAD_CODES, ExitCode.INTERRUPTED],
    failed="a dataset, a record file or a system failed; utterances that fail are counted and listed",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    given = list(arguments) or list(_WITHOUT_ARGUMENTS)
    name = given[0] if given[0] in COMMANDS else None
    build, carry_out = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog="python -m gigastt_lab.eval" + (f" {name}" if name else ""),
        description=carry_out.__doc__, epilog=None if name else _EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="numbers for machines on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is done, to stderr")
    build(parser)
    options = parser.parse_args(given[1:] if name else given)
    options.parser = parser
    options.command = shlex.join(["python", "-m", "gigastt_lab.eval", *arguments])
    _start_logging(verbose=options.verbose)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Cyrillic
    try:
        return carry_out(options)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): whatever is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except (GigasttError, OSError) as error:
        logger.error("%s", error)
        return exit_code(error)


def _study(options: argparse.Namespace) -> int:
    """Run every system over the dataset; compare each with the first; one table, and a report."""
    files, directory, code = _run_all(options)
    if files:
        comparisons = [compare(other, files[0], **scoring(options)) for other in files[1:]]
        paths = write_report(files, directory, **scoring(options))
        output.show_study(files, comparisons, paths, options)
    return code


def _run(options: argparse.Namespace) -> int:
    """Run every system over the dataset, one record file each."""
    files, _, code = _run_all(options)
    if files:
        output.show_scores(files, options)
    return code


def _score(options: argparse.Namespace) -> int:
    """Error rates with intervals and speed, under one profile; with --details, under all and rule by rule."""
    output.show_scores(read_all(options.files), options, details=options.details)
    return ExitCode.OK


def _compare(options: argparse.Namespace) -> int:
    """The paired difference of two systems, A minus B, on the same utterances."""
    a, b = read_all([options.a, options.b])
    output.show_comparison(compare(a, b, common=options.common, **scoring(options)), options)
    return ExitCode.OK


def _report(options: argparse.Namespace) -> int:
    """Write report.html and report.md."""
    files = read_all(options.files)
    directory = options.out or files[0].path.parent
    output.show_paths(write_report(files, directory, **scoring(options)), options)
    return ExitCode.OK


def _import(options: argparse.Namespace) -> int:
    """Records of another engine's output: rows of a reference and a hypothesis, of one or more systems."""
    folder = options.out or Path("runs") / options.file.stem
    folder.mkdir(parents=True, exist_ok=True)
    columns = Columns(
        reference=options.reference_column,
        hypothesis=options.hypothesis_column,
        system=options.system_column,
        id=options.id_column,
    )
    paths = import_records(
        options.file,
        folder,
        system=options.system,
        dataset=options.dataset,
        columns=columns,
        fresh=options.fresh,
        command=options.command,
    )
    output.show_paths(paths, options)
    return ExitCode.OK


def _datasets(options: argparse.Namespace) -> int:
    """The sets that have a name; with --dataset, the first utterances of one."""
    output.show_datasets(dataset_of(options) if options.dataset else None, options)
    return ExitCode.OK


def _systems(options: argparse.Namespace) -> int:
    """Which models, providers and peers can run here."""
    output.show_systems(options)
    return ExitCode.OK


def _run_all(options: argparse.Namespace) -> tuple[list[RecordFile], Path, int]:
    """The finished record files, where they are, and the exit code: of the first system that failed."""
    dataset = dataset_of(options)
    specs = specs_of(options)
    for spec in specs:
        require_available(spec)  # an hour of work is not lost to a system that cannot start
    directory = options.out or Path("runs") / run_name(dataset, specs)
    directory.mkdir(parents=True, exist_ok=True)
    paths, code = [], int(ExitCode.OK)
    for spec in specs:
        path = directory / f"{spec.name}.jsonl"
        try:
            run(
                spec,
                dataset,
                path,
                fresh=options.fresh,
                retry_failed=options.retry_failed,
                show_progress=not options.json,
                command=options.command,
            )
        except GigasttError as error:
            logger.error("%s: %s", spec.name, error)
            code = code or exit_code(error)
            if isinstance(error, DatasetError):
                break  # it would break off for the others, too
        else:
            paths.append(path)
    files = [read(path) for path in paths]
    if any(not file.records for file in files):
        logger.error("%s has no utterance to score", dataset.name)
        code = code or int(ExitCode.FAILED)
    return [file for file in files if file.records], directory, code


def _build_run(parser: argparse.ArgumentParser) -> None:
    add_system_options(parser)
    add_dataset_options(parser)
    add_score_options(parser)
    add_out_options(parser)


def _build_score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDS")
    parser.add_argument("--details", action="store_true", help="every profile, and what each rule does")
    add_score_options(parser)


def _build_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, metavar="A.jsonl")
    parser.add_argument("b", type=Path, metavar="B.jsonl")
    parser.add_argument("--common", action="store_true", help="on the utterances that both files hold")
    add_score_options(parser)


def _build_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDS")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: beside the first file")
    add_score_options(parser)


def _build_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="JSONL, CSV or TSV")
    parser.add_argument("--system", metavar="NAME", help="whose output it is, where the file does not say")
    for what in ("reference", "hypothesis", "system", "id"):
        parser.add_argument(f"--{what}-column", metavar="NAME", help="default: the usual names")
    parser.add_argument(
        "--dataset", metavar="NAME", help="what the texts are of; runs on NAME compare, ids being the same"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<file>")
    parser.add_argument("--fresh", action="store_true", help="replace records that are there")


def _build_systems(parser: argparse.ArgumentParser) -> None:
    del parser  # it has no options of its own


Builder = Callable[[argparse.ArgumentParser], None]
COMMANDS: dict[str | None, tuple[Builder, Callable[[argparse.Namespace], int]]] = {
    None: (_build_run, _study),
    "run": (_build_run, _run),
    "stream": (stream.build, stream.carry_out),
    "server": (server.build, server.carry_out),
    "speed": (speed.build, speed.carry_out),
    "score": (_build_score, _score),
    "compare": (_build_compare, _compare),
    "report": (_build_report, _report),
    "import": (_build_import, _import),
    "datasets": (add_dataset_options, _datasets),
    "systems": (_build_systems, _systems),
}


def _start_logging(*, verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s: %(message)s", force=True
    )
    for name in (
        "evaluation",
        "gigastt_lab.prepare",
        "gigastt_lab.models.download",
        "gigastt_lab.models.hub",
    ):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
