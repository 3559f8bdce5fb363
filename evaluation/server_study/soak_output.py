"""Output of a soak: tables and checks for people, `soak.json` and `soak.png`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from evaluation.records.machine import machine_info, package_versions
from evaluation.server_study.crowd import Crowd
from evaluation.server_study.operations import Done, Limits
from evaluation.server_study.plots import soak_figure, write_png
from evaluation.server_study.sampling import cores_used, probe_percentiles
from evaluation.server_study.tables import of_server
from evaluation.server_study.verdict import Check, Evidence, checks
from evaluation.show.display import DASH, count, counted, decimal, render_text, seconds
from evaluation.show.files import write_content
from evaluation.statistics.quantiles import p50_p95_p99
from gigastt_lab.exit_codes import ExitCode

_N_WRONG_KEPT = 100
_WORDS = {True: "yes", False: "NO", None: DASH}


@dataclass(frozen=True, kw_only=True)
class Result:
    """A soak that is over.

    Attributes:
        server: Description that the server gave of itself before.
        limits: Limits of the server.
        crowd: Operations of the clients.
        evidence: Evidence to judge by.
    """

    server: Mapping[str, Any]
    limits: Limits
    crowd: Crowd
    evidence: Evidence


def show(found: Result, options: argparse.Namespace) -> int:
    """Write the files, print the summary, and give the exit code."""
    judged = checks(found.evidence)
    paths = [
        write_content({"command": options.command, **as_content(found, judged)}, options.out / "soak.json"),
        write_png(soak_figure(found.evidence.samples, found.evidence.seconds), options.out / "soak.png"),
    ]
    sys.stdout.write(as_text(found, judged) + "".join(f"{path}\n" for path in paths))
    if any(each.is_met is False for each in judged):
        return ExitCode.FAILED
    return ExitCode.INTERRUPTED if found.crowd.is_interrupted else ExitCode.OK


def as_content(found: Result, judged: Sequence[Check]) -> dict[str, Any]:
    """Result as JSON may hold it."""
    done = found.evidence.done
    return {
        "machine": machine_info(),
        "packages": package_versions(),
        "server": dict(found.server),
        "limits": asdict(found.limits),
        "seconds": found.evidence.seconds,
        "is_interrupted": found.crowd.is_interrupted,
        "passed": all(each.is_met is not False for each in judged),
        "checks": [asdict(each) for each in judged],
        "n_operations": len(done),
        "n_late": found.crowd.n_late,
        "cores_used": cores_used(found.evidence.samples),
        "operations": {name: _content(each) for name, each in _by_operation(done).items()},
        "wrong": [asdict(each) for each in done if not each.is_allowed][:_N_WRONG_KEPT],
        "samples": [asdict(each) for each in found.evidence.samples],
    }


def as_text(found: Result, judged: Sequence[Check]) -> str:
    """The summary for people."""
    evidence, server, machine = found.evidence, found.server, machine_info()
    n, p = len(evidence.done), probe_percentiles(evidence.samples)
    lines = [
        of_server(server),
        f"on {machine['cpu']}, {machine['cores']} cores, clients on the same machine",
        "",
        render_text(operations_table(evidence.done)),
        "",
        f"{counted(n, 'operation')} in {seconds(evidence.seconds)}, {decimal(n / evidence.seconds, 1)} a "
        f"second; {count(found.crowd.n_late)} began late, all clients being at work. The server kept "
        f"{decimal(cores_used(evidence.samples), 2)} cores busy.",
        f"{counted(len(evidence.samples), 'probe')} (WAV of 4 s): p50 {seconds(p[0])}, p95 {seconds(p[1])}.",
        "",
        render_text(checks_table(judged)),
    ]
    for each in judged:
        if each.details:
            lines += [f"\n{each.what} {_WORDS[each.is_met]}:", *(f"  {detail}" for detail in each.details)]
    if found.crowd.is_interrupted:
        lines.append("\nInterrupted: this is what was seen until then.")
    return "\n".join(lines) + "\n\n"


def operations_table(done: Sequence[Done]) -> pd.DataFrame:
    """Table of operations: what came of each, and how long it took."""
    rows = []
    for name, each in _by_operation(done).items():
        p50, p95, _ = p50_p95_p99([one.took_s for one in each])
        rows.append(
            {
                "Operation": name,
                "Times": count(len(each)),
                "p50": seconds(p50),
                "p95": seconds(p95),
                "Longest": seconds(max(one.took_s for one in each)),
                "Outcomes": ", ".join(f"{outcome} x {n}" for outcome, n in _outcomes(each).items()),
            }
        )
    return pd.DataFrame(rows, dtype=object)


def checks_table(judged: Sequence[Check]) -> pd.DataFrame:
    """Table of checks: what had to be so, and whether it was."""
    rows = [{"Check": each.what, "Met": _WORDS[each.is_met], "Found": each.found} for each in judged]
    return pd.DataFrame(rows, dtype=object)


def _by_operation(done: Sequence[Done]) -> dict[str, list[Done]]:
    found: dict[str, list[Done]] = {}
    for each in sorted(done, key=lambda one: one.operation):
        found.setdefault(each.operation, []).append(each)
    return found


def _outcomes(done: Sequence[Done]) -> dict[str, int]:
    """Outcomes by how often each came, the most frequent first."""
    return dict(Counter(each.outcome for each in done).most_common())


def _content(done: Sequence[Done]) -> dict[str, Any]:
    took_s = [each.took_s for each in done]
    (p50, p95, _), longest = p50_p95_p99(took_s), max(took_s)
    return {"n": len(done), "outcomes": _outcomes(done), "p50_s": p50, "p95_s": p95, "longest_s": longest}
