"""Table of the errors of word times, as people read it: milliseconds and percent."""

from __future__ import annotations

import re

import pandas as pd

from evaluation.show.display import count, estimate, percent, table_of

_MILLISECONDS = {"mean_abs_s": "Mean error, ms", "bias_s": "Bias, ms", "p50_s": "p50, ms", "p95_s": "p95, ms"}


def times_table(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors of begins and ends of words for people, from `evaluation.beyond.word_times.as_table`."""
    shares = [name for name in errors.columns if re.fullmatch(r"within_\d+_ms", name)]
    return table_of(
        {
            "System": str(row["system"]),
            "Edge": str(row["edge"]),
            "Words": count(row["n_pairs"]),
            "of the reference, %": percent(row["n_pairs"] / row["n_reference"], 1),
        }
        | {
            title: _estimate(row, name, scale=1000, digits=0, sign=name == "bias_s")
            for name, title in _MILLISECONDS.items()
        }
        | {f"{name.replace('_', ' ')}, %": _estimate(row, name, scale=100, digits=1) for name in shares}
        for _, row in errors.iterrows()
    )


def _estimate(row: pd.Series, name: str, *, scale: float, digits: int, sign: bool = False) -> str:
    ends = row[name], row[f"{name}_low"], row[f"{name}_high"]
    return estimate(*ends, scale=scale, digits=digits, sign=sign)
