"""All tables with what has to be said beside them: for a terminal, in Markdown for a file, for a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluation.records.machine import machine_info, package_versions, without_home
from evaluation.show.display import counted, decimal, markdown, render_markdown, render_text
from evaluation.show.notebook import Title, framed
from evaluation.speed_study import tables
from evaluation.speed_study.clips import N_MIXED
from evaluation.speed_study.memory import N_STARTS, N_THREADS
from evaluation.speed_study.results import Found
from evaluation.speed_study.sections import BETWEEN_MB


@dataclass(frozen=True)
class Part:
    """Table with its title and remarks."""

    title: str
    table: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...] = ()


def as_text(found: Found) -> str:
    """Report for a terminal."""
    told = [_head(found), ""]
    for part in parts(found):
        told += [part.title, render_text(part.table), *part.remarks, ""]
    return "\n".join([*told, *(f"Note: {note}" for note in notes(found))]) + "\n\n"


def as_markdown(found: Found, command: str) -> str:
    """Report for a file, in Markdown."""
    told = ["# Speed, memory, start-up", "", markdown(_head(found)), "", "```sh", command, "```", ""]
    for part in parts(found):
        told += [f"## {part.title}", "", render_markdown(part.table), ""]
        told += [line for remark in part.remarks for line in (markdown(remark), "")]
    return "\n".join([*told, "## Notes", "", *(f"- {markdown(note)}" for note in notes(found))]) + "\n"


def as_html(found: Found, machine: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Report for a notebook, of a measurement that may come from another machine."""
    told: list[str | pd.DataFrame] = [_head(found, machine, versions)]
    for part in parts(found):
        told += [Title(part.title), part.table, *part.remarks]
    return framed(*told, *(f"Note: {note}" for note in notes(found)))


def parts(found: Found) -> Iterator[Part]:
    """The tables of those sections that were measured."""
    yield Part("Contestants", tables.contestants_table(found))
    if found.limits:
        yield Part("The machine's own limit", tables.limit_table(found), (_LIMIT,))
    for audio_s in dict.fromkeys(timing.audio_s for timing in found.end_to_end):
        yield Part(f"Files of {audio_s:g} s, one at a time", tables.files_table(found, audio_s))
    rest: list[tuple[bool, str, Callable[[Found], pd.DataFrame], str]] = [
        (bool(found.batch), "Batches of utterances of 2 to 12 s", tables.batch_table, _BATCH),
        (bool(found.encoder), "The encoder alone", tables.encoder_table, _ENCODER),
        (bool(found.stages), "Stages, ms of CPU per second of audio", tables.stages_table, ""),
        (bool(found.growth), "Growth: ms of CPU per second of audio, by length", tables.growth_table, ""),
        (bool(found.starts), "Start and memory of fresh processes", tables.memory_table, _MEMORY),
    ]
    for is_known, title, table, remark in rest:
        if is_known:
            yield Part(title, table(found), (remark,) if remark else ())


def notes(found: Found) -> list[str]:
    """Notes: directions for reading the numbers, and failures."""
    rounds = f"{counted(found.plan.n_rounds, 'round')}, of batches and growth {found.plan.n_fewer_rounds}"
    told = [
        f"medians of {rounds}; in brackets the quartiles. In each round all take their turn with the same "
        "file, in an order that is drawn anew, each when the threads of the one before are at rest; one "
        "round before is not counted.",
        "Time / ours: seconds as a multiple of the engine's with the same precision, round by round.",
        "onnx-asr takes a file in one pass, however long it is; the engine cuts what is longer than 30 s "
        "into windows; gigastt and kairos-asr do what their own routes for files do.",
    ]
    if len({timing.text for timing in found.end_to_end if timing.text is not None}) > 1:
        told.append("Characters: of the text; contestants over the same graph should have as many.")
    if found.limit_error is not None:
        told.append(f"the limit is not known: {found.limit_error}")
    if found.starts and not any(start.loaded for start in found.starts):
        told.append("this system does not tell how much memory a process takes (/proc/self/status).")
    told += [f"{why}: {', '.join(where)}" for why, where in _failures(found).items()]
    return [without_home(note) for note in told]


def _head(
    found: Found, machine: Mapping[str, Any] | None = None, versions: Mapping[str, str] | None = None
) -> str:
    """Model, threads and machine in a line; by default this machine."""
    machine, versions = machine or machine_info(), versions or package_versions()
    before, after = (decimal(load, 1) for load in found.load_average)
    runtime = next((versions[name] for name in versions if name.startswith("onnxruntime")), "unknown")
    return (
        f"{found.plan.model}, {counted(found.threads, 'thread')}, on {machine['cpu']}, "
        f"{counted(machine['cores'], 'core')}, ONNX Runtime {runtime}; "
        f"load average {before} before, {after} after"
    )


def _failures(found: Found) -> dict[str, list[str]]:
    """Places with a dash instead of a number, by the reason."""
    told: dict[str, list[str]] = {}
    for timing in (*found.end_to_end, *found.batch, *found.encoder, *found.growth, *found.stages):
        if timing.error is not None:
            told.setdefault(f"{timing.label} failed, {timing.error}", []).append(f"{timing.audio_s:g} s")
    for each in found.footprints:
        if each.error is not None:
            told.setdefault(f"{each.label} failed, {each.error}", []).append("fresh process")
    return told


_LIMIT = (
    "GFLOP are counted in the encoder's graph, one pass over the whole clip. MatMul and INT8 are ONNX "
    "Runtime's, BLAS is numpy's. The best rate over the encoder's main shapes of weights is taken for all of "
    "it, and nothing else costs anything: memory, norms, features, search."
)
_BATCH = (
    f"The first of the same {N_MIXED} utterances, RTFx by how many. The last column is of the largest batch: "
    "texts that are those of the utterance alone."
)
_ENCODER = (
    f"Plain: a session of ONNX Runtime with its defaults, as many threads. Back to back, another pass goes "
    f"before; with other work between, {BETWEEN_MB} MB of other memory are written."
)
_MEMORY = (
    "Each process loads, transcribes one file and ends; one before fills the page cache. Load: import and "
    f"load. Start to text: from the start of the process to the transcript of the shortest file, {N_STARTS} "
    "processes. Of files: pages that the system can drop, mapped weights and code. Per thread: what each of "
    f"{N_THREADS} threads at once but the first adds to the peak, the engine alone."
)
