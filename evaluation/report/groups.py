"""Section of a report on groups of utterances: the WER of each source, or whatever else a dataset says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluation.beyond.groups import by_group, columns, groups_of
from evaluation.report.notes import with_method
from evaluation.report.parts import Part, Plot, Row, Section, Table
from evaluation.scoring.scores import Score
from evaluation.show import beyond as tables

Scores = Mapping[str, Score]

_FEWEST_GROUPS, _MOST_GROUPS = 2, 20
_FEWEST_EACH = (
    5  # utterances of a group, on average: texts and other names of single utterances are no groups
)


def groups_section(scores: Scores, by: Sequence[str] | None = None, *, drawn: bool = True) -> Section | None:
    """Section of the WER by columns of the metadata; None without such a column.

    Args:
        scores: Scores by the name of each system.
        by: Columns; by default all with two to twenty values.
        drawn: False to leave out plots.

    Raises:
        ScoreError: a column that none of the files has.
    """
    parts: list[Part] = []
    for number, column in enumerate(group_columns(scores) if by is None else by):
        known = {label: one for label, one in scores.items() if column in columns(one)} or scores
        found = {label: by_group(one, column) for label, one in known.items()}
        table = Table(tables.groups_table(found, column), f"Word error rate by {column}")
        if drawn:
            from evaluation import plots

            svg = plots.to_svg(plots.wer_by_group(found, column))
            parts.append(Row((Plot(f"group{number + 1}", svg, f"Word error rate by {column}"), table)))
        else:
            parts.append(table)
    return with_method(Section("Groups", tuple(parts)), scores) if parts else None


def group_columns(scores: Scores, *, without_speech: bool = False) -> list[str]:
    """Columns with two to twenty values and five utterances or more for each, of all files.

    Args:
        scores: Scores by the name of each system.
        without_speech: True to look at utterances whose reference has no word alone, else at the others.
    """
    found: dict[str, None] = {}
    for one in scores.values():
        silent = (one.utterances["n_words"] == 0).to_numpy()
        chosen = silent if without_speech else ~silent
        for column in columns(one):
            n = len(set(groups_of(one, column)[chosen].tolist()))
            if _FEWEST_GROUPS <= n <= min(_MOST_GROUPS, chosen.sum() / _FEWEST_EACH):
                found[column] = None
    return [*found]
