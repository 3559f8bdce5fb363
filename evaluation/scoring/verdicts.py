"""Verdicts: a difference in a sentence, or the reason why the records do not allow one."""

from __future__ import annotations

import math
from typing import Final, Literal

from evaluation.show.display import DASH, counted, decimal, estimate
from evaluation.statistics.differences import PairedDifference
from evaluation.statistics.facts import FEWEST_UNITS, MIN_DIFFERING

__all__ = ["MIN_DIFFERING", "MIN_UTTERANCES", "Outcome", "hindrance", "outcome", "p_text", "verdict"]

MIN_UTTERANCES: Final = 20
"""Fewer utterances give no verdict: they are too few to be like those that come."""
Outcome = Literal["A", "B", "none", "too few"]
"""Better system; "none" where no difference was found, "too few" where nothing can be said."""


def sample_hindrance(difference: PairedDifference) -> str | None:
    """Reason why the sample allows no statement at all, whatever the systems did; None where it does."""
    if math.isnan(difference.difference):
        return "the references have no words"
    if difference.n_utterances < MIN_UTTERANCES:
        given = counted(difference.n_utterances, "utterance")
        return f"{given} cannot tell two systems apart; {MIN_UTTERANCES} or more can"
    if math.isnan(difference.low):
        few = f"fewer than {FEWEST_UNITS}"
        blocks = "utterances with a word" if difference.n_blocks is None else "speakers or sessions"
        return f"{few} {blocks} cannot give an interval"
    return None


def hindrance(difference: PairedDifference) -> str | None:
    """Reason why no verdict can be given on a difference; None where one can."""
    reason = sample_hindrance(difference)
    if reason is None and 0 < difference.n_differing < MIN_DIFFERING:
        given = counted(difference.n_differing, "utterance")
        return f"the systems differ in {given} only, and {MIN_DIFFERING} are the fewest that can tell"
    return reason


def outcome(difference: PairedDifference, p_adjusted: float | None = None) -> Outcome:
    """Better system by the interval, and by the adjusted p-value where several systems are compared."""
    if hindrance(difference):
        return "too few"
    if difference.low <= 0 <= difference.high:
        return "none"
    if p_adjusted is not None and not p_adjusted < 1 - difference.level:
        return "none"
    return "A" if difference.difference < 0 else "B"


def verdict(
    difference: PairedDifference,
    label_a: str,
    label_b: str,
    *,
    p_adjusted: float | None = None,
    n_comparisons: int = 1,
) -> str:
    """Verdict in a sentence: the better system and by how many points, no difference, or why neither.

    Args:
        difference: Difference, A minus B.
        label_a: Name of A.
        label_b: Name of B.
        p_adjusted: P-value after Holm's correction, where several systems are compared.
        n_comparisons: Number of those comparisons.

    >>> from evaluation.statistics.differences import paired_difference
    >>> verdict(paired_difference([0, 1, 0, 1], [2, 3, 2, 2], [9, 9, 9, 9]), "int8", "fp32")
    'no verdict: 4 utterances cannot tell two systems apart; 20 or more can (int8 minus fp32: -19.44 points)'
    """
    points, low, high = (100 * value for value in (difference.difference, difference.low, difference.high))
    reason = hindrance(difference)
    if math.isnan(points):
        return f"no rates to compare: {reason}"
    if reason:
        return f"no verdict: {reason} ({label_a} minus {label_b}: {decimal(points, sign=True)} points)"
    holm = "" if p_adjusted is None or n_comparisons < 2 else _holm(p_adjusted, n_comparisons)
    found = outcome(difference, p_adjusted)
    if found == "none":
        shown = estimate(points, low, high, scale=1, sign=True)
        return f"no difference was found: {label_a} minus {label_b} is {shown} points{holm}"
    if found == "A":
        return f"{label_a} is better by {_points(-points, -high, -low)}{holm}"
    return f"{label_b} is better by {_points(points, low, high)}{holm}"


def _points(points: float, low: float, high: float) -> str:
    return estimate(points, low, high, scale=1).replace(" ", " points ", 1)


def _holm(p_adjusted: float, n_comparisons: int) -> str:
    return f" (p {p_text(p_adjusted)} among {n_comparisons} comparisons, by Holm)"


def p_text(p: float) -> str:
    """P-value for people, with its sign.

    >>> p_text(0.00001), p_text(0.25)
    ('< 0.0001', '= 0.2500')
    """
    if math.isnan(p):
        return f"= {DASH}"
    return f"= {decimal(p, 4)}" if p >= 0.0001 else "< 0.0001"
