"""Work that is called off from another thread: its client went away, or it took too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from gigastt_lab.errors import WorkCancelledError

_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


class Cancellation:
    """Calls off what one thread does, from any other thread.

        with cancellation.scope():  # in the thread that works
            engine.transcribe("speech.wav")

        cancellation.cancel()  # in another: the call above raises WorkCancelledError

    The work stops between two blocks of decoding, and inside a model's pass between two of its operators:
    within some ten milliseconds.

    Attributes:
        is_cancelled: Whether `cancel` was called. It is never taken back.
        run_options: For `runtime` alone, which keeps here what its passes are stopped by, for each provider.
    """

    def __init__(self) -> None:
        """Nothing is called off yet."""
        self.is_cancelled = False
        self.run_options: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Call the work off; returns at once, before it has stopped."""
        with self._lock:
            self.is_cancelled = True
            stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Have `stop` called by `cancel`, at once where that has been called already."""
        with self._lock:
            if not self.is_cancelled:
                self._stops.append(stop)
                return
        stop()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What this thread does inside of it can be called off."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def current_cancellation() -> Cancellation | None:
    """What the work of this thread can be called off by; None where it cannot."""
    return _current.get()


def check_cancelled() -> None:
    """Raise `WorkCancelledError` where the work of this thread was called off; for loops that take long."""
    cancellation = _current.get()
    if cancellation is not None and cancellation.is_cancelled:
        raise WorkCancelledError("the work was called off")
