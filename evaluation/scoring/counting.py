"""Edit counts of each utterance, from its record, and the units that the bootstrap draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

import pandas as pd

from evaluation.records.files import RecordFile, as_text
from evaluation.scoring.options import Block, Blocks, Options
from evaluation.scoring.texts import char_counts, normalized, word_counts
from evaluation.statistics.intervals import Interval, interval
from gigastt_lab.errors import GigasttError

NAMELESS: Final = "\0"  # no speaker's name begins so
"""Beginning of the block of an utterance that names no speaker or session; its id follows."""


class ScoreError(GigasttError, ValueError):
    """Records that cannot be scored or compared as asked: what is in the way, and what to do."""


def check_ids(file: RecordFile) -> None:
    """Raise `ScoreError` where an utterance occurs twice."""
    twice = [name for name, count in Counter(record.id for record in file.records).items() if count > 1]
    if twice:
        raise ScoreError(
            f"{file.path} has {len(twice)} utterances more than once, {twice[0]!r} first; run it anew"
        )


def utterance_table(file: RecordFile, options: Options) -> pd.DataFrame:
    """Table of the utterances, indexed by id, in the file's order: texts, counts, seconds; see `Score`."""
    profile, version, compounds = options.profile, options.normalizer, options.compounds
    rows = []
    for record in file.records:
        raw_ref, raw_hyp = as_text(record.reference), as_text(record.hypothesis)
        ref = normalized(raw_ref or "", profile, version)
        hyp = normalized(raw_hyp or "", profile, version)
        words, characters = word_counts(ref, hyp, compounds), char_counts(ref, hyp)
        texts = (raw_ref, raw_hyp, ref, hyp)
        edits = (words.hits, words.substitutions, words.deletions, words.insertions)
        sums = (words.errors, words.n_reference, characters.errors, characters.n_reference)
        outcome = (record.audio_s, record.work_s, record.confidence, record.hypothesis is None, record.error)
        rows.append((*texts, *edits, *sums, *outcome))
    columns = ["reference", "hypothesis", "normalized_reference", "normalized_hypothesis"]
    counts = [
        "hits",
        "substitutions",
        "deletions",
        "insertions",
        "errors",
        "n_words",
        "char_errors",
        "n_chars",
    ]
    measured = ["audio_s", "work_s", "confidence"]
    index = pd.Index([record.id for record in file.records], name="id", dtype=object)
    table = pd.DataFrame(rows, columns=[*columns, *counts, *measured, "failed", "error"], index=index)
    return table.astype(
        dict.fromkeys(counts, "int64") | dict.fromkeys(measured, "float64") | {"failed": bool}
    )


def word_interval(table: pd.DataFrame, options: Options, blocks: Sequence[str] | None) -> Interval:
    """Word error rate of some rows of an `utterance_table`, with its interval."""
    return interval(table["errors"].to_numpy(), table["n_words"].to_numpy(), options, blocks=blocks)


def intervals(
    table: pd.DataFrame, options: Options, blocks: Sequence[str] | None
) -> tuple[Interval, Interval, Interval]:
    """Word, character and sentence error rates of some rows of an `utterance_table`."""
    wrong = (table["errors"] > 0).astype("int64").to_numpy()
    return (
        word_interval(table, options, blocks),
        interval(table["char_errors"].to_numpy(), table["n_chars"].to_numpy(), options, blocks=blocks),
        interval(wrong, wrong * 0 + 1, options, blocks=blocks, bounded=True),
    )


def block_of_each(file: RecordFile, wanted: Blocks) -> tuple[Block, list[str] | None]:
    """Kind of the units drawn, and the block of each utterance: its speaker or session; None: utterances.

    An utterance that names no speaker, among others that do, is a block of its own: one name that is missing
    does not make the others independent. `n_nameless` counts them.

    Raises:
        ScoreError: speakers or sessions were asked for, and no record names one.
    """
    if wanted == "utterance":
        return wanted, None
    kinds: tuple[Literal["speaker", "session"], ...] = (
        ("speaker", "session") if wanted == "auto" else (wanted,)
    )
    for kind in kinds:
        names = [getattr(record, kind) for record in file.records]
        n_named, n_blocks = len(names) - names.count(None), len({*names} - {None})
        if n_blocks > 1 or (n_named and wanted != "auto"):
            return kind, [
                NAMELESS + record.id if name is None else str(name)
                for name, record in zip(names, file.records, strict=True)
            ]
        if not n_named and wanted != "auto":
            raise ScoreError(f'{file.path} names a {kind} for no utterance; draw by "utterance" instead')
    return "utterance", None


def n_nameless(block_names: Sequence[str]) -> int:
    """Number of utterances that are blocks of their own because they name none; see `block_of_each`."""
    return sum(name.startswith(NAMELESS) for name in block_names)
