"""Comparison of two systems on the same utterances: paired differences, a test, and the texts that differ.

Differences are A minus B, on the same utterances (`differences.paired_difference`); MAPSSWE stands beside
them where its conditions are met. `verdicts` says when no verdict is given, `profiles_of` whether it
depends on ways of writing, `margins` whether A is good enough. Files that do not hold the same utterances
with the same references are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Unpack

import numpy as np
import pandas as pd

from evaluation.records.files import RecordFile
from evaluation.records.tables import Records, record_file
from evaluation.scoring.counting import ScoreError, block_of_each, check_ids
from evaluation.scoring.latency import SpeedRatio, speed_ratio
from evaluation.scoring.mapsswe import MIN_SEGMENTS, Mapsswe, mapsswe
from evaluation.scoring.margins import MarginTest, margin_test
from evaluation.scoring.options import DEFAULTS, Options, OptionsDict
from evaluation.scoring.remarks import losses_remarks
from evaluation.scoring.scores import Score, labels, score, summarize
from evaluation.scoring.texts import alignment
from evaluation.scoring.timing import speed_sentence
from evaluation.scoring.verdicts import Outcome, outcome, p_text, verdict
from evaluation.scoring.writing import by_profile, writing_table, writing_warning
from evaluation.show.display import count, counted, decimal, render_text
from evaluation.show.notebook import framed
from evaluation.show.tables import contingency_table, differences_table, summary_table
from evaluation.statistics.differences import PairedDifference, paired_difference
from evaluation.statistics.facts import method_of
from evaluation.statistics.holm import holm


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
        margin: Answer to "is A not worse than B by so much?"; None where it was not asked.
        p_adjusted: P-value of the difference in WER after Holm's correction; None of a single comparison.
        n_comparisons: Number of comparisons that it was made among.
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
    margin: MarginTest | None = None
    p_adjusted: float | None = None
    n_comparisons: int = 1

    @cached_property
    def by_profile(self) -> pd.DataFrame:
        """Difference in WER under every profile, on all and on plain utterances; see `writing.by_profile`."""
        return by_profile(self.a.file, self.b.file, self.a.options)

    @property
    def outcome(self) -> Outcome:
        """Better system, or why none is named; see `verdicts.outcome`."""
        return outcome(self.wer, self.p_adjusted)

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
        return verdict(
            self.wer,
            self.label_a,
            self.label_b,
            p_adjusted=self.p_adjusted,
            n_comparisons=self.n_comparisons,
        )

    def to_text(self, n_differing: int = 5) -> str:
        """Text of the comparison for a terminal, with the first utterances whose texts differ."""
        parts = [
            render_text(summary_table(self._scores())),
            "",
            *sentences(self),
            "",
            render_text(differences_table(as_table(self))),
            "",
            render_text(writing_table(self.by_profile, self.label_a, self.label_b)),
            "",
            render_text(contingency_table(self.contingency)),
        ]
        differing = self.differing
        if len(differing):
            n_shown = min(n_differing, len(differing))
            most = f"; the {n_shown} that differ most" if n_shown < len(differing) else ""
            differ = "differs" if len(differing) == 1 else "differ"
            parts += ["", f"{counted(len(differing), 'text')} {differ}{most}:"]
        for utterance, row in differing.head(n_differing).iterrows():
            parts += ["", f"{utterance} ({row['errors_a']} : {row['errors_b']} errors)"]
            lines = {"reference": "reference", self.label_a: "hypothesis_a", self.label_b: "hypothesis_b"}
            width = max(map(len, lines))
            parts += [f"  {name.ljust(width)}  {row[column]}".rstrip() for name, column in lines.items()]
        return "\n".join(parts) + "\n"

    def __repr__(self) -> str:
        told = [*sentences(self), *self._losses()]
        return "\n".join([render_text(summary_table(self._scores())), *told])

    def _repr_html_(self) -> str:
        return framed(
            *sentences(self),
            *self._losses(),
            summary_table(self._scores()),
            differences_table(as_table(self)),
            writing_table(self.by_profile, self.label_a, self.label_b),
            contingency_table(self.contingency),
        )

    def _losses(self) -> list[str]:
        """Sentences that the command and the report have among their warnings."""
        return losses_remarks({self.label_a: self.a, self.label_b: self.b})

    def _scores(self) -> pd.DataFrame:
        return summarize([self.a, self.b]).set_axis([self.label_a, self.label_b])


def compare(
    a: Records,
    b: Records,
    options: Options = DEFAULTS,
    *,
    common: bool = False,
    margin: float | None = None,
    **changes: Unpack[OptionsDict],
) -> Comparison:
    """Comparison of system A with system B on the same utterances, in whatever order the files have them.

    Args:
        a: Records of system A: a file or its path, a table, or a score of them.
        b: Records of system B, likewise.
        options: Options of both scores and of the differences.
        common: Compare files that hold other utterances than each other on those that both have.
        margin: Margin of WER for "A is not worse than B", a share: 0.003 is 0.3 points.
        **changes: Single options by keyword, in place of those in `options`, as of `scores.score`.

    Raises:
        ScoreError: the files hold other utterances or references than each other, or one of them twice.
        ValueError: an option outside its range.
    """
    given = a, b
    a, b = record_file(a), record_file(b)
    ours, theirs, n_only_a, n_only_b = _paired(a, b, common)
    options = replace(options, **changes)
    score_a, score_b = (_scored(one, file, options) for one, file in zip(given, (ours, theirs), strict=True))
    label_a, label_b = labels([a, b])
    pairs = [
        [
            alignment(reference, hypothesis, options.compounds)
            for reference, hypothesis in zip(
                one.utterances["normalized_reference"], one.utterances["normalized_hypothesis"], strict=True
            )
        ]
        for one in (score_a, score_b)
    ]
    wer = _difference(score_a, score_b, "errors", "n_words")
    return Comparison(
        a=score_a,
        b=score_b,
        label_a=label_a,
        label_b=label_b,
        wer=wer,
        margin=None if margin is None else margin_test(wer, margin),
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
    kind = comparison.a.options.blocks
    rows = [
        {"a": comparison.label_a, "b": comparison.label_b} | asdict(rate) | {"method": method_of(rate, kind)}
        for rate in rates.values()
    ]
    return pd.DataFrame(rows, index=pd.Index(rates, name="rate"))


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons with their p-values adjusted for one another, by Holm; of one alone, unchanged."""
    if len(comparisons) < 2:
        return list(comparisons)
    p_values = holm([one.wer.p_value for one in comparisons])
    return [
        replace(one, p_adjusted=p, n_comparisons=len(comparisons))
        for one, p in zip(comparisons, p_values, strict=True)
    ]


def sentences(comparison: Comparison) -> list[str]:
    """Findings of a comparison in sentences: the differences, the test, the speed, and what was left out."""
    names = comparison.label_a, comparison.label_b
    found = [
        f"WER: {comparison.verdict()}.",
        *writing_warning(comparison.by_profile, comparison.a.options.profile, *names),
        f"CER: {verdict(comparison.cer, *names)}.",
        _mapsswe_sentence(comparison),
    ]
    if comparison.margin is not None:
        found.append(comparison.margin.sentence(*names))
    told = speed_sentence(comparison.speed, names, (comparison.a.file, comparison.b.file))
    found += [told] if told else []
    if comparison.n_only_a or comparison.n_only_b:
        found.append(
            f"Left out: {counted(comparison.n_only_a, 'utterance')} that only {names[0]} has, "
            f"and {count(comparison.n_only_b)} that only {names[1]} has."
        )
    return found


def _mapsswe_sentence(comparison: Comparison) -> str:
    test = comparison.mapsswe
    objection = test.objection(comparison.wer.n_blocks)
    over = f"MAPSSWE over {counted(test.n_segments, 'segment')}: "
    if objection and test.n_segments < MIN_SEGMENTS:
        return f"{over}no p-value; {objection}."
    told = f"{over}z = {decimal(test.z)}, p {p_text(test.p_value)}"
    return f"{told}; but {objection}: go by the interval." if objection else f"{told}."


def _scored(given: Records, file: RecordFile, options: Options) -> Score:
    """The score that was given, where it is of the same records by the same options; else a new one."""
    if isinstance(given, Score) and given.file.records == file.records:
        kind, _ = block_of_each(file, options.blocks)
        if given.options == replace(options, blocks=kind):
            return given
    return score(file, options)


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
