"""`completion`: the script that completes commands, options and their values in a shell."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from gigastt_lab.commands.options import new_parser
from gigastt_lab.exit_codes import ExitCode, epilog

if TYPE_CHECKING:
    from gigastt_lab.commands.options import Subparsers

_SHELLS: Final = ("bash", "zsh", "fish", "tcsh", "powershell")
_EPILOG = """to install it, once:
  bash        gigastt-lab completion bash > ~/.local/share/bash-completion/completions/gigastt-lab
  zsh         gigastt-lab completion zsh > DIR/_gigastt-lab, DIR being one of $fpath
  fish        gigastt-lab completion fish > ~/.config/fish/completions/gigastt-lab.fish
  tcsh        gigastt-lab completion tcsh > FILE, and `source FILE` in ~/.tcshrc
  powershell  gigastt-lab completion powershell >> $PROFILE

""" + epilog([ExitCode.OK, ExitCode.USAGE])


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser = new_parser(
        commands, "completion", summary="complete this command line in a shell", epilog=_EPILOG,
        description="Prints a script for the shell that completes commands, options, their values and files.",
    )  # fmt: skip
    parser.add_argument("shell", choices=_SHELLS)
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the script of `options.shell` for the parser of `options.whole`; returns the exit code."""
    import shtab

    parser = options.whole()
    _complete_paths(parser, shtab)
    sys.stdout.write(shtab.complete(parser, options.shell) + "\n")
    return ExitCode.OK


def _complete_paths(parser: argparse.ArgumentParser, shtab: object) -> None:
    """Say of each option that takes a path, by its metavar, that files or folders complete it."""
    kinds = {"FILE": "FILE", "PATH": "FILE", "RECORDS": "FILE", "DIR": "DIRECTORY", "FOLDER": "DIRECTORY"}
    for action in parser._actions:  # argparse has no other way to its options
        if isinstance(action, argparse._SubParsersAction):
            for each in dict.fromkeys(action.choices.values()):
                _complete_paths(each, shtab)
        elif isinstance(action.metavar, str) and action.metavar in kinds:
            action.complete = getattr(shtab, kinds[action.metavar])  # type: ignore[attr-defined]  # shtab reads it
