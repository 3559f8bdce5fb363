"""`python -m gigastt_lab.eval`: runs, scores, comparisons and reports on the command line."""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Sequence
from typing import Protocol

from evaluation.cli import (
    compare,
    datasets,
    importing,
    plan,
    report,
    run,
    score,
    server,
    speed,
    stream,
    study,
    systems,
    times,
)
from gigastt_lab.exit_codes import DOWNLOAD_CODES, ExitCode, HelpFormatter, epilog, run_command, start_logging

# One at a time, so that latencies are what one utterance takes.
_WITHOUT_ARGUMENTS = ("--model", "demo", "--dataset", "demo", "--batch-size", "1")
_ASKED_FOR = ("--dataset", "--model", "--peer")
# What these say at level INFO is for everybody to see.
_SAY_WHAT_THEY_DO = (
    "evaluation",
    "gigastt_lab.prepare",
    "gigastt_lab.models.download",
    "gigastt_lab.models.hub",
)
_EPILOG = """commands:
  (none)    the whole study: run every system, one table, the report; without any
            option, on the packaged demo model and clips
  run       make record files only
  stream    live streams: latency, stability, error rates against whole files
  server    the server: requests per second, latency, what it adds to the engine, memory
  speed     speed, memory and start-up beside every installed peer, and the machine's limit
  score     score record files
  compare   paired difference of two record files
  plan      how many utterances a question takes, from a pilot's records
  report    report.html and report.md of record files
  times     word times against true ones (CTM, TextGrid)
  import    records of another engine's output (JSONL, CSV, CTM, STM, TRN)
  datasets  what can be named, or a look into one set
  systems   which systems can run here

A run that was stopped goes on when the same command is given again.

""" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, *DOWNLOAD_CODES, ExitCode.INTERRUPTED],
    failed="a dataset, a record file or a system failed; utterances that fail are counted and listed",
)


class Command(Protocol):
    """A module of this package that is a command; the docstring of `carry_out` is its description."""

    def build(self, parser: argparse.ArgumentParser, /) -> None:
        """Add the command's options."""

    def carry_out(self, options: argparse.Namespace) -> int:
        """Do it; returns the exit code. `options.parser` is the command's parser."""


COMMANDS: dict[str | None, Command] = {
    None: study,
    "run": run,
    "stream": stream,
    "server": server,
    "speed": speed,
    "score": score,
    "compare": compare,
    "plan": plan,
    "report": report,
    "times": times,
    "import": importing,
    "datasets": datasets,
    "systems": systems,
}


def main(arguments: Sequence[str], *, program: str = "python -m gigastt_lab.eval") -> int:
    """Run the command line and return its exit code; `program` is its name, for the help."""
    given = list(arguments)
    name = given[0] if given and given[0] in COMMANDS else None
    if name is None and not any(argument.startswith(_ASKED_FOR) for argument in given):
        given = [*_WITHOUT_ARGUMENTS, *given]
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=program + (f" {name}" if name else ""),
        description=command.carry_out.__doc__, epilog=None if name else _EPILOG,
        formatter_class=HelpFormatter,
    )  # fmt: skip
    _add_options(parser, command)
    options = parser.parse_args(given[1:] if name else given)
    options.parser = parser
    options.command = shlex.join(["python", "-m", "gigastt_lab.eval", *arguments])
    level = logging.DEBUG if options.verbose else logging.INFO
    start_logging(dict.fromkeys(_SAY_WHAT_THEY_DO, level))
    return run_command(command.carry_out, options)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser of another command line, and the options of the one without a name."""
    _add_options(parser, COMMANDS[None])
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, command in COMMANDS.items():
        if name is not None:
            summary = (command.carry_out.__doc__ or name).partition("\n")[0]
            _add_options(commands.add_parser(name, help=summary), command)


def _add_options(parser: argparse.ArgumentParser, command: Command) -> None:
    parser.add_argument("--json", action="store_true", help="numbers for machines on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is done, to stderr")
    command.build(parser)
