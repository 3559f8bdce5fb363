"""A server that speaks gigastt's WebSocket protocol, streamed to at the pace of speech.

The protocol: the server says `ready`; the client sends `configure` and then PCM16 in binary messages; the
server says `partial`, `final` or `error`; the client sends `stop`, the server says what is left and closes.
Fields beyond gigastt's are taken where they are sent: `utterance`, `stable`, `start`, `heard`, `reason`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect

from evaluation.datasets.audio import RATE, Audio, Decoded, decoded, speech_bounds
from evaluation.records.naming import safe_name
from evaluation.records.stream_log import StreamLog
from evaluation.stream_study.clocks import Clock
from evaluation.stream_study.engine_stream import at_once
from evaluation.stream_study.feeding import Feeding
from evaluation.stream_study.messages import Heard, events_of, parsed, told, words_of
from evaluation.systems.base import Outcome, SystemUnavailableError
from gigastt_lab.errors import GigasttError, brief

logger = logging.getLogger(__name__)

_BUSY: Final = (429, 503)
_RETRY_S: Final = 1.0  # where a busy or vanished server does not say how long
_LONGEST_WAIT_S: Final = 60.0  # at once, whatever it says
_NORMAL_CODES: Final = (1000, 1005)  # closed in good order, with a code or without


class StreamError(GigasttError):
    """A stream that a server refused, broke off or did not answer."""


@dataclass(frozen=True, kw_only=True)
class WebSocketOptions:
    """Options of a WebSocket server: its address, and how long to wait for it.

    Attributes:
        url: Address, ``ws://127.0.0.1:9876/v1/ws``, or wss.
        timeout_s: Longest silence of the server where it has to say something, in seconds: before it is
            ready, and after the stop.
        max_wait_s: Longest wait for a busy or vanished server, in seconds.
    """

    url: str
    timeout_s: float = 20.0
    max_wait_s: float = 300.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.username:
            raise ValueError(f"url is {self.url!r}; give ws://host:port/path or wss://host/path")

    @property
    def name(self) -> str:
        """Name of the system: the host's address and the path on it.

        >>> WebSocketOptions(url="ws://localhost:9876/v1/ws").name
        'ws_localhost-9876-v1-ws'
        """
        parts = urlsplit(self.url)
        return safe_name(f"ws_{parts.netloc}{parts.path}")

    @property
    def file_url(self) -> str | None:
        """URL of the same server's route for files; None where the path does not end as gigastt's does.

        >>> WebSocketOptions(url="ws://localhost:9876/v1/ws").file_url
        'http://localhost:9876'
        """
        parts = urlsplit(self.url)
        base = parts.path.removesuffix("/v1/ws")
        scheme = "https" if parts.scheme == "wss" else "http"
        return None if base == parts.path or parts.query else f"{scheme}://{parts.netloc}{base}"


@dataclass
class _Ear:
    """Listens in a thread of its own until the connection is closed.

    Attributes:
        messages: Messages, each with the time it came at, in seconds.
        closed: The way the connection ended; None while it has not.
    """

    connection: ClientConnection
    clock: Clock
    messages: list[tuple[float, str | bytes]] = field(default_factory=list)
    closed: ConnectionClosed | None = None

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def closing(self) -> Close | None:
        """Code and reason that the server closed with; None without."""
        return None if self.closed is None else self.closed.rcvd

    def _listen(self) -> None:
        try:
            while True:
                message = self.connection.recv()
                self.messages.append((self.clock.now(), message))
        except ConnectionClosed as closed:
            self.closed = closed

    def wait_for_end(self, timeout_s: float) -> bool:
        """True if the server closed, saying something at least every `timeout_s` until then."""
        n_before = -1
        while self._thread.is_alive() and len(self.messages) > n_before:
            n_before = len(self.messages)
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Hang up, and let the thread end."""
        self.connection.close()
        self._thread.join()


class WebSocketSystem:
    """A server that is streamed to. Each clip is a connection; its hypothesis is the finals joined.

    Attributes:
        name: Host and path of the server.
        info: Facts: its address, and how it is fed; "file_path" names the system of its route for files.
        batch_size: Number of connections beside each other.
    """

    def __init__(
        self,
        options: WebSocketOptions,
        feeding: Feeding,
        *,
        n_streams: int = 1,
        file_path: str | None = None,
        new_clock: Callable[[], Clock] | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            options: Address of the server, and waits.
            feeding: Options of the feeding; the real clock only: a server's work cannot be jumped over.
            n_streams: Number of streams at once.
            file_path: Name of the system that its finals are compared with.
            new_clock: Maker of clocks, in place of the one that `feeding` names.

        Raises:
            ValueError: the simulated clock.
        """
        if feeding.clock != "real":
            raise ValueError("a server needs the real clock")
        self.name = safe_name(options.name + (f"_x{n_streams}" if n_streams > 1 else ""))
        self.batch_size = n_streams
        self.info: dict[str, Any] = {"kind": "stream-server", "url": options.url, **feeding.described()}
        if file_path is not None:
            self.info["file_path"] = file_path
        self._options = options
        self._feeding = feeding
        self._new_clock = new_clock or feeding.new_clock

    def transcribe(self, audios: Sequence[Audio]) -> list[Outcome]:
        """Outcome of each audio; the streams run beside each other.

        Raises:
            SystemUnavailableError: the server cannot be reached, or stays busy.
        """
        return at_once(self._outcome, [decoded(audio) for audio in audios], self.batch_size)

    def _outcome(self, each: Decoded) -> Outcome:
        if each.waveform is None:
            return Outcome(error=each.error, audio_s=each.audio_s)
        try:
            with self._ready() as connection:
                return self._streamed(connection, each)
        except (StreamError, OSError, WebSocketException) as error:
            why = str(error) if isinstance(error, StreamError) else brief(error)
            return Outcome(error=why, audio_s=each.audio_s)

    def _streamed(self, connection: ClientConnection, each: Decoded) -> Outcome:
        assert each.waveform is not None
        pieces = list(self._feeding.chunks(each.waveform))
        clock = self._new_clock()
        ear = _Ear(connection, clock)
        chunks: list[tuple[float, float]] = []
        try:
            connection.send(json.dumps({"type": "configure", "sample_rate": RATE}))
            for end_s, piece in pieces:
                clock.wait_until(end_s)
                chunks.append((end_s, clock.now()))
                connection.send(piece)
            stopped_s = clock.now()
            connection.send(json.dumps({"type": "stop"}))
        except ConnectionClosed:
            ear.wait_for_end(self._options.timeout_s)
            raise self._broken(ear, "while audio was sent") from None
        try:
            has_ended = ear.wait_for_end(self._options.timeout_s)
        finally:
            ear.close()
        if not has_ended:
            raise StreamError(f"the server kept silent for {self._options.timeout_s:g} s after the stop")
        heard = self._understood(ear)
        log = StreamLog(
            clip_s=len(each.waveform) / RATE,
            chunks=tuple(chunks),
            stopped_s=stopped_s,
            speech=speech_bounds(each.waveform),
            events=events_of(heard, stopped_s),
        )
        finals = [event.text for event in log.events if event.kind == "final" and event.text]
        return Outcome(
            hypothesis=" ".join(finals),
            words=words_of(heard),
            audio_s=each.audio_s,
            stream=log,
            warnings=each.warnings,
        )

    def _understood(self, ear: _Ear) -> list[Heard]:
        """Messages of a stream; raises what went wrong."""
        heard = [Heard(at_s, parsed(message)) for at_s, message in ear.messages]
        in_order = ear.closing is not None and ear.closing.code in _NORMAL_CODES
        if any(each.content.get("type") == "error" for each in heard) or not in_order:
            raise self._broken(ear, "after the stop")
        return heard

    def _broken(self, ear: _Ear, when: str) -> StreamError:
        """Error of a server that closed early: what it said, and its code."""
        said = []
        for _, message in ear.messages:
            content = parsed(message)
            if content.get("type") == "error":
                said.append(told(content))
        closing = ear.closing
        reason = f" ({closing.reason})" if closing is not None and closing.reason else ""
        how = f"code {closing.code}{reason}" if closing is not None else "without a code"
        return StreamError("; ".join([*said, f"closed {when}, {how}"]))

    @contextmanager
    def _ready(self) -> Iterator[ClientConnection]:
        """A connection whose server has said that it is ready; a busy one is waited for.

        Raises:
            SystemUnavailableError: it cannot be reached, or is busy for too long.
            StreamError: it is reached, and is not ready.
        """
        give_up_at = time.monotonic() + self._options.max_wait_s
        while True:
            try:
                connection = connect(
                    self._options.url, open_timeout=self._options.timeout_s, max_size=None, compression=None
                )
            except InvalidStatus as error:
                status = error.response.status_code
                if status not in _BUSY:
                    raise StreamError(f"HTTP {status} instead of a WebSocket") from error
                retry = error.response.headers.get("Retry-After", "")
                self._wait(float(retry) if retry.isdecimal() else _RETRY_S, give_up_at, f"HTTP {status}")
                continue
            except OSError as error:
                if "warm_up" not in self.info:  # never heard of: no use in waiting
                    raise self._gone(f"cannot be reached ({error}); start the server first") from error
                self._wait(_RETRY_S, give_up_at, brief(error))
                continue
            with connection:
                busy_s = self._busy_s(connection)
                if busy_s is None:
                    yield connection
                    return
            self._wait(busy_s, give_up_at, "no session is free")

    def _busy_s(self, connection: ClientConnection) -> float | None:
        """Seconds to wait before the next try; None where the server is ready."""
        try:
            content = parsed(connection.recv(timeout=self._options.timeout_s))
        except TimeoutError as error:
            raise StreamError(f"the server was not ready within {self._options.timeout_s:g} s") from error
        if content.get("type") == "ready":
            return None
        if content.get("type") == "error" and isinstance(content.get("retry_after_ms"), int):
            return float(content["retry_after_ms"]) / 1000
        raise StreamError(f"the server was not ready: {told(content)}")

    def _wait(self, seconds: float, give_up_at: float, why: str) -> None:
        wait_s = min(seconds, _LONGEST_WAIT_S)
        if time.monotonic() + wait_s > give_up_at:
            raise self._gone(f"is busy or gone ({why}), for longer than {self._options.max_wait_s:g} s")
        logger.info("%s: %s; waiting for %g s", self.name, why, wait_s)
        time.sleep(wait_s)

    def _gone(self, why: str) -> SystemUnavailableError:
        return SystemUnavailableError(f"{self._options.url} {why}; run again when it is there, to go on")
