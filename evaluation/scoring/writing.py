"""Does a verdict depend on ways of writing? The difference under every profile, and on plain utterances.

An utterance is plain where no raw text has a digit or a Latin letter: there the profiles differ in little but
punctuation. Where one profile says "better" and a more forgiving one, or the plain utterances, do not, the
verdict may be about writing and not about hearing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.normalize import PROFILES, Profile
from evaluation.records.files import RecordFile
from evaluation.scoring.counting import block_of_each
from evaluation.scoring.options import Options
from evaluation.scoring.scores import ALL, PLAIN, plain_ids
from evaluation.scoring.texts import normalized, word_counts
from evaluation.scoring.verdicts import outcome
from evaluation.show.display import count, estimate, table_of
from evaluation.statistics.differences import paired_difference
from evaluation.statistics.facts import method_of
from evaluation.statistics.units import Int64Array


def by_profile(a: RecordFile, b: RecordFile, options: Options) -> pd.DataFrame:
    """Difference in WER, A minus B, under every profile, on all and on plain utterances.

    Args:
        a: Record file of system A.
        b: Record file of system B: the same utterances in the same order.
        options: Options of the intervals; their `profile` plays no part.

    Returns:
        One row per profile and set of utterances (`scores.ALL`, `scores.PLAIN`), with `profile`,
        `utterances`, `n_utterances`, `n_words`, `rate_a`, `rate_b`, `difference`, `low`, `high` (shares),
        `outcome` ("A", "B", "none", "too few") and `method`.
    """
    kind, names = block_of_each(a, options.blocks)
    blocks = None if names is None else np.array(names, dtype=object)
    kept = plain_ids([a, b])
    plain = np.array([record.id in kept for record in a.records], bool)
    rows = []
    for profile in PROFILES:
        chosen = replace(options, profile=profile)
        errors_a, words = _counts(a, chosen)
        errors_b, _ = _counts(b, chosen)
        for name, mask in ((ALL, np.ones_like(plain)), (PLAIN, plain)):
            found = paired_difference(
                errors_a[mask],
                errors_b[mask],
                words[mask],
                options,
                blocks=None if blocks is None else blocks[mask].tolist(),
            )
            row = {"profile": profile, "utterances": name, "n_utterances": found.n_utterances}
            row |= {"n_words": found.n_reference, "rate_a": found.rate_a, "rate_b": found.rate_b}
            row |= {"difference": found.difference, "low": found.low, "high": found.high}
            rows.append(row | {"outcome": outcome(found), "method": method_of(found, kind)})
    return pd.DataFrame(rows)


def writing_warning(table: pd.DataFrame, profile: Profile, label_a: str, label_b: str) -> list[str]:
    """Warning that the verdict under a profile is not that of more forgiving ones, or of plain utterances."""
    order = {name: index for index, name in enumerate(PROFILES)}
    chosen = table[(table["profile"] == profile) & (table["utterances"] == ALL)].iloc[0]
    others = table[
        ((table["utterances"] == ALL) & (table["profile"].map(order) > order[profile]))
        | ((table["utterances"] == PLAIN) & (table["profile"] == profile))
    ]
    other = [
        row
        for row in others.to_dict("records")
        if row["outcome"] not in ("too few", chosen["outcome"]) and chosen["outcome"] != "too few"
    ]
    if not other:
        return []
    names = {"A": f"{label_a} is better", "B": f"{label_b} is better", "none": "no difference is found"}
    told = "; ".join(
        f"{_set_of(row)} {names[row['outcome']]} "
        f"({estimate(row['difference'], row['low'], row['high'], sign=True)} points)"
        for row in other
    )
    return [f"Warning: this verdict depends on ways of writing: {told}."]


def writing_table(table: pd.DataFrame, label_a: str, label_b: str) -> pd.DataFrame:
    """Table of `by_profile` for people."""
    better = {"A": f"{label_a} is better", "B": f"{label_b} is better"}
    better |= {"none": "no difference", "too few": "no verdict"}
    return table_of(
        [
            {
                "Profile": row["profile"],
                "Utterances": f"{row['utterances']} ({count(row['n_utterances'])})",
                f"{label_a} - {label_b}, points of WER": estimate(
                    row["difference"], row["low"], row["high"], sign=True
                ),
                "Verdict": better[row["outcome"]],
                "Interval": row["method"],
            }
            for row in table.to_dict("records")
        ]
    )


def _set_of(row: dict[str, object]) -> str:
    if row["utterances"] == PLAIN:
        return f"on the {count(int(str(row['n_utterances'])))} utterances with {PLAIN}"
    return f"under {row['profile']}"


def _counts(file: RecordFile, options: Options) -> tuple[Int64Array, Int64Array]:
    """Word errors and reference words of each utterance."""
    profile, version = options.profile, options.normalizer
    found = [
        word_counts(
            normalized(record.reference, profile, version),
            normalized(record.hypothesis or "", profile, version),
            options.compounds,
        )
        for record in file.records
    ]
    errors, words = [count.errors for count in found], [count.n_reference for count in found]
    return np.array(errors, np.int64), np.array(words, np.int64)
