"""A stand-in for the Hub's dataset side, on loopback: what `datasets` asks of it when it streams.

It serves repositories that are dictionaries of file contents, answers ranges as the Hub does, keeps account
of every byte it sends, and cuts the connection, for good, where a chosen stretch of a file begins.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

API = re.compile(r"/api/datasets/(?P<repo>[^/]+/[^/]+)(?:/(?P<verb>revision|tree|paths-info)/(?P<rest>.+))?")
FILE = re.compile(r"/datasets/(?P<repo>[^/]+/[^/]+)/resolve/(?P<rev>[^/]+)/(?P<path>.+)")
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Repository:
    """One commit of a dataset repository."""

    sha: str
    files: dict[str, bytes]


@dataclass
class DatasetHub:
    """The server; use as a context manager. `sent` counts bytes of file content by path, `asked` requests."""

    repositories: dict[str, Repository]
    gaps: dict[str, range] = field(default_factory=dict)  # bytes of a path that never arrive
    sent: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    strangers: list[str] = field(default_factory=list)  # requests that nothing here answers to

    def __enter__(self) -> DatasetHub:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        """Forgets what was counted and mends what was cut."""
        self.gaps.clear()
        self.sent.clear()
        self.asked.clear()


class _Handler(BaseHTTPRequestHandler):
    hub: DatasetHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if match := FILE.fullmatch(path):
            self._file(match["repo"], match["rev"], match["path"])
        elif match := API.fullmatch(path):
            self._api(match["repo"], match["verb"], match["rest"] or "main", {})
        else:
            self._unknown()

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match = API.fullmatch(unquote(urlsplit(self.path).path))
        if match and match["verb"] == "paths-info":
            self._api(match["repo"], match["verb"], match["rest"], json.loads(body))
        else:
            self._unknown()

    def log_message(self, *_: object) -> None:
        pass

    def _repository(self, name: str, revision: str) -> Repository | None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._missing("RepoNotFound")
        elif revision not in ("main", repository.sha):
            self._missing("RevisionNotFound")
        else:
            return repository
        return None

    def _api(self, name: str, verb: str | None, rest: str, asked: dict[str, object]) -> None:
        revision, _, folder = rest.partition("/")
        repository = self._repository(name, revision)
        if repository is None:
            return
        self.hub.asked[f"api {verb}"] += 1
        if verb in (None, "revision"):
            siblings = [{"rfilename": path} for path in repository.files]
            self._json({"id": name, "sha": repository.sha, "private": False, "siblings": siblings})
            return
        entries = [
            {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for path, content in repository.files.items()
        ]
        folders = sorted({path.rpartition("/")[0] for path in repository.files} - {""})
        entries += [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in folders]
        if verb == "paths-info":
            self._json([entry for entry in entries if entry["path"] in asked["paths"]])
        elif folder and folder not in folders:
            self._missing("EntryNotFound")
        else:
            inside = f"{folder}/" if folder else ""
            deep = "recursive=true" in self.path.lower()
            self._json(
                [
                    entry
                    for entry in entries
                    if entry["path"].startswith(inside) and (deep or "/" not in entry["path"][len(inside) :])
                ]
            )

    def _file(self, name: str, revision: str, path: str) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        if path not in repository.files:
            self._missing("EntryNotFound")
            return
        content = repository.files[path]
        start, end = 0, len(content)
        if match := RANGE.fullmatch(self.headers.get("Range", "")):
            start = int(match[1])
            end = min(end, int(match[2]) + 1) if match[2] else end
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", repository.sha)
        self.send_header("Accept-Ranges", "bytes")
        gap = self.hub.gaps.get(path, range(0))
        stop = gap.start if gap and start < gap.stop and end > gap.start else end
        self._end(content[start:end], n_sent=max(0, stop - start), path=path)

    def _unknown(self) -> None:
        self.hub.strangers.append(f"{self.command} {self.path}")
        self._missing("EntryNotFound")

    def _missing(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self._end(b"")

    def _json(self, answer: object) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self._end(json.dumps(answer).encode())

    def _end(self, body: bytes, *, n_sent: int | None = None, path: str = "") -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if n_sent is not None:
            self.hub.asked[path] += 1
            self.hub.sent[path] += n_sent
            self.close_connection = n_sent < len(body)  # in the middle of what Content-Length promised
        self.wfile.write(body[:n_sent])
