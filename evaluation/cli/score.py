"""The command `score`: error rates, intervals and speed of record files."""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluation.cli import output
from evaluation.cli.beyond import add_beyond_options, asked
from evaluation.cli.options import add_score_options
from evaluation.records.files import read_all
from gigastt_lab.exit_codes import ExitCode


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDS")
    parser.add_argument("--details", action="store_true", help="every profile, and what each rule does")
    add_beyond_options(parser)
    add_score_options(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Error rates with intervals and speed, under one profile; with --details, under all and rule by rule.

    With --beyond, --keywords and --by, also what a WER does not say.
    """
    more = asked(options)
    output.show_scores(read_all(options.files), options, details=options.details, more=more)
    return ExitCode.OK
