"""`serve`: the server. The same program as `python -m gigastt_lab.serve`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from gigastt_lab.exit_codes import DOWNLOAD_CODES, ExitCode, HelpFormatter, epilog
from gigastt_lab.server.config import ConfigSource, ServerConfig
from gigastt_lab.server.option import OptionError, add_flags

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers

_EPILOG = "Flags come before variables, these before the file, this before the defaults.\n\n" + epilog(
    [ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.MODEL, *DOWNLOAD_CODES],
    ok="stopped by a signal, after the drain",
    failed="the port is taken, or the address not this machine's",
    usage="an option cannot be, or an address that others can reach was not allowed",
)


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "serve", help="the server: REST, WebSocket, metrics", description=describe(), epilog=_EPILOG,
        formatter_class=HelpFormatter,
    )  # fmt: skip
    add_flags(parser, ServerConfig)
    parser.set_defaults(verbose=False)
    return parser


def describe() -> str:
    """Description of the command."""
    return "Serves speech recognition by the API of gigastt 2.0.13, on loopback unless told otherwise."


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it; returns the exit code."""
    parser: argparse.ArgumentParser = options.parser
    try:
        from gigastt_lab.server.run import run as serve  # loads FastAPI
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "gigastt_lab":
            raise
        sys.stderr.write(f"the server needs {error.name}: pip install 'gigastt-lab[server]'\n")
        return ExitCode.USAGE
    try:
        return serve(ConfigSource(vars(options)))
    except OptionError as error:
        parser.error(str(error))
