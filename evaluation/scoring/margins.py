"""Decisions with a margin: is A not worse than B by so many points, and are both equivalent?

A difference that was not found is no proof that there is none. With a margin the question is turned round:
the null hypothesis is that A is worse by the margin or more, and it has to be rejected. Equivalence takes two
such one-sided tests, one on each side; each is at the level 1 - `level`, so the interval that belongs to them
is the one of level 2 * `level` - 1 (90 % for 95 %).

Source: D. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach for assessing
the equivalence of average bioavailability", J. Pharmacokinetics and Biopharmaceutics 1987.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from evaluation.scoring.verdicts import p_text, sample_hindrance
from evaluation.show.display import decimal
from evaluation.statistics.differences import PairedDifference
from evaluation.statistics.facts import MIN_DIFFERING
from evaluation.statistics.small_sets import exact_ends, is_rounding, student_p, student_quantile


@dataclass(frozen=True, kw_only=True)
class MarginTest:
    """Answer to "is A not worse than B by the margin?".

    Attributes:
        margin: Margin, a share: 0.003 is 0.3 points.
        level: Level of each one-sided test's complement, e.g. 0.95.
        low, high: Ends of the interval that belongs to the tests, of level 2 * `level` - 1; NaN without one.
        p_not_worse: P-value of "A is worse by the margin or more"; NaN where there is no spread.
        p_not_better: P-value of "A is better by the margin or more", likewise.
        not_worse: True if the first is rejected: A is not worse by the margin.
        equivalent: True if both are.
        reason: Reason why neither can be said; None where something can.
    """

    margin: float
    level: float
    low: float
    high: float
    p_not_worse: float
    p_not_better: float
    not_worse: bool
    equivalent: bool
    reason: str | None = None

    @property
    def p_equivalent(self) -> float:
        """P-value of the equivalence: the larger of the two."""
        return max(self.p_not_worse, self.p_not_better)

    def sentence(self, label_a: str, label_b: str) -> str:
        """The answer, in a sentence."""
        points = f"{100 * self.margin:.6g} points"
        if self.reason:
            return f"Margin of {points}: no verdict: {self.reason}."
        ends = f"[{decimal(100 * self.low, sign=True)}, {decimal(100 * self.high, sign=True)}]"
        told = f"{2 * self.level - 1:.0%} interval of {label_a} minus {label_b} {ends}"
        if self.equivalent:
            p = _p_told(self.p_equivalent)
            return f"Margin of {points}: {label_a} and {label_b} are equivalent within it ({told}{p})."
        p = _p_told(self.p_not_worse)
        if self.not_worse:
            return f"Margin of {points}: {label_a} is not worse than {label_b} by so much ({told}{p})."
        if self.low > self.margin:
            return f"Margin of {points}: {label_a} is worse than {label_b} by more than that ({told})."
        advice = "; `plan` says how many utterances would show it" if p else "; it takes more words"
        return (
            f"Margin of {points}: it is not shown that {label_a} is not worse than {label_b} by so much "
            f"({told}{p}){advice}."
        )


def _p_told(p: float) -> str:
    """P-value behind an interval; "" where there is none, as of systems that erred alike everywhere."""
    return "" if math.isnan(p) else f", p {p_text(p)}"


def margin_test(difference: PairedDifference, margin: float) -> MarginTest:
    """Test of a difference against a margin.

    Args:
        difference: Difference of the rates, A minus B.
        margin: Margin, a share between 0 and 1: 0.003 is 0.3 points.

    Raises:
        ValueError: the margin is no such share.
    """
    if not 0 < margin < 1:
        raise ValueError(f"the margin is {margin}; give a share from 0 to 1, such as 0.003 for 0.3 points")
    level, nan = difference.level, math.nan
    reason = sample_hindrance(difference)
    if reason:
        return MarginTest(
            margin=margin, level=level, low=nan, high=nan, p_not_worse=nan, p_not_better=nan,
            not_worse=False, equivalent=False, reason=reason,
        )  # fmt: skip
    low, high = _ends(difference)
    worse, better = _p_values(difference, margin)
    return MarginTest(
        margin=margin,
        level=level,
        low=low,
        high=high,
        p_not_worse=worse,
        p_not_better=better,
        not_worse=high < margin,
        equivalent=-margin < low and high < margin,
    )


def _ends(difference: PairedDifference) -> tuple[float, float]:
    """Ends of the interval of level 2 * level - 1: Student's t; exact ones where hardly anything differs."""
    level = max(2 * difference.level - 1, 1e-9)
    error, value = difference.standard_error, difference.difference
    reach = 0.0 if is_rounding(error) else student_quantile(level, difference.n_units - 1) * error
    if difference.n_differing < MIN_DIFFERING:  # their spread says next to nothing
        reach = max(reach, exact_ends(0, difference.n_reference, level)[1])
    return value - reach, value + reach


def _p_values(difference: PairedDifference, margin: float) -> tuple[float, float]:
    error, value, n_free = difference.standard_error, difference.difference, difference.n_units - 1
    if is_rounding(error) or difference.n_differing < MIN_DIFFERING:
        return math.nan, math.nan
    return student_p((margin - value) / error, n_free), student_p((margin + value) / error, n_free)
