"""Comparison of two systems on the same utterances: paired differences, a test, and the texts that differ.

Differences are A minus B, on the same resamples (`intervals.paired_difference`); MAPSSWE stands
beside them. Files that do not hold the same utterances with the same references are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Unpack

import numpy as np
import pandas as pd

from evaluation.records.files import RecordFile
from evaluation.scoring.counting import ScoreError, check_ids
from evaluation.scoring.intervals import PairedDifference, paired_difference
from evaluation.scoring.latency import SpeedRatio, speed_ratio
from evaluation.scoring.mapsswe import Mapsswe, mapsswe
from evaluation.scoring.options import DEFAULTS, Options, OptionsDict
from evaluation.scoring.scores import Score, labels, score, summarize
from evaluation.scoring.texts import alignment
from evaluation.show.display import DASH, count, counted, decimal, estimate, render_text
from evaluation.show.notebook import framed
from evaluation.show.tables import contingency_table, differences_table, summary_table


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Comparison of system A with system B.

    Attributes:
        a, b: Scores of the two, on the utterances compared, in the same order.
        label_a, label_b: Names of the two, made different.
        wer, cer: Differences of the rates, A minus B.
        mapsswe: MAPSSWE test of the word errors.
        n_only_a, n_only_b: Numbers of utterances that the other file lacks, left out by request.
        speed: Ratio of their speeds.
    """

    a: Score = field(repr=False)
    b: Score = field(repr=False)
    label_a: str
    label_b: str
    wer: PairedDifference
    cer: PairedDifference
    mapsswe: Mapsswe
    n_only_a: int
    n_only_b: int
    speed: SpeedRatio

    @property
    def contingency(self) -> pd.DataFrame:
        """Contingency table of utterances without and with a word error: A in the rows, B in the columns."""
        right_a, right_b = (one.utterances["errors"].to_numpy() == 0 for one in (self.a, self.b))
        cells = [[int((row & column).sum()) for column in (right_b, ~right_b)] for row in (right_a, ~right_a)]
        index = [f"{self.label_a} right", f"{self.label_a} wrong"]
        return pd.DataFrame(cells, index=index, columns=[f"{self.label_b} right", f"{self.label_b} wrong"])

    @property
    def differing(self) -> pd.DataFrame:
        """Utterances whose normalised hypotheses differ, the largest difference in word errors first.

        Indexed by id: `reference`, `hypothesis_a`, `hypothesis_b` (normalised), `errors_a`, `errors_b`,
        `difference` (A minus B).
        """
        a, b = self.a.utterances, self.b.utterances
        table = pd.DataFrame(
            {
                "reference": a["normalized_reference"],
                "hypothesis_a": a["normalized_hypothesis"],
                "hypothesis_b": b["normalized_hypothesis"],
                "errors_a": a["errors"],
                "errors_b": b["errors"],
                "difference": a["errors"] - b["errors"],
            }
        )
        table = table[table["hypothesis_a"] != table["hypothesis_b"]]
        # By characters among equals, then in the file's order.
        sizes = (a["char_errors"] - b["char_errors"]).abs()[table.index]
        order = np.lexsort((-sizes.to_numpy(), -table["difference"].abs().to_numpy()))
        return table.iloc[order]

    def verdict(self) -> str:
        """The difference in WER, in a sentence."""
        return verdict(self.wer, self.label_a, self.label_b)

    def to_text(self, n_differing: int = 5) -> str:
        """Text of the comparison for a terminal, with the first utterances whose texts differ."""
        parts = [
            render_text(summary_table(self._scores())),
            "",
            *sentences(self),
            "",
            render_text(differences_table(as_table(self))),
            "",
            render_text(contingency_table(self.contingency)),
        ]
        differing = self.differing
        if len(differing):
            n_shown = min(n_differing, len(differing))
            parts += [
                "",
                f"{counted(len(differing), 'text')} differ; those that differ most, {n_shown} of them:",
            ]
        for utterance, row in differing.head(n_differing).iterrows():
            parts += ["", f"{utterance} ({row['errors_a']} : {row['errors_b']} errors)"]
            lines = {"reference": "reference", self.label_a: "hypothesis_a", self.label_b: "hypothesis_b"}
            width = max(map(len, lines))
            parts += [f"  {name.ljust(width)}  {row[column]}".rstrip() for name, column in lines.items()]
        return "\n".join(parts) + "\n"

    def _repr_html_(self) -> str:
        return framed(
            *sentences(self),
            summary_table(self._scores()),
            differences_table(as_table(self)),
            contingency_table(self.contingency),
        )

    def _scores(self) -> pd.DataFrame:
        return summarize([self.a, self.b]).set_axis([self.label_a, self.label_b])


def compare(
    a: RecordFile,
    b: RecordFile,
    options: Options = DEFAULTS,
    *,
    common: bool = False,
    **changes: Unpack[OptionsDict],
) -> Comparison:
    """Comparison of system A with system B on the same utterances, in whatever order the files have them.

    Args:
        a: Record file of system A.
        b: Record file of system B.
        options: Options of both scores and of the differences.
        common: Compare files that hold other utterances than each other on those that both have.
        **changes: Single options by keyword, in place of those in `options`, as of `scores.score`.

    Raises:
        ScoreError: the files hold other utterances or references than each other, or one of them twice.
        ValueError: an option outside its range.
    """
    ours, theirs, n_only_a, n_only_b = _paired(a, b, common)
    options = replace(options, **changes)
    score_a, score_b = (score(file, options) for file in (ours, theirs))
    label_a, label_b = labels([a, b])
    pairs = [
        [
            alignment(row.normalized_reference, row.normalized_hypothesis)
            for row in one.utterances.itertuples()
        ]
        for one in (score_a, score_b)
    ]
    return Comparison(
        a=score_a,
        b=score_b,
        label_a=label_a,
        label_b=label_b,
        wer=_difference(score_a, score_b, "errors", "n_words"),
        cer=_difference(score_a, score_b, "char_errors", "n_chars"),
        mapsswe=mapsswe(*pairs),
        n_only_a=n_only_a,
        n_only_b=n_only_b,
        speed=speed_ratio(ours.records, theirs.records, options),
    )


def summary(
    files: Sequence[RecordFile], options: Options = DEFAULTS, **changes: Unpack[OptionsDict]
) -> pd.DataFrame:
    """Table of one row per system: `scores.summarize` of the files; arguments as of `scores.score`."""
    return summarize([score(file, options, **changes) for file in files])


def as_table(comparison: Comparison) -> pd.DataFrame:
    """Table of the paired differences, one row per rate: labels `a`, `b`, then as in `PairedDifference`."""
    rates = {"wer": comparison.wer, "cer": comparison.cer}
    rows = [{"a": comparison.label_a, "b": comparison.label_b} | asdict(rate) for rate in rates.values()]
    return pd.DataFrame(rows, index=pd.Index(rates, name="rate"))


def verdict(difference: PairedDifference, label_a: str, label_b: str) -> str:
    """Verdict in a sentence: the better system and by how many points, or no difference; with the interval.

    >>> counts = {"errors_a": [0, 1, 0, 1], "errors_b": [2, 3, 2, 3], "totals": [9, 9, 9, 9]}
    >>> verdict(paired_difference(**counts), "int8", "fp32")
    'int8 is better by 22.22 points [22.22, 22.22]'
    """
    points, low, high = (100 * value for value in (difference.difference, difference.low, difference.high))
    if math.isnan(points):
        return "no rates to compare: the references have no words"
    if math.isnan(low):
        return f"{label_a} minus {label_b}: {decimal(points, sign=True)} points [{DASH}]; too few utterances"
    if low <= 0 <= high:
        interval_text = estimate(points, low, high, scale=1, sign=True)
        return f"no difference was found: {label_a} minus {label_b} is {interval_text} points"
    if points < 0:
        return f"{label_a} is better by {estimate(-points, -high, -low, scale=1).replace(' ', ' points ', 1)}"
    return f"{label_b} is better by {estimate(points, low, high, scale=1).replace(' ', ' points ', 1)}"


def sentences(comparison: Comparison) -> list[str]:
    """Findings of a comparison in sentences: both rates, the test, the speed, and what was left out."""
    names = comparison.label_a, comparison.label_b
    test, fast = comparison.mapsswe, comparison.speed
    found = [
        f"WER: {verdict(comparison.wer, *names)}.",
        f"CER: {verdict(comparison.cer, *names)}.",
        f"MAPSSWE over {counted(test.n_segments, 'segment')}: "
        f"z = {decimal(test.z)}, p = {_p_value(test.p_value)}.",
    ]
    if fast.n_timed:
        ratio = estimate(fast.ratio, fast.low, fast.high, scale=1)
        found.append(
            f"Speed: {names[0]} is {ratio} times as fast as {names[1]}, "
            f"{decimal(fast.median)} times on the median utterance."
        )
    if comparison.n_only_a or comparison.n_only_b:
        found.append(
            f"Left out: {counted(comparison.n_only_a, 'utterance')} that only {names[0]} has, "
            f"and {count(comparison.n_only_b)} that only {names[1]} has."
        )
    return found


def _p_value(p: float) -> str:
    return decimal(p, 4) if math.isnan(p) or p >= 0.0001 else "less than 0.0001"


def _paired(a: RecordFile, b: RecordFile, common: bool) -> tuple[RecordFile, RecordFile, int, int]:
    """Both files with the utterances that both have, in A's order, and how many each loses."""
    check_ids(a)
    check_ids(b)
    theirs = {record.id: record for record in b.records}
    ours = [record for record in a.records if record.id in theirs]
    n_only_a, n_only_b = len(a.records) - len(ours), len(b.records) - len(ours)
    if (n_only_a or n_only_b) and not ours:
        first_ids = [file.records[0].id if file.records else "none" for file in (a, b)]
        raise ScoreError(
            f"{a.path} and {b.path} have no utterance in common ({' ..., '.join(first_ids)} ...); "
            "if the texts are the same, import them with the same --dataset and ids"
        )
    if (n_only_a or n_only_b) and not common:
        raise ScoreError(
            f"not the same utterances: {b.path} lacks {n_only_a} of the {len(a.records)} in {a.path}, which "
            f"lacks {n_only_b} of its {len(b.records)}; finish both runs on one dataset, or ask for the "
            f"{len(ours)} that they have in common (--common)"
        )
    others = [record.id for record in ours if record.reference != theirs[record.id].reference]
    if others:
        raise ScoreError(
            f"{a.path} and {b.path} have different references for {len(others)} utterances, {others[0]!r} "
            "first; run both on one revision of the dataset"
        )
    paired = tuple(theirs[record.id] for record in ours)
    return replace(a, records=tuple(ours)), replace(b, records=paired), n_only_a, n_only_b


def _difference(a: Score, b: Score, errors: str, totals: str) -> PairedDifference:
    return paired_difference(
        a.utterances[errors].to_numpy(),
        b.utterances[errors].to_numpy(),
        a.utterances[totals].to_numpy(),
        a.options,
        blocks=a.block_names,
    )
