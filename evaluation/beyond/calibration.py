"""Calibration of word confidences: is a word of confidence 0.9 right nine times in ten? In bins and numbers.

Sources: sclite, `compute_SCORE_nce` (NCE, its floor and ceiling); M. H. Siu, H. Gish, "Evaluation of word
confidence for speech recognition systems", 1999 (NCE); M. Naeini et al., "Obtaining well calibrated
probabilities using Bayesian binning", AAAI 2015 (ECE); N. Obuchowski, "Nonparametric analysis of clustered
ROC curve data", Biometrics 1997 (AUC of words that share an utterance).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.beyond.judged_words import JudgedWords, judged_words
from evaluation.beyond.pooled import UNKNOWN, Estimate, FloatArray, IntArray, ratio, statistic
from evaluation.scoring.options import BOOTSTRAP
from evaluation.scoring.scores import Score

N_BINS: Final = 10
"""Bins of confidence, each a tenth wide."""

_FLOOR: Final = 1e-7  # sclite's: a confidence of 0 or 1 that is wrong would cost without limit
_SCALE: Final = 1e6


def calibration(one: Score, *, level: float | None = None) -> pd.DataFrame:
    """Share of right words in each tenth of confidence.

    Args:
        one: Score of the system.
        level: Confidence level of the intervals, 0 to 1; by default that of the score.

    Returns:
        One row per tenth of confidence, with `confidence` (mean), `n_words`, `n_right`, `right` (share),
        `low` and `high` (Wilson's interval, words taken as independent). Empty where no confidence is known.
    """
    words = judged_words(one)
    bins = _bins(words.confidences)
    rows = []
    for number in np.unique(bins).tolist():
        inside = bins == number
        n, n_right = int(inside.sum()), int(words.right[inside].sum())
        low, high = wilson(n_right, n, level or one.options.level)
        rows.append((float(words.confidences[inside].mean()), n, n_right, n_right / n, low, high))
    return pd.DataFrame(rows, columns=["confidence", "n_words", "n_right", "right", "low", "high"])


def confidence_measures(one: Score) -> pd.DataFrame:
    """Calibration as numbers, with intervals over utterances, speakers or sessions.

    - `ece`: expected calibration error, the mean distance of confidence and share of right words over ten
      bins of equal width, each weighted by its words: sum of |sum of confidences - right words| / words. It
      is never 0 by chance alone: `ece_by_chance` is what confidences that are exactly right would show on
      as many words. The lower end of its interval is lowered by the bias.
    - `overconfidence`: mean confidence minus the share of right words.
    - `nce`: normalised cross entropy, (H + sum of log2 c over right words + sum of log2 (1 - c) over wrong
      ones) / H with H the entropy of right and wrong: 1 is perfect, 0 says no more than the rate of right
      words, below 0 misleads. As sclite has it, with its floor of 1e-7.
    - `auc`: probability that a right word has a higher confidence than a wrong one, a tie counting half.

    Returns:
        Table indexed by measure: `value`, `low`, `high`; `n_words` and `n_right`. `nce` and `auc` are NaN
        where all words are right, or none. Empty where no confidence is known.
    """
    words = judged_words(one)
    if not len(words.right):
        return pd.DataFrame()
    found = {
        "ece": _ece(words, one),
        "ece_by_chance": _ece_by_chance(words),
        "overconfidence": _overconfidence(words, one),
        "nce": _nce(words, one),
        "auc": _auc(words, one),
    }
    counts = {"n_words": len(words.right), "n_right": int(words.right.sum())}
    rows = {
        name: {"value": each.value, "low": each.low, "high": each.high} | counts
        for name, each in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def wilson(n_right: int, n: int, level: float = BOOTSTRAP.level) -> tuple[float, float]:
    """Wilson score interval of a share; it stays between 0 and 1 where none or all are right.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = n_right / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def _bins(confidences: FloatArray) -> IntArray:
    return np.clip((confidences * N_BINS).astype(np.int64), 0, N_BINS - 1)


def _sums(words: JudgedWords, values: npt.ArrayLike, one: Score) -> FloatArray:
    """Sum of the values of each utterance's words. Shape (n_utterances,)."""
    sums = np.bincount(words.utterances, weights=values, minlength=len(one.utterances))
    return np.asarray(sums, np.float64)


def _ece(words: JudgedWords, one: Score) -> Estimate:
    """ECE; its bias is taken off the lower end of its interval."""
    bins = _bins(words.confidences)
    inside = bins[:, None] == np.arange(N_BINS)
    columns = [
        _sums(words, chosen * values, one)
        for values in (np.ones_like(words.confidences), words.confidences, words.right)
        for chosen in inside.T
    ]
    found = statistic(np.array(columns).T, _ece_of, one, scale=_SCALE)
    lower = found.low - _ece_bias(words)
    return Estimate(value=found.value, low=float(np.maximum(0, lower)), high=found.high)


def _ece_of(sums: FloatArray) -> FloatArray:
    n_words, confidence, right = np.split(sums, 3, axis=-1)
    return ratio(np.abs(confidence - right).sum(axis=-1), n_words.sum(axis=-1))


def _ece_by_chance(words: JudgedWords) -> Estimate:
    """Expected ECE of words that are right exactly as often as their confidences say, independently."""
    confidences = np.clip(words.confidences, 0, 1)
    variances = np.bincount(_bins(confidences), weights=confidences * (1 - confidences))
    value = float(np.sqrt(2 / math.pi * variances).sum() / len(confidences))  # E|N(0, v)|, bin by bin
    return Estimate(value=value, low=math.nan, high=math.nan)


def _ece_bias(words: JudgedWords) -> float:
    """Expected excess of the ECE over the true one, as the bins' own differences have it.

    In each bin |d + noise| is |d| or more on average: by the mean of a folded normal distribution.
    """
    bins = _bins(words.confidences)
    confidences = np.clip(words.confidences, 0, 1)
    spread = np.sqrt(np.bincount(bins, weights=confidences * (1 - confidences), minlength=N_BINS))
    apart = np.abs(np.bincount(bins, weights=words.confidences - words.right, minlength=N_BINS))
    excess = 0.0
    for sigma, distance in zip(spread.tolist(), apart.tolist(), strict=True):
        if sigma > 0:
            far = distance / sigma
            folded = math.sqrt(2 / math.pi) * math.exp(-far * far / 2) + far * math.erf(far / math.sqrt(2))
            excess += sigma * (folded - far)
    return excess / len(bins)


def _overconfidence(words: JudgedWords, one: Score) -> Estimate:
    columns = [
        _sums(words, each, one) for each in (words.confidences, words.right, np.ones(len(words.right)))
    ]
    return statistic(
        np.array(columns).T,
        lambda sums: ratio(sums[..., 0] - sums[..., 1], sums[..., 2]),
        one,
        bounded=False,
        scale=_SCALE,
    )


def _nce(words: JudgedWords, one: Score) -> Estimate:
    told = np.clip(words.confidences, _FLOOR, 1 - _FLOOR)
    bits = -np.log2(np.where(words.right, told, 1 - told))
    columns = [_sums(words, each, one) for each in (bits, words.right, ~words.right)]
    return statistic(np.array(columns).T, _nce_of, one, bounded=False, scale=_SCALE)


def _nce_of(sums: FloatArray) -> FloatArray:
    bits, right, wrong = np.moveaxis(sums, -1, 0)
    both = (right > 0) & (wrong > 0)
    ours, theirs, n = np.where(both, right, 1), np.where(both, wrong, 1), np.where(both, right + wrong, 2)
    entropy = -(ours * np.log2(ours / n) + theirs * np.log2(theirs / n))
    return np.where(both, 1 - bits / entropy, np.nan)


def _auc(words: JudgedWords, one: Score) -> Estimate:
    """AUC, its interval from the placements: linear in them, so that words of one utterance stay together."""
    ups, downs = words.confidences[words.right], np.sort(words.confidences[~words.right])
    if not len(ups) or not len(downs):
        return UNKNOWN
    ordered = np.sort(ups)
    placements = np.empty(len(words.right))
    placements[words.right] = _below(downs, ups)
    placements[~words.right] = 1 - _below(ordered, words.confidences[~words.right])
    value = float(placements[words.right].mean())
    columns = [
        _sums(words, each, one)
        for each in (
            placements * words.right, words.right, placements * ~words.right, ~words.right,
        )
    ]  # fmt: skip

    def linear(sums: FloatArray) -> FloatArray:
        return ratio(sums[..., 0], sums[..., 1]) + ratio(sums[..., 2], sums[..., 3]) - value

    return statistic(np.array(columns).T, linear, one, scale=_SCALE)


def _below(ordered: FloatArray, values: FloatArray) -> FloatArray:
    """Share of the ordered values that lie below each value, ties counting half."""
    left, right = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((left + right) / (2 * len(ordered)), np.float64)
