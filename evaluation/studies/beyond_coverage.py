"""Coverage of intervals beyond the WER: `python -m evaluation.studies.beyond_coverage`.

Makes sets whose true values are known, scores them, and counts how many of the nominal 95 % intervals hold
the truth. The table of ``docs/beyond-wer.md`` comes from here.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from tqdm import tqdm

from evaluation.beyond.calibration import confidence_measures
from evaluation.beyond.pooled import rate
from evaluation.beyond.retrieval import retrieval
from evaluation.records.files import Header, Record, RecordFile
from evaluation.scoring.scores import Score, score
from evaluation.studies.encoders import as_markdown

SIZES: Final = (24, 100, 400)
_MEASURES: Final = {"auc": "AUC", "nce": "NCE", "overconfidence": "overconfidence", "ece": "ECE"}
_THERE, _FOUND, _FALSE = (
    0.3,
    0.8,
    0.05,
)  # chances of a thing at each word: to be found, that it is, one too many
_F1: Final = 2 * _THERE * _FOUND / (_THERE + _THERE * _FOUND + _FALSE)
_PER_MINUTE: Final = 3.0

Held = tuple[str, bool]


def coverage(
    sizes: Sequence[int] = SIZES, *, n_trials: int = 400, seed: int = 5, n_for_truth: int = 40_000
) -> pd.DataFrame:
    """Percent of intervals that hold the truth, a row for each number of utterances.

    Args:
        sizes: Numbers of utterances.
        n_trials: Sets of each size.
        seed: Seed of the sets.
        n_for_truth: Utterances of the set that the true values are taken from.
    """
    rng = np.random.default_rng(seed)
    truth = confidence_measures(_scored(rng, n_for_truth))["value"].to_dict()
    rows = {}
    for size in sizes:
        held: Counter[str] = Counter()
        told: Counter[str] = Counter()
        for _ in tqdm(range(n_trials), desc=f"{size} utterances", disable=None):
            for name, holds in _trial(rng, size, truth):
                held[name] += holds
                told[name] += 1
        rows[size] = {name: f"{100 * held[name] / told[name]:.1f}" for name in told}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterances")


def _trial(rng: np.random.Generator, size: int, truth: dict[str, float]) -> Iterator[Held]:
    """Names of measures, and True where the interval of a made set holds the truth; none without one."""
    one = _scored(rng, size)
    n_words = rng.integers(2, 12, size)
    there = rng.binomial(n_words, _THERE)
    found = rng.binomial(there, rng.beta(10 * _FOUND, 10 * (1 - _FOUND), size))
    row = retrieval(found, there, found + rng.binomial(n_words, _FALSE), one)
    lengths_ms = rng.choice([1000, 3000, 10_000, 30_000], size)
    words = rng.poisson(rng.gamma(0.7, 1 / 0.7, size) * lengths_ms / 60_000 * _PER_MINUTE)
    minutes = rate(words, lengths_ms, one, per=60_000)
    ends = {"F1": (row["f1_low"], row["f1_high"], _F1)}
    ends["words per minute"] = (minutes.low, minutes.high, _PER_MINUTE)
    measures = confidence_measures(one)
    for measure, name in _MEASURES.items():
        ends[name] = (measures.loc[measure, "low"], measures.loc[measure, "high"], truth[measure])
    for name, (low, high, true) in ends.items():
        if not np.isnan(low):
            yield name, bool(low <= true <= high)


def _scored(rng: np.random.Generator, size: int) -> Score:
    """Score of utterances of 2 to 11 words, some harder than others, their confidences a little off."""
    records = []
    for number in range(size):
        logits = rng.normal(2, 1.2, rng.integers(2, 12)) + rng.normal(0, 0.8)
        right = rng.random(len(logits)) < 1 / (1 + np.exp(-logits))
        told = (1 / (1 + np.exp(-(0.8 * logits + 0.5)))).tolist()
        said = ["да" if each else "мимо" for each in right.tolist()]
        words = tuple((text, 0.0, 0.0, each) for text, each in zip(said, told, strict=True))
        reference = " ".join("да" for _ in said)
        records.append(Record(id=str(number), reference=reference, hypothesis=" ".join(said), words=words))
    return score(RecordFile(Path("made.jsonl"), Header(system="made"), tuple(records), None, 0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.beyond_coverage", description=__doc__)
    parser.add_argument("--trials", type=int, default=400, metavar="N", help="of each size; default: 400")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args(arguments)
    table = coverage(n_trials=options.trials, seed=options.seed)
    sys.stdout.write(f"{as_markdown(table)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
