"""Utterances that were not heard whole, as their audio was cut, is damaged or has a hole: how many, which.

What the audio lacks counts as errors, deletions above all, which are not the system's. It is the same for all
systems that hear the same audio, so that such utterances stay in a score, and are told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from evaluation.records.files import Record
from evaluation.records.warned import Warned
from evaluation.show.display import count, counted

LOSSES: Final = {"cut": "cut", "damaged": "damaged", "hole": "with a hole"}
"""Kinds of warnings that are losses, and what an utterance with one is called.

Of the others, `track` and `phase` are choices in reading, `length` and `clock` mistakes of the file that cost
nothing.
"""
_N_NAMED: Final = 3  # of a kind, in a sentence


def losses_of(record: Record) -> tuple[Warned, ...]:
    """Losses of a record; none of one that failed, whose words are all deleted."""
    if record.error is not None or record.hypothesis is None:
        return ()
    return tuple(each for each in record.warnings if each.kind in LOSSES)


def choices_of(records: Iterable[Record]) -> dict[str, int]:
    """Numbers of the records that were read by a choice, by its kind: `track`, `phase`."""
    kinds = [kind for record in records for kind in {each.kind for each in record.warnings}]
    return {kind: kinds.count(kind) for kind in ("track", "phase") if kind in kinds}


def losses_text(found: Sequence[Record], n_records: int, n_words: int, n_words_of_all: int) -> str:
    """Sentence for a log, a score or a report: how many were not heard whole, of which kind, which.

    Args:
        found: Records with a loss, one at least.
        n_records: Number of all records.
        n_words: Number of words in the references of those with a loss.
        n_words_of_all: Number of words in the references of all.
    """
    kinds = {kind: [each.id for each in found if _has(each, kind)] for kind in LOSSES}
    told = "; ".join(
        f"{count(len(ids))} {LOSSES[kind]} ({_named(ids)})" for kind, ids in kinds.items() if ids
    )
    was, hold = ("was", "its reference holds") if len(found) == 1 else ("were", "their references hold")
    return (
        f"{count(len(found))} of {counted(n_records, 'utterance')} {was} not heard whole: {told}; {hold} "
        f"{count(n_words)} of {counted(n_words_of_all, 'word')}, and what the audio lacks of them counts as "
        "errors, for every system that heard it"
    )


def _has(record: Record, kind: str) -> bool:
    return any(each.kind == kind for each in losses_of(record))


def _named(ids: Collection[str]) -> str:
    first = [*ids][:_N_NAMED]
    more = len(ids) - len(first)
    return ", ".join(first) + (f" and {count(more)} more" if more else "")
