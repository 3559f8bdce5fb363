"""Clocks of a stream: one waits for the microphone, one jumps over the wait, one over the work as well."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal, Protocol

ClockName = Literal["real", "simulated", "ideal"]


class Clock(Protocol):
    """Clock of a stream. Work takes as long as it takes; waiting is what clocks differ in."""

    def now(self) -> float:
        """Seconds since the stream began."""

    def wait_until(self, at_s: float) -> None:
        """Wait until so many seconds since the beginning, not at all where it is later already."""


class RealClock:
    """The wall clock: waits by sleeping."""

    def __init__(
        self, timer: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Begin at zero."""
        self._timer = timer
        self._sleep = sleep
        self._started = timer()

    def now(self) -> float:
        """See `Clock`."""
        return self._timer() - self._started

    def wait_until(self, at_s: float) -> None:
        """See `Clock`."""
        while (left_s := at_s - self.now()) > 0:  # sleeping may end early
            self._sleep(left_s)


class SimulatedClock:
    """The wall clock without its waits: a wait is jumped over, and all that is done in between counts.

    A stream takes as long as its work then, and shows the times that it would have shown: work that is slower
    than the speech lags behind just as it would have. What it does not show is what a pause does to caches
    and to a processor's clock rate, nor streams that run beside each other.
    """

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        """Begin at zero."""
        self._timer = timer
        self._started = timer()

    def now(self) -> float:
        """See `Clock`."""
        return self._timer() - self._started

    def wait_until(self, at_s: float) -> None:
        """See `Clock`."""
        self._started -= max(0.0, at_s - self.now())


class IdealClock:
    """A clock for which work takes no time: only audio passes.

    What is left of a latency is what the recogniser waits for. So it is the same on every machine, in every
    run, and the least that any machine can have.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self._now_s = 0.0

    def now(self) -> float:
        """See `Clock`."""
        return self._now_s

    def wait_until(self, at_s: float) -> None:
        """See `Clock`."""
        self._now_s = max(self._now_s, at_s)


CLOCKS: Final[dict[ClockName, Callable[[], Clock]]] = {
    "real": RealClock,
    "simulated": SimulatedClock,
    "ideal": IdealClock,
}
