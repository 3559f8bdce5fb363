"""Outcomes of reading every file of a folder: `python -m evaluation.studies.files FOLDER`.

Each file is decoded in a process of its own, with a time limit and its peak memory measured, so that a crash
or a hang is an outcome like any other. ``docs/formats.md`` tells which folders were read so.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import resource
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from gigastt_lab.audio.reading import audio_blocks
from gigastt_lab.errors import AudioError
from gigastt_lab.spec import GIGAAM_V3
from gigastt_lab.types import AudioWarning

Kind = Literal["decoded", "refused", "exception", "crash", "hang", "memory"]
FAULTS: tuple[Kind, ...] = ("exception", "crash", "hang", "memory")
# What one decoder, the resampler and blocks of samples may take: 40 MB of a real file, 100 of a crafted one.
_MEMORY_MB = 256.0
_TIMEOUT_S = 60.0
# Imported once, in the process that all others are forked from: a file then costs milliseconds.
_PRELOADED = ["av", "soundfile", "soxr", "numpy", "gigastt_lab.audio.reading"]


@dataclass(frozen=True)
class Outcome:
    """Outcome of reading one file.

    Attributes:
        path: Path of the file.
        kind: "decoded"; "refused", by an `AudioError`; else a fault of the reader.
        message: Error, or warnings; empty where there are none.
        seconds: Seconds of audio that were decoded.
        memory_mb: Peak of the resident memory, in MB, above that of a process that read nothing.
    """

    path: str
    kind: Kind
    message: str = ""
    seconds: float = 0.0
    memory_mb: float = 0.0


def read(path: Path, *, timeout_s: float = _TIMEOUT_S, memory_mb: float = _MEMORY_MB) -> Outcome:
    """Outcome of reading one file in a process of its own.

    Args:
        path: Path of the file.
        timeout_s: Seconds after which the file counts as a hang.
        memory_mb: Memory, in MB, above which it counts as a fault.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_read, args=(str(path), sender), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(timeout_s):
            return Outcome(str(path), "hang", f"not done after {timeout_s:g} s")
        outcome: Outcome = receiver.recv()
    except EOFError:
        process.join()
        return Outcome(str(path), "crash", f"ended with exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        receiver.close()
    if outcome.memory_mb > memory_mb:
        return Outcome(str(path), "memory", f"{outcome.kind}: {outcome.message}", *_measured(outcome))
    return outcome


def _measured(outcome: Outcome) -> tuple[float, float]:
    return outcome.seconds, outcome.memory_mb


def _read(path: str, sender: Connection) -> None:
    """Decode in constant memory, as the engine does, and send the outcome."""
    logging.disable()  # the warnings are in the outcome
    before = _peak_mb()
    kind: Kind = "decoded"
    message, n_samples = "", 0
    warnings: list[AudioWarning] = []
    try:
        for block in audio_blocks(path, warnings=warnings):
            n_samples += block.size
    except AudioError as error:
        kind, message = "refused", str(error).removeprefix(f"{path!r}: ")
    except Exception as error:  # noqa: BLE001 - a fault of any kind is an outcome
        kind, message = "exception", f"{type(error).__name__}: {error}"
    message = message or "; ".join(warning.message for warning in warnings)
    seconds = round(n_samples / GIGAAM_V3.sample_rate, 3)
    sender.send(Outcome(path, kind, message, seconds, round(_peak_mb() - before, 1)))


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def outcomes(folder: Path, *, timeout_s: float = _TIMEOUT_S) -> Iterator[Outcome]:
    """Outcome of every file at any depth, in the order of their paths."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in tqdm(paths, desc="files", disable=None):
        yield read(path, timeout_s=timeout_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how many files had which outcome, and the faults; exit with 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.studies.files", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of files of any kind, at any depth")
    parser.add_argument("--timeout-s", type=float, default=_TIMEOUT_S, help="limit for one file, in seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write each outcome to FILE, a line each")
    options = parser.parse_args(arguments)
    found = list(outcomes(options.folder, timeout_s=options.timeout_s))
    if options.json is not None:
        lines = (json.dumps(asdict(outcome), ensure_ascii=False) for outcome in found)
        options.json.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    counts = Counter(outcome.kind for outcome in found)
    sys.stdout.write(f"{len(found)} files: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + "\n")
    n_warned = sum(outcome.kind == "decoded" and bool(outcome.message) for outcome in found)
    sys.stdout.write(f"{n_warned} of the decoded with warnings; ")
    sys.stdout.write(f"{sum(outcome.seconds for outcome in found):.0f} s of audio, ")
    sys.stdout.write(
        f"at most {max((outcome.memory_mb for outcome in found), default=0):.0f} MB for a file\n"
    )
    faults = [outcome for outcome in found if outcome.kind in FAULTS]
    for outcome in faults:
        sys.stdout.write(f"{outcome.kind}: {outcome.path}: {outcome.message}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
