"""The server as its users run it: a process of its own, on a free port of loopback."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from gigastt_lab.runtime import cache as model_cache

_LISTENING = re.compile(r"listening on http://(\S+):(\d+)")
DEADLINE_S = 60.0


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class ServerProcess:
    """A server that runs.

    Attributes:
        process: Of the system.
        lines: Of its log, so far.
        port: Where it listens; 0 until it does.
    """

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._news: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            self._news.put(line)
        self._news.put(None)

    def wait_for_line(self, pattern: str) -> re.Match[str]:
        """The first line, old or new, in which the pattern is."""
        end = time.monotonic() + DEADLINE_S
        while True:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.log}"
            try:
                if self._news.get(timeout=0.2) is None and not re.search(pattern, self.log):
                    raise AssertionError(f"the server ended without {pattern!r}:\n{self.log}")
            except queue.Empty:
                continue

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            is_chunked = "Transfer-Encoding" in (headers or {})
            connection.request(method, path, body, headers or {}, encode_chunked=is_chunked)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        return self.request("POST", path, body, headers)

    def socket(self, **options: Any) -> ClientConnection:
        """A WebSocket; nothing is read yet."""
        given = {"open_timeout": DEADLINE_S, "max_size": None, "compression": None} | options
        return connect(f"ws://127.0.0.1:{self.port}/v1/ws", **given)

    def available(self) -> int:
        return self.get("/v1/models").json["pool_available"]

    def metric(self, name: str) -> float:
        """The value of one series, by its whole name; 0.0 where there is none."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def rss_kb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def n_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Ask it to end, and wait: its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(timeout=DEADLINE_S)
        self._reader.join(timeout=DEADLINE_S)
        return code


@contextmanager
def serving(*flags: str, wait: str = "ready", **environment: str) -> Iterator[ServerProcess]:
    """A server with the demo model; ended with the block.

    Args:
        flags: Of the command line.
        wait: "ready", "listening" or "nothing": what to wait for.
        environment: Further variables.
    """
    command = [sys.executable, "-m", "gigastt_lab.serve", "--port", "0", *flags]
    if "--model" not in flags and "--model-dir" not in flags:
        command += ["--model", "demo"]
    kept = {model_cache.VARIABLE}
    inherited = {
        name: value for name, value in os.environ.items() if name in kept or not name.startswith("GIGASTT_")
    }
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=inherited | environment
    ) as process:
        server = ServerProcess(process)
        try:
            if wait != "nothing":
                server.port = int(server.wait_for_line(_LISTENING.pattern)[2])
            if wait == "ready":
                server.wait_for_line("ready after")
            yield server
            if process.poll() is None:
                server.end()
        finally:
            if process.poll() is None:
                process.kill()


def eventually(condition: Callable[[], Any]) -> Any:
    """What the condition gives, as soon as that is true."""
    end = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.02)
    return found


def is_error(answer: Answer, status: int, code: str) -> bool:
    """Whether an answer is this error in the shape that all errors have, or in OpenAI's."""
    content = answer.json
    assert (answer.status, content["code"]) == (status, code), answer
    error = content["error"]
    if isinstance(error, dict):
        assert (error["code"], error["message"]) == (code, content["message"])
    else:
        assert content["message"] == error
    assert answer.headers["content-type"] == "application/json"
    return True
