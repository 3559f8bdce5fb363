"""Coverage of the intervals, and false differences between equal systems, by simulation.

    python -m evaluation.studies.coverage [--trials 2000] [--json]

Sets of utterances are made whose true rate is known: speakers and utterances are hard to different degrees,
log-normal ones, and errors fall by Poisson's law. In each trial the interval of the rate holds the truth or
does not; nominally it does in 95 % of them. For differences two systems share the hardness of an utterance,
have an equal rate on average, and differ by speaker: whatever difference is found is a false one, nominally
in 5 %.
The table stands in ``docs/statistics.md``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from evaluation.scoring.options import Bootstrap, Method
from evaluation.show.display import render_text
from evaluation.statistics.differences import paired_difference
from evaluation.statistics.holm import holm
from evaluation.statistics.intervals import interval
from evaluation.statistics.units import Int64Array

Kind = Literal["coverage", "differences"]

_HARDNESS: Final = 0.5  # standard deviation of the log rate, of speakers and of utterances alike
_OWN: Final = 0.4  # of a system's own log rate on a speaker, or on an utterance without speakers
_WORDS: Final = 6  # words an utterance, on average
_METHODS: Final[tuple[Method, ...]] = ("auto", "jackknife", "bootstrap")
_TIMED: Final = 10_000


@dataclass(frozen=True)
class Cell:
    """Kind of a set: so many utterances of so many speakers (None: each is one of its own), at a rate."""

    n_utterances: int
    n_speakers: int | None
    rate: float

    @property
    def title(self) -> str:
        """Name of the cell in tables."""
        speakers = "no speakers" if self.n_speakers is None else f"{self.n_speakers} speakers"
        return f"{self.n_utterances} utterances, {speakers}, WER {100 * self.rate:.0f} %"


CELLS: Final = tuple(
    Cell(n_utterances, n_speakers, rate)
    for n_utterances, n_speakers in (
        (24, None), (24, 9), (60, 3), (100, None), (300, 5), (300, None), (1000, 60), (2000, 250),
        (2000, None),
    )
    for rate in (0.04, 0.15)
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Errors of some equal systems on one set, words, and the speaker of each utterance."""

    errors: Int64Array  # (n_systems, n_utterances)
    words: Int64Array
    speakers: Int64Array | None


def trials(cell: Cell, n_trials: int, *, n_systems: int = 1, seed: int = 0) -> Iterator[Trial]:
    """Sets of a kind, whose true pooled rate is `cell.rate` for every system."""
    rng = np.random.default_rng(seed)
    n, n_speakers = cell.n_utterances, cell.n_speakers
    own = _OWN if n_systems > 1 else 0.0
    middle = math.log(cell.rate) - (2 * _HARDNESS**2 + own**2) / 2  # of the logs: the mean is the rate
    for _ in range(n_trials):
        words = 1 + rng.poisson(_WORDS - 1, n)
        speakers = np.arange(n) if n_speakers is None else rng.permutation(n) % n_speakers
        n_groups = n if n_speakers is None else n_speakers
        shared = rng.normal(0, _HARDNESS, n_groups)[speakers] + rng.normal(0, _HARDNESS, n)
        errors = [
            rng.poisson(np.exp(middle + shared + rng.normal(0, own, n_groups)[speakers]) * words)
            for _ in range(n_systems)
        ]
        yield Trial(np.array(errors), words, None if n_speakers is None else speakers)


def coverage(cell: Cell, n_trials: int, method: Method = "auto", *, seed: int = 0) -> float:
    """Share of the trials in which the 95 % interval of the rate holds the true one."""
    options = Bootstrap(method=method)
    held = 0
    for trial in trials(cell, n_trials, seed=seed):
        found = interval(trial.errors[0], trial.words, options, blocks=_blocks(trial))
        held += found.low <= cell.rate <= found.high
    return held / n_trials


def false_differences(cell: Cell, n_trials: int, method: Method = "auto", *, seed: int = 0) -> float:
    """Share of the trials in which the 95 % interval of two equal systems' difference leaves out 0."""
    options = Bootstrap(method=method)
    found = 0
    for trial in trials(cell, n_trials, n_systems=2, seed=seed):
        a, b = trial.errors
        each = paired_difference(a, b, trial.words, options, blocks=_blocks(trial))
        found += not each.low <= 0 <= each.high
    return found / n_trials


def false_among(cell: Cell, n_systems: int, n_trials: int, *, seed: int = 0) -> tuple[float, float]:
    """Share of the trials with a false difference of any system from the first: alone, and after Holm."""
    alone = adjusted = 0
    for trial in trials(cell, n_trials, n_systems=n_systems, seed=seed):
        first, *others = trial.errors
        p_values = [
            paired_difference(other, first, trial.words, blocks=_blocks(trial)).p_value for other in others
        ]
        alone += min(p_values) < 0.05
        adjusted += min(holm(p_values)) < 0.05
    return alone / n_trials, adjusted / n_trials


def seconds_for(n_utterances: int = _TIMED) -> dict[str, float]:
    """Seconds of work for one interval and one paired difference of so many utterances, by method."""
    [trial] = trials(Cell(n_utterances, None, 0.1), 1, n_systems=2)
    found = {}
    a, b = trial.errors
    methods: tuple[Method, ...] = ("jackknife", "bootstrap")
    for method in methods:
        options = Bootstrap(method=method)
        started = time.process_time()
        interval(trial.errors[0], trial.words, options)
        between = time.process_time()
        paired_difference(a, b, trial.words, options)
        found[f"rate, {method}"] = between - started
        found[f"difference, {method}"] = time.process_time() - between
    return found


def _blocks(trial: Trial) -> Sequence[int] | None:
    return None if trial.speakers is None else trial.speakers.tolist()


def tables(n_trials: int, kind: Kind) -> pd.DataFrame:
    """Table of all cells, a column for each method, in percent."""
    measure = coverage if kind == "coverage" else false_differences
    rows = []
    for cell in CELLS:
        shares = {method: f"{100 * measure(cell, n_trials, method):.1f}" for method in _METHODS}
        rows.append({"set": cell.title} | shares)
        sys.stderr.write(f"{kind}: {cell.title}\n")
    return pd.DataFrame(rows)


def main() -> None:
    """Make and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000, metavar="N", help="of each cell; default: 2000")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {kind: tables(options.trials, kind) for kind in get_args(Kind)}
    cell = Cell(300, 9, 0.1)
    alone, adjusted = false_among(cell, 6, options.trials)
    if options.json:
        content = {kind: table.to_dict("records") for kind, table in found.items()}
        content |= {"six_systems": [asdict(cell) | {"alone": alone, "holm": adjusted}]}
        content["seconds"] = [seconds_for()]
        sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        return
    error = 100 * math.sqrt(0.05 * 0.95 / options.trials)
    for title, kind in (
        ("Coverage of the 95 % interval, %", "coverage"),
        ("False differences at 5 %, %", "differences"),
    ):
        sys.stdout.write(f"{title} ({options.trials} trials each, standard error {error:.1f})\n")
        sys.stdout.write(render_text(found[kind]) + "\n\n")
    sys.stdout.write(
        f"Six equal systems, {cell.title}: a false difference from the first in {100 * alone:.1f} %, "
        f"after Holm in {100 * adjusted:.1f} %\n"
    )
    for what, work_s in seconds_for().items():
        sys.stdout.write(f"{_TIMED} utterances, {what}: {work_s:.3f} s\n")


if __name__ == "__main__":
    main()
