"""Speed of a system: seconds of audio per second of work (RTFx), latency, and where the time went.

Utterances that failed, or whose audio or work was not measured, are left out of both sums; `n_timed` says
how many remain. A batch's work is shared out by length, so with batches the latencies are shares, not waits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from evaluation.records.files import Record
from evaluation.scoring.options import BOOTSTRAP, Bootstrap
from evaluation.statistics.intervals import Float64Array, Int64Array, interval
from evaluation.statistics.quantiles import p50_p95_p99

FEWEST_ROUNDS: Final = 5
"""Rounds of systems that took turns from which on their intervals are over rounds."""

STAGES = ("decode", "features", "encoder", "search")
"""Stages of the work, as `Record` names them with `_s` behind; the rest of `work_s` is "other"."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Times of one system on one set; NaN where nothing was measured.

    Attributes:
        n_timed: Number of utterances with both times.
        audio_s: Seconds of their audio.
        work_s: Seconds of work on them.
        rtfx: audio_s / work_s.
        rtfx_low, rtfx_high: Ends of its interval, over rounds where systems took turns, else over utterances;
            of this run, not of other days or machines.
        p50_s, p95_s, p99_s: Percentiles of the work on one utterance, in seconds.
        stages: Seconds of work by stage, "other" among them; empty unless every timed utterance tells.
        n_rounds: Rounds in which the system took turns with others; 0 where it ran on its own.
    """

    n_timed: int
    audio_s: float
    work_s: float
    rtfx: float
    rtfx_low: float
    rtfx_high: float
    p50_s: float
    p95_s: float
    p99_s: float
    stages: dict[str, float] = field(default_factory=dict)
    n_rounds: int = 0


@dataclass(frozen=True, kw_only=True)
class SpeedRatio:
    """Ratio of the speeds of A and B, on the utterances that both have times of.

    Attributes:
        n_timed: Number of those utterances.
        ratio: Seconds of work of B / seconds of work of A; NaN where nothing was measured.
        low, high: Ends of its interval: over rounds where there are `FEWEST_ROUNDS` or more, which then
            covers what else the machine did; else over pairs of utterances, which does not.
        median: Median of the ratios of single utterances.
        n_rounds: Rounds that both have utterances of; with some, utterances of other rounds are left out.
            0: one ran after the other.
    """

    n_timed: int
    ratio: float
    low: float
    high: float
    median: float
    n_rounds: int = 0


def is_timed(record: Record) -> bool:
    """True if the record's times count: recognised, with seconds of audio and of work."""
    return record.hypothesis is not None and bool(record.audio_s) and bool(record.work_s)


def speed(records: Iterable[Record], bootstrap: Bootstrap = BOOTSTRAP) -> Speed:
    """Speed of a system from its records.

    >>> found = speed([Record(id="1", reference="", hypothesis="", audio_s=3.0, work_s=0.5)])
    >>> found.n_timed, found.rtfx, found.p99_s
    (1, 6.0, 0.5)
    """
    timed = [record for record in records if is_timed(record)]
    audio_s = np.array([record.audio_s for record in timed], float)
    work_s = np.array([record.work_s for record in timed], float)
    rounds = [record.round for record in timed]
    n_rounds = len({name for name in rounds if name is not None})
    blocks = rounds if n_rounds >= FEWEST_ROUNDS and None not in rounds else None
    found = interval(_whole(audio_s), _whole(work_s), bootstrap, blocks=blocks)
    p50, p95, p99 = p50_p95_p99(work_s)
    return Speed(
        n_timed=len(timed),
        audio_s=float(audio_s.sum()),
        work_s=float(work_s.sum()),
        rtfx=found.rate,
        rtfx_low=found.low,
        rtfx_high=found.high,
        p50_s=p50,
        p95_s=p95,
        p99_s=p99,
        stages=_stages(timed),
        n_rounds=n_rounds,
    )


def speed_ratio(a: Sequence[Record], b: Sequence[Record], bootstrap: Bootstrap = BOOTSTRAP) -> SpeedRatio:
    """Ratio of the speeds of A and B, from records of the same utterances in the same order.

    Where they took turns, only what both did in the same round counts, and the interval is over rounds.
    """
    pairs = [(one, other) for one, other in zip(a, b, strict=True) if is_timed(one) and is_timed(other)]
    together = [(one, other) for one, other in pairs if one.round is not None and one.round == other.round]
    pairs = together or pairs
    rounds = [one.round for one, _ in together]
    n_rounds = len(set(rounds))
    work_a, work_b = np.array([(one.work_s, other.work_s) for one, other in pairs], float).reshape(-1, 2).T
    blocks = rounds if n_rounds >= FEWEST_ROUNDS else None
    found = interval(_whole(work_b), _whole(work_a), bootstrap, blocks=blocks)
    return SpeedRatio(
        n_timed=len(pairs),
        ratio=found.rate,
        low=found.low,
        high=found.high,
        median=float(np.median(work_b / work_a)) if pairs else math.nan,
        n_rounds=n_rounds,
    )


def _whole(times_s: Float64Array) -> Int64Array:
    """Whole microseconds: the bootstrap counts in integers."""
    return np.rint(times_s * 1e6).astype(np.int64)


def _stages(timed: list[Record]) -> dict[str, float]:
    sums = {}
    for stage in STAGES:
        times = [getattr(record, f"{stage}_s") for record in timed]
        if any(time is None for time in times):
            return {}
        sums[stage] = float(sum(times))
    if not timed:
        return {}
    # Rounding may leave less than nothing for the rest.
    return sums | {"other": max(0.0, sum(record.work_s or 0.0 for record in timed) - sum(sums.values()))}
