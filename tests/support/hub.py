"""A stand-in for the Hugging Face Hub on loopback: serves files, notes every request, fails on demand."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gigastt_lab.models.registry import KnownModel, ModelFile

REPOSITORY, REVISION = "someone/tiny-model", "1234567890abcdef1234567890abcdef12345678"


@dataclass(frozen=True)
class Status:
    """An answer without the file."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The connection is cut after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Pause:
    """After so many bytes of the body, the rest waits for `Hub.go`."""

    after: int


@dataclass(frozen=True)
class Hang:
    """No answer at all, until the Hub is closed."""


@dataclass(frozen=True)
class Whole:
    """The whole file, whatever range was asked for."""


@dataclass(frozen=True)
class Redirect:
    """The file is elsewhere, as the Hub's large files are."""

    to: str


@dataclass(frozen=True)
class Page:
    """A page of a proxy instead of the file, with its length or, in chunks, without."""

    text: bytes
    declares_length: bool = False


@dataclass(frozen=True)
class Unranged:
    """A part of the file, without saying which."""


@dataclass(frozen=True)
class Garbled:
    """The last byte is wrong."""


Fault = Status | Cut | Pause | Hang | Whole | Redirect | Page | Unranged | Garbled


@dataclass
class Request:
    """One request. `start` is the first byte asked for, `sent` the bytes of the body that were sent."""

    method: str
    name: str
    start: int
    headers: dict[str, str]
    sent: int = 0


class Hub(ThreadingHTTPServer):
    """Serves `files` of REPOSITORY at REVISION.

    Attributes:
        model: That it has, if a test is about one.
        files: Content by name.
        faults: By file name, what goes wrong, one for each request in turn; after them all is well.
        always: By file name, what goes wrong with every request.
        requests: That were made, in order.
        paused: Set as soon as a `Pause` begins.
        go: Set by the test, ends all pauses.
    """

    daemon_threads = True

    model: KnownModel

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self.always: dict[str, Fault] = {}
        self.requests: list[Request] = []
        self.paused, self.go, self.closed = (threading.Event() for _ in range(3))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def requests_for(self, name: str) -> list[Request]:
        return [request for request in self.requests if request.name == name]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what is tested."""


@contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Hub]:
    """A Hub that answers until the block ends."""
    with Hub(files) as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.closed.set()
            hub.go.set()
            hub.shutdown()
            thread.join()


def model_of(directory: Path, name: str, order: tuple[str, ...]) -> KnownModel:
    """The files of `directory` as a model that the Hub has."""
    contents = {file: (directory / file).read_bytes() for file in order}
    files = tuple(
        ModelFile(file, len(data), hashlib.sha256(data).hexdigest()) for file, data in contents.items()
    )
    return KnownModel(name, "for tests", "MIT", files, REPOSITORY, REVISION)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        name = self.path.rpartition("/")[2]
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        if "/resolve/" not in self.path:  # newer clients ask for more, about themselves, and need no answer
            self._send(Status(404))
            return
        request = Request(self.command, name, start, dict(self.headers))
        self.server.requests.append(request)
        fault = self.server.always.get(name)
        if fault is None and self.server.faults[name]:
            fault = self.server.faults[name].pop(0)
        data = self.server.files.get(name)
        if isinstance(fault, Hang):
            self.server.closed.wait()
            self.close_connection = True
        elif isinstance(fault, Redirect):
            self._send(Status(302, {"Location": f"{fault.to}{self.path}"}))
        elif isinstance(fault, Status):
            self._send(fault)
        elif isinstance(fault, Page):
            self._send_page(fault)
        elif data is None or not self.path.startswith(f"/{REPOSITORY}/resolve/{REVISION}/"):
            self._send(Status(404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}))
        else:
            self._send_file(data, 0 if isinstance(fault, Whole) else start, fault, request)

    def _send(self, status: Status) -> None:
        self.send_response(status.code)
        for name, value in {"Content-Length": "0", **status.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_page(self, page: Page) -> None:
        self.send_response(200)
        if page.declares_length:
            self.send_header("Content-Length", str(len(page.text)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(page.text), page.text)
        self.wfile.write(page.text if page.declares_length else chunked)

    def _send_file(self, data: bytes, start: int, fault: Fault | None, request: Request) -> None:
        if start >= len(data):
            self._send(Status(416, {"Content-Range": f"bytes */{len(data)}"}))
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        if start and not isinstance(fault, Unranged):
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        body = data[start:]
        if isinstance(fault, Garbled):
            body = body[:-1] + bytes([body[-1] ^ 1])
        cut = fault.after if isinstance(fault, Cut | Pause) else len(body)
        self._write(body[:cut], request)
        if isinstance(fault, Cut):
            self.close_connection = True
            return
        if isinstance(fault, Pause):
            self.server.paused.set()
            self.server.go.wait()
        self._write(body[cut:], request)

    def _write(self, data: bytes, request: Request) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        request.sent += len(data)
