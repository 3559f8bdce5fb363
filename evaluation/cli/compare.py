"""The command `compare`: the paired difference of two record files."""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluation.cli import output
from evaluation.cli.options import add_score_options, points, scoring
from evaluation.records.files import read_all
from evaluation.scoring.compare import Comparison, compare
from gigastt_lab.exit_codes import ExitCode


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("a", type=Path, metavar="A.jsonl")
    parser.add_argument("b", type=Path, metavar="B.jsonl")
    parser.add_argument("--common", action="store_true", help="on the utterances that both files hold")
    parser.add_argument(
        "--margin",
        type=points,
        metavar="POINTS",
        help="is A not worse than B by so many points of WER, are they equivalent within them? such as 0.3",
    )
    add_score_options(parser)


def carry_out(options: argparse.Namespace) -> int:
    """The paired difference of two systems, A minus B, on the same utterances."""
    a, b = read_all([options.a, options.b])
    _show(compare(a, b, common=options.common, margin=options.margin, **scoring(options)), options)
    return ExitCode.OK


def _show(comparison: Comparison, options: argparse.Namespace) -> None:
    if options.json:
        output.write_json(output.comparison_content(comparison))
        return
    scores = {comparison.label_a: comparison.a, comparison.label_b: comparison.b}
    method, told = output.method_text(comparison.a, comparison.b), output.warnings_text(scores)
    output.write_text(f"{comparison.to_text()}\n{method}{told}")
