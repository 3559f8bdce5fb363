"""Notes that sections of a report have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evaluation.report.parts import Paragraph, Section
from evaluation.scoring.scores import Score
from evaluation.statistics.facts import FEW_UNITS


def with_method(section: Section, scores: Mapping[str, Score]) -> Section:
    """The section, with a note on how its intervals are made."""
    over = dict.fromkeys(
        f"{one.wer.n_blocks} {one.options.blocks}s"
        if one.wer.n_blocks
        else f"{len(one.utterances)} utterances"
        for one in scores.values()
    )
    methods = {
        "auto": f"the jackknife with Student's t, the bootstrap from {FEW_UNITS} on that count something",
        "jackknife": "the jackknife with Student's t",
        "bootstrap": "the bootstrap",
    }
    how = methods[next(iter(scores.values())).options.method]
    told = f"Intervals over {' and '.join(over)}: {how}; exact bounds where none or all do."
    return replace(section, parts=(*section.parts, Paragraph(told, note=True)))
