"""The command without a name: run every system, score, compare with the first one, write the report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation.cli import output, run
from evaluation.cli.options import scoring
from evaluation.records.files import RecordFile
from evaluation.report.report import shortened, write_report
from evaluation.scoring.compare import Comparison, adjusted, compare, sentences
from evaluation.scoring.scores import labels, score

build = run.build


def carry_out(options: argparse.Namespace) -> int:
    """Run every system over the dataset; compare each with the first; one table, and a report."""
    files, directory, code = run.run_all(options)
    if files:
        comparisons = adjusted([compare(other, files[0], **scoring(options)) for other in files[1:]])
        paths = write_report(files, directory, **scoring(options))
        _show(files, comparisons, paths, options)
    return code


def _show(
    files: Sequence[RecordFile],
    comparisons: Sequence[Comparison],
    paths: Sequence[Path],
    options: argparse.Namespace,
) -> None:
    """Rates, speed, paired differences, and where the report is."""
    scores = [score(file, **scoring(options)) for file in files]
    if options.json:
        content = output.scores_content(scores)
        content["comparisons"] = [output.comparison_content(each) for each in comparisons]
        content["files"] = [str(path) for path in (*(file.path for file in files), *paths)]
        output.write_json(content)
        return
    common, short = shortened(labels(files))
    output.write_text(output.headline(files[0], common))
    output.write_text(output.scores_text(scores, short))
    for comparison, label in zip(comparisons, short[1:], strict=True):
        named = replace(comparison, label_a=label, label_b=short[0])
        output.write_text("\n".join(sentences(named)) + "\n\n")
    output.write_text("".join(f"{path}\n" for path in paths))
