"""The command `times`: word times of record files against true ones."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from evaluation.beyond.word_times import WordTimes, as_table, word_times
from evaluation.cli import output
from evaluation.cli.options import add_score_options, scoring
from evaluation.datasets.corpora.word_references import read_word_references
from evaluation.records.files import read_all
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import Score, labels, score
from evaluation.show.display import count, counted, render_text
from evaluation.show.times import times_table
from gigastt_lab.exit_codes import ExitCode

logger = logging.getLogger(__name__)


def build(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="RECORDS")
    parser.add_argument("--reference", type=Path, required=True, metavar="FILE",
        help="true times of words: a CTM, a TextGrid (called as its recording is), or a folder of "
        "them")  # fmt: skip
    parser.add_argument("--tier", metavar="NAME",
        help="of the TextGrids; default: the one called words, else the first with a text")  # fmt: skip
    add_score_options(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Errors of word times: mean, bias, percentiles, shares within 50, 100 and 200 ms, with intervals."""
    files = read_all(options.files)
    reference = read_word_references(options.reference, options.tier, ScoreError)
    scores = {
        label: score(file, **scoring(options)) for label, file in zip(labels(files), files, strict=True)
    }
    found = {label: word_times(one, reference) for label, one in scores.items()}
    if options.json:
        output.write_json({"errors": output.rows(as_table(found)), "left_out": _left_out(found)})
        return ExitCode.OK
    for label, one in found.items():
        _say(label, one)
    output.write_text(render_text(times_table(as_table(found))) + "\n\n" + _method(scores))
    return ExitCode.OK


def _left_out(found: Mapping[str, WordTimes]) -> dict[str, dict[str, list[str]]]:
    """Ids of utterances that the errors are not of, by system."""
    return {
        label: {"unknown": list(one.unknown), "untimed": list(one.untimed)} for label, one in found.items()
    }


def _say(label: str, one: WordTimes) -> None:
    """Say what the errors are not of."""
    if one.unknown:
        logger.warning(
            "%s: %s of recordings that the reference has not, %s first; left out",
            label, counted(len(one.unknown), "utterance"), one.unknown[0],
        )  # fmt: skip
    if one.untimed:
        logger.warning(
            "%s: %s without word times, %s first; their words are not in it",
            label, counted(len(one.untimed), "utterance"), one.untimed[0],
        )  # fmt: skip


def _method(scores: Mapping[str, Score]) -> str:
    one = next(iter(scores.values()))
    over = f"{one.options.blocks}s" if one.block_names else f"{count(len(one.file.records))} utterances"
    return (
        f"Of words that both have, normalised, profile {one.options.profile}; bias: above 0 where the system "
        f"is late. {one.options.level:.0%} intervals over {over}: of percentiles Woodruff's, of all others "
        "by the methods of the WER's.\n"
    )
