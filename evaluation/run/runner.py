"""One system over one dataset into one record file; killed at any moment, the same call goes on from there.

**Order of work.** The dataset is taken in windows of `window` batches, the utterances of a window are sorted
by length and cut into batches: always the same ones, wherever a run was broken off, so that nothing that
depends on a batch's members depends on that. With a batch size of 1 there is nothing to sort, and nothing is
read ahead.

**What is on disk.** Records are appended batch by batch; what a killed run loses is the batch that it was at.
When all are there, the file is written once more, in the order of the dataset and with its end.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.datasets.pieces import Piece
from evaluation.datasets.utterances import DatasetError, Utterance, Utterances
from evaluation.normalize import NORMALIZER_VERSION
from evaluation.records.files import End, Header, Record, RecordError, RecordFile, read, write
from evaluation.records.machine import machine_info, package_versions, without_home
from evaluation.records.warned import warned
from evaluation.records.writing import Appender, exclusive, require_same, resume
from evaluation.run.batching import batches_of, windows_of
from evaluation.run.handing import Handed, Uncut, handed, outcome_of
from evaluation.run.progress import Progress
from evaluation.run.remarks import list_remarks
from evaluation.run.results import RunResult, list_failures, result_of
from evaluation.run.turns import RunOptions, Step, Turns
from evaluation.systems.base import Outcome, System
from evaluation.systems.registry import SystemSpec, load_system, on_disk

__all__ = ["RunResult", "run", "stepwise"]

logger = logging.getLogger(__name__)


def run(
    system: System | SystemSpec,
    dataset: Utterances,
    path: str | Path,
    *,
    fresh: bool = False,
    retry_failed: bool = False,
    show_progress: bool = True,
    command: str = "",
    window: int = 16,
) -> RunResult:
    """Record what a system makes of a dataset, or go on with that. Of a finished file, nothing is done.

    It still has to be of the same system: of one that is not loaded, the files on this machine are compared
    with those that were run.

    Args:
        system: System that is loaded, or the spec of one, which is loaded when it is needed.
        dataset: Dataset, read from its beginning each time; what is recorded already is passed over.
        path: The record file. A lock lies beside it, ``PATH.lock``.
        fresh: Begin anew. The old file is there until the system is loaded and the new one begun.
        retry_failed: Take utterances again that failed, as when a server was out of order. They are struck
            from the file once the system is loaded; until all are done, it is an unfinished one.
        show_progress: True for a bar, if stderr is a terminal. Without one, the log gets a line a minute.
        command: The command line, for the header.
        window: Batches in a window; see above.

    Raises:
        RecordError: another run writes the file, it cannot be read or written, or it belongs to another
            system, dataset or machine, or to other versions.
        DatasetError: reading broke off; what was done is recorded.
        SystemUnavailableError: the system cannot be started, or is gone; what was done is recorded.
        GigasttError: else, as `systems.registry.load_system` raises it.
        ValueError: `window` is less than 1.
    """
    if window < 1:
        raise ValueError(f"window is {window}; give 1 or more")
    options = RunOptions(
        fresh=fresh, retry_failed=retry_failed, show_progress=show_progress, command=command, window=window
    )
    steps = stepwise(system, dataset, path, options)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: RunResult = end.value
            return result


def stepwise(
    system: System | SystemSpec,
    dataset: Utterances,
    path: str | Path,
    options: RunOptions,
    turns: Turns | None = None,
) -> Generator[Step, None, RunResult]:
    """A `run`, a batch at a time: after each, the caller may do something else, or close it.

    Arguments are those of `run`, its options in one object; `turns` is what it shares with other runs.

    Raises:
        GigasttError: as of `run`.
    """
    path = Path(path)
    turns = turns or Turns()
    with exclusive(path):
        this = _Run(system, dataset, path, options, turns)
        found = None if options.fresh else resume(path)
        if found is not None:
            require_same(path, found.header, this.header(found.header))
            if options.retry_failed:
                found = this.without_failures(found)
        if found is None or found.end is None:
            return (yield from this.go(found))
    logger.info("%s is finished: %d utterances, nothing to do", path, len(found.records))
    return result_of(path, found.header, found.records, n_done=0)


class _Run:
    """A run under its lock. The system is loaded when it is first needed."""

    def __init__(
        self,
        system: System | SystemSpec,
        dataset: Utterances,
        path: Path,
        options: RunOptions,
        turns: Turns,
    ) -> None:
        self._turns = turns
        self._spec = system if isinstance(system, SystemSpec) else None
        self._loaded = None if isinstance(system, SystemSpec) else system
        self._dataset = dataset
        self._path = path
        self._options = options

    def header(self, found: Header | None = None) -> Header:
        """The header that this run would write; what is known only of a loaded system is that of `found`.

        Raises:
            ModelError: the model's name is not known.
        """
        info: dict[str, Any] = {"window": self._options.window}
        if self._spec is not None:
            info["asked"] = self._spec.asked()
        if self._loaded is not None:
            info = self._loaded.info | {"batch_size": self._loaded.batch_size} | info
            name = self._loaded.name
        else:
            assert found is not None, "without a file to go on from, the system is loaded first"
            here = on_disk(self._spec, found.system_info) if self._spec is not None else {}
            known = {key: value for key, value in here.items() if key in found.system_info}
            info, name = found.system_info | known | info, found.system
        return Header(
            system=name,
            system_info=info,
            dataset=_described(self._dataset, found),
            versions=package_versions(),
            machine=machine_info(),
            command=without_home(self._options.command),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            normalizer=NORMALIZER_VERSION,
        )

    def without_failures(self, found: RecordFile) -> RecordFile:
        """The file without the utterances that failed, and then without its end; on disk, too."""
        kept = tuple(record for record in found.records if record.error is None)
        if len(kept) == len(found.records):
            return found
        self._checked_system(found.header)  # only now that there is one to take them again
        logger.info("%s: taking %d failed utterances again", self._path, len(found.records) - len(kept))
        write(self._path, found.header, kept)
        return read(self._path)

    def go(self, found: RecordFile | None) -> Generator[Step, None, RunResult]:
        """Transcribe what is not recorded yet, and put the file in order."""
        yield Step()
        if found is None:
            self._system()
            header, records = self.header(), {}
            write(self._path, header, ())  # in place of an old one only now that this one has a header
        else:
            header, records = found.header, {record.id: record for record in found.records}
        n_before = len(records)
        try:
            ids = yield from self._transcribed(header, records)
        except KeyboardInterrupt:
            logger.warning(
                "stopped: %s holds %d utterances; the same command goes on", self._path, len(records)
            )
            raise
        strangers = records.keys() - set(ids)
        if strangers:
            raise RecordError(
                f"{self._path} holds utterances that the dataset lacks, {min(strangers)} for one: "
                "the dataset has changed. Give another file (--out), or begin it anew (--fresh)"
            )
        in_order = [records[id_] for id_ in ids]
        findings = tuple(asdict(finding) for finding in self._dataset.findings)
        load = self._turns.monitor.load(len(ids) - n_before)
        write(self._path, header, in_order, End(n_rows=self._dataset.n_rows, findings=findings, load=load))
        result = result_of(self._path, header, in_order, n_done=len(ids) - n_before)
        list_failures(result)
        list_remarks(header.system, in_order, self._dataset.findings)
        return result

    def _transcribed(self, header: Header, records: dict[str, Record]) -> Generator[Step, None, list[str]]:
        """Complete `records`, in memory and in the file; returns the ids in the order of the dataset."""
        ids: dict[str, None] = {}
        batch_size = int(header.system_info["batch_size"])
        size = batch_size * self._options.window if batch_size > 1 else 1
        self._turns.monitor.has_server |= header.system_info.get("kind") == "server"
        total = header.dataset.get("n_expected")
        strict = bool(self._dataset.drawing.get("strict_audio"))
        n_passed = 0
        with (
            Progress(header.system, total, records.values(), show=self._options.show_progress) as progress,
            Appender(self._path) as appender,
            closing(windows_of(self._dataset, size)) as windows,
        ):
            for window in windows:
                for utterance in window:
                    if utterance.id in ids:
                        raise DatasetError(
                            f"two utterances have the id {utterance.id!r}; ids have to be unique"
                        )
                    ids[utterance.id] = None
                audio = handed((each for each in window if each.id not in records), strict=strict)
                for batch in batches_of(window, batch_size):
                    todo = [utterance for utterance in batch if utterance.id not in records]
                    if todo:
                        done = self._done(todo, audio, header)
                        appender.append(done)
                        records.update((record.id, record) for record in done)
                        progress.add(done)
                        self._turns.monitor.sample()
                    n_passed += len(batch)
                    yield Step(n_passed, len(todo), batch_size, size)
            progress.finish()
        return list(ids)

    def _done(
        self, utterances: Sequence[Utterance], audio: Mapping[str, Handed | Uncut], header: Header
    ) -> list[Record]:
        system = self._checked_system(header)
        of_each = [audio[utterance.id] for utterance in utterances]
        ready = [each.audio for each in of_each if isinstance(each, Handed)]
        outcomes = iter(system.transcribe(ready) if ready else ())
        return [
            _record(utterance, outcome_of(each, outcomes), self._turns.round)
            for utterance, each in zip(utterances, of_each, strict=True)
        ]

    def _checked_system(self, header: Header) -> System:
        """The system; of one that had to be loaded, only now it is known what it really runs."""
        was_loaded = self._loaded is not None
        system = self._system()
        if not was_loaded:
            require_same(self._path, header, self.header(header))
        return system

    def _system(self) -> System:
        if self._loaded is None:
            assert self._spec is not None
            self._loaded = load_system(self._spec, show_progress=self._options.show_progress)
        return self._loaded


def _described(dataset: Utterances, found: Header | None) -> dict[str, Any]:
    """Dataset as the header describes it; how many utterances it has is counted once."""
    return {
        "name": dataset.name,
        "revision": dataset.revision,
        "description": without_home(dataset.description),
        "drawing": dataset.drawing,
        "n_expected": found.dataset.get("n_expected") if found else dataset.n_expected,
    }


def _record(utterance: Utterance, outcome: Outcome, round_: str | None) -> Record:
    results = {each.name: getattr(outcome, each.name) for each in fields(Outcome)}
    results["warnings"] = warned(outcome.warnings)
    if outcome.error is not None:
        results["error"] = without_home(outcome.error)
    # What a dataset calls audio that came as bytes is no path: another file here could have that name.
    piece = utterance.audio if isinstance(utterance.audio, Piece) else None
    path = piece.path if piece else utterance.audio
    audio = without_home(str(path.absolute())) if isinstance(path, Path) else None
    return Record(
        id=utterance.id,
        reference=utterance.reference,
        speaker=utterance.speaker,
        session=utterance.session,
        audio=audio,
        audio_start_s=piece.start_s if piece else None,
        stated_s=utterance.duration_s,
        metadata=utterance.metadata,
        round=round_,
        **results,
    )
