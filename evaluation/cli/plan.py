"""The command `plan`: how many utterances a question takes, from a pilot's records."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd

from evaluation.cli import output
from evaluation.cli.options import add_score_options, points, scoring
from evaluation.records.files import read, read_all
from evaluation.scoring.compare import compare
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.planning import POWER, Plan, plan_difference, plan_margin, plan_width
from evaluation.scoring.scores import score
from evaluation.show.display import render_text
from evaluation.show.plans import plans_table
from gigastt_lab.exit_codes import ExitCode

logger = logging.getLogger(__name__)

_SIZES = (0.001, 0.003, 0.005, 0.01)  # shares, where none is asked for


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("a", type=Path, metavar="A.jsonl", help="records of a pilot")
    parser.add_argument("b", type=Path, nargs="?", metavar="B.jsonl", help="of another system on the same")
    group = parser.add_argument_group(
        "questions (of one file: --half-width; of two, all; default: usual ones)"
    )
    add = group.add_argument
    add("--half-width", type=points, action="append", default=[], metavar="POINTS",
        help="an interval of A's WER of plus or minus so much; repeatable, as all of these")  # fmt: skip
    add("--difference", type=points, action="append", default=[], metavar="POINTS",
        help="to find a difference of so much, if it is there")  # fmt: skip
    add("--margin", type=points, action="append", default=[], metavar="POINTS",
        help="to show that A is not worse than B by so much, and equivalence within it")  # fmt: skip
    add("--expected", type=float, default=0.0, metavar="POINTS",
        help="true difference A minus B that --margin supposes; default: 0")  # fmt: skip
    add("--power", type=_share, default=POWER, metavar="SHARE",
        help=f"chance to find or show it; default: {POWER}")  # fmt: skip
    add_score_options(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Utterances, speakers and hours that a question takes, from the records of a pilot."""
    plans = [asdict(plan) for plan in _plans(options)]
    if options.json:
        output.write_json({"plans": plans})
    elif plans:
        output.write_text(render_text(plans_table(pd.DataFrame(plans))) + "\n\n")
        output.write_text(
            "Range: where the number lies with 80 % confidence, as a pilot is small. More of the same kind "
            "are meant: the same speech, speakers and systems.\n"
        )
    return ExitCode.OK if plans else ExitCode.FAILED


def _plans(options: argparse.Namespace) -> list[Plan]:
    """Plans for what was asked; those that the pilot does not allow are logged."""
    asked = options.half_width or options.difference or options.margin
    if options.b is None and (options.difference or options.margin):
        options.parser.error("--difference and --margin are of two systems; give B.jsonl, too")
    pilot = score(read(options.a), **scoring(options)) if options.b is None else None
    if pilot is not None:
        widths = options.half_width or _SIZES
        return _carried_out([partial(plan_width, pilot, size) for size in widths], options)
    a, b = read_all([options.a, options.b])
    pair = compare(a, b, **scoring(options))
    power, expected = options.power, options.expected / 100
    margins = options.margin or (() if asked else _SIZES)
    made = [
        *(partial(plan_width, pair.a, size) for size in options.half_width),
        *(
            partial(plan_difference, pair, size, power=power)
            for size in options.difference or (() if asked else _SIZES)
        ),
        *(
            partial(plan_margin, pair, size, power=power, expected=expected, two_sided=two_sided)
            for two_sided in (False, True)
            for size in margins
        ),
    ]
    return _carried_out(made, options)


def _carried_out(made: Sequence[Callable[[], Plan]], options: argparse.Namespace) -> list[Plan]:
    plans: list[Plan] = []
    refusals: dict[str, None] = {}
    for each in made:
        try:
            plans.append(each())
        except ScoreError as error:
            refusals[str(error)] = None
        except ValueError as error:
            options.parser.error(str(error))
    for refusal in refusals:
        logger.error("%s", refusal)
    return plans


def _share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a share between 0 and 1, such as 0.8")
    return found
