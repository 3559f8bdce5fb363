"""Scores of one record file: error rates with their intervals, under every profile and rule by rule.

A failed utterance, whose hypothesis is None, counts as all words deleted. A reference that normalising
empties stays: it adds no word, and its insertions are errors. Nothing else is left out, and nothing is
rounded. Rates are shares (0.086), not percent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Unpack

import pandas as pd

from evaluation.normalize import NORMALIZER_VERSION, PROFILES, has_digit_or_latin, rules_of
from evaluation.records.files import Header, RecordFile
from evaluation.records.tables import Records, record_file
from evaluation.scoring.counting import (
    ScoreError,
    block_of_each,
    check_ids,
    intervals,
    utterance_table,
    word_interval,
)
from evaluation.scoring.latency import Speed, speed
from evaluation.scoring.metrics import Counts
from evaluation.scoring.options import DEFAULTS, Block, Blocks, Options, OptionsDict
from evaluation.scoring.remarks import remarks, worst
from evaluation.scoring.texts import after_each_rule, word_counts
from evaluation.scoring.timing import timing_cells
from evaluation.show.display import render_text
from evaluation.show.notebook import framed
from evaluation.show.tables import summary_table
from evaluation.statistics.facts import method_of
from evaluation.statistics.intervals import Interval

__all__ = [
    "ALL",
    "PLAIN",
    "Block",
    "Blocks",
    "Options",
    "Score",
    "ScoreError",
    "labels",
    "plain_ids",
    "profiles",
    "rules",
    "score",
    "summarize",
]

ALL = "all"
PLAIN = "neither digits nor Latin"


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """Scores of a record file under one profile.

    Attributes:
        file: Record file that was scored.
        options: Options it was scored with, `blocks` resolved to what was drawn.
        normalizer: Version of the normaliser's rules that scored.
        utterances: Table of one row per utterance, indexed by id: reference and hypothesis as they came and
            normalised, counts of words and characters, seconds, confidence, failure.
        wer, cer, ser: Word, character and sentence error rates with their intervals.
        block_names: The speaker or session of each utterance; None where utterances are drawn.
        speed: Speed, with its interval.
    """

    file: RecordFile = field(repr=False)
    options: Options
    normalizer: str = NORMALIZER_VERSION
    utterances: pd.DataFrame = field(repr=False)
    wer: Interval
    cer: Interval
    ser: Interval
    speed: Speed
    block_names: list[str] | None = field(repr=False)

    @property
    def header(self) -> Header:
        """Header of the file."""
        return self.file.header

    @property
    def system(self) -> str:
        """Name of the system."""
        return self.header.system

    @property
    def failures(self) -> pd.DataFrame:
        """Utterances without a hypothesis, indexed by id, with the `error` of each."""
        return self.utterances.loc[self.utterances["failed"], ["error", "n_words"]]

    def worst(self, n: int = 10) -> pd.DataFrame:
        """The utterances with the most word errors, at most `n`, indexed by id.

        With `reference` and `hypothesis` as normalised, `errors`, `n_words` and `failed`.
        """
        return worst(self, n)

    def __repr__(self) -> str:
        return "\n".join([render_text(summary_table(summarize([self]))), *remarks(self)])

    def _repr_html_(self) -> str:
        return framed(summary_table(summarize([self])), *remarks(self))


def score(file: Records, options: Options = DEFAULTS, **changes: Unpack[OptionsDict]) -> Score:
    """Error rates and speed of one system, with intervals.

    Args:
        file: Record file to score, or its path, or a table: of `records.load`, or with columns for reference
            and hypothesis.
        options: Options of the score.
        **changes: Single options by keyword, in place of those in `options`: `profile`, `n_resamples`,
            `level`, `seed`, `method`, `blocks`, `normalizer`, `compounds`.

    Raises:
        ScoreError: an utterance occurs twice, or `blocks` is not known of any record.
        RecordError: what is given holds no records.
        ValueError: an option outside its range.
    """
    file = record_file(file)
    check_ids(file)
    options = replace(options, **changes)
    kind, names = block_of_each(file, options.blocks)
    options = replace(options, blocks=kind)
    table = utterance_table(file, options)
    wer, cer, ser = intervals(table, options, names)
    return Score(
        file=file,
        options=options,
        normalizer=options.normalizer,
        utterances=table,
        block_names=names,
        wer=wer,
        cer=cer,
        ser=ser,
        speed=speed(file.records, options),
    )


def labels(files: Sequence[RecordFile]) -> list[str]:
    """A name for each file that no other has: its system's, with its own where two systems share one."""
    names = [file.header.system for file in files]
    named = [
        f"{name} ({file.path.stem})" if names.count(name) > 1 else name
        for name, file in zip(names, files, strict=True)
    ]
    return [
        f"{name} #{named[:index].count(name) + 1}" if named.count(name) > 1 else name
        for index, name in enumerate(named)
    ]


def summarize(scores: Sequence[Score]) -> pd.DataFrame:
    """Table of the systems, indexed by label: rates (shares) with intervals, counts, speed."""
    rows = []
    for one in scores:
        row: dict[str, object] = {}
        for name, rate in (("wer", one.wer), ("cer", one.cer), ("ser", one.ser)):
            row |= _cells(name, rate)
        row |= {
            name: int(one.utterances[name].sum()) for name in ("substitutions", "deletions", "insertions")
        }
        row |= {"n_utterances": len(one.utterances), "n_words": one.wer.n_reference}
        row |= {"method": method_of(one.wer, one.options.blocks)}
        row |= {"n_failed": len(one.failures)}
        row |= {name: value for name, value in asdict(one.speed).items() if name != "stages"}
        rows.append(row | timing_cells(one.file))
    return pd.DataFrame(
        rows, index=pd.Index(labels([one.file for one in scores]), name="system", dtype=object)
    )


def profiles(
    file: Records, options: Options = DEFAULTS, *, plain: Collection[str] | None = None
) -> pd.DataFrame:
    """Rates under every profile, on all utterances and on those that writing conventions cannot touch.

    Args:
        file: Record file to score.
        options: Options of the intervals; their `profile` plays no part.
        plain: Ids of the utterances that writing conventions cannot touch; by default `plain_ids` of this
            file alone. Systems that are to be compared need the same ones, `plain_ids` of them all.

    Returns:
        One row per profile and set of utterances, with `profile`, `utterances` (`ALL` or `PLAIN`), `wer` with
        `wer_low` and `wer_high`, likewise `cer` and `ser`; `n_utterances`, `n_words`.
    """
    file = record_file(file)
    blocks_kind, blocks = block_of_each(file, options.blocks)
    kept = plain_ids([file]) if plain is None else frozenset(plain)
    chosen = [index for index, record in enumerate(file.records) if record.id in kept]
    rows = []
    for profile in PROFILES:
        table = utterance_table(file, replace(options, profile=profile))
        for name, part, part_blocks in (
            (ALL, table, blocks),
            (PLAIN, table.iloc[chosen], blocks and [blocks[index] for index in chosen]),
        ):
            row: dict[str, object] = {"profile": profile, "utterances": name}
            found = intervals(part, options, part_blocks)
            for rate, one in zip(("wer", "cer", "ser"), found, strict=True):
                row |= _cells(rate, one)
            row |= {"n_utterances": len(part), "n_words": found[0].n_reference}
            rows.append(row | {"method": method_of(found[0], blocks_kind)})
    return pd.DataFrame(rows)


def _cells(name: str, rate: Interval) -> dict[str, float]:
    """Cells of a rate and of the ends of its interval, by column."""
    return {name: rate.rate, f"{name}_low": rate.low, f"{name}_high": rate.high}


def plain_ids(files: Sequence[RecordFile]) -> frozenset[str]:
    """Ids of the utterances with neither a digit nor a Latin letter on any raw side of any of the files."""
    tainted = {
        record.id
        for file in files
        for record in file.records
        if has_digit_or_latin(record.reference) or has_digit_or_latin(record.hypothesis or "")
    }
    return frozenset(record.id for file in files for record in file.records) - tainted


def rules(file: Records, options: Options = DEFAULTS) -> pd.DataFrame:
    """WER after each rule of the normaliser, all earlier ones applied, and the difference that it made.

    Args:
        file: Record file to score.
        options: Options of the intervals; their `profile` plays no part.

    Returns:
        Table by the rule's name, "as written" first, with `description`, `wer`, `wer_low`, `wer_high`,
        `difference` (to the row above; negative where the rule forgives), `errors`, `n_words`, `n_changed`
        (texts of either side that the rule changed).
    """
    file = record_file(file)
    _, blocks = block_of_each(file, options.blocks)
    version = options.normalizer
    pairs = [
        (after_each_rule(record.reference, version), after_each_rule(record.hypothesis or "", version))
        for record in file.records
    ]
    names = [
        ("as written", "nothing changed: case and punctuation count"),
        *((r.name, r.description) for r in rules_of(version)),
    ]
    rows = []
    counts: list[Counts] = []
    for step, (name, description) in enumerate(names):
        # Most rules change few texts, and those that are as before are the same objects.
        counts = [
            counts[at]
            if step and ref[step] is ref[step - 1] and hyp[step] is hyp[step - 1]
            else word_counts(ref[step], hyp[step], options.compounds)
            for at, (ref, hyp) in enumerate(pairs)
        ]
        table = pd.DataFrame(
            {"errors": [c.errors for c in counts], "n_words": [c.n_reference for c in counts]}, dtype="int64"
        )
        found = word_interval(table, options, blocks)
        changed = 0 if not step else sum(t[step] is not t[step - 1] for pair in pairs for t in pair)
        errors = int(table["errors"].sum())
        estimate = (found.rate, found.low, found.high)
        rows.append((name, description, *estimate, errors, found.n_reference, changed))
    columns = ["rule", "description", "wer", "wer_low", "wer_high", "errors", "n_words", "n_changed"]
    rated = pd.DataFrame(rows, columns=columns).set_index("rule")
    rated.insert(4, "difference", rated["wer"].diff())
    return rated
