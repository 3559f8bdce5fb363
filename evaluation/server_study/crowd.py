"""Many clients: operations begin at random moments, so many a second, whether or not others are done."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from tqdm import tqdm

from evaluation.server_study.operations import Done, Operation, Scene, draw, perform

N_CLIENTS: Final = 24
"""Most clients at once; if all are at work, the next operation begins when one is done."""

_POLL_S: Final = 0.5


@dataclass
class Crowd:
    """Result of a crowd of clients.

    Attributes:
        done: Operations that are over, in that order.
        n_late: Number that began later than they should, all clients being at work.
        seconds: Seconds during which operations began.
        is_interrupted: True if that was cut short.
    """

    done: list[Done] = field(default_factory=list)
    n_late: int = 0
    seconds: float = 0.0
    is_interrupted: bool = False


def crowd(
    scene: Scene,
    mix: Sequence[Operation],
    *,
    seconds: float,
    rate: float,
    seed: int = 0,
    n_clients: int = N_CLIENTS,
    note: Callable[[], str] = str,
) -> Crowd:
    """Let operations of a mix begin for so long, and wait until the last one is over.

    Ctrl-C ends it early; what was done until then is there.

    Args:
        scene: Server, and what is sent to it.
        mix: Operations to draw from.
        seconds: Seconds during which operations begin.
        rate: Operations per second, on average; the pauses between them are exponential.
        seed: Seed of what is drawn: operation number n is the same for the same seed.
        n_clients: Most clients at once.
        note: Text for the progress bar, beside the counts.
    """
    found, free, futures = Crowd(), threading.Semaphore(n_clients), list[Future[Done]]()

    def over(future: Future[Done]) -> None:
        free.release()
        if future.exception() is None:
            found.done.append(future.result())

    with ThreadPoolExecutor(n_clients, "client") as threads, _Progress(found, seconds, note) as progress:
        try:
            for number, due_s in enumerate(_moments(seconds, rate, seed)):
                progress.wait_until(due_s)
                found.n_late += progress.wait_for(free)
                if progress.passed_s() > seconds:
                    free.release()
                    break
                rng = random.Random(f"{seed}-{number}")
                futures.append(threads.submit(perform, draw(mix, rng), scene, rng))
                futures[-1].add_done_callback(over)
            progress.wait_until(seconds)
        except KeyboardInterrupt:
            found.is_interrupted = True
        found.seconds = progress.passed_s()
    for future in futures:
        future.result()  # a mistake of ours, not of the server, is raised here
    return found


def _moments(seconds: float, rate: float, seed: int) -> Iterator[float]:
    """Moments at which operations begin, in seconds."""
    rng = random.Random(seed)
    due_s = rng.expovariate(rate)
    while due_s < seconds:
        yield due_s
        due_s += rng.expovariate(rate)


class _Progress:
    """A bar where somebody watches: time, operations, wrong ones. It also keeps the time."""

    def __init__(self, found: Crowd, seconds: float, note: Callable[[], str]) -> None:
        self._found = found
        self._seconds = seconds
        self._note = note

    def __enter__(self) -> _Progress:
        self._started = time.monotonic()
        self._bar: Any = tqdm(
            total=round(self._seconds), desc="soak", unit="s", disable=None, dynamic_ncols=True,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        )  # fmt: skip
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def passed_s(self) -> float:
        """Seconds since the beginning; shows how things are."""
        passed_s = time.monotonic() - self._started
        n_wrong = sum(not each.is_allowed for each in self._found.done[-1000:])
        told = f"{len(self._found.done)} operations, {n_wrong} wrong{self._note()}"
        self._bar.set_postfix_str(told, refresh=False)
        self._bar.update(round(min(passed_s, self._seconds)) - self._bar.n)
        return passed_s

    def wait_until(self, at_s: float) -> None:
        """Come back when so much time has passed."""
        while (left_s := at_s - self.passed_s()) > 0:
            time.sleep(min(left_s, _POLL_S))

    def wait_for(self, free: threading.Semaphore) -> bool:
        """Come back when a client is free; True if one had to be waited for."""
        if free.acquire(blocking=False):
            return False
        while not free.acquire(timeout=_POLL_S):
            self.passed_s()
        return True
