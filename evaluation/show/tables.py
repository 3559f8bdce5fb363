"""The tables of this package as people read them: percent, points and milliseconds, all cells strings.

Each takes a table of numbers and gives one of strings, to be rendered by `evaluation.show.display`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from evaluation.show.display import DASH, count, decimal, estimate, failure_of, percent, seconds, table_of
from evaluation.show.notebook import first_words

_RATES = {"wer": "WER, %", "cer": "CER, %", "ser": "SER, %"}


def summary_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Summary for people, from `evaluation.scoring.scores.summarize`."""
    return table_of(
        [
            {"System": str(name)}
            | {title: _rate(row, rate) for rate, title in _RATES.items()}
            | {
                "Subst.": count(row["substitutions"]),
                "Del.": count(row["deletions"]),
                "Ins.": count(row["insertions"]),
                "Words": count(row["n_words"]),
                "Utterances": count(row["n_utterances"]),
                "Failed": count(row["n_failed"]),
                "RTFx": decimal(row["rtfx"], 1),
            }
            | _method(row, "WER")
            for name, row in scores.iterrows()
        ]
    )


def records_table(records: pd.DataFrame) -> pd.DataFrame:
    """Records for people, from `records.files.as_table`: beginnings of the texts, times, confidence."""
    return table_of(
        [
            {
                "Utterance": str(name),
                "Reference": first_words(row["reference"]),
                "Hypothesis": first_words(row["hypothesis"])
                if isinstance(row["hypothesis"], str)
                else f"failed: {failure_of(row['error'])}",
                "Audio": seconds(row["audio_s"]),
                "Work": seconds(row["work_s"]),
                "Confidence": decimal(row["confidence"]),
            }
            for name, row in records.iterrows()
        ]
    )


def speed_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Speed for people, from the columns of `evaluation.scoring.scores.summarize`, and how it was timed."""
    return table_of(
        [
            {
                "System": str(name),
                "RTFx": estimate(row["rtfx"], row["rtfx_low"], row["rtfx_high"], scale=1, digits=1),
                "p50": seconds(row["p50_s"]),
                "p95": seconds(row["p95_s"]),
                "p99": seconds(row["p99_s"]),
                "Audio": seconds(row["audio_s"] if row["n_timed"] else None),
                "Work": seconds(row["work_s"] if row["n_timed"] else None),
                "Timed": count(row["n_timed"]),
                "How": (row.get("how_timed") or DASH) if row["n_timed"] else DASH,
                "Machine": (row.get("load") or DASH) if row["n_timed"] else DASH,
            }
            for name, row in scores.iterrows()
        ]
    )


def stages_table(stages: Mapping[str, tuple[float, Mapping[str, float]]]) -> pd.DataFrame:
    """Milliseconds of work per second of audio, by stage.

    Args:
        stages: Seconds of audio, and seconds of work by stage, by system.
    """
    return table_of(
        [
            {"System": name}
            | {stage: decimal(1000 * work_s / audio_s, 2) for stage, work_s in parts.items()}
            | {"total": decimal(1000 * sum(parts.values()) / audio_s, 2)}
            for name, (audio_s, parts) in stages.items()
        ]
    ).fillna(DASH)


def profiles_table(profiles: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """WER by profile for people, from `scoring.scores.profiles`, a column for each system; and CER."""
    [first, *_] = profiles.values()
    rows = []
    for index, row in first.iterrows():
        shown = {
            "Profile": row["profile"],
            "Utterances": f"{row['utterances']} ({count(row['n_utterances'])})",
        }
        for name, table in profiles.items():
            shown[f"WER of {name}, %"] = _rate(table.loc[index], "wer")
        for name, table in profiles.items():
            shown[f"CER of {name}, %"] = percent(table.loc[index, "cer"])
        rows.append(shown | _method(row))
    return table_of(rows)


def rules_table(rules: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """WER by rule for people, from `scoring.scores.rules` of each system, and what each rule changed."""
    [first, *_] = rules.values()
    rows = []
    for rule, row in first.iterrows():
        shown = {"Rule": str(rule), "What it does": row["description"]}
        for name, table in rules.items():
            shown[f"WER of {name}, %"] = percent(table.loc[rule, "wer"])
            shown[f"change of {name}"] = decimal(100 * table.loc[rule, "difference"], sign=True)
        rows.append(shown)
    return table_of(rows)


def differences_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Paired differences for people, from `scoring.compare.as_table` of one comparison or of several."""
    return table_of(
        [
            {
                "A": row["a"],
                "B": row["b"],
                "Rate": _RATES[str(rate)],
                "of A": percent(row["rate_a"]),
                "of B": percent(row["rate_b"]),
                "A - B, points": estimate(row["difference"], row["low"], row["high"], sign=True),
                "A lower in": _in_percent(row["share_a_better"]),
                "equal in": _in_percent(row["share_equal"]),
            }
            | _method(row)
            for rate, row in differences.iterrows()
        ]
    )


def contingency_table(contingency: pd.DataFrame) -> pd.DataFrame:
    """Contingency table for people, from `evaluation.scoring.compare.Comparison.contingency`."""
    return table_of(
        [
            {"Utterances": str(name)} | {title: count(row[title]) for title in row.index}
            for name, row in contingency.iterrows()
        ]
    )


def bins_table(bins: Mapping[str, pd.DataFrame], what: str) -> pd.DataFrame:
    """WER by `what` for people, from tables of `beyond.breakdowns`, a column for each system."""
    rows: dict[str, dict[str, str]] = {}
    for name, table in bins.items():
        for label, row in table.iterrows():
            shown = rows.setdefault(str(label), {what: str(label), "Utterances": count(row["n_utterances"])})
            shown[f"WER of {name}, %"] = _rate(row, "wer")
    return table_of(list(rows.values())).fillna(DASH)


def _method(row: pd.Series, of: str = "") -> dict[str, str]:
    """Cell that names the method of a row's intervals, or of one of them, where the table states it."""
    title = f"{of} interval by" if of else "Interval by"
    return {title: str(row["method"])} if "method" in row else {}


def _in_percent(share: float) -> str:
    return DASH if math.isnan(share) else f"{percent(share, 1)} %"


def _rate(row: pd.Series, name: str) -> str:
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])
