"""The command line: `python -m gigastt_lab transcribe FILE...`, and the other commands."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from gigastt_lab.commands import download, models, quantize, serve, transcribe
from gigastt_lab.commands.options import Command
from gigastt_lab.exit_codes import run_command, start_logging

COMMANDS: tuple[Command, ...] = (transcribe, download, quantize, models, serve)
# What these say at level INFO is for everybody to see: that 900 MB are on their way, and why it takes long.
_SAY_WHAT_THEY_DO = tuple(
    f"gigastt_lab.{module}"
    for module in ("prepare", "models.download", "models.hub", "models.storage", "recognition.buckets")
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    start_logging(_levels(options.verbose))
    return run_command(options.run, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gigastt-lab", description="Russian speech recognition with GigaAM v3."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command_parser = command.add_parser(commands)
        command_parser.set_defaults(run=command.run, parser=command_parser)
    return parser


def _levels(verbose: bool) -> dict[str, int]:
    """Levels of our loggers alone: at DEBUG the HTTP libraries log every header that they get."""
    if verbose:
        return {"gigastt_lab": logging.DEBUG} | dict.fromkeys(_SAY_WHAT_THEY_DO, logging.NOTSET)
    return {"gigastt_lab": logging.NOTSET} | dict.fromkeys(_SAY_WHAT_THEY_DO, logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
