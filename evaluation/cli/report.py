"""The command `report`: report.html and report.md of record files."""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluation.beyond.keywords import read_terms
from evaluation.cli import output
from evaluation.cli.beyond import add_keywords_option
from evaluation.cli.options import add_score_options, scoring
from evaluation.records.files import read_all
from evaluation.report.report import write_report
from gigastt_lab.exit_codes import ExitCode


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDS")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: beside the first file")
    add_keywords_option(parser)
    add_score_options(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Write report.html and report.md."""
    terms = read_terms(options.keywords) if options.keywords else ()
    files = read_all(options.files)
    directory = options.out or files[0].path.parent
    output.show_paths(write_report(files, directory, terms=terms, **scoring(options)), options)
    return ExitCode.OK
