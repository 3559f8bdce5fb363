"""Report of streams, a page: tables, what latency costs, how it is distributed, how a text settles."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evaluation.plots import to_svg
from evaluation.records.files import Record
from evaluation.report.account import failures_section, method_section, runs_section, warnings
from evaluation.report.parts import Folded, Paragraph, Part, Plot, Report, Row, Section, Table, Tile
from evaluation.report.sections import Material
from evaluation.report.writing import ReportFiles, write_files
from evaluation.scoring.scores import Score
from evaluation.show.display import DASH, counted, decimal, estimate, seconds
from evaluation.stream_study import plots
from evaluation.stream_study.measures import instability, measures
from evaluation.stream_study.study import LATENCIES, StreamScore, Study, logs_of
from evaluation.stream_study.tables import latency_table, notes, stability_table, streams_table, text_table

_LONGEST_SHOWN: Final = 14  # words of a stream whose settling is drawn
_HOW_TO_READ: Final = (
    "How texts settled, a row for each word: orange words were taken back later, by a change of their own or "
    "of a word before them; light blue ones stayed; dark blue ones are final, and written at the left."
)


def write_report(study: Study, directory: Path) -> ReportFiles:
    """Write ``streaming.html``, one page that needs no network, and ``streaming.md`` with plots beside it."""
    return write_files(_report(study), directory, "streaming")


def settling(one: StreamScore) -> dict[str, Record]:
    """Streams to show, of those of a few words, by what they are: a typical one, and the least stable."""
    shown = sorted(
        (
            (instability(record.stream.events).unstable, record.id, record)
            for record in one.file.records
            if record.stream is not None and 3 < len((record.hypothesis or "").split()) <= _LONGEST_SHOWN
        ),
        key=lambda each: each[:2],
    )
    chosen = {"typical": shown[len(shown) // 2], "the least stable": shown[-1]} if shown else {}
    records = {record.id: (what, record) for what, (_, _, record) in chosen.items()}  # each only once
    return dict(records.values())


def _report(study: Study) -> Report:
    streams = study.streams
    first = next(iter(streams.values()))
    scores = {name: one.finals for name, one in streams.items()} | dict(study.whole_files)
    material = Material(scores=scores, options=first.finals.options)
    dataset = first.file.header.dataset
    title = (
        f"{study.common + ': ' if study.common else ''}{', '.join(streams)} on {dataset.get('name', 'a set')}"
    )
    return Report(
        title=f"Live streams. {title}",
        headline=_headline(study, str(dataset.get("description", ""))),
        warnings=tuple(warnings(scores)),
        tiles=tuple(_tile(one) for one in streams.values()),
        sections=(
            _text_section(study),
            _latency_section(study),
            _stability_section(study),
            _work_section(study),
            failures_section(material),
            runs_section(material),
            method_section(material),
        ),
    )


def _headline(study: Study, described: str) -> str:
    first = next(iter(study.streams.values()))
    amounts = [counted(first.n_streams, "stream"), counted(first.finals.wer.n_reference, "word")]
    amounts.append(f"{seconds(first.clip_s)} of clips")
    told = notes(study)[0] if len({one.info.get("clock") for one in study.streams.values()}) == 1 else ""
    return f"{described}: {', '.join(amounts)}. {told}".lstrip(": ")


def _tile(one: StreamScore) -> Tile:
    first, end = one.latencies["first_text_from_onset"], one.latencies["end_to_final"]
    to_file = DASH
    if one.to_file is not None:
        to_file = estimate(one.to_file.difference, one.to_file.low, one.to_file.high, sign=True)
    return Tile(
        one.label,
        f"{decimal(1000 * end.p50, 0)} ms" if end.n else DASH,
        (
            "end of speech to final, median",
            f"first text after {decimal(1000 * first.p50, 0)} ms of speech" if first.n else "no first text",
            f"WER {decimal(100 * one.finals.wer.rate)} %, {to_file} points to whole files",
            f"{decimal(1000 * one.work_per_s, 0)} ms of work per second of audio",
        ),
    )


def _text_section(study: Study) -> Section:
    drawings: list[Part] = []
    files = {name: one.wer.rate for name, one in study.whole_files.items() if _has_rate(one)}
    shown: tuple[tuple[str, plots.Cost, str], ...] = (
        ("end_to_final", "finals", "What stands there in the end, against how soon it does"),
        ("first_text_from_onset", "last partials", "What stands there before finals, against the first text"),
        ("first_text_from_onset", "work", "What the first text's earliness costs"),
    )
    for latency, cost, caption in shown:
        if any(one.latencies[latency].n for one in study.streams.values()):
            ax = plots.trade_off(study.streams, latency, cost, file_path=None if cost == "work" else files)
            drawings.append(Plot(f"streaming-{cost.replace(' ', '-')}", to_svg(ax), caption))
    table = Table(text_table(study), "Word error rates, and paired differences on the same clips")
    return Section("Text, and what latency costs", (table, Row(tuple(drawings))))


def _latency_section(study: Study) -> Section:
    drawings: list[Part] = []
    for name, title in LATENCIES.items():
        if any(one.latencies[name].n for one in study.streams.values()):
            drawn = plots.latency_shares(study.streams, name)
            drawings.append(Plot(f"streaming-{name.replace('_', '-')}", to_svg(drawn), title.capitalize()))
    parts: list[Part] = [Table(latency_table(study), "p50 / p95 / p99, ms"), Row(tuple(drawings))]
    parts += [Paragraph(note, note=True) for note in notes(study)]
    return Section("Latency", tuple(parts))


def _stability_section(study: Study) -> Section:
    parts: list[Part] = [Table(stability_table(study), "Words taken back, partials, work")]
    for number, (name, one) in enumerate(study.streams.items()):
        drawings: list[Part] = []
        lines: list[Part] = []
        for what, record in settling(one).items():
            assert record.stream is not None
            svg = to_svg(plots.raster(record.stream))
            caption = f"{name}, {what}: {record.id}"
            drawings.append(Plot(f"streaming-settling-{number}-{what.replace(' ', '-')}", svg, caption))
            lines.append(Folded(f"{caption}, result by result", tuple(_lines(record))))
        parts += [Row(tuple(drawings)), *lines] if drawings else []
    parts.append(Paragraph(_HOW_TO_READ, note=True))
    return Section("Stability", tuple(parts))


def _work_section(study: Study) -> Section:
    latest = {}
    for name, one in study.streams.items():
        logs = logs_of(one.file)
        if logs:
            latest[name] = max(logs, key=lambda log: measures(log).worst_behind_s)
    parts: list[Part] = [Table(streams_table(study), "How streams ended, and whether the work kept up")]
    if latest:
        caption = "How late audio was handed over, in the stream where it was latest"
        parts.append(Row((Plot("streaming-behind", to_svg(plots.behind(latest)), caption),)))
    return Section("Ends of streams, and keeping up", tuple(parts))


def _lines(record: Record) -> list[tuple[str, str]]:
    assert record.stream is not None
    return [
        (
            f"{event.at_s:.2f} s, {event.kind}{f' by {event.reason}' if event.reason else ''}",
            event.text or DASH,
        )
        for event in record.stream.events
    ]


def _has_rate(one: Score) -> bool:
    return one.wer.n_reference > 0
