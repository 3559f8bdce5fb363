"""Clocks of a stream: one that waits for the microphone, and one that jumps to when it would be ready."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal, Protocol

ClockName = Literal["real", "simulated"]


class Clock(Protocol):
    """Seconds since the stream began. Work takes as long as it takes; waiting is what clocks differ in."""

    def now(self) -> float:
        """Seconds since the stream began."""

    def wait_until(self, at_s: float) -> None:
        """Come back when it is so late, at once where it is later already."""


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


CLOCKS: Final[dict[ClockName, Callable[[], Clock]]] = {"real": RealClock, "simulated": SimulatedClock}
