"""A transcription server as a system: gigastt's route, or OpenAI's. One request at a time.

Seconds of work are the wall clock from the first byte sent to the last one received; connecting and waiting
for a busy server are not work.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from urllib.parse import urlsplit

from evaluation.datasets.audio import Audio, decoded
from evaluation.records.naming import safe_name
from evaluation.systems.answers import parsed, shown
from evaluation.systems.base import Outcome, SystemUnavailableError
from evaluation.systems.kinds import SystemKind
from evaluation.systems.peers import suffix_of
from gigastt_lab.errors import brief

if TYPE_CHECKING:
    from evaluation.systems.spec import SystemRequest

logger = logging.getLogger(__name__)

Route = Literal["gigastt", "openai"]
_PATHS: Final[dict[Route, str]] = {"gigastt": "/v1/transcribe", "openai": "/v1/audio/transcriptions"}
_BUSY: Final = (429, 503)
_RETRY_S: Final = 1.0  # where a busy or vanished server does not say how long
_LONGEST_WAIT_S: Final = 60.0  # at once, whatever it says
_CONNECT_S: Final = 5.0  # for a look whether anybody listens


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """Address of a transcription server, and its dialect.

    Attributes:
        url: Address before the route, ``/v1`` included or not: ``http://127.0.0.1:9876``, or https.
        route: Dialect: "gigastt" posts the file to ``/v1/transcribe``, "openai" a form to
            ``/v1/audio/transcriptions``.
        model: Model that the form asks for; for "openai".
        language: Language that the form asks for; for "openai"; None: the server's own choice.
        response_format: Format that the form asks for; for "openai": "verbose_json", or "json" for models
            that know no other.
        timeout_s: Longest silence of the server within one request, in seconds.
        max_wait_s: Longest wait for a busy or vanished server, in seconds.
        api_key_variable: Environment variable with the key, for servers that want one.
    """

    url: str
    route: Route = "gigastt"
    model: str = "whisper-1"
    language: str | None = "ru"
    response_format: Literal["verbose_json", "json"] = "verbose_json"
    timeout_s: float = 120.0
    max_wait_s: float = 300.0
    api_key_variable: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ValueError(
                f"url is {self.url!r}; give http://host:port or https://host, without a query, and a key by "
                "api_key_variable"
            )
        if self.route not in get_args(Route):
            raise ValueError(f"route is {self.route!r}; choose one of {', '.join(get_args(Route))}")
        if not (self.timeout_s > 0 and self.max_wait_s >= 0):
            raise ValueError("timeout_s has to be above 0, and max_wait_s not below")

    @property
    def name(self) -> str:
        """Name of the system: the host's address, the path on it, and the route.

        >>> ServerOptions(url="http://localhost:8000/asr/v1").name
        'server_localhost-8000_asr_gigastt'
        """
        model = f"_{self.model}" if self.route == "openai" else ""
        return safe_name(f"server_{urlsplit(self.url).netloc}{_of_path(self._base)}_{self.route}{model}")

    @property
    def path(self) -> str:
        """Path of the route, on the host."""
        return self._base + _PATHS[self.route]

    @property
    def _base(self) -> str:
        """The path in the URL, without what belongs to the route; "" or with a slash in front."""
        return urlsplit(self.url).path.rstrip("/").removesuffix("/v1")


class ServerSystem:
    """A server that transcribes files.

    Attributes:
        name: Name from host, path and route.
        info: The same by name, and the model and language that it is asked for.
        batch_size: 1.
    """

    batch_size = 1

    def __init__(self, options: ServerOptions) -> None:
        """Prepare requests; nothing is sent yet.

        Raises:
            SystemUnavailableError: the environment variable with the key is not set.
        """
        self.name = options.name
        self.info: dict[str, Any] = {"kind": "server", "url": options.url, "route": options.route}
        self._options = options
        self._headers = {"Accept": "application/json"}
        if options.route == "openai":
            self.info |= {"model": options.model, "language": options.language}
        if options.api_key_variable is not None:
            key = os.environ.get(options.api_key_variable)
            if not key:
                raise SystemUnavailableError(
                    f"{self.name}: ${options.api_key_variable} is not set; it has to hold the server's key"
                )
            self._headers["Authorization"] = f"Bearer {key}"

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcomes, one for each, one request at a time.

        Raises:
            SystemUnavailableError: the server cannot be reached, or stays busy.
        """
        return [self._outcome(audio) for audio in audios]

    def _outcome(self, audio: Audio) -> Outcome:
        found = decoded(audio)  # for the rate of work, and what was lost; outside the clock
        audio_s = found.audio_s
        try:
            body, headers = self._request(audio)
        except OSError as error:
            return Outcome(error=brief(error), audio_s=audio_s)
        try:
            status, content, work_s = self._answer(body, headers)
        except (OSError, http.client.HTTPException) as error:
            return Outcome(error=f"no answer: {brief(error)}", audio_s=audio_s)
        if status != 200:
            return Outcome(error=f"HTTP {status}: {shown(content)}", audio_s=audio_s)
        outcome = parsed(content, audio_s, work_s)
        return replace(outcome, warnings=found.warnings or outcome.warnings)

    def _request(self, audio: Audio) -> tuple[bytes, dict[str, str]]:
        content = audio.read_bytes() if isinstance(audio, Path) else audio
        if self._options.route == "gigastt":
            return content, self._headers | {"Content-Type": "application/octet-stream"}
        fields = {"model": self._options.model, "response_format": self._options.response_format}
        if self._options.response_format == "verbose_json":
            fields["timestamp_granularities[]"] = "word"
        if self._options.language:
            fields["language"] = self._options.language
        boundary = uuid.uuid4().hex
        # servers tell the format by the name
        body = _form(fields, f"audio{suffix_of(content)}", content, boundary)
        return body, self._headers | {"Content-Type": f"multipart/form-data; boundary={boundary}"}

    def _answer(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, float]:
        """Status, content and seconds of the first answer that is not "busy".

        A connection that breaks is tried once more: the server may have been started anew.

        Raises:
            SystemUnavailableError: it cannot be reached, or is busy for too long.
            OSError, HTTPException: the connection broke twice, or the server kept silent.
        """
        give_up_at = time.monotonic() + self._options.max_wait_s
        broke = False
        while True:
            with closing(self._connection()) as connection:
                self._connect(connection, give_up_at)
                started = time.perf_counter()
                try:
                    with suppress(BrokenPipeError, ConnectionResetError):
                        # who refuses a body may answer, and close, before all of it was sent
                        connection.request("POST", self._options.path, body, dict(headers))
                    response = connection.getresponse()
                    content = response.read()
                except TimeoutError as error:
                    raise TimeoutError(f"the server kept silent for {self._options.timeout_s:g} s") from error
                except (OSError, http.client.HTTPException):
                    if broke:
                        raise
                    broke = True
                    continue
                passed_s = time.perf_counter() - started
            if response.status not in _BUSY:
                return response.status, content, passed_s
            wait_s = _retry_after_s(response.getheader("Retry-After"))
            if time.monotonic() + wait_s > give_up_at:
                raise SystemUnavailableError(
                    f"{self._options.url} is busy (HTTP {response.status}: {shown(content)}), for longer "
                    f"than {self._options.max_wait_s:g} s; run again when it is free, to go on from here"
                )
            logger.info("%s is busy: waiting for %g s", self.name, wait_s)
            time.sleep(wait_s)

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._options.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self._options.timeout_s)

    def _connect(self, connection: http.client.HTTPConnection, give_up_at: float) -> None:
        """Connect; once the server has answered, wait for it if it is gone."""
        while True:
            try:
                connection.connect()
            except OSError as error:
                is_known = "warm_up" in self.info
                if is_known and time.monotonic() + _RETRY_S <= give_up_at:
                    time.sleep(_RETRY_S)
                    continue
                raise SystemUnavailableError(
                    f"{self._options.url} cannot be reached ({brief(error)}); "
                    + ("run again when it is back, to go on from here" if is_known else "is it running?")
                ) from error
            return


def _of_path(path: str) -> str:
    """A path as part of a name; with a digest where the name alone could be another path's, too."""
    if not path:
        return ""
    plain = path.removeprefix("/")
    if re.fullmatch(r"[\w.+-]{1,30}", plain) and safe_name(plain) == plain:
        return f"_{plain}"
    return f"_{safe_name(plain)[:30]}-{hashlib.sha256(path.encode()).hexdigest()[:6]}"


def _form(fields: Mapping[str, str], file_name: str, content: bytes, boundary: str) -> bytes:
    """A multipart form, by RFC 7578."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])


def _retry_after_s(header: str | None) -> float:
    """Seconds to wait; of a date, which nobody sends for so short a time, nothing is read."""
    return min(float(header), _LONGEST_WAIT_S) if header and header.isdecimal() else _RETRY_S


def _options(spec: SystemRequest) -> ServerOptions:
    try:
        return ServerOptions(**spec.options)
    except TypeError as error:
        raise ValueError(f"options of a server: {error}; see servers.ServerOptions") from error


def _check(spec: SystemRequest) -> None:
    if not spec.options:
        raise ValueError("options are for servers, which need one at least: url")
    _options(spec)


def _require_listener(spec: SystemRequest) -> None:
    url = str(spec.options["url"])
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise SystemUnavailableError(f"nobody answers at {url} ({error}); start the server first") from error


def _load(spec: SystemRequest, /, *, show_progress: bool) -> ServerSystem:
    del show_progress  # nothing is downloaded
    return ServerSystem(_options(spec))


def _peer(url: str, options: dict[str, str], first: Mapping[str, Any]) -> dict[str, Any]:
    del first  # a server has its own model
    seconds = {name: float(value) for name, value in options.items() if name.endswith("_s")}
    return {"options": {"url": url} | options | seconds}


SERVER = SystemKind(
    name="server",
    load=_load,
    require=_require_listener,
    has_model=False,
    check=_check,
    name_of=lambda spec: _options(spec).name,
    prefixes=("http://", "https://"),
    peer=_peer,
)
