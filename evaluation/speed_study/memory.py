"""Memory and start-up of fresh processes: each loads its contestant, transcribes one file, and ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from evaluation.speed_study.clips import Clip
from evaluation.speed_study.process import Worker, WorkerError
from evaluation.speed_study.rounds import Spread, Step, spread
from evaluation.systems.timed import Contestant

N_THREADS: Final = 8
"""At once, for what a thread adds."""
N_STARTS: Final = 3
"""Processes that the times of starting are the median of."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """One fresh process. Bytes are by the names of proc(5), see `worker.memory`; none where it does not tell.

    Attributes:
        label: Label of its contestant.
        audio_s: Seconds of the file that it transcribed.
        n_threads: Threads that transcribed it, all at once.
        load_s: Seconds to import and load.
        first_s: Seconds from the start of the process to the transcript in its parent's hands.
        loaded: Bytes of memory before it transcribed, by name.
        worked: Bytes of memory after it, by name.
        error: Reason why there is nothing; None where there is.
    """

    label: str
    audio_s: float
    n_threads: int = 1
    load_s: float = math.nan
    first_s: float = math.nan
    loaded: Mapping[str, int] = field(default_factory=dict)
    worked: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Start-up and memory of a contestant, from its fresh processes; NaN of what is not known.

    Attributes:
        label: Label of the contestant.
        load_s, first_s: Seconds as of `Start`; `first_s` is of the shortest file.
        loaded_bytes, anon_bytes, file_bytes: Resident memory after loading: all, its own, pages of files.
        peak_bytes: Peak of resident memory, by seconds of audio.
        thread_bytes: Bytes that each of `N_THREADS` threads but the first adds to the peak.
        error: Reason why nothing is known; None where something is.
    """

    label: str
    load_s: Spread
    first_s: Spread
    loaded_bytes: float
    anon_bytes: float
    file_bytes: float
    peak_bytes: Mapping[float, float]
    thread_bytes: float
    error: str | None


class MemorySection:
    """Fresh processes of all contestants, one after the other.

    Attributes:
        n_steps: Number of processes.
        starts: Processes that are done.
    """

    def __init__(
        self, contestants: Sequence[Contestant], clips: Sequence[Clip], threaded: Clip, folder: Path
    ) -> None:
        """Plan the processes.

        Args:
            contestants: Contestants that can start; whoever knows has left out the others.
            clips: Clips, one process each, `N_STARTS` for the shortest; one before fills the page cache.
            threaded: Clip for the memory of a thread: once alone, once in `N_THREADS` threads; engine only.
            folder: Folder for logs.
        """
        self.starts: list[Start] = []
        shortest, *others = sorted(clips, key=lambda clip: clip.audio_s)
        if threaded not in clips:
            others.append(threaded)
        self._warm_up = [(each, shortest, 1) for each in contestants]
        rows = [*[shortest] * N_STARTS, *others]
        self._plan = [(each, clip, 1) for clip in rows for each in contestants]
        self._plan += [(each, threaded, N_THREADS) for each in contestants if each.is_ours]
        self._log = folder / "fresh.log"
        self.n_steps = len(self._warm_up) + len(self._plan)

    def run(self, step: Step) -> None:
        """Start all of them; `step` is called after each."""
        for contestant, clip, n_threads in self._warm_up:
            fresh(contestant, clip, self._log, n_threads)
            step()
        for contestant, clip, n_threads in self._plan:
            self.starts.append(fresh(contestant, clip, self._log, n_threads))
            step()


def fresh(contestant: Contestant, clip: Clip, log: Path, n_threads: int = 1) -> Start:
    """Start a process, have it load and transcribe one file, and end it."""
    what: dict[str, Any] = {"label": contestant.label, "audio_s": clip.audio_s, "n_threads": n_threads}
    with Worker(contestant.spec, log, contestant.environment) as worker:
        try:
            worker.send("load")  # both at once: it never waits for its parent
            if n_threads == 1:
                worker.send("transcribe", path=str(clip.path))
            else:
                worker.send("together", path=str(clip.path), n=n_threads)
            loaded = worker.receive()
            worker.receive()
            first_s = perf_counter() - worker.started_at
            worked = worker.ask("memory")
        except WorkerError as error:
            return Start(**what, error=str(error))
    return Start(
        **what,
        load_s=loaded["load_s"],
        first_s=first_s,
        loaded=loaded["memory"],
        worked=worked["memory"],
    )


def footprints(starts: Sequence[Start]) -> Iterator[Footprint]:
    """Footprint of each contestant, from all its processes."""
    for label in dict.fromkeys(start.label for start in starts):
        its = [start for start in starts if start.label == label]
        good = [start for start in its if start.error is None]
        alone = [start for start in good if start.n_threads == 1]
        shortest_s = min((start.audio_s for start in alone), default=math.nan)
        yield Footprint(
            label=label,
            load_s=spread([start.load_s for start in alone]),
            first_s=spread([start.first_s for start in alone if start.audio_s == shortest_s]),
            loaded_bytes=_median(start.loaded.get("VmRSS") for start in alone),
            anon_bytes=_median(start.loaded.get("RssAnon") for start in alone),
            file_bytes=_median(start.loaded.get("RssFile") for start in alone),
            peak_bytes={audio_s: _peak(alone, audio_s) for audio_s in sorted({s.audio_s for s in alone})},
            thread_bytes=_per_thread(good),
            error=next((start.error for start in its if start.error is not None), None),
        )


def _per_thread(starts: Sequence[Start]) -> float:
    """Bytes that each thread but the first adds: of the process with many, less the one with one."""
    for many in starts:
        if many.n_threads > 1:
            alone = [each for each in starts if each.n_threads == 1]
            added = many.worked.get("VmHWM", math.nan) - _peak(alone, many.audio_s)
            return added / (many.n_threads - 1)
    return math.nan


def _peak(starts: Sequence[Start], audio_s: float) -> float:
    return _median(start.worked.get("VmHWM") for start in starts if start.audio_s == audio_s)


def _median(values: Iterator[int | None]) -> float:
    return spread([float(value) for value in values if value is not None]).median
