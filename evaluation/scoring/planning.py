"""Plans: how many utterances a question takes, from the records of a pilot.

The standard error of a rate, or of a paired difference, falls with the square root of the number of speakers,
or of utterances where speakers are not known. A pilot says how large it is; so many more of the same kind
give the precision or the power that is asked for. A pilot's own standard error is uncertain, so a plan is
a range: with 80 % confidence the true number lies in it.

Source: D. Machin et al., "Sample size tables for clinical studies", 2009, chapters 4 and 9 (the formulas).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from evaluation.scoring.compare import Comparison
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import Score
from evaluation.show.display import counted
from evaluation.statistics.facts import FEWEST_UNITS, MIN_DIFFERING
from evaluation.statistics.small_sets import rate_error

Goal = Literal["half-width", "difference", "not worse", "equivalent"]

_PLAN_CONFIDENCE: Final = 0.8
POWER: Final = 0.8
"""Default power: the chance to find a difference that is there."""
MIN_PILOT: Final = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Number of utterances that a goal takes.

    Attributes:
        goal: Kind of the goal.
        size: Half of an interval's width, a difference or a margin; a share: 0.003 is 0.3 points.
        n_utterances: Number of utterances.
        low, high: Ends of its range, as the pilot's standard error is uncertain.
        n_blocks: Number of speakers or sessions; None where utterances are taken as independent.
        hours: Hours of audio; None where the pilot's records do not state durations.
        power: Chance to reach the goal, if the truth is as supposed; None for a half-width.
        level: Confidence level.
    """

    goal: Goal
    size: float
    n_utterances: int
    low: int
    high: int
    n_blocks: int | None
    hours: float | None
    power: float | None
    level: float


def plan_width(pilot: Score, half_width: float) -> Plan:
    """Utterances for an interval of the WER of plus or minus `half_width`, a share.

    Raises:
        ScoreError: a pilot of fewer than 20 utterances, or without an error.
        ValueError: a half-width that is not above 0.
    """
    _require_size("half-width", half_width)
    counts = pilot.utterances[["errors", "n_words"]].to_numpy()
    error = rate_error(counts, pilot.block_names)
    if not error > 0:
        raise ScoreError("the pilot holds no error, so there is no spread to plan from; take a larger one")
    z = NormalDist().inv_cdf((1 + pilot.options.level) / 2)
    return _planned(pilot, "half-width", half_width, z * error / half_width, None)


def plan_difference(pilot: Comparison, difference: float, *, power: float = POWER) -> Plan:
    """Utterances to find a difference in WER of so much, if it is there.

    Args:
        pilot: Comparison of the two systems on the pilot's utterances.
        difference: Difference, a share above 0.
        power: Chance to find it, 0 to 1.

    Raises:
        ScoreError: a pilot that is too small, or in which the systems made the same errors.
        ValueError: a difference that is not above 0, or a power outside 0 to 1.
    """
    _require_size("difference", difference)
    normal, level = NormalDist(), pilot.a.options.level
    z = normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(_checked(power))
    error = _error_of(pilot)
    return _planned(pilot.a, "difference", difference, z * error / difference, power)


def plan_margin(
    pilot: Comparison, margin: float, *, power: float = POWER, expected: float = 0.0, two_sided: bool = False
) -> Plan:
    """Utterances to show that A is not worse than B by the margin, or equivalent within it.

    Args:
        pilot: Comparison of the two systems on the pilot's utterances.
        margin: Margin, a share above 0.
        power: Chance to show it, 0 to 1.
        expected: True difference A minus B that is supposed, a share below the margin.
        two_sided: True for equivalence.

    Raises:
        ScoreError: as of `plan_difference`.
        ValueError: likewise; or the expected difference is not inside the margin.
    """
    _require_size("margin", margin)
    room = margin - (abs(expected) if two_sided else expected)
    if not room > 0:
        raise ValueError(f"expected is {expected}, which the margin of {margin} does not exceed")
    normal, level = NormalDist(), pilot.a.options.level
    # Equivalence has to get by both tests: the chance to fail is shared between them.
    reached = 1 - (1 - _checked(power)) / 2 if two_sided and not expected else power
    z = normal.inv_cdf(level) + normal.inv_cdf(reached)
    goal: Goal = "equivalent" if two_sided else "not worse"
    return _planned(pilot.a, goal, margin, z * _error_of(pilot) / room, power)


def _error_of(pilot: Comparison) -> float:
    error = pilot.wer.standard_error
    if pilot.wer.n_units < FEWEST_UNITS:
        raise ScoreError(f"{_few(pilot.a)} give no spread to plan from; take {FEWEST_UNITS} or more")
    if 0 < pilot.wer.n_differing < MIN_DIFFERING:
        raise ScoreError(
            f"the systems differ in {counted(pilot.wer.n_differing, 'utterance')} of the pilot only, which "
            f"is too few to plan from; take a larger pilot, in which {MIN_DIFFERING} or more differ"
        )
    if not error > 0 or not math.isfinite(error):
        raise ScoreError(
            "the systems made as many errors in every utterance of the pilot, so that their difference has "
            "no spread to plan from; take a larger pilot"
        )
    return error


def _planned(one: Score, goal: Goal, size: float, ratio: float, power: float | None) -> Plan:
    """Plan of a pilot whose standard error is `ratio` times what it should be."""
    from scipy.special import chdtri

    n_pilot = len(one.utterances)
    if n_pilot < MIN_PILOT:
        raise ScoreError(f"a pilot of {n_pilot} utterances says nothing; take {MIN_PILOT} or more")
    n_units = one.wer.n_blocks or n_pilot
    if n_units < FEWEST_UNITS:
        raise ScoreError(f"{_few(one)} give no spread to plan from; take {FEWEST_UNITS} or more")
    tail = (1 - _PLAN_CONFIDENCE) / 2
    # The squared error is distributed as chi squared over its degrees of freedom.
    least, most = ((n_units - 1) / float(chdtri(n_units - 1, each)) for each in (tail, 1 - tail))
    needed = n_pilot * ratio**2
    audio_s = float(one.utterances["audio_s"].sum())
    n_utterances = math.ceil(needed)
    return Plan(
        goal=goal,
        size=size,
        n_utterances=n_utterances,
        low=math.ceil(needed * least),
        high=math.ceil(needed * most),
        n_blocks=math.ceil(n_units * ratio**2) if one.wer.n_blocks else None,
        hours=needed / n_pilot * audio_s / 3600 if audio_s else None,
        power=power,
        level=one.options.level,
    )


def _few(one: Score) -> str:
    return counted(one.wer.n_blocks or len(one.utterances), one.options.blocks)


def _require_size(name: str, size: float) -> None:
    if not (size > 0 and math.isfinite(size)):
        raise ValueError(f"the {name} is {size}; give a share above 0, such as 0.003 for 0.3 points")


def _checked(power: float) -> float:
    if not 0 < power < 1:
        raise ValueError(f"power is {power}; give a share between 0 and 1, such as 0.8")
    return power
