"""The command line: `python -m gigastt_lab transcribe FILE...`, and the other commands."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Any

from gigastt_lab import eval as evaluation
from gigastt_lab.commands import completion, download, models, quantize, serve, transcribe
from gigastt_lab.commands.options import Command
from gigastt_lab.commands.standard_streams import open_closed_streams
from gigastt_lab.exit_codes import ExitCode, give_up_what_is_unwritten, run_command, start_logging

PROGRAM = "gigastt-lab"
COMMANDS: tuple[Command, ...] = (transcribe, download, quantize, models, serve, completion)
# What these say at level INFO is for everybody to see: that 900 MB are on their way, and why it takes long.
_SAY_WHAT_THEY_DO = tuple(
    f"gigastt_lab.{module}"
    for module in ("prepare", "models.download", "models.hub", "models.storage", "recognition.buckets")
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    open_closed_streams()
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    finally:  # of a help, too: `| head`
        give_up_what_is_unwritten()


def _run(given: list[str]) -> int:
    if given[:1] == ["eval"]:  # a command line of its own, options and help included
        return evaluation.main(given[1:], program=f"{PROGRAM} eval")
    parser = _parser()
    if not given:
        parser.print_help()
        return ExitCode.OK
    options = parser.parse_args(given)
    start_logging(_levels(options.verbose))
    return run_command(options.run, options)


def _parser(*, with_evaluation: bool = False) -> argparse.ArgumentParser:
    """The command line; with the evaluation's commands only for who needs them, as they load pandas."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Russian speech recognition with GigaAM v3.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command_parser = command.add_parser(commands)
        command_parser.set_defaults(run=command.run, parser=command_parser, whole=whole_parser)
    evaluations = commands.add_parser("eval", help="error rates and speed, on datasets", add_help=False)
    if with_evaluation:
        evaluation.add_commands(evaluations)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """The command line with all that `eval` has, for the completion in shells."""
    return _parser(with_evaluation=True)


class _Version(argparse.Action):
    """Option that looks the version up when it is asked for: that takes longer than the rest of `--help`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version(PROGRAM)
        except PackageNotFoundError:  # run from a folder, not installed
            found = "of a folder that is not installed"

        def show(_: argparse.Namespace) -> int:
            sys.stdout.write(f"{PROGRAM} {found}\n")
            return ExitCode.OK

        parser.exit(run_command(show, argparse.Namespace()))


def _levels(verbose: bool) -> dict[str, int]:
    """Levels of our loggers alone: at DEBUG the HTTP libraries log every header that they get."""
    if verbose:
        return {"gigastt_lab": logging.DEBUG} | dict.fromkeys(_SAY_WHAT_THEY_DO, logging.NOTSET)
    return {"gigastt_lab": logging.NOTSET} | dict.fromkeys(_SAY_WHAT_THEY_DO, logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
