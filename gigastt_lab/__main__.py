"""The command line: `python -m gigastt_lab transcribe FILE...`, and the other commands."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence

from gigastt_lab.commands import download, models, quantize, serve, transcribe
from gigastt_lab.commands.options import Command
from gigastt_lab.errors import GigasttError
from gigastt_lab.exit_codes import ExitCode, exit_code

logger = logging.getLogger("gigastt_lab")

COMMANDS: tuple[Command, ...] = (transcribe, download, quantize, models, serve)
# What these say at level INFO is for everybody to see: that 900 MB are on their way, and why it takes long.
_SAY_WHAT_THEY_DO = tuple(
    f"gigastt_lab.{module}"
    for module in ("prepare", "models.download", "models.hub", "models.storage", "recognition.buckets")
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    _start_logging(options.verbose)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that is not text, or a terminal without Cyrillic: escaped instead of refused.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): whatever is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except (GigasttError, OSError) as error:
        logger.error("%s", error)
        return exit_code(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gigastt-lab", description="Russian speech recognition with GigaAM v3."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command_parser = command.add_parser(commands)
        command_parser.set_defaults(run=command.run, parser=command_parser)
    return parser


def _start_logging(verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s: %(message)s", force=True
    )
    # Ours alone: at this level the HTTP libraries log every header that they get.
    logging.getLogger("gigastt_lab").setLevel(logging.DEBUG if verbose else logging.NOTSET)
    for name in _SAY_WHAT_THEY_DO:
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
