"""Any system over any dataset, and its score, in one call.

**What is a system.** An `Engine`; the name of a model, or the directory of one (`Path`); the name of another
system as ``--peer`` takes it, or a server's URL; a `SystemSpec`, or a `System` that is loaded; else a
function from audio to text, or an object with the method `transcribe`, which is taken for one.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from evaluation.datasets.named import open_dataset
from evaluation.datasets.utterances import DatasetError, Utterances
from evaluation.quick.asked import asked_for
from evaluation.quick.options import changed
from evaluation.records.files import read
from evaluation.run.naming import run_name
from evaluation.run.runner import RunResult, run
from evaluation.scoring.options import DEFAULTS, Options, OptionsDict
from evaluation.scoring.scores import Score, score
from evaluation.systems.base import System, SystemUnavailableError
from evaluation.systems.function import FunctionSystem, Takes
from evaluation.systems.registry import SystemSpec
from gigastt_lab.errors import brief


def evaluate(
    system: object,
    dataset: object,
    *,
    out: str | os.PathLike[str] | None = None,
    name: str = "",
    takes: Takes = "path",
    batch_size: int | None = None,
    fresh: bool = False,
    retry_failed: bool = False,
    show_progress: bool = True,
    options: Options = DEFAULTS,
    **changes: Unpack[OptionsDict],
) -> Score:
    """The score of a system on a dataset, with intervals: transcribes it, or goes on with what is recorded.

    What fails on an utterance is counted as all its words deleted, and named in the result. The result shows
    itself on a terminal and in a notebook; `evaluation.compare` takes two of them.

    Args:
        system: A function from audio to text; an `Engine`; the name of a model; see the module.
        dataset: What `evaluation.open_dataset` takes (a name, a path, a DataFrame, a `datasets.Dataset`), or
            a dataset that is open: open it to choose a split, columns or a sample.
        out: Folder for the record file, from which the same call goes on. None: nothing is kept on disk.
        name: Name for tables and files, of a function, an object or an engine. "": its own.
        takes: Form in which a function takes audio: "path", "bytes" or "array" (mono float32 at 16 kHz).
        batch_size: Utterances at once. A function then takes a list of audios and gives a list of texts;
            None: it takes one audio. Of an engine or a model, None is the usual number.
        fresh: Begin anew, whatever is in `out`.
        retry_failed: Take utterances again that failed in an earlier run.
        show_progress: Bar on stderr, on a terminal and in a notebook.
        options: Options of the score.
        **changes: Single options by keyword: `profile`, `blocks`, `level`, `seed` and others.

    Raises:
        DatasetError: the dataset cannot be opened or read, or holds no utterance to score.
        SystemUnavailableError: the system cannot be started, or failed on every utterance.
        RecordError: the record file in `out` is of another system, dataset, machine or version.
        FunctionError: what was given is no system.
        ValueError: an option outside its range.
    """
    options = changed(options, changes)
    asked = asked_for(system, name=name, takes=takes, batch_size=batch_size)
    utterances = cast(Utterances, dataset) if _is_open(dataset) else open_dataset(dataset)
    choice: dict[str, Any] = {"fresh": fresh, "retry_failed": retry_failed, "show_progress": show_progress}
    with tempfile.TemporaryDirectory() if out is None else nullcontext(out) as folder:
        path = Path(folder) / run_name(utterances, []) / f"{asked.name}.jsonl"
        result = run(asked, utterances, path, **choice)
        _check(result, asked, utterances)
        file = read(path)
        if out is None:  # a name without a folder: it is gone
            file = replace(file, path=Path(path.name))
        return score(file, options)


def _is_open(dataset: object) -> bool:
    """True of what a run takes: `Utterances`."""
    return all(hasattr(dataset, name) for name in ("n_expected", "findings", "drawing", "__iter__"))


def _check(result: RunResult, system: System | SystemSpec, dataset: Utterances) -> None:
    """Raise where there is nothing to score."""
    if not result.n_utterances:
        left_out = [finding.reason for finding in dataset.findings if finding.excluded]
        told = ", ".join(f"{left_out.count(reason)} x {reason}" for reason in dict.fromkeys(left_out))
        raise DatasetError(f"{dataset.name} has no utterance to score; left out: {told or 'nothing'}")
    if result.n_failed < result.n_utterances:
        return
    first = result.failures[0]
    cause = system.first_error if isinstance(system, FunctionSystem) else None
    if result.n_done == result.n_utterances:
        result.path.unlink()  # nothing in it is worth going on from
    hint = f"; it was given {_FORMS[system.info['takes']]}" if isinstance(system, FunctionSystem) else ""
    again = "" if result.n_done else "; retry_failed=True takes them again"
    raise SystemUnavailableError(
        f"{result.header.system} failed on all {result.n_utterances} utterances, the first time with: "
        f"{first.error or brief(cause or Exception())}{hint}{again}"
    ) from cause


_FORMS = {
    "path": "paths of audio files (takes='bytes' or 'array' gives it others)",
    "bytes": "contents of audio files (takes='path' or 'array' gives it others)",
    "array": "samples at 16 kHz (takes='path' or 'bytes' gives it others)",
}
