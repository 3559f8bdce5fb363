"""Edit counts of each utterance, from its record, and the units that the bootstrap draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from evaluation.normalize import Profile
from evaluation.records.files import RecordFile, as_text
from evaluation.scoring.intervals import Interval, interval
from evaluation.scoring.options import Block, Blocks, Options
from evaluation.scoring.texts import char_counts, normalized, word_counts
from gigastt_lab.errors import GigasttError


class ScoreError(GigasttError, ValueError):
    """Records that cannot be scored or compared as asked: what is in the way, and what to do."""


def check_ids(file: RecordFile) -> None:
    """Raise `ScoreError` where an utterance occurs twice."""
    twice = [name for name, count in Counter(record.id for record in file.records).items() if count > 1]
    if twice:
        raise ScoreError(
            f"{file.path} has {len(twice)} utterances more than once, {twice[0]!r} first; run it anew"
        )


def utterance_table(file: RecordFile, profile: Profile) -> pd.DataFrame:
    """Table of the utterances, indexed by id, in the file's order: texts, counts, seconds; see `Score`."""
    rows = []
    for record in file.records:
        raw_ref, raw_hyp = as_text(record.reference), as_text(record.hypothesis)
        ref, hyp = normalized(raw_ref or "", profile), normalized(raw_hyp or "", profile)
        words, characters = word_counts(ref, hyp), char_counts(ref, hyp)
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
        interval(wrong, wrong * 0 + 1, options, blocks=blocks),
    )


def block_of_each(file: RecordFile, wanted: Blocks) -> tuple[Block, list[str] | None]:
    """Kind of the units drawn, and the speaker or session of each utterance; None where utterances are drawn.

    Raises:
        ScoreError: speakers or sessions were asked for, and a record names none.
    """
    if wanted == "utterance":
        return wanted, None
    kinds: tuple[Literal["speaker", "session"], ...] = (
        ("speaker", "session") if wanted == "auto" else (wanted,)
    )
    for kind in kinds:
        names = [name for name in (getattr(record, kind) for record in file.records) if name is not None]
        known = len(names) == len(file.records)
        if known and (wanted != "auto" or len(set(names)) > 1):
            return kind, names
        if not known and wanted != "auto":
            raise ScoreError(
                f"{file.path} names a {kind} for {len(names)} of {len(file.records)} utterances; "
                'draw by "utterance" instead'
            )
    return "utterance", None
