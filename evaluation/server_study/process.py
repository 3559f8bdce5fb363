"""The server as a process of its own: started on a free port, looked at in /proc, ended by SIGTERM."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from evaluation.server_study.client import Address, Client
from evaluation.systems.base import SystemUnavailableError
from gigastt_lab.models.files import PrecisionChoice
from gigastt_lab.models.registry import MODEL_DIR_VARIABLE

_LISTENING: Final = re.compile(r"listening on (http://\S+?),")
_POLL_S: Final = 0.05
_READY_S: Final = 600.0  # the model may be downloaded first
_STOP_S: Final = 20.0  # the server's own drain takes at most 10 s


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Model that the server is to run; for the engine beside it, too.

    Attributes:
        model: Name of the model.
        directory: Directory of the model, if not the usual one.
        precision: Precision of the encoder.
    """

    model: str = "demo"
    directory: str | None = None
    precision: PrecisionChoice = "auto"

    @property
    def flags(self) -> list[str]:
        """Flags for the server's command line."""
        where = [] if self.directory is None else ["--model-dir", self.directory]
        return ["--model", self.model, *where, "--precision", self.precision]


@dataclass(frozen=True)
class Footprint:
    """Resources that a process holds, by /proc.

    Attributes:
        resident_bytes: VmRSS.
        peak_bytes: VmHWM, the largest that VmRSS ever was.
        n_threads: Number of its threads.
        n_descriptors: Number of its open files and sockets.
        cpu_s: Seconds that it has worked, on all cores together.
    """

    resident_bytes: int
    peak_bytes: int
    n_threads: int
    n_descriptors: int
    cpu_s: float


def footprint(pid: int | None) -> Footprint | None:
    """Footprint of a running process; None of one that is gone or not ours, without a pid or /proc."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
        n_descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        numbers = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except OSError:
        return None
    lines = dict(line.partition(":")[::2] for line in text.splitlines())
    if "VmRSS" not in lines:  # it has ended, and nobody has asked how
        return None
    resident, peak, n_threads = (int(lines[name].split()[0]) for name in ("VmRSS", "VmHWM", "Threads"))
    ticks = sum(map(int, numbers.split()[11:13]))  # utime and stime: fields 14 and 15 of proc(5)
    cpu_s = ticks / os.sysconf("SC_CLK_TCK")
    return Footprint(1024 * resident, 1024 * peak, n_threads, n_descriptors, cpu_s)


class ServerProcess:
    """`python -m gigastt_lab.serve` on a free loopback port. A context manager: ready inside, ended outside.

    The caller's ``GIGASTT_*`` variables do not reach it, but for the one that says where models are: what is
    measured is what the flags say.

    Attributes:
        address: Address that it listens on; known inside.
        pid: Id of the process; known inside.
        log: File of what it writes to stderr.
    """

    address: Address
    pid: int

    def __init__(self, flags: Sequence[str], log: Path) -> None:
        """Prepare the process; nothing is started yet.

        Args:
            flags: Flags of the server's command line; the port is not among them.
            log: A file to write; what was in it is lost.
        """
        self.log = log
        self._command = [sys.executable, "-m", "gigastt_lab.serve", *flags, "--port", "0"]

    def stop(self) -> int | None:
        """End it, by force where it does not end itself; its exit code, None where force was needed."""
        process = self._process
        try:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def is_running(self) -> bool:
        """True while it has not ended."""
        return self._process.poll() is None

    def __enter__(self) -> ServerProcess:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIGASTT_")}
        if MODEL_DIR_VARIABLE in os.environ:
            kept[MODEL_DIR_VARIABLE] = os.environ[MODEL_DIR_VARIABLE]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=kept,
                start_new_session=True,  # a terminal's Ctrl-C is for us, who end it in good order
            )
        self.pid = self._process.pid
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + _READY_S
        while time.monotonic() < give_up_at:
            if not self.is_running():
                code = self._process.returncode
                raise SystemUnavailableError(
                    f"the server ended with {code} before it was ready: {self._said()}"
                )
            found = _LISTENING.search(self._said())
            if found is not None:
                self.address = Address.of(found[1])
                if is_ready(self.address):
                    return
            time.sleep(_POLL_S)
        raise SystemUnavailableError(f"the server was not ready after {_READY_S:g} s: {self._said()}")

    def _said(self) -> str:
        """The beginning of its log, where it says what it listens on or why it cannot start."""
        with self.log.open("rb") as log:
            return log.read(10_000).decode(errors="replace").strip()


def is_ready(address: Address) -> bool:
    """True if a server takes requests now."""
    with Client(address, timeout_s=10) as client:
        try:
            return client.request("GET", "/ready").status == 200
        except (OSError, http.client.HTTPException):
            return False


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends what is done inside of it as Ctrl-C does: no server is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
