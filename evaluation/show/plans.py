"""Table of plans as people read them."""

from __future__ import annotations

import pandas as pd

from evaluation.show.display import DASH, count, decimal, table_of

_GOALS = {
    "half-width": "WER to plus or minus {} points",
    "difference": "find a difference of {} points",
    "not worse": "show that A is not worse by {} points",
    "equivalent": "show equivalence within {} points",
}


def plans_table(plans: pd.DataFrame) -> pd.DataFrame:
    """Plans for people, from a table of `scoring.planning.Plan` fields: shares, counts, hours."""
    return table_of(
        [
            {
                "To": _GOALS[row["goal"]].format(decimal(100 * row["size"])),
                "Utterances": count(row["n_utterances"]),
                "Range": f"{count(row['low'])} to {count(row['high'])}",
                "Speakers": DASH if pd.isna(row["n_blocks"]) else count(int(row["n_blocks"])),
                "Audio, h": DASH if pd.isna(row["hours"]) else decimal(row["hours"], 1),
                "Power, %": DASH if pd.isna(row["power"]) else decimal(100 * row["power"], 0),
            }
            for row in plans.to_dict("records")
        ]
    )
