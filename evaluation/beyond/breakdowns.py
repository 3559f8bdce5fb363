"""Breakdowns of errors: by length, duration, noise and kind, by words, and by the size of the set.

Every function takes scores (`scores`) and gives a table; `evaluation.plots` draws them. Bins that
hold no utterance are left out. `calibration` has a file of its own and is handed on.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np
import pandas as pd

from evaluation.beyond.calibration import calibration, wilson
from evaluation.scoring.counting import word_interval
from evaluation.scoring.options import BOOTSTRAP, Bootstrap, BootstrapDict
from evaluation.scoring.scores import Score
from evaluation.scoring.texts import alignment
from evaluation.statistics.intervals import percentile_interval

__all__ = [
    "by_duration",
    "by_kind",
    "by_length",
    "by_noise",
    "calibration",
    "confusions",
    "utterances_needed",
    "width_by_n",
    "wilson",
]

# The lower edge of each bin, and its label.
_LENGTHS = {1: "1–2", 3: "3–4", 5: "5–6", 7: "7–9", 10: "10–14", 15: "15–19", 20: "20–29", 30: "30+"}
_DURATIONS = {
    0: "0–1",
    1: "1–2",
    2: "2–3",
    3: "3–5",
    5: "5–8",
    8: "8–12",
    12: "12–20",
    20: "20–30",
    30: "30+",
}
_NOISE_STEP = 5.0  # dB


def by_length(one: Score) -> pd.DataFrame:
    """WER against words in the normalised reference; references without a word have no rate and no bin.

    Returns:
        Table indexed by a label, with `n_utterances`, `n_words`, `wer`, `wer_low`, `wer_high`.
    """
    n_words = one.utterances["n_words"].to_numpy(float)
    return _binned(one, np.where(n_words > 0, n_words, np.nan), [*_LENGTHS], [*_LENGTHS.values()])


def by_duration(one: Score) -> pd.DataFrame:
    """WER against seconds of audio, of the utterances that state them; columns as of `by_length`."""
    return _binned(one, one.utterances["audio_s"].to_numpy(float), [*_DURATIONS], [*_DURATIONS.values()])


def by_noise(one: Score, snr_db: Mapping[str, float]) -> pd.DataFrame:
    """WER against the signal-to-noise ratio, of the utterances that have one; columns as of `by_length`.

    Args:
        one: Score of the system.
        snr_db: Signal-to-noise ratio of each utterance by its id, in dB; infinite where there is no noise.
            Few different values are taken as they are; many, by 5 dB.
    """
    values = np.array([snr_db.get(name, math.nan) for name in one.utterances.index], float)
    levels = sorted(set(values[np.isfinite(values)].tolist()))
    if len(levels) > 10:  # measured, not mixed to order
        levels = (np.arange(levels[0] // _NOISE_STEP, levels[-1] // _NOISE_STEP + 1) * _NOISE_STEP).tolist()
        labels = [f"{level:g} to {level + _NOISE_STEP:g}" for level in levels]
    else:
        labels = [f"{level:g}" for level in levels]
    return _binned(one, values, [*levels, math.inf], [*labels, "clean"])


def by_kind(one: Score) -> pd.DataFrame:
    """Rates of the kinds of error: substitutions, deletions and insertions as shares of the reference words.

    Returns:
        Table indexed by the kind, in the plural, with `count`, `rate`, `low`, `high`.
    """
    rows = []
    for kind in ("substitutions", "deletions", "insertions"):
        counted = one.utterances[["n_words"]].assign(errors=one.utterances[kind])
        found = word_interval(counted, one.options, one.block_names)
        rows.append((kind, int(counted["errors"].sum()), found.rate, found.low, found.high))
    return pd.DataFrame(rows, columns=["kind", "count", "rate", "low", "high"]).set_index("kind")


def confusions(one: Score) -> pd.DataFrame:
    """Confusions: edits between words of the reference and of the hypothesis, the commonest first.

    Returns:
        One row per edit, with `kind` (substitution, deletion, insertion), `reference`, `hypothesis` ("" where
        there is none), `count`, and `id`, `example`: the first utterance with it, and the words around.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], tuple[str, str]] = {}
    wrong = one.utterances[one.utterances["errors"] > 0]
    for row in wrong.itertuples():
        for edit, place in _edits(row.normalized_reference, row.normalized_hypothesis, one.options.compounds):
            counts[edit] += 1
            if edit not in examples:
                examples[edit] = (row.Index, _around(row.normalized_reference, place, edit))
    rows = [(*edit, count, *examples[edit]) for edit, count in counts.most_common()]
    return pd.DataFrame(rows, columns=["kind", "reference", "hypothesis", "count", "id", "example"])


def width_by_n(
    errors: Sequence[int],
    totals: Sequence[int],
    bootstrap: Bootstrap = BOOTSTRAP,
    **changes: Unpack[BootstrapDict],
) -> pd.DataFrame:
    """Half-width of the interval of a rate, or of a paired difference, by the number of utterances.

    Sets of n utterances are drawn with replacement, 300 of each size, from those there are.

    Args:
        errors: Errors in each utterance; for a paired difference, errors of A minus errors of B.
        totals: Reference words of each utterance.
        bootstrap: Level of the interval and seed of the draws; `n_resamples` plays no part.
        **changes: Single options by keyword, in place of those in `bootstrap`.

    Returns:
        `n_utterances` (up to all there are), `half_width` (half the interval's, a share). Empty with fewer
        than 20 utterances.
    """
    n_all = len(totals)
    if n_all < 20 or not any(totals):
        return pd.DataFrame({"n_utterances": [], "half_width": []})
    bootstrap = replace(bootstrap, **changes)
    rng = np.random.default_rng(bootstrap.seed)
    columns = np.array([errors, totals], np.int64)
    rows = []
    for n in np.unique(np.geomspace(10, n_all, 12).astype(int)).tolist():
        drawn_errors, drawn_totals = np.array(
            [columns[:, rng.integers(0, n_all, n)].sum(axis=1) for _ in range(300)]
        ).T
        rated = drawn_totals > 0
        low, high = percentile_interval(drawn_errors[rated] / drawn_totals[rated], bootstrap.level)
        rows.append((n, (high - low) / 2))
    return pd.DataFrame(rows, columns=["n_utterances", "half_width"])


def utterances_needed(widths: pd.DataFrame, half_width: float) -> float:
    """Number of utterances that an interval of plus or minus `half_width` takes, as 1 / sqrt(n) has it.

    Args:
        widths: Table from `width_by_n`; its last row is taken, which rests on the most utterances.
        half_width: Half the width of that interval, a share: 0.01 for a point.

    Returns:
        A count, far more than there are where the set is small; NaN where nothing is known.

    >>> utterances_needed(pd.DataFrame({"n_utterances": [100], "half_width": [0.02]}), 0.01)
    400.0
    """
    if not len(widths):
        return math.nan
    last = widths.iloc[-1]
    return float(last["n_utterances"] * (last["half_width"] / half_width) ** 2)


def _binned(one: Score, values: np.ndarray, edges: Sequence[float], labels: Sequence[str]) -> pd.DataFrame:
    """WER by bin: each value belongs to the bin of the highest edge that is not above it; NaN to none."""
    places = np.array([-1 if math.isnan(value) else bisect_right(edges, value) - 1 for value in values])
    rows, index = [], []
    for number, name in enumerate(labels):
        chosen = np.flatnonzero(places == number)
        if len(chosen):
            blocks = one.block_names and [one.block_names[row] for row in chosen]
            found = word_interval(one.utterances.iloc[chosen], one.options, blocks)
            rows.append((len(chosen), found.n_reference, found.rate, found.low, found.high))
            index.append(name)
    columns = ["n_utterances", "n_words", "wer", "wer_low", "wer_high"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(index, name="bin", dtype=object))


def _edits(reference: str, hypothesis: str, compounds: bool) -> Iterator[tuple[tuple[str, str, str], int]]:
    """Kind and words of each edit, and at which word of the reference it is."""
    for chunk in alignment(reference, hypothesis, compounds):
        if chunk.kind == "substitute":
            for index, (ref, hyp) in enumerate(zip(chunk.reference, chunk.hypothesis, strict=True)):
                yield ("substitution", ref, hyp), chunk.start + index
        elif chunk.kind == "delete":
            for index, ref in enumerate(chunk.reference):
                yield ("deletion", ref, ""), chunk.start + index
        elif chunk.kind == "insert":
            for hyp in chunk.hypothesis:
                yield ("insertion", "", hyp), chunk.start


def _around(reference: str, place: int, edit: tuple[str, str, str]) -> str:
    """Two words before and after; where a word was inserted, it stands there in brackets."""
    words = reference.split()
    if edit[0] == "insertion":
        words.insert(place, f"[{edit[2]}]")
    first, last = max(0, place - 2), place + 3
    return f"{'… ' if first else ''}{' '.join(words[first:last])}{' …' if last < len(words) else ''}"
