"""Part of a report on utterances that were not heard whole: a table with the times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from evaluation.records.files import Record
from evaluation.records.losses import LOSSES, choices_of, losses_of
from evaluation.records.warned import Warned
from evaluation.report.parts import Paragraph, Part, Table
from evaluation.report.sections import Material
from evaluation.scoring.scores import Score
from evaluation.show.display import DASH, count, counted, decimal

_N_SHOWN: Final = 50  # rows; the record files have them all


def losses_parts(material: Material) -> list[Part]:
    """Parts on the utterances that were not heard whole, with the times; nothing where all were."""
    found = _found(material.scores)
    parts: list[Part] = []
    if found:
        rows = [
            {
                "Utterance": utterance,
                "Not whole": LOSSES[each.kind],
                "From, s": _at(each.start),
                "To, s": _at(each.end),
                "Words in the reference": count(n_words),
                "In the records of": _who(systems, material),
            }
            for (utterance, each), (n_words, systems) in [*found.items()][:_N_SHOWN]
        ]
        n = len({utterance for utterance, _ in found})
        more = f"; the first {_N_SHOWN} of {count(len(found))} places" if len(found) > _N_SHOWN else ""
        caption = f"Not heard whole: {counted(n, 'utterance')}{more}"
        parts.append(Table(pd.DataFrame(rows), caption))
    if choices := _choices_text([file.records for file in material.files]):
        parts.append(Paragraph(choices, note=True))
    return parts


def _found(scores: Mapping[str, Score]) -> dict[tuple[str, Warned], tuple[int, list[str]]]:
    """Words of the reference, and the systems whose records tell, by utterance and loss."""
    found: dict[tuple[str, Warned], tuple[int, list[str]]] = {}
    for label, one in scores.items():
        for record in one.file.records:
            for each in losses_of(record):
                n_words = int(one.utterances["n_words"][record.id])
                found.setdefault((record.id, each), (n_words, []))[1].append(label)
    return found


def _choices_text(records: Sequence[Sequence[Record]]) -> str:
    """Sentence on what was read by a choice, of the system that tells of most."""
    told = {
        "track": "of several audio tracks the usual one was read",
        "phase": "channels in opposite phase were turned",
    }
    counts = [choices_of(each) for each in records]
    most = {kind: max(each.get(kind, 0) for each in counts) for kind in told}
    parts = [f"in {counted(n, 'utterance')} {told[kind]}" for kind, n in most.items() if n]
    return f"Heard whole, by a choice: {'; '.join(parts)}." if parts else ""


def _who(systems: Sequence[str], material: Material) -> str:
    return "all systems" if len(systems) == len(material.scores) else ", ".join(systems)


def _at(second: float | None) -> str:
    return DASH if second is None else decimal(second)
