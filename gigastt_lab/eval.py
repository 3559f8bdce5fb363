"""`python -m gigastt_lab.eval`: the evaluation's command line, which lives in the package `evaluation`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gigastt_lab.commands.standard_streams import open_closed_streams
from gigastt_lab.exit_codes import give_up_what_is_unwritten


def main(arguments: Sequence[str] | None = None, *, program: str = "python -m gigastt_lab.eval") -> int:
    """Hand the arguments on; says what to install where the evaluation's packages are missing.

    Args:
        arguments: Arguments; None: those of this process.
        program: Name of the command line, for its help.
    """
    open_closed_streams()
    try:
        from evaluation.cli.main import main as evaluate  # to say what its absence means
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("gigastt_lab", "evaluation.")):
            raise  # a fault of ours
        sys.stderr.write(f"the evaluation needs {error.name}: pip install 'gigastt-lab[eval]'\n")
        return 2
    try:
        return evaluate(sys.argv[1:] if arguments is None else arguments, program=program)
    finally:
        give_up_what_is_unwritten()


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the evaluation's commands and options to a parser, where its packages are installed."""
    try:
        from evaluation.cli.main import add_commands as add
    except ModuleNotFoundError:
        return
    add(parser)


if __name__ == "__main__":
    sys.exit(main())
