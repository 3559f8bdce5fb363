"""Sections that account for a report: warnings, failures, losses, exclusions, runs, how it was counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evaluation.records.durations import duration_mismatches, mismatch_text, shared_audio_text
from evaluation.report.losses import losses_parts
from evaluation.report.parts import Folded, Paragraph, Part, Section, Table
from evaluation.report.sections import Material
from evaluation.scoring.counting import n_nameless
from evaluation.scoring.mapsswe import MIN_SEGMENTS
from evaluation.scoring.remarks import losses_remarks
from evaluation.scoring.scores import Score
from evaluation.scoring.timing import load_warnings
from evaluation.scoring.verdicts import MIN_UTTERANCES
from evaluation.show.display import count, counted, failure_of
from evaluation.statistics.facts import FEWEST_UNITS
from evaluation.statistics.methods import method_in_words

_FEW_BLOCKS = 10
_MANY_DUPLICATES = 0.01  # share; Golos has fewer


def warnings(scores: Mapping[str, Score]) -> list[str]:
    """Warnings that a reader needs before any number of these systems; scores are by label."""
    found = []
    headers = {label: one.header for label, one in scores.items()}
    for what in ("name", "revision"):
        stated = {label: str(each.dataset.get(what, "not stated")) for label, each in headers.items()}
        found += _differing(f"dataset {what}s", stated)
    found += _differing_keys("machines", {label: each.machine for label, each in headers.items()})
    found += _differing_keys("versions", {label: each.versions for label, each in headers.items()})
    for label, one in scores.items():
        if one.file.end is None:
            expected = one.header.dataset.get("n_expected")
            of = f" of {count(expected)}" if expected else ""
            found.append(
                f"The run of {label} did not come to its end: {count(len(one.file.records))}{of} utterances "
                "are scored, and what the dataset left out is not known."
            )
        if len(one.failures):
            n_failed = counted(len(one.failures), "utterance")
            whose = "its" if len(one.failures) == 1 else "all their"
            found.append(f"{label} failed on {n_failed}; {whose} words count as deleted.")
    found += losses_remarks(scores)
    found += [*dict.fromkeys(text for one in scores.values() for text in _sampling_warnings(one))]
    found += [text for label, one in scores.items() for text in _data_warnings(label, one)]
    return found + load_warnings({label: one.file for label, one in scores.items()})


def _sampling_warnings(one: Score) -> list[str]:
    """Warnings on what the intervals of a score rest on."""
    found = []
    names, kind, n = one.block_names, one.options.blocks, len(one.utterances)
    if n and not one.wer.n_reference:
        return [
            "The references have no word, so there is no WER; words heard there are made up (score --beyond)."
        ]
    if n < MIN_UTTERANCES:
        told = "intervals are wide, and no verdict is given"
        if n < FEWEST_UNITS:
            told = "neither intervals of the error rates nor verdicts are given"
        found.append(f"Only {counted(n, 'utterance')}: {told}.")
    if names is not None:
        n_blocks, n_alone = len(set(names)), n_nameless(names)
        if n_blocks < _FEW_BLOCKS:
            told = "the intervals rest on their differences alone"
            if n_blocks < FEWEST_UNITS:
                told = f"no interval is given, which takes {FEWEST_UNITS} or more"
            found.append(f"Only {counted(n_blocks, kind)}: {told}.")
        if n_alone:
            found.append(
                f"{count(n_alone)} of {counted(n, 'utterance')} without a {kind}: each counts as one of its "
                "own."
            )
    elif len({record.speaker for record in one.file.records} - {None}) == 1:
        known = "" if all(record.speaker for record in one.file.records) else ", as far as they name one"
        found.append(
            f"All utterances are of one speaker{known}: the intervals speak of this speaker's utterances, "
            "and say nothing about others."
        )
    return found


def _data_warnings(label: str, one: Score) -> list[str]:
    """Warnings on what the records of a score hold."""
    found = []
    n = len(one.utterances)
    findings = one.file.end.findings if one.file.end else ()
    n_again = sum(each["reason"] == "duplicate" and not each["excluded"] for each in findings)
    if n_again > _MANY_DUPLICATES * n:
        found.append(
            f"{label}: {count(n_again)} of {counted(n, 'utterance')} repeat an earlier one, audio and text "
            "alike; the intervals take them as independent and are too narrow (--duplicates drop)."
        )
    if shared := shared_audio_text(findings, n):
        found.append(f"{label}: {shared}.")
    other = duration_mismatches(one.file.records)
    if other:
        found.append(f"{label}: {mismatch_text(other, n)}")
    return found


def failures_section(material: Material) -> Section:
    """Section on failures, losses of audio and exclusions, all counted and named."""
    parts: list[Part] = []
    failed = [
        (label, utterance, failure_of(row.error), count(row.n_words))
        for label, one in material.scores.items()
        for utterance, row in zip(one.failures.index, one.failures.itertuples(), strict=True)
    ]
    if failed:
        table = pd.DataFrame(failed, columns=["System", "Utterance", "What went wrong", "Words deleted"])
        whose = "its" if len(failed) == 1 else "all their"
        parts.append(Table(table, f"Failed: {counted(len(failed), 'utterance')}, {whose} words deleted"))
    else:
        parts.append(Paragraph("No system failed on an utterance."))
    parts += losses_parts(material)
    findings = _findings(material)
    if findings:
        table = pd.DataFrame(
            [
                (reason, "left out" if excluded else "kept", count(len(ids)), systems)
                for (reason, excluded, systems), ids in findings.items()
            ],
            columns=["Finding", "Outcome", "Rows", "In the run of"],
        )
        parts.append(Table(table, "What the dataset held out of the ordinary"))
        for (reason, excluded, _), ids in findings.items():
            title = f"{reason}, {'left out' if excluded else 'kept'}: {counted(len(ids), 'row')}"
            parts.append(Folded(title, tuple(ids)))
    elif all(file.end is not None for file in material.files):
        parts.append(Paragraph("Nothing of the dataset was left out."))
    empty = [label for label, one in material.scores.items() if (one.utterances["n_words"] == 0).any()]
    if empty:
        n = max(int((material.scores[label].utterances["n_words"] == 0).sum()) for label in empty)
        text = f"{counted(n, 'reference')} {'has' if n == 1 else 'have'} no word once normalised"
        parts.append(Paragraph(f"{text}; insertions there count as errors."))
    return Section("Failures, exclusions", tuple(parts))


def runs_section(material: Material) -> Section:
    """Section on what was run: machine, versions, systems, datasets, command lines."""
    headers = {label: one.header for label, one in material.scores.items()}
    parts: list[Part] = []
    for title, each in (
        ("Machine", {label: header.machine for label, header in headers.items()}),
        ("Versions", {label: header.versions for label, header in headers.items()}),
        ("Dataset", {label: header.dataset for label, header in headers.items()}),
    ):
        same = all(facts == next(iter(each.values())) for facts in each.values())
        for label, facts in [*each.items()][: 1 if same else None]:
            name = title if same else f"{title} of {label}"
            parts.append(Folded(name, _facts(facts) or (("not stated", "–"),), unfolded=True))
    for label, header in headers.items():
        rows = [
            ("system", header.system),
            ("command", header.command or "not stated"),
            ("started", header.started or "not stated"),
            ("normaliser then", header.normalizer or "not stated"),
            *_facts(header.system_info),
        ]
        parts.append(Folded(label, tuple(rows)))
    return Section("What was run", tuple(parts))


def method_section(material: Material) -> Section:
    """Section on the method: how the numbers were made."""
    options = material.options
    drawn = {method_in_words(one.wer, one.options.blocks) for one in material.scores.values()}
    independence = (
        " No record file names speakers or sessions throughout, so utterances are taken as independent; "
        "where speakers recur, the intervals are too narrow."
        if options.blocks == "auto" and all(one.block_names is None for one in material.scores.values())
        else ""
    )
    texts = [
        "WER = (S + D + I) / N: substituted, deleted and inserted words over reference words, summed over "
        "all utterances before dividing. CER is the same over characters, spaces among them. SER is the "
        "share of utterances with a wrong word. A failed utterance counts as all words deleted. Both sides "
        f"are normalised by version {options.normalizer} of the normaliser, profile {options.profile}, and "
        "aligned by jiwer; where several alignments have the fewest errors, one of them is shown.",
        f"Intervals of level {options.level:.0%}: {'; '.join(sorted(drawn))}. Small sets take the delete-one "
        "jackknife on the log scale with Student's t, large ones the percentile bootstrap (Bisani and Ney, "
        "ICASSP 2004), sets without an error exact bounds; docs/statistics.md has their measured coverage. "
        "Differences are of both systems on the same utterances; among several, p-values are adjusted by "
        "Holm. MAPSSWE is the matched-pairs test of Gillick and Cox (ICASSP 1989); its p-value is given from "
        f"{MIN_SEGMENTS} segments on.{independence}",
        "RTFx = seconds of audio / seconds of work, decoding of the file included, over the utterances that "
        "were recognised; p50, p95 and p99 are percentiles over utterances. Its interval is over rounds "
        "where systems took turns, else over utterances; it speaks of this run on this machine, not of "
        "another day.",
    ]
    return Section("Method", tuple(Paragraph(text, note=True) for text in texts))


def _findings(material: Material) -> dict[tuple[str, bool, str], list[tuple[str, str]]]:
    """Ids, and what they repeat, by reason, outcome and the systems whose runs met them."""
    met: dict[tuple[str, bool, str, str], list[str]] = {}
    for label, file in zip(material.scores, material.files, strict=True):
        for finding in file.end.findings if file.end else ():
            same = f"same as {finding['same_as']}" if finding.get("same_as") else ""
            key = (finding["reason"], bool(finding["excluded"]), finding["id"], same)
            met.setdefault(key, []).append(label)
    grouped: dict[tuple[str, bool, str], list[tuple[str, str]]] = {}
    for (reason, excluded, utterance, same), systems in met.items():
        who = "all systems" if len(systems) == len(material.scores) else ", ".join(systems)
        grouped.setdefault((reason, excluded, who), []).append((utterance, same))
    return grouped


def _differing(what: str, values: Mapping[str, str]) -> list[str]:
    if len(set(values.values())) <= 1:
        return []
    told = "; ".join(f"{label}: {value}" for label, value in values.items())
    return [f"Different {what}: {told}."]


def _differing_keys(what: str, facts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line for all that differs, naming the facts that do."""
    keys = dict.fromkeys(key for each in facts.values() for key in each)
    differing = [
        key for key in keys if len({json.dumps(each.get(key), default=str) for each in facts.values()}) > 1
    ]
    if not differing:
        return []
    told = "; ".join(
        f"{key}: "
        + ", ".join(f"{_shown(each.get(key, 'not stated'))} ({label})" for label, each in facts.items())
        for key in differing
    )
    return [f"Different {what}. {told}."]


def _facts(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            rows += [(f"{key} {inner}", told) for inner, told in _facts(value)]
        else:
            rows.append((str(key), _shown(value)))
    return tuple(rows)


def _shown(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "none"
    return "not known" if value is None else str(value)
