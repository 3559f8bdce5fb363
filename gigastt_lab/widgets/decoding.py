"""A live stream on a thread of its own: audio in from any thread, results out on that one."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gigastt_lab.errors import GigasttError
from gigastt_lab.streaming.session import StreamingSession
from gigastt_lab.types import StreamResult

logger = logging.getLogger(__name__)


class BacklogError(GigasttError):
    """More audio waits to be recognised than was agreed to."""


@dataclass(frozen=True)
class Progress:
    """Results of one step of the recogniser.

    Attributes:
        results: New results, in order.
        n_samples: Samples recognised so far.
        work_s: Seconds of work so far, by the clock.
    """

    results: list[StreamResult]
    n_samples: int
    work_s: float


class BackgroundStream:
    """Stream that is fed from a thread of its own, as fast as it can, from a bounded queue.

    The thread runs in a copy of the caller's context (`contextvars`): to ipykernel, what it sends then
    belongs to the front end's message that started it, and not to a cell that happens to run.
    """

    def __init__(
        self,
        session: StreamingSession,
        sample_rate: int,
        *,
        max_backlog_s: float,
        on_progress: Callable[[Progress], None],
        on_end: Callable[[Exception | None], None],
    ) -> None:
        """Start the thread.

        Args:
            session: The stream; nobody else may use it.
            sample_rate: Sample rate of its audio, in Hz.
            max_backlog_s: Seconds of audio that may wait.
            on_progress: Called on the thread after each step.
            on_end: Called on the thread, last of all: with None after `finish` or `abandon`, else with what
                went wrong.
        """
        self._session = session
        self._sample_rate = sample_rate
        self._max_backlog_s = max_backlog_s
        self._on_progress = on_progress
        self._on_end = on_end
        self._news = threading.Condition()
        self._waiting = bytearray()
        self._is_finished = self._is_abandoned = False
        self._n_samples = 0
        self._work_s = 0.0
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._run,), name="gigastt-stream", daemon=True
        )
        self._thread.start()

    def put(self, pcm16: bytes) -> None:
        """Have audio recognised: whole samples, PCM16 little-endian mono. Never waits.

        Raises:
            BacklogError: too much waits already; of this audio nothing was taken.
        """
        with self._news:
            waiting_s = (len(self._waiting) + len(pcm16)) / (2 * self._sample_rate)
            if waiting_s > self._max_backlog_s:
                raise BacklogError(
                    f"{waiting_s:.0f} s of audio wait to be recognised, more than max_backlog_s="
                    f"{self._max_backlog_s:g}: this machine is too slow for live text with these options"
                )
            self._waiting += pcm16
            self._news.notify()

    def finish(self) -> None:
        """Recognise what waits, then end: no more audio comes. Returns at once."""
        with self._news:
            self._is_finished = True
            self._news.notify()

    def abandon(self) -> None:
        """End after the step that is under way: nobody wants the rest. Returns at once."""
        with self._news:
            self._is_finished = self._is_abandoned = True
            self._waiting.clear()
            self._news.notify()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end: True if it came within `timeout_s` seconds."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while audio := self._next():
                self._step(partial(self._session.accept, audio), len(audio) // 2)
            if not self._is_abandoned:
                self._step(self._session.finish, 0)
        except GigasttError as caught:
            error = caught
        except Exception as caught:
            logger.exception("a live stream failed")
            error = caught
        self._on_end(error)

    def _next(self) -> bytes:
        """The next audio, up to a second of it; none at the end."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._is_finished)
            audio = bytes(self._waiting[: 2 * self._sample_rate])
            del self._waiting[: len(audio)]
            return audio

    def _step(self, work: Callable[[], list[StreamResult]], n_samples: int) -> None:
        started = time.perf_counter()
        results = work()
        self._work_s += time.perf_counter() - started
        self._n_samples += n_samples
        if not self._is_abandoned:
            self._on_progress(Progress(results, self._n_samples, self._work_s))
