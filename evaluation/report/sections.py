"""Sections of a report that hold rates and times: tables, plots, and sentences about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from evaluation import plots
from evaluation.beyond import breakdowns
from evaluation.normalize import PROFILE_RULES, PROFILES
from evaluation.records.files import RecordFile
from evaluation.report.notes import with_method
from evaluation.report.parts import Paragraph, Part, Plot, Row, Section, Table, Tile
from evaluation.scoring.compare import Comparison, as_table, sentences
from evaluation.scoring.options import Options
from evaluation.scoring.scores import PLAIN, Score, plain_ids, profiles, rules, summarize
from evaluation.scoring.writing import writing_table
from evaluation.show.display import DASH, counted, decimal, estimate, percent, percent_end
from evaluation.show.tables import (
    bins_table,
    contingency_table,
    differences_table,
    profiles_table,
    rules_table,
    speed_table,
    stages_table,
    summary_table,
)

_HOLM = (
    "Every interval is of its comparison alone, and among {} of them one may lie beside 0 by chance. So a "
    "system is called better in WER only where the p-value after Holm's correction agrees; what is said of "
    "CER is not corrected."
)


@dataclass(frozen=True, kw_only=True)
class Material:
    """Material of a report: scores, comparisons, audio.

    Attributes:
        scores: Scores by a short label of the system, in the order given.
        options: Options they were scored with.
        comparisons: Comparisons of pairs of them.
        refusals: Reasons why pairs could not be compared.
        audio: Encoded audio of an utterance by its id; None where it is not at hand.
        snr_db: Signal-to-noise ratio of utterances by their ids, in dB; empty where not known.
    """

    scores: Mapping[str, Score]
    options: Options
    comparisons: Sequence[Comparison] = ()
    refusals: Sequence[str] = ()
    audio: Callable[[str], bytes | None] = field(default=lambda _: None)
    snr_db: Mapping[str, float] = field(default_factory=dict)

    @property
    def files(self) -> list[RecordFile]:
        """Record files that were scored."""
        return [one.file for one in self.scores.values()]


def tile(label: str, one: Score) -> Tile:
    """Tile of a system: its WER at a glance."""
    beneath = [
        f"WER, {_interval(one)}",
        f"CER {decimal(100 * one.cer.rate)} % · {counted(one.wer.n_reference, 'word')}",
    ]
    if one.system != label:
        beneath.append(one.system)
    if one.speed.n_timed:
        beneath.append(f"{decimal(one.speed.rtfx, 1)} × real time")
    value = percent(one.wer.rate)
    return Tile(label, value if value == DASH else f"{value} %", tuple(beneath))


def summary_section(material: Material) -> Section:
    """Section of the rates of all systems."""
    options = material.options
    parts: list[Part] = [
        Table(
            summary_table(_summary(material)),
            f"Error rates under profile {options.profile}, with {options.level:.0%} intervals",
        )
    ]
    drawings = [
        Plot("wer", plots.to_svg(plots.wer_by_system(material.scores)), "Word error rate of each system")
    ]
    if material.comparisons:
        svg = plots.to_svg(plots.differences(material.comparisons))
        drawings.append(Plot("differences", svg, "Paired differences; an interval across 0 shows none"))
    return Section("Summary", (*parts, Row(tuple(drawings))))


def difference_section(material: Material) -> Section | None:
    """Section of each pair of systems on the same utterances; None with one system."""
    parts: list[Part] = [Paragraph(f"Not compared: {refusal}.") for refusal in material.refusals]
    if material.comparisons:
        table = pd.concat([as_table(one) for one in material.comparisons])
        parts.append(Table(differences_table(table), "Rates of A minus rates of B, on the same utterances"))
    alone = ""
    if len(material.comparisons) > 1:
        alone = "; each verdict by its interval alone"
        parts.append(Paragraph(_HOLM.format(len(material.comparisons)), note=True))
    for one in material.comparisons:
        content = " ".join(sentences(one))
        parts.append(
            Row(
                (
                    Paragraph(f"{one.label_a} against {one.label_b}. {content}"),
                    Table(contingency_table(one.contingency), "Utterances without and with a word error"),
                )
            )
        )
        what = f"{one.label_a} minus {one.label_b}"
        caption = f"{what} under every profile, and where writing plays no part{alone}"
        parts.append(Table(writing_table(one.by_profile, one.label_a, one.label_b), caption))
    return Section("Differences", tuple(parts)) if parts else None


def normalization_section(material: Material) -> Section:
    """Section on what the normaliser's profiles and rules do to the rates."""
    plain = plain_ids(material.files)
    by_profile = {
        label: profiles(one.file, material.options, plain=plain) for label, one in material.scores.items()
    }
    by_rule = {label: rules(one.file, material.options) for label, one in material.scores.items()}
    svg = plots.to_svg(plots.wer_by_profile(by_profile))
    named = "; ".join(f"{name}: {', '.join(rule.name for rule in PROFILE_RULES[name])}" for name in PROFILES)
    return Section(
        "Normalisation",
        (
            Paragraph(_plain_sentence(material, by_profile, len(plain))),
            Table(profiles_table(by_profile), "Rates under every profile"),
            Plot("profiles", svg, "Word error rate under every profile"),
            Table(
                rules_table(by_rule),
                "Word error rate after each rule, all rules above it applied; differences in points",
            ),
            Paragraph(
                "A rule is judged where it stands: one may raise the rate by what a later one "
                f"settles, as signs do before numbers. Rules of the profiles: {named}.",
                note=True,
            ),
        ),
    )


def shape_section(material: Material) -> Section | None:
    """Section of WER against length, duration and noise, of the last two where they are known."""
    tables = {
        "length": (
            {k: breakdowns.by_length(v) for k, v in material.scores.items()},
            "words in the reference",
        ),
        "duration": ({k: breakdowns.by_duration(v) for k, v in material.scores.items()}, "seconds of audio"),
        "noise": (
            {k: breakdowns.by_noise(v, material.snr_db) for k, v in material.scores.items()},
            "signal-to-noise ratio, dB",
        ),
    }
    rows: list[Part] = []
    names = []
    for name, (bins, what) in tables.items():
        known = {label: table for label, table in bins.items() if len(table)}
        if known:
            svg = plots.to_svg(plots.wer_by_bin(known, what))
            drawing = Plot(name, svg, f"Word error rate against {what}; above, utterances in each bin")
            rows.append(Row((drawing, Table(bins_table(known, what[0].upper() + what[1:])))))
            names.append(name)
    if not rows:
        return None
    return with_method(
        Section(f"{', '.join(names).capitalize()} and error rate", tuple(rows)), material.scores
    )


def confidence_section(material: Material) -> Section | None:
    """Section on the calibration of confidences; None where no system states any."""
    tables = {label: breakdowns.calibration(one) for label, one in material.scores.items()}
    tables = {label: table for label, table in tables.items() if len(table)}
    if not tables:
        return None
    told = []
    for label, table in tables.items():
        n_words = table["n_words"].sum()
        mean = (table["confidence"] * table["n_words"]).sum() / n_words
        right = table["n_right"].sum() / n_words
        told.append(
            f"{label} is {percent(mean, 1)} % sure of a word on average; {percent(right, 1)} % are right"
        )
    caption = "Share of words right against their confidence; on the diagonal it is what it says"
    return Section(
        "Confidence",
        (
            Paragraph(f"{'. '.join(told)}."),
            Row((Plot("calibration", plots.to_svg(plots.calibration(tables)), caption),)),
        ),
    )


def speed_section(material: Material) -> Section:
    """Section of RTFx, latency and the split of time."""
    timed = {label: one for label, one in material.scores.items() if one.speed.n_timed}
    if not timed:
        return Section("Speed", (Paragraph("The records state no times."),))
    stages = {
        label: (one.speed.audio_s, one.speed.stages) for label, one in timed.items() if one.speed.stages
    }
    within = plots.to_svg(plots.latency(timed))
    against = plots.to_svg(plots.work_by_duration(timed))
    drawings = (
        Plot("latency", within, "Work on one utterance: share done within"),
        Plot("work", against, "Work against duration; the lines are the pooled rates"),
    )
    parts: list[Part] = [
        Table(
            speed_table(_summary(material)),
            "Seconds of audio per second of work (RTFx), and work on one utterance; how it was timed, and "
            "what else the machine did",
        ),
        *_batch_notes(material.files),
        Row(drawings),
    ]
    if stages:
        drawing = Plot("split", plots.to_svg(plots.time_split(stages)), "Where the time went")
        parts.append(
            Row((drawing, Table(stages_table(stages), "Milliseconds of work per second of audio, by stage")))
        )
    return Section("Speed", tuple(parts))


def size_section(material: Material) -> Section | None:
    """Section on how many utterances a question needs; None where there are too few to tell."""
    widths = {}
    for label, one in material.scores.items():
        table = one.utterances
        widths[f"WER of {label}"] = _width(table["errors"], table["n_words"], material.options)
    for pair in material.comparisons[:2]:
        more = pair.a.utterances["errors"] - pair.b.utterances["errors"]
        name = f"{pair.label_a} − {pair.label_b}"
        widths[name] = _width(more, pair.a.utterances["n_words"], material.options)
    widths = {name: table for name, table in widths.items() if len(table) and table["half_width"].min() > 0}
    if not widths:
        return None
    return Section(
        "Size of the set",
        (
            Paragraph(
                "How many utterances does one need? Half the interval's width with so many drawn from these; "
                "dashed, what more of the same kind would give. A difference smaller than this cannot be "
                "told from none. Utterances are taken as independent here."
            ),
            Row((Plot("size", plots.to_svg(plots.interval_width(widths)), "Interval against set size"),)),
        ),
    )


def _summary(material: Material) -> pd.DataFrame:
    return summarize([*material.scores.values()]).set_axis([*material.scores])


def _width(errors: pd.Series, totals: pd.Series, options: Options) -> pd.DataFrame:
    return breakdowns.width_by_n(errors.tolist(), totals.tolist(), options)


def _interval(one: Score) -> str:
    rate, low, high = one.wer.rate, one.wer.low, one.wer.high
    to = percent_end(high, rate).replace("> ", "more than ")
    ends = f"{percent_end(low, rate)} to {to}" if low >= 0 else DASH
    return f"{one.options.level:.0%} interval {ends}"


def _plain_sentence(material: Material, by_profile: Mapping[str, pd.DataFrame], n_plain: int) -> str:
    rates = []
    for label, table in by_profile.items():
        [row] = table[
            (table["utterances"] == PLAIN) & (table["profile"] == material.options.profile)
        ].itertuples()
        rates.append(f"{label} {estimate(row.wer, row.wer_low, row.wer_high)} %")
    side = "the hypothesis" if len(rates) == 1 else "any hypothesis"
    return (
        f"In {counted(n_plain, 'utterance')} neither the reference nor {side} has a digit or a Latin letter, "
        f"so that ways of writing play next to no part. WER there: {'; '.join(rates)}."
    )


def _batch_notes(files: Iterable[RecordFile]) -> list[Part]:
    sizes = {file.header.system_info.get("batch_size", 1) for file in files}
    if sizes <= {1}:
        return []
    text = "Some of these ran in batches: what an utterance took is its share of the batch, not its wait."
    return [Paragraph(text, note=True)]
