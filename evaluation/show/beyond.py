"""Tables beyond the WER, as people read them: marks, numbers, terms, runs, loops, groups.

Each takes tables of numbers by the name of their system, from `evaluation.scoring`, and gives one of strings.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evaluation.show.display import count, decimal, estimate, percent, table_of
from evaluation.show.notebook import first_words

Tables = Mapping[str, pd.DataFrame]

_MEASURES = {
    "ece": "ECE, %",
    "ece_by_chance": "ECE by chance, %",
    "overconfidence": "overconfidence, points",
    "nce": "NCE",
    "auc": "AUC",
}


def marks_table(tables: Tables) -> pd.DataFrame:
    """Marks for people, from `evaluation.beyond.punctuation.punctuation`."""
    return table_of(
        {"System": name, "Mark": str(mark)} | _retrieved(row) | {"Not judged": count(row["n_not_judged"])}
        for name, table in tables.items()
        for mark, row in table.iterrows()
    )


def case_table(tables: Tables) -> pd.DataFrame:
    """Case errors for people, from `evaluation.beyond.punctuation.case_errors`."""
    return table_of(
        {
            "System": name,
            "Words": str(words),
            "Judged": count(row["n_words"]),
            "Case errors, %": _share(row, "rate"),
            "Capitals, recall, %": _share(row, "recall"),
            "precision, %": _share(row, "precision"),
            "F1, %": _share(row, "f1"),
        }
        for name, table in tables.items()
        for words, row in table.iterrows()
    )


def names_table(tables: Tables) -> pd.DataFrame:
    """Errors of names for people, from `evaluation.beyond.punctuation.names`."""
    return table_of(
        {
            "System": name,
            "Words": str(words),
            "Number": count(row["n_words"]),
            "Wrong": count(row["n_wrong"]),
            "Wrong, %": _share(row, "rate"),
        }
        for name, table in tables.items()
        for words, row in table.iterrows()
    )


def numbers_table(tables: Tables) -> pd.DataFrame:
    """Numbers for people, from `evaluation.beyond.numbers.numbers`."""
    return table_of(
        {"System": name}
        | _retrieved(row)
        | {
            "Subst.": count(row["n_substituted"]),
            "Del.": count(row["n_deleted"]),
            "Made up": count(row["n_made_up"]),
            "Wrong number words, %": _share(row, "word_errors"),
        }
        for name, table in tables.items()
        for _, row in table.iterrows()
    )


def terms_table(tables: Tables) -> pd.DataFrame:
    """Terms for people, from `evaluation.beyond.keywords.keywords`."""
    return table_of(
        {"System": name, "Term": str(term)}
        | _retrieved(row)
        | {
            "False alarms": count(row["n_false"]),
            "per 1,000 words": _amount(row, "per_1000_words"),
            "per hour": _amount(row, "per_hour"),
        }
        for name, table in tables.items()
        for term, row in table.iterrows()
    )


def deletions_table(tables: Tables) -> pd.DataFrame:
    """Deletions in runs for people, from `evaluation.beyond.deletion_runs.deletions`."""
    return table_of(
        {
            "System": name,
            "Runs of": f"{least} words or more" if least > 1 else "1 word or more: all",
            "Runs": count(row["n_runs"]),
            "Words": count(row["n_words"]),
            "of the deletions, %": _share(row, "share") if least > 1 else percent(row["share"]),
            "of all words, %": _share(row, "of_words"),
            "Longest": count(row["longest"]),
        }
        for name, table in tables.items()
        for least, row in table.iterrows()
    )


def runs_table(tables: Tables, n: int = 10) -> pd.DataFrame:
    """The first `n` runs of each system for people, from `evaluation.beyond.deletion_runs.deletion_runs`."""
    return table_of(
        {
            "System": name,
            "Utterance": str(row.id),
            "Words left out": count(row.n_words),
            "of": count(row.n_reference),
            "from word": count(row.start + 1),
            "Text": first_words(row.words),
        }
        for name, table in tables.items()
        for row in table.head(n).itertuples()
    )


def looping_table(tables: Tables) -> pd.DataFrame:
    """Shares of utterances that loop for people, from `evaluation.beyond.loops.looping`."""
    return table_of(
        {
            "System": name,
            "Loops": count(row["n_loops"]),
            "Utterances with one": count(row["n_utterances"]),
            "share, %": _share(row, "share"),
            "Words too many": count(row["n_words"]),
        }
        for name, table in tables.items()
        for _, row in table.iterrows()
    )


def loops_table(tables: Tables, n: int = 10) -> pd.DataFrame:
    """The first `n` loops of each system for people, from `evaluation.beyond.loops.loops`."""
    return table_of(
        {
            "System": name,
            "Utterance": str(row.id),
            "Phrase": row.phrase,
            "Times": count(row.n_times),
            "in the reference": count(row.n_in_reference),
        }
        for name, table in tables.items()
        for row in table.head(n).itertuples()
    )


def hallucination_table(tables: Tables, what: str = "Clips") -> pd.DataFrame:
    """Words where nobody speaks for people, from `evaluation.beyond.hallucination.hallucination`."""
    return table_of(
        {
            "System": name,
            what: str(group),
            "Without speech": count(row["n_clips"]),
            "Failed": count(row["n_failed"]),
            "Minutes": decimal(row["minutes"], 1),
            "Words": count(row["n_words"]),
            "Words per minute": _amount(row, "words_per_minute"),
            "Clips with a word, %": _share(row, "share"),
        }
        for name, table in tables.items()
        for group, row in table.iterrows()
    )


def confidence_table(tables: Tables) -> pd.DataFrame:
    """Calibration in numbers for people, from `evaluation.beyond.calibration.confidence_measures`."""
    rows = []
    for name, table in tables.items():
        shown = {"System": name, "Words": count(table["n_words"].iloc[0])}
        for measure, row in table.iterrows():
            title = _MEASURES[str(measure)]
            if measure == "ece_by_chance":
                shown[title] = percent(row["value"])
            else:
                scale = 1 if measure in ("nce", "auc") else 100
                digits = 3 if scale == 1 else 2
                ends = (row["value"], row["low"], row["high"])
                shown[title] = estimate(*ends, scale=scale, digits=digits, sign=measure == "overconfidence")
        rows.append(shown)
    return table_of(rows)


def groups_table(tables: Tables, what: str) -> pd.DataFrame:
    """WER by group for people, from `beyond.groups.by_group`, a column for each system.

    Args:
        tables: Table of each system.
        what: Title of the column of groups.
    """
    rows: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        for group, row in table.iterrows():
            shown = rows.setdefault(
                str(group),
                {what: str(group), "Utterances": count(row["n_utterances"]), "Words": count(row["n_words"])},
            )
            shown[f"WER of {name}, %"] = _share(row, "wer")
    averages = [rows.pop(name) for name in [*rows] if name in _AVERAGES]
    return table_of([*rows.values(), *averages]).fillna("–")


_AVERAGES = ("all, micro", "mean of groups, macro")  # of `beyond.groups`, which this room does not import


def _retrieved(row: pd.Series) -> dict[str, str]:
    return {
        "Reference": count(row["n_reference"]),
        "Hypothesis": count(row["n_hypothesis"]),
        "Recall, %": _share(row, "recall"),
        "Precision, %": _share(row, "precision"),
        "F1, %": _share(row, "f1"),
    }


def _share(row: pd.Series, name: str) -> str:
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _amount(row: pd.Series, name: str) -> str:
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], scale=1)
