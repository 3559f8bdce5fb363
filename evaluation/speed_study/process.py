"""A contestant's process as its parent sees it: started, asked, ended; `worker` is what runs in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

_ANSWER_S: Final = 900.0  # the longest that one request may take
_END_S: Final = 3.0


class WorkerError(Exception):
    """A request that failed, or a process that is gone; the message says why."""


class Worker:
    """Process of one contestant. A context manager: nothing runs before the first request, nor after the end.

    Attributes:
        is_alive: True if it can be asked, or has not been yet.
        started_at: Time of its start, by `time.perf_counter`.
    """

    def __init__(
        self, spec: Mapping[str, Any], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start nothing yet.

        Args:
            spec: Description of the contestant, see `systems.timed.Contestant.spec`.
            log: File for what it writes to stderr.
            environment: Environment variables that it gets beside those of this process.
        """
        self.is_alive = True
        self.started_at = 0.0
        self._command = [sys.executable, "-m", "evaluation.speed_study.worker", json.dumps(spec)]
        self._environment = {**os.environ, **(environment or {})}
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def ask(self, operation: str, **details: Any) -> dict[str, Any]:
        """Have something done, and wait for it.

        Raises:
            WorkerError: it failed, or took too long; or the process is gone.
        """
        self.send(operation, **details)
        return self.receive()

    def send(self, operation: str, **details: Any) -> None:
        """Say what is to be done, and do not wait for it."""
        if self._process is None:
            self._start()
        stdin, _ = self._pipes()
        with contextlib.suppress(BrokenPipeError):  # it is gone: `receive` says why
            stdin.write(json.dumps({"do": operation, **details}) + "\n")
            stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The answer to the oldest request that has none.

        Raises:
            WorkerError: as `ask`.
        """
        process, (_, stdout) = self._process, self._pipes()
        assert process is not None
        timer = threading.Timer(_ANSWER_S, process.kill)
        timer.start()
        try:
            line = stdout.readline()
        finally:
            timer.cancel()
        if not line:
            self.is_alive = False
            raise WorkerError(self._why_it_ended())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process, by force where it does not end itself."""
        process = self._process
        if process is None:
            return
        self.is_alive = False
        for pipe in self._pipes():
            with contextlib.suppress(BrokenPipeError):  # of a request that nobody reads any more
                pipe.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        with self._log.open("wb") as log:
            self.started_at = time.perf_counter()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                encoding="utf-8",
                start_new_session=True,  # a terminal's Ctrl-C is for the parent, who ends it in good order
            )

    def _pipes(self) -> tuple[TextIO, TextIO]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout  # type: ignore[return-value] # IO[str] is what they are

    def _why_it_ended(self) -> str:
        assert self._process is not None
        code = self._process.wait()
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"its process ended with {code}: {said[-1].strip() if said else 'it said nothing'}"
