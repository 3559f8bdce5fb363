"""A measurement read back from the ``speed.json`` of the command `speed`, perhaps of another machine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from evaluation.records.files import RecordError
from evaluation.records.machine import machine_info, package_versions
from evaluation.speed_study.limit import Limit
from evaluation.speed_study.memory import Start
from evaluation.speed_study.report import as_html
from evaluation.speed_study.results import Entry, Found, Plan
from evaluation.speed_study.rounds import Timing
from evaluation.systems.timed import Contestant

_TIMINGS: Final = ("end_to_end", "growth", "batch", "encoder", "stages")
_CONTESTANT: Final = ("label", "kind", "precision", "provider", "threads", "note")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Measurement, and the machine and command that made it.

    Attributes:
        found: Results of the measurement.
        machine: Machine, as of `evaluation.records.machine.machine_info`.
        packages: Versions of packages by name.
        command: Command line that made it.
    """

    found: Found = field(repr=False)
    machine: Mapping[str, Any]
    packages: Mapping[str, str] = field(repr=False)
    command: str

    @property
    def numbers(self) -> dict[str, int]:
        """Numbers of the contestants that took part by label, for their colours in plots."""
        present = [entry.contestant.label for entry in self.found.entries if entry.error is None]
        return {label: number for number, label in enumerate(present)}

    def _repr_html_(self) -> str:
        return as_html(self.found, self.machine, self.packages)


def load(path: str | Path) -> Recorded:
    """Read a ``speed.json``.

    Raises:
        RecordError: it cannot be read, or is no such file.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return of_content(content)
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise RecordError(f"{path} is not what the command speed writes ({what}); measure anew") from error


def here(found: Found) -> Recorded:
    """Record of a measurement that was made just now, on this machine."""
    return Recorded(found=found, machine=machine_info(), packages=package_versions(), command="")


def of_content(content: Mapping[str, Any]) -> Recorded:
    """Record from what `evaluation.speed_study.content.as_content` gave, through JSON or not."""
    machine = dict(content["machine"])
    before, after = (_number(load) for load in machine.pop("load_average"))
    found = Found(
        plan=_plan(content["plan"]),
        threads=content["plan"]["threads"],
        entries=[_entry(each) for each in content["contestants"]],
        load_average=(before, after),
        starts=[_start(each) for each in content["fresh_processes"]],
        limits=[_limit(each) for each in content["limit"]],
        limit_error=content["limit_error"],
        **{name: [_timing(each) for each in content[name]] for name in _TIMINGS},
    )
    return Recorded(
        found=found, machine=machine, packages=content["packages"], command=content.get("command", "")
    )


def _plan(content: Mapping[str, Any]) -> Plan:
    known = {each.name: content[each.name] for each in fields(Plan) if each.name in content}
    return Plan(**{**known, "also": (), "gigastt_preload": None})


def _entry(content: Mapping[str, Any]) -> Entry:
    contestant = Contestant(**{name: content[name] for name in _CONTESTANT}, directory=Path())
    return Entry(contestant, content["version"] or "", content["error"])


def _timing(content: Mapping[str, Any]) -> Timing:
    known = {each.name: content[each.name] for each in fields(Timing) if each.name in content}
    for name in ("wall_s", "cpu_s"):
        known[name] = tuple(map(_number, known[name]))
    return Timing(**known)


def _start(content: Mapping[str, Any]) -> Start:
    known = {each.name: content[each.name] for each in fields(Start) if each.name in content}
    return Start(**{**known, "load_s": _number(known["load_s"]), "first_s": _number(known["first_s"])})


def _limit(content: Mapping[str, Any]) -> Limit:
    rates: Mapping[str, Sequence[float | None]] = content["rates"]
    return Limit(
        audio_s=content["audio_s"],
        n_rows=content["n_rows"],
        flop=content["flop"],
        rates={kind: tuple(map(_number, each)) for kind, each in rates.items()},
        shapes=tuple((n_in, n_out) for n_in, n_out in content["shapes"]),
    )


def _number(value: float | None) -> float:
    """Number from JSON, which has null for NaN."""
    return math.nan if value is None else value
