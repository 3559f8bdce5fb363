"""Runs for the tests of the runner: systems and datasets that count, and processes that get killed.

As a script: `runner_worker.py engine OUT LOG MOMENT` runs the demo model over the demo clips, `moments OUT
LOG` a counting system, killed at one moment after another, and `hold OUT` one that waits in its first batch.
"""

import json
import os
import signal
import sys
from pathlib import Path

from evaluation.datasets.manifests import RowList
from evaluation.datasets.utterances import Dataset, DatasetError, Row
from evaluation.records import files as records
from evaluation.systems.base import Outcome, SystemUnavailableError

N_UTTERANCES = 11


class Rows(RowList):
    """Rows that break off, once, before the row with a number."""

    def __init__(self, rows, breaks_at=None):
        super().__init__(rows)
        self.breaks_at = breaks_at

    def rows(self, wanted):
        for row in super().rows(wanted):
            if row.number == self.breaks_at:
                self.breaks_at = None
                raise DatasetError(f"broke off at {row.number}")
            yield row


def texts_dataset(n=N_UTTERANCES, *, breaks_at=None, revision="r1", description="texts"):
    """Utterances whose audio is their text; every third one long, row 4 without a reference."""
    texts = [f"номер {'длинный ' * (i % 3)}{i}" for i in range(n)]
    rows = [
        Row(i, f"{i:03d}", text.encode(), " " if i == 4 else text, f"{i}.wav") for i, text in enumerate(texts)
    ]
    return Dataset(
        Rows(rows, breaks_at), name="texts", prefix="texts", revision=revision, description=description
    )


class Counting:
    """A system that repeats the audio's bytes as text, and writes down all that it is given.

    Attributes:
        batches: The texts of every call.
    """

    name = "counting"

    def __init__(self, batch_size=2, *, log=None, **info):
        self.batch_size = batch_size
        self.info = {"kind": "fake", **info}
        self.batches = []
        self._log = log

    @property
    def texts(self):
        return [text for batch in self.batches for text in batch]

    def transcribe(self, audios):
        texts = [audio.decode() for audio in audios]
        self.batches.append(texts)
        if self._log is not None:
            write_down(self._log, texts)
        return [
            Outcome(hypothesis=text, words=((text, 0.0, 0.5, 0.9),), audio_s=2.0, work_s=0.5, decode_s=0.1)
            for text in texts
        ]


class Failing(Counting):
    """Fails on some, is gone after some calls, or is interrupted."""

    def __init__(self, *failing, gone_after=None, error=SystemUnavailableError):
        super().__init__()
        self.failing, self.gone_after, self.error = failing, gone_after, error

    def transcribe(self, audios):
        if len(self.batches) == self.gone_after:
            raise self.error
        outcomes = super().transcribe(audios)
        return [
            Outcome(error=f"ValueError: bad {o.hypothesis}") if o.hypothesis[-1] in self.failing else o
            for o in outcomes
        ]


class Logged:
    """A system, and a log of the names of the files that it is given; dies at a call if it is told to."""

    def __init__(self, system, log, dies_in=None, dies_after=None):
        self.name, self.info, self.batch_size = system.name, system.info, system.batch_size
        self._system, self._log = system, log
        self._dies_in, self._dies_after = dies_in, dies_after
        self._n_calls = 0

    def transcribe(self, audios):
        self._n_calls += 1
        write_down(self._log, [path.name for path in audios])
        if self._n_calls == self._dies_in:
            die()
        outcomes = self._system.transcribe(audios)
        if self._n_calls == self._dies_after:
            die()
        return outcomes


def write_down(log, items):
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, "".join(json.dumps(item) + "\n" for item in items).encode())
    os.close(descriptor)


def written_down(log):
    return [json.loads(line) for line in Path(log).read_bytes().splitlines()] if Path(log).exists() else []


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def demo_system(precision="fp32"):
    from evaluation.systems.registry import SystemSpec, load_system

    return load_system(SystemSpec(model="demo", precision=precision, provider="cpu", threads=1, batch_size=4))


def dies_in_write(number, share):
    """Makes the process die in its `number`-th write to a record file, after that share of the bytes."""
    real, n_writes = os.write, 0

    def write(descriptor, content):
        nonlocal n_writes
        if b'"record"' in bytes(content):
            n_writes += 1
            if n_writes == number:
                real(descriptor, bytes(content)[: int(len(content) * share)])
                die()
        return real(descriptor, content)

    os.write = write


def dies_in_finish(*, after):
    """Makes the process die before, or right after, the finished file takes the place of the other."""
    real = Path.replace

    def replace(self, target):
        if b'"end"' in self.read_bytes():
            if after:
                real(self, target)
            die()
        return real(self, target)

    Path.replace = replace


def moments(out, log):
    """One killed child after another; after each, a line with what it was given, and what is recorded."""
    from evaluation.run.runner import run

    plans = [lambda n=n, share=share: dies_in_write(n, share) for n, share in
             [(1, 0.0), (1, 0.3), (1, 0.9), (1, 1.0), (2, 0.5), (1, 0.6), (2, 1.0)]]  # fmt: skip
    plans += [lambda: dies_in_finish(after=False), lambda: dies_in_finish(after=True), lambda: None]
    for plan in plans:
        Path(log).unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            plan()
            run(Counting(log=log), texts_dataset(), out, window=2, show_progress=False)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        recorded = [record.hypothesis for record in records.read(Path(out)).records]
        told = {"signal": os.WTERMSIG(status), "given": written_down(log), "recorded": recorded}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def hold(out):
    from evaluation.run.runner import run

    class Waiting(Counting):
        def transcribe(self, audios):
            sys.stdout.write("holding\n")
            sys.stdout.flush()
            sys.stdin.read()
            return super().transcribe(audios)

    run(Waiting(), texts_dataset(), out, show_progress=False)


def engine(out, log, moment):
    from evaluation.datasets.named import open_dataset
    from evaluation.run.runner import run

    if moment == "finish":
        dies_in_finish(after=False)
    dies = {moment.split(":")[0]: int(moment.split(":")[1])} if ":" in moment else {}
    run(Logged(demo_system(), log, **dies), open_dataset("demo"), out, window=2, show_progress=False)


if __name__ == "__main__":
    {"engine": engine, "moments": moments, "hold": hold}[sys.argv[1]](*sys.argv[2:])
