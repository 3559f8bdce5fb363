"""Content of ``speed.json``: every round of a measurement, and what follows from them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from evaluation.records.machine import machine_info, package_versions, without_home
from evaluation.speed_study.limit import Limit
from evaluation.speed_study.results import Entry, Found
from evaluation.speed_study.rounds import Timing
from evaluation.systems.files import file_hashes
from evaluation.systems.kinds import distributions
from evaluation.systems.timed import Also
from gigastt_lab.models.files import ModelFiles, Precision


def as_content(found: Found) -> dict[str, Any]:
    """All that was measured, as JSON holds it."""
    return {
        "machine": machine_info() | {"load_average": found.load_average},
        "packages": package_versions() | _peer_versions(),
        "plan": _plan(found),
        "contestants": [_entry(each) for each in found.entries],
        "limit": [_limit(each) for each in found.limits],
        "limit_error": found.limit_error,
        **{
            name: [_timing(found, each, timings) for each in timings]
            for name, timings in (
                ("end_to_end", found.end_to_end),
                ("batch", found.batch),
                ("growth", found.growth),
                ("encoder", found.encoder),
            )
        },
        "stages": [_plain(each) for each in found.stages],
        "memory": [asdict(each) for each in found.footprints],
        "fresh_processes": [asdict(each) for each in found.starts],
    }


def _plan(found: Found) -> dict[str, Any]:
    plan = found.plan
    where = None if plan.directory is None else without_home(str(Path(plan.directory).absolute()))
    return asdict(plan) | {
        "directory": where,
        "threads": found.threads,
        "also": [_also(each) for each in plan.also],
        "gigastt_preload": plan.gigastt_preload is not None,
    }


def _also(also: Also) -> dict[str, str]:
    return {
        "label": also.label,
        "directory": without_home(str(also.directory.absolute())),
        "precision": also.precision,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    contestant = entry.contestant
    names = ("label", "kind", "precision", "provider", "threads", "note")
    return {name: getattr(contestant, name) for name in names} | {
        "version": entry.version or None,
        "files": _files(entry),
        "error": None if entry.error is None else without_home(entry.error),
    }


def _files(entry: Entry) -> dict[str, str] | None:
    """SHA-256 of the files that an engine has loaded; None of any other contestant."""
    contestant = entry.contestant
    if entry.error is not None or not contestant.is_ours:
        return None
    return file_hashes(ModelFiles.find(contestant.directory, contestant.precision))


def _timing(found: Found, timing: Timing, timings: Sequence[Timing]) -> dict[str, Any]:
    return _plain(timing) | {
        "rtfx": asdict(timing.rtfx),
        "times_ours": asdict(found.times_ours(timing, timings)),
        "share_of_limit": found.share_of_limit(timing),
    }


def _plain(timing: Timing) -> dict[str, Any]:
    return asdict(timing) | {
        "n_characters": timing.n_characters,
        "wall_ms_per_s": asdict(timing.wall_ms_per_s),
        "cpu_ms_per_s": asdict(timing.cpu_ms_per_s),
    }


def _limit(limit: Limit) -> dict[str, Any]:
    return asdict(limit) | {
        "flop_per_s": limit.flop_per_s,
        **{f"rate_{precision}": limit.rate(precision) for precision in get_args(Precision)},
        **{f"rtfx_{precision}": limit.rtfx(precision) for precision in get_args(Precision)},
    }


def _peer_versions() -> dict[str, str]:
    versions = {}
    for distribution in (*distributions(), "openvino"):
        try:
            versions[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
