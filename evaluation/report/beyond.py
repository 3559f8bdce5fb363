"""Sections of a report beyond the WER: marks, numbers, names, terms, runs, loops, silence, confidence.

`score --beyond` prints the same sections, without their plots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from evaluation.beyond.calibration import confidence_measures
from evaluation.beyond.deletion_runs import deletion_runs, deletions
from evaluation.beyond.groups import columns
from evaluation.beyond.hallucination import hallucination
from evaluation.beyond.keywords import Term, keywords
from evaluation.beyond.loops import looping, loops
from evaluation.beyond.numbers import numbers
from evaluation.beyond.punctuation import case_errors, names, punctuation, writing
from evaluation.report.groups import group_columns
from evaluation.report.notes import with_method
from evaluation.report.parts import Paragraph, Part, Plot, Row, Section, Table
from evaluation.scoring.scores import Score
from evaluation.show import beyond as tables

Scores = Mapping[str, Score]

_RULE = (
    "A mark is judged where the words on both sides of it answer to words of the hypothesis, right or wrong; "
    "beside a word left out or put in it is not judged. Case is judged on equal words."
)
_CONFIDENCE = (
    "ECE: mean distance of confidence and share of right words over ten bins of equal width; by chance, what "
    "confidences that are exactly right would show on as many words. NCE: 1 is perfect, 0 says no more than "
    "the rate of right words, below 0 misleads. AUC: how often a right word has the higher confidence of "
    "a right and a wrong one; 0.5 is chance."
)


def beyond_sections(scores: Scores, terms: Sequence[Term] = (), *, drawn: bool = True) -> list[Section]:
    """Sections on marks, numbers and terms, words left out or repeated, silence; those that have content.

    Args:
        scores: Scores by the name of each system.
        terms: Terms to look for.
        drawn: False to leave out plots.
    """
    found = [
        writing_section(scores, drawn=drawn),
        terms_section(scores, terms),
        runs_section(scores),
        silence_section(scores),
    ]
    return [with_method(section, scores) for section in found if section]


def writing_section(scores: Scores, *, drawn: bool = True) -> Section | None:
    """Section on punctuation and capitals; it says so where the references have none."""
    known = {label: writing(one) for label, one in scores.items()}
    if not any(each.n_utterances for each in known.values()):
        return None
    told = dict.fromkeys(sentence for each in known.values() for sentence in each.sentences())
    parts: list[Part] = [Paragraph(" ".join(told))]
    marks, cases = _each(scores, punctuation), _each(scores, case_errors)
    if marks:
        parts.append(Table(tables.marks_table(marks), "Marks found where the references have them"))
        if drawn:
            from evaluation import plots

            svg = plots.to_svg(plots.marks(marks))
            parts.append(Row((Plot("marks", svg, "F1 of each mark"),)))
    if cases:
        parts.append(Table(tables.case_table(cases), "Words written in another case than in the reference"))
    if marks or cases:
        parts.append(Paragraph(_RULE, note=True))
    return Section("Punctuation and capitals", tuple(parts))


def terms_section(scores: Scores, terms: Sequence[Term] = ()) -> Section | None:
    """Section on numbers, names and, where some are given, terms; None where there is none of them."""
    parts: list[Part] = []
    found = _each(scores, numbers)
    if found:
        caption = "Numbers (runs of number words) heard right, word for word"
        parts.append(Table(tables.numbers_table(found), caption))
    capitalised = _each(scores, names)
    if capitalised:
        caption = "Names (words with a capital inside a sentence) that were not heard right, and other words"
        parts.append(Table(tables.names_table(capitalised), caption))
    if terms:
        listed = {label: keywords(one, terms) for label, one in scores.items()}
        caption = "Terms of the list; a false alarm is one that nobody said there"
        parts.append(Table(tables.terms_table(listed), caption))
    return Section("Numbers, names and terms", tuple(parts)) if parts else None


def runs_section(scores: Scores) -> Section | None:
    """Section on words left out in a row, and on loops; None where no word is wrong in either way."""
    runs = {label: deletion_runs(one) for label, one in scores.items()}
    found_loops = {label: loops(one) for label, one in scores.items()}
    parts: list[Part] = []
    if any(map(len, runs.values())):
        shares = _filled({label: deletions(one, runs[label]) for label, one in scores.items()})
        parts.append(Table(tables.deletions_table(shares), "Words left out, by the length of the run"))
        parts += _listed(tables.runs_table(_in_a_row(runs)), "The longest runs of words left out")
    if any(map(len, found_loops.values())):
        shares = {label: looping(one, found_loops[label]) for label, one in scores.items()}
        caption = "Words and phrases repeated three times or more that the reference does not repeat"
        parts.append(Table(tables.looping_table(shares), caption))
        parts += _listed(tables.loops_table(found_loops), "The longest loops")
    return Section("Words left out in a row, and loops", tuple(parts)) if parts else None


def silence_section(scores: Scores) -> Section | None:
    """Section on words where nobody speaks; None where every reference has a word."""
    found = _each(scores, hallucination)
    if not found:
        return None
    parts: list[Part] = [
        Paragraph("Every word in an utterance whose reference has none is made up: hallucinated."),
        Table(tables.hallucination_table(found), "Words where nobody speaks"),
    ]
    for column in group_columns(scores, without_speech=True):
        split = {label: hallucination(one, column) for label, one in scores.items() if column in columns(one)}
        parts.append(Table(tables.hallucination_table(_filled(split), column), f"by {column}"))
    return Section("Without speech", tuple(parts))


def confidence_section(scores: Scores) -> Section | None:
    """Section on calibration in numbers; None where no system states confidences."""
    found = _each(scores, confidence_measures)
    if not found:
        return None
    caption = "Confidence of words as numbers"
    parts = (Table(tables.confidence_table(found), caption), Paragraph(_CONFIDENCE, note=True))
    return with_method(Section("Confidence", parts), scores)


def with_measures(section: Section | None, scores: Scores) -> Section | None:
    """The section on confidence, with its numbers added."""
    numbered = confidence_section(scores)
    if section is None or numbered is None:
        return section
    return replace(section, parts=(*section.parts, *numbered.parts))


def _each(scores: Scores, measure: Callable[[Score], pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return _filled({label: measure(one) for label, one in scores.items()})


def _filled(found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {label: table for label, table in found.items() if len(table)}


def _in_a_row(runs: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {label: table[table["n_words"] > 1] for label, table in runs.items()}


def _listed(table: pd.DataFrame, caption: str) -> list[Part]:
    return [Table(table, caption)] if len(table) else []
