"""Tables as people read them, one or more for each section; see `evaluation.show.display`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from evaluation.show.display import DASH, count, decimal, estimate, percent
from evaluation.speed_study.limit import KIND_NAMES
from evaluation.speed_study.results import Found
from evaluation.speed_study.rounds import Spread, Timing
from evaluation.speed_study.sections import COLD, WARM

_MB: Final = 1e6


def contestants_table(found: Found) -> pd.DataFrame:
    """Table of the contestants, those that could not take part among them."""
    rows = []
    for entry in found.entries:
        contestant = entry.contestant
        rows.append(
            {
                "Contestant": contestant.label,
                "Version": entry.version or DASH,
                "Encoder": contestant.precision,
                "Threads": DASH if contestant.note.startswith("threads") else count(contestant.threads),
                "Note": contestant.note if entry.error is None else f"did not run: {entry.error}",
            }
        )
    return _shown(rows)


def limit_table(found: Found) -> pd.DataFrame:
    """Rates of matrix products at the encoder's shapes, and the RTFx that they allow."""
    rows = []
    for limit in found.limits:
        rates = {
            f"GFLOP/s, {name}": decimal(max(limit.rates[kind], default=math.nan) / 1e9, 0)
            for kind, name in KIND_NAMES.items()
        }
        rows.append(
            {
                "Audio": f"{limit.audio_s:g} s",
                "Encoder frames": count(limit.n_rows),
                "GFLOP per s of audio": decimal(limit.flop_per_s / 1e9, 2 if limit.flop_per_s > 1e9 else 3),
                **rates,
                "RTFx at most, FP32": decimal(limit.rtfx("fp32"), 1),
                "RTFx at most, INT8": decimal(limit.rtfx("int8"), 1),
            }
        )
    return _shown(rows)


def files_table(found: Found, audio_s: float) -> pd.DataFrame:
    """Files of one length, one at a time."""
    return _shown(
        [
            {
                "Contestant": timing.label,
                "RTFx": shown(timing.rtfx),
                "Wall, ms": shown(timing.wall_ms),
                "CPU, ms per s of audio": shown(timing.cpu_ms_per_s),
                "Time / ours": shown(found.times_ours(timing, found.end_to_end)),
                "Of the limit, %": percent(found.share_of_limit(timing), 1),
                "Characters": DASH if timing.n_characters is None else count(timing.n_characters),
            }
            for timing in found.end_to_end
            if timing.audio_s == audio_s
        ]
    )


def batch_table(found: Found) -> pd.DataFrame:
    """RTFx by the number of utterances."""
    rows = []
    for label, timings in by_label(found.batch).items():
        largest = max(timings, key=lambda timing: timing.n_utterances)
        known = largest.n_as_alone is not None
        rows.append(
            {"Contestant": label}
            | {f"RTFx, {timing.n_utterances}": shown(timing.rtfx) for timing in timings}
            | {"Texts as alone": f"{largest.n_as_alone} of {largest.n_utterances}" if known else DASH}
        )
    return _shown(rows)


def encoder_table(found: Found) -> pd.DataFrame:
    """The encoder alone, in both ways."""
    rows = []
    for label, timings in by_label(found.encoder).items():
        for audio_s in dict.fromkeys(timing.audio_s for timing in timings):
            warm, cold = (
                next(each for each in timings if (each.audio_s, each.variant) == (audio_s, variant))
                for variant in (WARM, COLD)
            )
            rows.append(
                {
                    "Encoder": label,
                    "Audio": f"{audio_s:g} s",
                    f"{WARM}, ms": shown(warm.wall_ms),
                    f"{COLD}, ms": shown(cold.wall_ms),
                    "RTFx": shown(warm.rtfx),
                    "Time / ours": shown(found.times_ours(warm, found.encoder)),
                    f"Time / ours, {COLD}": shown(found.times_ours(cold, found.encoder)),
                    "Of the limit, %": percent(found.share_of_limit(warm), 1),
                }
            )
    return _shown(rows)


def memory_table(found: Found) -> pd.DataFrame:
    """Fresh processes: start, and memory in MB."""
    return _shown(
        [
            {
                "Contestant": each.label,
                "Load, s": shown(each.load_s),
                "Start to text, s": shown(each.first_s),
                "Loaded, MB": _megabytes(each.loaded_bytes),
                "its own": _megabytes(each.anon_bytes),
                "of files": _megabytes(each.file_bytes),
                **{f"Peak, {s:g} s": _megabytes(peak) for s, peak in each.peak_bytes.items()},
                "Per thread": _megabytes(each.thread_bytes),
            }
            for each in found.footprints
        ]
    )


def stages_table(found: Found) -> pd.DataFrame:
    """Milliseconds of CPU per second of audio, stage by stage."""
    return _shown(
        [
            {"Engine": label} | {timing.variant: shown(timing.cpu_ms_per_s) for timing in timings}
            for label, timings in by_label(found.stages).items()
        ]
    )


def growth_table(found: Found) -> pd.DataFrame:
    """Milliseconds of CPU per second of audio, by length."""
    rows = []
    for label, timings in by_label(found.growth).items():
        shortest, longest = timings[0], timings[-1]
        rows.append(
            {"Contestant": label}
            | {f"{timing.audio_s:g} s": shown(timing.cpu_ms_per_s) for timing in timings}
            | {f"{longest.audio_s:g} s / {shortest.audio_s:g} s": shown(longest.growth_from(shortest))}
        )
    return _shown(rows)


def by_label(timings: Sequence[Timing]) -> dict[str, list[Timing]]:
    """Timings by their label, in order."""
    found: dict[str, list[Timing]] = {}
    for timing in timings:
        found.setdefault(timing.label, []).append(timing)
    return found


def shown(value: Spread) -> str:
    """Median and quartiles to three digits.

    >>> shown(Spread(123.4, 120.0, 130.0)), shown(Spread(1.234, 1.2, 1.3)), shown(Spread(*[float("nan")] * 3))
    ('123 [120, 130]', '1.23 [1.20, 1.30]', '–')
    """
    digits = 0 if value.median >= 100 else 1 if value.median >= 10 else 2
    return estimate(value.median, value.low, value.high, scale=1, digits=digits)


def _megabytes(value: float) -> str:
    return decimal(value / _MB, 0)


def _shown(rows: list[dict[str, str]]) -> pd.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    return pd.DataFrame([{name: row.get(name, DASH) for name in names} for row in rows], dtype=object)
