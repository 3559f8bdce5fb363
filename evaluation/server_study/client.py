"""A client of the server, on the standard library: one connection that is kept, and what came back."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

AUDIO: Final = {"Content-Type": "application/octet-stream"}
TRANSCRIBE: Final = "/v1/transcribe"


@dataclass(frozen=True)
class Address:
    """Address that a server listens on, and what it lets one in by.

    Attributes:
        host: Name or number of the machine.
        port: Port.
        key: API key that goes along with every request; None: none is asked for.
    """

    host: str
    port: int
    key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Address:
        """Address out of a URL.

        Raises:
            ValueError: it is not of the form ``http://host:port``.

        >>> Address.of("http://localhost:9876/")
        Address(host='localhost', port=9876)
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{url!r} is no address of a server; give http://host:port")
        return cls(parts.hostname, parts.port or 80)

    @property
    def url(self) -> str:
        """URL for people, and for HTTP."""
        return f"http://{self._netloc}"

    @property
    def websocket_url(self) -> str:
        """URL of live streams."""
        return f"ws://{self._netloc}/v1/ws"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request: the key, where there is one.

        >>> Address("localhost", 9876, key="abc").headers, Address("localhost", 9876).headers
        ({'Authorization': 'Bearer abc'}, {})
        """
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}

    @property
    def _netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """One answer, whole.

    Attributes:
        status: HTTP status.
        body: Whole body.
        headers: Headers by their names in lower case.
    """

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def content(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def error_code(self) -> str | None:
        """The code of an error in gigastt's shape; None where it has another shape.

        >>> Answer(503, b'{"code":"pool_saturated","message":"busy"}').error_code
        'pool_saturated'
        """
        return error_code(self.content)


def error_code(content: object) -> str | None:
    """The code in ``{"code": ..., "message": ...}``; None where that is not what `content` is."""
    if not isinstance(content, dict):
        return None
    code, message = content.get("code"), content.get("message")
    return code if isinstance(code, str) and isinstance(message, str) and code and message else None


class Client:
    """One connection, which is opened when it is needed and kept as long as the server keeps it."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        """Prepare the connection; nothing is sent yet.

        Args:
            address: Address of the server.
            timeout_s: Longest silence of the server within one request.
        """
        self._connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
        self._headers = address.headers

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one request, read to its end.

        Raises:
            OSError, HTTPException: the connection broke, or the server kept silent; the next request opens
                another one.
        """
        try:
            self._connection.request(method, path, body, self._headers | dict(headers or {}))
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, content, named)

    def transcribe(self, audio: bytes) -> Answer:
        """The answer to `POST /v1/transcribe`; raises as `request`."""
        return self.request("POST", TRANSCRIBE, audio, AUDIO)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
