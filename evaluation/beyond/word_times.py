"""Error of word times: how far a system's begins and ends of words lie from true ones.

Over the words that both have (`beyond.word_pairs`), so a system that finds few words well is not blamed for
the others: read it beside the WER, and the share of words that it is over. Means, shares and percentiles are
over words; their intervals over speakers, sessions or utterances, as those of the WER.

Sources: mean absolute error and shares within a tolerance are those of the forced-alignment literature, e.g.
M. McAuliffe et al., "Montreal Forced Aligner", Interspeech 2017. Intervals of percentiles: R. S. Woodruff,
"Confidence intervals for medians and other position measures", JASA 1952: the ends of the interval of the
share of words below the percentile, read off the errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.beyond.pooled import Estimate, FloatArray, IntArray, ratio, share, statistic, units_of
from evaluation.beyond.word_pairs import pairs_of
from evaluation.datasets.corpora.segments import TimedWord
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import Score
from evaluation.statistics.facts import FEWEST_UNITS

TOLERANCES_MS: Final = (50, 100, 200)
_MICROSECONDS: Final = 1e6  # kept of sums of seconds


@dataclass(frozen=True, kw_only=True)
class EdgeTimes:
    """Errors of one edge of the words, their begin or their end; seconds.

    Attributes:
        mean_abs_s: Mean absolute error.
        bias_s: Mean error; above 0 where the system is late.
        p50_s, p95_s: Median and 95th percentile of the absolute error.
        within: Share of the words whose error is at most so many milliseconds, by these.
    """

    mean_abs_s: Estimate
    bias_s: Estimate
    p50_s: Estimate
    p95_s: Estimate
    within: Mapping[int, Estimate]


@dataclass(frozen=True, kw_only=True)
class WordTimes:
    """Error of a system's word times.

    Attributes:
        n_pairs: Words, or groups of words that are one on the other side, that the errors are of.
        n_reference: Words of the reference in the utterances that it knows.
        n_hypothesis: Words of the system there.
        start: Errors of the begins.
        end: Errors of the ends.
        unknown: Ids of utterances whose recording the reference does not have.
        untimed: Ids of utterances with a text and no word times.
    """

    n_pairs: int
    n_reference: int
    n_hypothesis: int
    start: EdgeTimes
    end: EdgeTimes
    unknown: tuple[str, ...]
    untimed: tuple[str, ...]


def word_times(one: Score, reference: Mapping[str, Sequence[TimedWord]]) -> WordTimes:
    """Error of the word times of a scored record file.

    Args:
        one: Score of the system, for its records, profile, and what intervals are taken over.
        reference: True times of words, in order, by recording or utterance:
            `datasets.corpora.word_references.read_word_references`.

    Raises:
        ScoreError: the records hold no word times, the reference knows none of their recordings, or not one
            word is the same.
    """
    records = one.file.records
    if not any(record.words for record in records):
        raise ScoreError(
            f"{one.file.path} holds no word times; import them from a CTM, or run a system that gives them"
        )
    pairs = pairs_of(one.file, reference, one.options)
    if len(pairs.unknown) == len(records):
        raise ScoreError(
            f"{one.file.path}: the reference has words of {len(reference)} recordings, the first is "
            f"{next(iter(reference))!r}, and no utterance is of them, the first is {pairs.unknown[0]!r}. "
            "Give the word times of the same audio"
        )
    if not pairs.starts:
        raise ScoreError(
            f"{one.file.path}: not one word is the same as in the reference; give that of the same audio"
        )
    utterances = np.array(pairs.utterance)
    return WordTimes(
        n_pairs=len(pairs.starts),
        n_reference=pairs.n_reference,
        n_hypothesis=pairs.n_hypothesis,
        start=_edge(pairs.starts, utterances, one),
        end=_edge(pairs.ends, utterances, one),
        unknown=tuple(pairs.unknown),
        untimed=tuple(pairs.untimed),
    )


def as_table(found: Mapping[str, WordTimes]) -> pd.DataFrame:
    """Table of the errors, two rows a system, for `show.times`.

    Args:
        found: Errors by the system's label.

    Returns:
        `system`, `edge` (begin or end), `n_pairs`, `n_reference`; `mean_abs_s`, `bias_s`, `p50_s`, `p95_s` in
        seconds and `within_50_ms` ... as shares, each with `_low` and `_high`.
    """
    rows = [
        {"system": label, "edge": name, "n_pairs": one.n_pairs, "n_reference": one.n_reference}
        | edge.mean_abs_s.cells("mean_abs_s")
        | edge.bias_s.cells("bias_s")
        | edge.p50_s.cells("p50_s")
        | edge.p95_s.cells("p95_s")
        | {
            key: cell
            for ms, each in edge.within.items()
            for key, cell in each.cells(f"within_{ms}_ms").items()
        }
        for label, one in found.items()
        for name, edge in (("begin", one.start), ("end", one.end))
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Errors:
    """Errors of one edge: later by so many microseconds than the reference, by word, and their utterances."""

    late_us: FloatArray
    utterances: IntArray
    one: Score

    def sums(self, values: npt.ArrayLike) -> FloatArray:
        """Sum over the words of each utterance of a value of each word. Shape (n_utterances,)."""
        n_utterances = len(self.one.file.records)
        return np.bincount(self.utterances, np.asarray(values, np.float64), n_utterances).astype(np.float64)

    def share(self, limit_us: float) -> Estimate:
        """Share of the words whose error is at most so large."""
        return share(
            self.sums(np.abs(self.late_us) <= limit_us), self.sums(np.ones_like(self.late_us)), self.one
        )

    def percentile(self, level: float) -> Estimate:
        """Percentile of the absolute errors, with Woodruff's interval; seconds."""
        errors_us = np.abs(self.late_us)
        value = float(np.quantile(errors_us, level))
        below, units = self.share(value), units_of(self.one)
        ends = [level + end - below.value for end in (below.low, below.high)]
        few = len(np.unique(self.utterances if units is None else units[self.utterances])) < FEWEST_UNITS
        if few or any(map(math.isnan, ends)):
            return _seconds(value, math.nan, math.nan)
        low, high = np.quantile(errors_us, np.clip(ends, 0, 1)).tolist()
        return _seconds(value, low, high)

    def mean(self) -> Estimate:
        """Mean absolute error; its interval on the log scale, as errors are skewed to the right; seconds."""
        value = float(np.abs(self.late_us).mean())
        found = statistic(self._columns(), _log_mean, self.one, bounded=False)
        return _seconds(value, math.exp(found.low), math.exp(found.high))

    def bias(self) -> Estimate:
        """Mean error; seconds."""
        found = statistic(self._columns(), _bias, self.one, bounded=False)
        return _seconds(found.value, found.low, found.high)

    def _columns(self) -> FloatArray:
        """Sums of early and of late microseconds, and number of words. Shape (n_utterances, 3)."""
        early, late = np.maximum(-self.late_us, 0), np.maximum(self.late_us, 0)
        return np.column_stack([self.sums(each) for each in (early, late, np.ones_like(late))])


def _edge(late_s: Sequence[float], utterances: IntArray, one: Score) -> EdgeTimes:
    # Whole microseconds: a tolerance of 50 ms holds an error of 0.05 s, however floating point has it.
    errors = _Errors(np.rint(np.array(late_s) * _MICROSECONDS), utterances, one)
    return EdgeTimes(
        mean_abs_s=errors.mean(),
        bias_s=errors.bias(),
        p50_s=errors.percentile(0.5),
        p95_s=errors.percentile(0.95),
        within={limit: errors.share(1000 * limit) for limit in TOLERANCES_MS},
    )


def _log_mean(sums: FloatArray) -> FloatArray:
    mean = ratio(sums[..., 0] + sums[..., 1], sums[..., 2])
    logs: FloatArray = np.log(np.where(mean > 0, mean, np.nan))
    return logs


def _bias(sums: FloatArray) -> FloatArray:
    return ratio(sums[..., 1] - sums[..., 0], sums[..., 2])


def _seconds(value_us: float, low_us: float, high_us: float) -> Estimate:
    low, high = low_us / _MICROSECONDS, high_us / _MICROSECONDS
    return Estimate(value=value_us / _MICROSECONDS, low=low, high=high)
