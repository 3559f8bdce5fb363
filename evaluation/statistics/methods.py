"""Methods of intervals in words, for the sentence beneath a table."""

from __future__ import annotations

from evaluation.show.display import count, counted
from evaluation.statistics.facts import Resampling


def method_in_words(found: Resampling, blocks: str) -> str:
    """Method of an interval in words: what it rests on, and how it was drawn.

    Args:
        found: Interval or difference.
        blocks: Kind of the units: speaker, session or utterance.
    """
    kind = "utterance" if found.n_blocks is None else blocks
    n_units = found.n_utterances if found.n_blocks is None else found.n_blocks
    units = counted(n_units, kind)
    if found.method == "bootstrap":
        return f"percentile bootstrap over {units}, {count(found.n_resamples)} resamples, seed {found.seed}"
    if found.method == "jackknife":
        free = f"{n_units - 1} degrees of freedom"
        return f"delete-one jackknife over {units}, log scale for rates, Student's t with {free}"
    if found.method == "exact":
        return "exact bounds, as if errors were independent (none, or the same rate everywhere)"
    return f"none, of {units}"
