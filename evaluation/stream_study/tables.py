"""Tables of a study of streams: strings for people; and its content for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from evaluation.show.display import DASH, count, counted, decimal, estimate, table_of
from evaluation.statistics.intervals import Interval, PairedDifference
from evaluation.stream_study.study import LATENCIES, StreamScore, Study


def text_table(study: Study) -> pd.DataFrame:
    """Error rates of finals and of last partials, with their paired differences."""
    return table_of(
        {
            "System": one.label,
            "WER of finals, %": _rate(one.finals.wer),
            "minus file path, points": _difference(one.to_file),
            "WER of last partials, %": _rate(one.last_partials.wer),
            "minus finals, points": _difference(one.to_finals),
        }
        for one in study.streams.values()
    )


def latency_table(study: Study) -> pd.DataFrame:
    """Percentiles of the latencies, in milliseconds."""
    titles = {name: title[0].upper() + title[1:] for name, title in LATENCIES.items()}
    return table_of(
        {"System": one.label} | {titles[name]: one.latencies[name].to_text() for name in LATENCIES}
        for one in study.streams.values()
    )


def stability_table(study: Study) -> pd.DataFrame:
    """Stability: what was taken back, how often partials came, and the work."""
    return table_of(
        {
            "System": one.label,
            "UPWR, %": _rate(one.stability.upwr),
            "without case, punctuation": _rate(one.stability.upwr_plain),
            "among partials": _rate(one.stability.among_partials),
            "both": _rate(one.stability.among_partials_plain),
            "Utterances revised, %": _rate(one.stability.revised),
            "Partials per s": decimal(one.partials_per_s),
            "Work per s, ms": decimal(1000 * one.work_per_s, 1),
        }
        for one in study.streams.values()
    )


def streams_table(study: Study) -> pd.DataFrame:
    """Numbers of streams: how they ended, and whether the work kept up."""
    return table_of(
        {
            "System": one.label,
            "Streams": count(one.n_streams),
            "Failed": count(one.n_failed),
            "Without a result": count(one.n_without_result),
            "Final by silence": count(one.endings.get("silence", 0)),
            "before end of speech": count(one.endings.get("early", 0)),
            "by stop or length": count(one.endings.get("stop", 0)),
            "no final": count(one.endings.get("none", 0)),
            "no speech found": count(one.endings.get("no speech", 0)),
            "Longest, s": decimal(one.longest_s, 1),
            "Furthest behind, ms": decimal(1000 * one.worst_behind_s, 0),
            "Falling behind": count(one.n_growing),
        }
        for one in study.streams.values()
    )


def notes(study: Study) -> list[str]:
    """Notes to know before reading the tables."""
    told = []
    for facts, names in _by_feeding(study).items():
        who = "" if len(names) == len(study.streams) else f"{', '.join(names)}: "
        told.append(who + facts)
    told.append(
        "Latencies: p50 / p95 / p99 in ms. Onset and end of speech are told by loudness. Partial lag and "
        "decision to final count from the arrival of the newest audio that the result needed; a dash: the "
        "system does not tell which that was. Finals that came by the stop, and those of streams whose end "
        "of speech is not known, are left out and counted."
    )
    told.append(
        "UPWR: words of a result behind the longest common prefix with the next one, over words in finals "
        "(Shangguan et al. 2020). Work per s: of audio streamed, the noise after each clip included. A final "
        "hears some of that noise, which a whole file has not: the two texts may differ at the end."
    )
    for one in study.streams.values():
        if one.file_path is None:
            told.append(f"{one.label}: there is no file path to compare with.")
        if one.n_growing:
            told.append(f"{one.label} fell behind in {counted(one.n_growing, 'stream')}.")
    return told


def as_content(study: Study) -> dict[str, Any]:
    """Content for JSON: seconds and shares, nothing rounded."""
    return {
        "streams": [_content(one) for one in study.streams.values()],
        "file_paths": {name: asdict(one.wer) for name, one in study.whole_files.items()},
        "notes": notes(study),
    }


def _content(one: StreamScore) -> dict[str, Any]:
    latencies = {name: asdict(found) for name, found in one.latencies.items()}
    for found in latencies.values():
        del found["values"]
    plain = (
        "label", "file_path", "partials_per_s", "work_per_s", "n_streams", "n_failed", "n_without_result",
        "clip_s", "longest_s", "worst_behind_s", "n_growing",
    )  # fmt: skip
    return {name: getattr(one, name) for name in plain} | {
        "system": one.file.header.system,
        "info": dict(one.info),
        "machine": one.file.header.machine,
        "wer": asdict(one.finals.wer),
        "wer_minus_file_path": None if one.to_file is None else asdict(one.to_file),
        "wer_of_last_partials": asdict(one.last_partials.wer),
        "wer_of_last_partials_minus_finals": asdict(one.to_finals),
        "latencies": latencies,
        "stability": asdict(one.stability),
        "endings": dict(one.endings),
    }


def _by_feeding(study: Study) -> Mapping[str, list[str]]:
    """Labels of the systems by the way they were fed, in words."""
    found: dict[str, list[str]] = {}
    for one in study.streams.values():
        info = one.info
        clock = {
            "real": "Real clock: audio was fed at the pace of speech",
            "simulated": "Simulated clock: waits for audio were jumped over, work was measured",
            "ideal": "Ideal clock: work took no time, so that latencies are those of waiting alone",
        }.get(str(info.get("clock")), "The clock is not stated")
        beside = int(info.get("batch_size", 1))
        at_once = f", {beside} streams beside each other" if beside > 1 else ""
        facts = (
            f"{clock}; in pieces of {info.get('chunk_ms', '?')} ms, with {info.get('silence_ms', '?')} ms of "
            f"faint noise after each clip{at_once}."
        )
        found.setdefault(facts, []).append(one.label)
    return found


def _rate(found: Interval) -> str:
    return estimate(found.rate, found.low, found.high)


def _difference(found: PairedDifference | None) -> str:
    return DASH if found is None else estimate(found.difference, found.low, found.high, sign=True)
