"""Sections of a report to read: the commonest confusions, and the utterances themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from evaluation.beyond.breakdowns import confusions
from evaluation.report.html import audio_type
from evaluation.report.parts import Card, Heard, Paragraph, Part, Row, Section, Table
from evaluation.report.sections import Material
from evaluation.scoring.scores import Score
from evaluation.scoring.texts import alignment
from evaluation.show.display import count, counted, failure_of, percent, seconds

N_CONFUSIONS = 12
N_WORST = 20
N_DIFFERING = 5
AUDIO_BUDGET = 8_000_000
"""Bytes of audio in all that a page takes in; base64 adds a third."""


def confusions_section(material: Material) -> Section:
    """Section of the commonest substitutions, deletions and insertions of each system."""
    parts: list[Part] = []
    for label, one in material.scores.items():
        found = confusions(one)
        tables = [
            Table(_confusion_table(found[found["kind"] == kind], columns), f"{label}: commonest {kind}s")
            for kind, columns in (
                ("substitution", {"reference": "Reference", "hypothesis": "Heard as"}),
                ("deletion", {"reference": "Deleted"}),
                ("insertion", {"hypothesis": "Inserted"}),
            )
            if (found["kind"] == kind).any()
        ]
        parts.append(Row(tuple(tables)) if tables else Paragraph(f"{label} made no error."))
    return Section("Commonest errors", tuple(parts))


def utterance_sections(material: Material) -> list[Section]:
    """Sections of the worst utterances and of those that systems differ on most; each audio only once."""
    voice = _Voice(material)
    return [_worst_section(material, voice), *_differing_sections(material, voice)]


def worst_section(material: Material) -> Section:
    """Section of the worst utterances alone."""
    return _worst_section(material, _Voice(material))


def differing_sections(material: Material) -> list[Section]:
    """Sections of the utterances that two systems differ on most, alone; none where they differ on none."""
    return _differing_sections(material, _Voice(material))


def _worst_section(material: Material, voice: _Voice) -> Section:
    return Section("Worst utterances", tuple(_worst(material, voice)))


def _differing_sections(material: Material, voice: _Voice) -> list[Section]:
    sections = []
    for pair in material.comparisons:
        differing = pair.differing
        differing = differing[differing["difference"] != 0]
        if len(differing):
            scores = {pair.label_a: pair.a, pair.label_b: pair.b}
            cards = [_card(str(name), scores, voice) for name in differing.index[:N_DIFFERING]]
            unequal = counted(len(differing), "utterance")
            first = Paragraph(f"{unequal} with more errors by one of the two; those that differ most:")
            title = f"Where {pair.label_a} and {pair.label_b} differ"
            sections.append(Section(title, (first, *cards), listed=False))
    return sections


class _Voice:
    """Hands out audio, each utterance's once, until the budget is spent."""

    def __init__(self, material: Material) -> None:
        self._find = material.audio
        self._left = AUDIO_BUDGET
        self._given: set[str] = set()

    def of(self, utterance: str) -> bytes | None:
        content = None if utterance in self._given else self._find(utterance)
        if content is None or len(content) > self._left or audio_type(content) is None:
            return None
        self._given.add(utterance)
        self._left -= len(content)
        return content


def worst_ids(scores: Mapping[str, Score]) -> list[str]:
    """Utterances with errors, by the errors of all systems, the most first."""
    totals = pd.concat([one.utterances[["errors", "n_words"]] for one in scores.values()])
    totals = totals.groupby(level=0, sort=False).sum()
    totals = totals[totals["errors"] > 0]
    # Among equals the shorter, then by id, so that the order never changes.
    totals = totals.sort_index().sort_values(["errors", "n_words"], ascending=[False, True], kind="stable")
    return [str(name) for name in totals.index]


def _worst(material: Material, voice: _Voice) -> Iterable[Part]:
    ids = worst_ids(material.scores)
    if not ids:
        yield Paragraph("No system made an error.")
        return
    of = "all systems together" if len(material.scores) > 1 else "the system"
    n_shown = min(N_WORST, len(ids))
    yield Paragraph(
        f"{count(n_shown)} of {counted(len(ids), 'utterance')} with errors, by the errors of {of}."
    )
    for name in ids[:N_WORST]:
        yield _card(name, material.scores, voice)


def _card(utterance: str, scores: Mapping[str, Score], voice: _Voice) -> Card:
    heard, reference, about = [], "", ""
    for label, one in scores.items():
        if utterance not in one.utterances.index:
            continue
        row = one.utterances.loc[utterance]
        reference = row["reference"]
        known = [seconds(row["audio_s"])] if row["audio_s"] > 0 else []
        about = ", ".join([counted(int(row["n_words"]), "word"), *known])
        outcome = counted(int(row["errors"]), "error")
        if row["n_words"]:
            outcome += f", {percent(row['errors'] / row['n_words'], 0)} %"
        if row["failed"]:
            outcome = f"failed: {failure_of(row['error'])}"
        chunks = alignment(row["normalized_reference"], row["normalized_hypothesis"])
        heard.append(Heard(label, outcome, chunks, None if row["failed"] else row["hypothesis"]))
    return Card(utterance, reference, about, tuple(heard), voice.of(utterance))


def _confusion_table(found: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    shown = found.head(N_CONFUSIONS)
    table = pd.DataFrame({title: shown[name] for name, title in columns.items()})
    table["Times"] = [count(times) for times in shown["count"]]
    table["For example"] = list(shown["example"])
    return table
