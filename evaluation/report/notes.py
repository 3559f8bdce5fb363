"""Notes that sections of a report have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evaluation.report.parts import Paragraph, Section
from evaluation.scoring.scores import Score
from evaluation.statistics.facts import FEW_UNITS, FEWEST_UNITS


def with_method(section: Section, scores: Mapping[str, Score]) -> Section:
    """The section, with a note on how its intervals are made; as it is where it has no table or plot."""
    if all(isinstance(part, Paragraph) for part in section.parts):
        return section
    over = dict.fromkeys(
        f"{one.wer.n_blocks} {one.options.blocks}s"
        if one.wer.n_blocks
        else f"{len(one.utterances)} utterances"
        for one in scores.values()
    )
    methods = {
        "auto": f"the jackknife with Student's t, or the bootstrap where {FEW_UNITS} of them or more have "
        "something to count",
        "jackknife": "the jackknife with Student's t",
        "bootstrap": "the bootstrap",
    }
    how = methods[next(iter(scores.values())).options.method]
    told = (
        f"Intervals over {' and '.join(over)}: {how}; exact bounds where a count is none or all; a dash "
        f"where a row has fewer than {FEWEST_UNITS} of them."
    )
    return replace(section, parts=(*section.parts, Paragraph(told, note=True)))
