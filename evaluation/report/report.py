"""A report of record files, in HTML and in Markdown: rates, differences, errors to read and hear, speed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from evaluation.beyond.keywords import Term
from evaluation.records.files import RecordFile
from evaluation.records.tables import Records, record_files
from evaluation.report.account import failures_section, method_section, runs_section, warnings
from evaluation.report.beyond import beyond_sections, with_measures
from evaluation.report.groups import groups_section
from evaluation.report.html import to_html
from evaluation.report.parts import Report, Section
from evaluation.report.reading import (
    confusions_section,
    differing_sections,
    utterance_sections,
    worst_section,
)
from evaluation.report.recording import heard_in
from evaluation.report.sections import (
    Material,
    confidence_section,
    difference_section,
    normalization_section,
    shape_section,
    size_section,
    speed_section,
    summary_section,
    tile,
)
from evaluation.report.writing import ReportFiles, write_files
from evaluation.scoring.compare import Comparison, adjusted, compare
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.options import DEFAULTS, Options, OptionsDict
from evaluation.scoring.scores import Score, labels, score
from evaluation.scoring.writing import writing_warning
from evaluation.show.display import counted, estimate, seconds
from evaluation.show.notebook import Page
from gigastt_lab.errors import AudioError

_ALL_PAIRS_OF = 3  # systems; of more, the first is compared with each


def write_report(
    files: Records | Sequence[Records],
    directory: str | Path,
    options: Options = DEFAULTS,
    *,
    audio: Callable[[str], bytes | None] | None = None,
    snr_db: Mapping[str, float] | None = None,
    terms: Sequence[Term] = (),
    **changes: Unpack[OptionsDict],
) -> ReportFiles:
    """Write ``report.html``, one page that needs no network, and ``report.md`` with its plots beside it.

    Args:
        files: Records, a file or its path, a table or a score for each system. Those on the same utterances
            are compared.
        directory: Directory of the report, made if it is not there; earlier reports in it are replaced.
        options: Options of the scores; `profile` plays no part in the tables of every profile.
        audio: Encoded audio of an utterance by its id, None where it is not at hand; the page takes in that
            of the utterances it shows, up to some megabytes. By default the files that the records name.
        snr_db: Signal-to-noise ratio of utterances by their ids, in dB, for a section on noise.
        terms: Terms to look for, from `evaluation.beyond.keywords.read_terms`.
        **changes: Single options by keyword, in place of those in `options`: `profile`, `n_resamples`,
            `level`, `seed`, `blocks`.

    Returns:
        Paths of the two; in a notebook, the page itself.

    Raises:
        ScoreError: without a file, or one that cannot be scored so.
        ValueError: an option outside its range.
    """
    options = replace(options, **changes)
    files = record_files(files)
    report = _report(_material(files, options, audio or audio_in(files), snr_db or {}), terms)
    return write_files(report, Path(directory), "report")


def worst_page(scores: Mapping[str, Score], *, audio: Callable[[str], bytes | None] | None = None) -> Page:
    """Page for a notebook: the utterances with the most errors, to read and to hear; as in the report.

    Args:
        scores: Scores by the name of each system, one at least.
        audio: Finder of audio, as of `write_report`.
    """
    material = _reading_material(scores, audio)
    amounts = counted(len(next(iter(scores.values())).utterances), "utterance")
    return _page("The worst utterances", f"Of {amounts}.", [worst_section(material)])


def differing_page(one: Comparison, *, audio: Callable[[str], bytes | None] | None = None) -> Page:
    """Page for a notebook: the utterances in which one of two systems made more errors than the other."""
    material = _reading_material({one.label_a: one.a, one.label_b: one.b}, audio, [one])
    sections = differing_sections(material)
    told = one.verdict() if sections else f"both made as many errors in every utterance; {one.verdict()}"
    return _page(f"{one.label_a} and {one.label_b}", f"In word error rate {told}.", sections)


def audio_in(files: Sequence[RecordFile]) -> Callable[[str], bytes | None]:
    """Finder of audio, by the id of an utterance, where records name files that are there."""
    found = {record.id: record for file in files for record in file.records if record.audio}

    def find(utterance: str) -> bytes | None:
        record = found.get(utterance)
        try:
            return None if record is None else heard_in(record)
        except (AudioError, OSError):
            return None

    return find


def shortened(names: Sequence[str]) -> tuple[str, list[str]]:
    """Common beginning and end of the names, and the names without them; parts end at underscores.

    >>> shortened(["gigaam-demo_fp32_cpu_t2_b1", "gigaam-demo_int8_cpu_t2_b1"])
    ('gigaam-demo cpu t2 b1', ['fp32', 'int8'])
    >>> shortened(["demo_int8_cpu_b8", "onnx-asr_demo_fp32_cpu_b8"])
    ('cpu b8', ['demo_int8', 'onnx-asr_demo_fp32'])
    >>> shortened(["gigastt", "vosk"])
    ('', ['gigastt', 'vosk'])
    """
    parts = [name.split("_") for name in names]
    longest = min(map(len, parts)) - 1 if len(set(names)) == len(names) > 1 else 0  # something has to stay
    n_before = _n_equal(parts, longest)
    n_after = _n_equal([part[::-1] for part in parts], longest - n_before)
    kept = ["_".join(part[n_before : len(part) - n_after]) for part in parts]
    return " ".join(parts[0][:n_before] + parts[0][len(parts[0]) - n_after :]), kept


def _n_equal(parts: Sequence[Sequence[str]], longest: int) -> int:
    """Number of first items that all have in common, at most `longest`."""
    columns = list(zip(*parts, strict=False))[: max(longest, 0)]
    return next((i for i, column in enumerate(columns) if len(set(column)) > 1), len(columns))


def _reading_material(
    scores: Mapping[str, Score],
    audio: Callable[[str], bytes | None] | None,
    comparisons: Sequence[Comparison] = (),
) -> Material:
    first = next(iter(scores.values()))
    find = audio or audio_in([one.file for one in scores.values()])
    return Material(scores=scores, options=first.options, comparisons=comparisons, audio=find)


def _page(title: str, headline: str, sections: Sequence[Section]) -> Page:
    return Page(to_html(Report(title, headline, warnings=(), tiles=(), sections=tuple(sections))))


def _material(
    files: Sequence[RecordFile],
    options: Options,
    audio: Callable[[str], bytes | None],
    snr_db: Mapping[str, float],
) -> Material:
    if not files:
        raise ScoreError("no record files; give at least one")
    _, short = shortened(labels(files))
    named = dict(zip(short, files, strict=True))
    scores = {label: score(file, options) for label, file in named.items()}
    comparisons: list[Comparison] = []
    refusals: list[str] = []
    every = itertools.combinations(named, 2)
    with_first = itertools.product(short[:1], short[1:])
    # The later one minus the earlier one: what was named first is the baseline.
    for label_b, label_a in every if len(named) <= _ALL_PAIRS_OF else with_first:
        try:
            found = compare(scores[label_a], scores[label_b], options)
            comparisons.append(replace(found, label_a=label_a, label_b=label_b))
        except ScoreError as error:
            refusals.append(str(error))
    return Material(
        scores=scores,
        options=options,
        comparisons=adjusted(comparisons),
        refusals=refusals,
        audio=audio,
        snr_db=snr_db,
    )


def _report(material: Material, terms: Sequence[Term] = ()) -> Report:
    sections = [
        summary_section(material),
        difference_section(material),
        normalization_section(material),
        shape_section(material),
        groups_section(material.scores),
        with_measures(confidence_section(material), material.scores),
        *beyond_sections(material.scores, terms),
        confusions_section(material),
        *utterance_sections(material),
        speed_section(material),
        size_section(material),
        failures_section(material),
        runs_section(material),
        method_section(material),
    ]
    sets = dict.fromkeys(str(file.header.dataset.get("name", "an unnamed set")) for file in material.files)
    names = [*material.scores]
    common, _ = shortened(labels(material.files))
    shown = ", ".join(names) if len(names) <= 3 else f"{len(names)} systems"
    return Report(
        title=f"{common + ': ' if common else ''}{shown} on {' and '.join(sets)}",
        headline=_headline(material, " and ".join(sets)),
        warnings=(*warnings(material.scores), *_writing_warnings(material.comparisons)),
        tiles=tuple(tile(label, one) for label, one in material.scores.items()),
        sections=tuple(section for section in sections if section),
    )


def _headline(material: Material, sets: str) -> str:
    """Headline: what was measured on what, and what came out."""
    [first, *others] = material.scores.values()
    amounts = [counted(len(first.utterances), "utterance"), counted(first.wer.n_reference, "word")]
    audio_s = first.utterances["audio_s"].sum()
    amounts += [f"{seconds(audio_s)} of audio"] if audio_s else []
    description = first.header.dataset.get("description")
    same = all(file.header.dataset == first.header.dataset for file in material.files)
    where = f"{sets} ({description})" if description and same else sets
    what = "One system" if not others else f"{len(others) + 1} systems"
    text = f"{what} on {where}: {', '.join(amounts)}."
    if any(set(one.utterances.index) != set(first.utterances.index) for one in others):
        return f"{what} on {sets}, not all on the same utterances: their rates do not compare."
    if len(material.comparisons) == 1:
        return f"{text} {_verdict_of(material.comparisons[0])}"
    rated = {label: one.wer for label, one in material.scores.items() if one.wer.n_reference}
    if not rated:
        return text
    best = min(rated, key=lambda label: rated[label].rate)
    rate = estimate(rated[best].rate, rated[best].low, rated[best].high)
    told = f"Lowest word error rate: {best}," if others else "Word error rate:"
    more = "; Differences says which differences are more than chance" if material.comparisons else ""
    return f"{text} {told} {rate} %{more}."


def _verdict_of(one: Comparison) -> str:
    """The verdict in a sentence."""
    told = one.verdict()
    return f"There are {told}." if math.isnan(one.wer.difference) else f"In word error rate {told}."


def _writing_warnings(comparisons: Sequence[Comparison]) -> list[str]:
    """Warnings that verdicts may be about writing: nobody should read the ones without the others."""
    found = []
    for one in comparisons:
        names = one.label_a, one.label_b
        for text in writing_warning(one.by_profile, one.a.options.profile, *names):
            told = text.removeprefix("Warning: this ")
            found.append(f"The {told}" if len(comparisons) == 1 else f"{' against '.join(names)}: the {told}")
    return found
