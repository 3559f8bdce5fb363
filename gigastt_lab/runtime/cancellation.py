"""Cancellation of work from another thread: its client went away, or it took too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from gigastt_lab.errors import WorkCancelledError

_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


class Cancellation:
    """Cancellation of the work of one thread, from any other thread.

        with cancellation.scope():  # in the thread that works
            engine.transcribe("speech.wav")

        cancellation.cancel()  # in another: the call above raises WorkCancelledError

    The work stops between two blocks of decoding, and inside a model's pass between two of its operators:
    within some ten milliseconds.

    Attributes:
        is_cancelled: True once `cancel` was called. It is never taken back.
        run_options: ONNX Runtime's options by which `sessions` stops the passes, for each provider.
    """

    def __init__(self) -> None:
        """Begin with nothing called off."""
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
        """Scope in which the work of this thread can be called off."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def current_cancellation() -> Cancellation | None:
    """Cancellation of the work of this thread; None where it cannot be called off."""
    return _current.get()


def check_cancelled() -> None:
    """Raise `WorkCancelledError` where the work of this thread was called off; for loops that take long."""
    cancellation = _current.get()
    if cancellation is not None and cancellation.is_cancelled:
        raise WorkCancelledError("the work was called off")
