"""Measures beyond the WER on the command line: options, text for people, content for machines."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.beyond.calibration import confidence_measures
from evaluation.beyond.deletion_runs import deletion_runs, deletions
from evaluation.beyond.groups import by_group
from evaluation.beyond.hallucination import hallucination
from evaluation.beyond.keywords import Term, keywords, read_terms
from evaluation.beyond.loops import looping, loops
from evaluation.beyond.numbers import numbers
from evaluation.beyond.punctuation import case_errors, names, punctuation
from evaluation.report.beyond import beyond_sections, confidence_section, terms_section
from evaluation.report.groups import groups_section
from evaluation.report.notes import with_method
from evaluation.report.parts import Paragraph, Section, Table
from evaluation.scoring.scores import Score
from evaluation.show.display import render_text

_MEASURES = {
    "punctuation": punctuation,
    "case": case_errors,
    "numbers": numbers,
    "names": names,
    "deletions": deletions,
    "deletion_runs": deletion_runs,
    "looping": looping,
    "loops": loops,
    "hallucination": hallucination,
    "confidence": confidence_measures,
}


@dataclass(frozen=True)
class Asked:
    """Measures that are asked for beyond the WER.

    Attributes:
        everything: True for all measures.
        terms: Terms to look for; none, nothing is looked for.
        by: Columns to group by.
    """

    everything: bool
    terms: Sequence[Term]
    by: Sequence[str]

    def text(self, scores: Mapping[str, Score]) -> str:
        """Sections for a terminal; "" where nothing is asked for."""
        sections: list[Section | None] = []
        if self.everything:
            sections += [*beyond_sections(scores, self.terms, drawn=False), confidence_section(scores)]
        elif self.terms:
            found = terms_section(scores, self.terms)
            sections.append(found and with_method(found, scores))
        if self.by:
            sections.append(groups_section(scores, self.by, drawn=False))
        return "".join(map(_text, filter(None, sections)))

    def content(self, scores: Mapping[str, Score]) -> dict[str, Any]:
        """The same for machines: `beyond`, `keywords` and `by`, whichever are asked for, by system."""
        found: dict[str, Any] = {}
        if self.everything:
            found["beyond"] = {
                label: {name: _rows(measure(one)) for name, measure in _MEASURES.items()}
                for label, one in scores.items()
            }
        if self.terms:
            found["keywords"] = {label: _rows(keywords(one, self.terms)) for label, one in scores.items()}
        if self.by:
            found["by"] = {
                column: {label: _rows(by_group(one, column)) for label, one in scores.items()}
                for column in self.by
            }
        return found


def add_beyond_options(parser: argparse.ArgumentParser) -> None:
    """Add options for what a WER does not say."""
    add = parser.add_argument_group("beyond the error rate").add_argument
    add("--beyond", action="store_true",
        help="punctuation and capitals, numbers, names, words left out in a row, loops, words where nobody "
        "speaks, calibration")  # fmt: skip
    add_keywords_option(parser)
    add("--by", action="append", default=[], metavar="COLUMN,...",
        help="error rates by speaker, session or a column of the metadata; repeatable")  # fmt: skip


def add_keywords_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for a list of terms."""
    parser.add_argument("--keywords", type=Path, metavar="FILE",
        help="terms to look for, names or others: one a line, its forms separated by commas")  # fmt: skip


def asked(options: argparse.Namespace) -> Asked:
    """Measures that the options ask for.

    Raises:
        ScoreError: the list of terms cannot be read, or is empty.
    """
    by = dict.fromkeys(name.strip() for text in options.by for name in text.split(",") if name.strip())
    terms = read_terms(options.keywords) if options.keywords else []
    return Asked(options.beyond, terms, [*by])


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON holds them, a named index among the columns."""
    found: list[dict[str, Any]] = (table.reset_index() if table.index.name else table).to_dict("records")
    return found


def _text(section: Section) -> str:
    parts = [f"\n{section.title}\n"]
    for part in section.parts:
        if isinstance(part, Paragraph):
            parts.append(f"{part.text}\n")
        elif isinstance(part, Table):
            caption = f"{part.caption}:\n" if part.caption else ""
            parts.append(f"{caption}{render_text(part.content)}\n")
    return "\n".join(parts)
