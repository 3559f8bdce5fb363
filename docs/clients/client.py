#!/usr/bin/env python3
"""Streams a WAV file, or raw PCM16 from stdin, to the server, and prints what it hears.

    pip install 'websockets>=15'
    python client.py recording.wav
    python client.py --real-time recording.wav
    arecord -q -t raw -f S16_LE -r 16000 -c 1 | python client.py --rate 16000 -

Finals go to stdout, a line each. Partials go to stderr, on one line that is written anew. Ctrl-C ends the
audio, not the program: what was said so far still becomes a final. Where a proxy asks for a password, the
variable STT_AUTHORIZATION holds the Authorization header: "Bearer ...", "Basic ...". Exit codes: 0 all was
heard, 1 it was not, 2 usage.
"""
# ruff: noqa: T201 - a program for the terminal

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, BinaryIO

try:
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
    from websockets.sync.client import ClientConnection, connect
except ModuleNotFoundError:
    sys.exit("this client needs websockets: pip install 'websockets>=15'")

FRAME_S = 0.1  # of audio in one message
READY_TIMEOUT_S = 120.0  # for a server that hangs; a full one answers after its own, shorter timeout
LONGEST_WAIT_S = 60.0  # between two tries, whatever the server asks for
STOP = json.dumps({"type": "stop"})


class FailedError(Exception):
    """Why there is no text, or not all of it."""


class BusyError(Exception):
    """The server is full, or asked too often; it said when to come again."""

    def __init__(self, message: str, retry_after_ms: float) -> None:
        super().__init__(message)
        self.wait_s = min(retry_after_ms / 1000, LONGEST_WAIT_S)


def main() -> int:
    """Run the program; returns its exit code."""
    parser = argparse.ArgumentParser(description="Streams audio to the server and prints the text.")
    parser.add_argument("audio", help="WAV file (mono, 16 bit), or - for raw PCM16 from stdin")
    parser.add_argument("--url", default="ws://127.0.0.1:9876/v1/ws", help="default: %(default)s")
    parser.add_argument("--rate", type=int, default=16_000, help="of raw PCM16, in Hz; default: %(default)s")
    parser.add_argument("--real-time", action="store_true", help="send a file as fast as it would be spoken")
    parser.add_argument("--tries", type=int, default=5, help="where the server is busy; default: %(default)s")
    options = parser.parse_args()
    try:
        with opened(options.audio) as (file, own_rate):
            rate = own_rate or options.rate
            with open_session(options.url, rate, options.tries) as socket:
                stream(socket, frames(file, rate), paced=options.real_time)
    except FailedError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the audio began, or once more after it
        return 130
    return 0


@contextmanager
def opened(name: str) -> Iterator[tuple[BinaryIO | wave.Wave_read, int | None]]:
    """The audio, and its rate; raw PCM16 does not state one."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    try:
        file = wave.open(name, "rb")  # noqa: SIM115 - its own errors only are caught here
    except (OSError, EOFError, wave.Error) as error:
        raise FailedError(f"{name} cannot be read: {error}") from error
    with file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise FailedError(
                f"{name} has {file.getnchannels()} channel(s) of {8 * file.getsampwidth()} bit; convert it: "
                f"ffmpeg -i {name} -ar 16000 -ac 1 -c:a pcm_s16le mono.wav"
            )
        yield file, file.getframerate()


def frames(file: BinaryIO | wave.Wave_read, rate: int) -> Iterator[bytes]:
    """The audio in pieces of a tenth of a second. A pipe gives each as soon as it is full."""
    n_samples = round(rate * FRAME_S)
    while True:
        frame = file.readframes(n_samples) if isinstance(file, wave.Wave_read) else file.read(2 * n_samples)
        if not frame:
            return
        yield frame


@contextmanager
def open_session(url: str, rate: int, tries: int) -> Iterator[ClientConnection]:
    """A session that is ready for audio of this rate; where the server is busy, after some waiting."""
    for attempt in range(1, tries + 1):
        with ExitStack() as stack:
            try:
                socket = stack.enter_context(_connected(url))
                _make_ready(socket, rate)
            except BusyError as busy:
                if attempt == tries:
                    raise FailedError(f"{busy} ({tries} tries)") from busy
                wait_s = busy.wait_s
                print(f"{busy} (try {attempt + 1} of {tries} in {wait_s:.3g} s)", file=sys.stderr)
            else:
                yield socket
                return
        time.sleep(wait_s)
    raise FailedError("--tries has to be 1 or more")


@contextmanager
def _connected(url: str) -> Iterator[ClientConnection]:
    secret = os.environ.get("STT_AUTHORIZATION")
    headers = {} if secret is None else {"Authorization": secret}
    with ExitStack() as stack:
        try:
            # Pongs come after the audio that was sent before the ping: a server with a backlog is not dead.
            socket = stack.enter_context(connect(url, ping_timeout=None, additional_headers=headers))
        except InvalidStatus as refused:  # by HTTP, before there is a WebSocket: 403, 404, 429, 503
            raise _refusal(refused.response.body or b"", f"HTTP {refused.response.status_code}") from refused
        except (OSError, WebSocketException, ValueError) as error:
            raise FailedError(f"cannot connect to {url}: {error}") from error
        yield socket


def _make_ready(socket: ClientConnection, rate: int) -> None:
    try:
        first = socket.recv(timeout=READY_TIMEOUT_S)  # comes when there is a place for us
        ready = json.loads(first)
        if ready["type"] == "error":
            raise _refusal(first, "")
        if rate not in ready["supported_rates"]:
            raise FailedError(f"the server takes {ready['supported_rates']} Hz, and this audio has {rate} Hz")
        socket.send(json.dumps({"type": "configure", "sample_rate": rate}))
    except (ConnectionClosed, TimeoutError) as error:
        raise FailedError(f"the server did not become ready: {error}") from error


def _refusal(body: bytes | bytearray | str, fallback: str) -> FailedError | BusyError:
    """What a refusal says: its JSON has `code`, `message` and perhaps `retry_after_ms`."""
    try:
        told = json.loads(body)
        message, wait_ms = f"{told['code']}: {told['message']}", told.get("retry_after_ms")
    except (ValueError, KeyError, TypeError):  # not the server's own answer, but that of a proxy before it
        return FailedError(f"the server refused: {fallback}")
    return FailedError(message) if wait_ms is None else BusyError(message, wait_ms)


def stream(socket: ClientConnection, audio: Iterator[bytes], *, paced: bool) -> None:
    """Send the audio, and print what comes back meanwhile, until the server closes."""
    printer = Printer(socket)
    printer.start()
    started = time.monotonic()
    try:
        for i, frame in enumerate(audio):
            if paced:
                time.sleep(max(0.0, started + i * FRAME_S - time.monotonic()))
            if printer.error is not None:
                break
            socket.send(frame)
    except KeyboardInterrupt:
        pass
    except ConnectionClosed:
        pass  # the printer knows why
    with suppress(ConnectionClosed):
        socket.send(STOP)
    printer.join()
    printer.check()


class Printer(threading.Thread):
    """Reads results to the end of the connection.

    Attributes:
        error: The first error that the server told; None without one.
    """

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__(daemon=True)
        self.error: str | None = None
        self._socket = socket

    def run(self) -> None:
        """See `threading.Thread`."""
        with suppress(ConnectionClosed):
            while True:
                self._show(json.loads(self._socket.recv()))

    def _show(self, message: dict[str, Any]) -> None:
        if message["type"] == "partial":
            show_partial(message["text"])
        elif message["type"] == "final":
            show_partial("")
            if message["text"]:  # the last one may be empty: nothing was left to say
                print(message["text"], flush=True)
        elif message["type"] == "error":
            self.error = self.error or f"{message['code']}: {message['message']}"
            # After some errors the server closes by itself, after others it would go on. We do not; what was
            # heard before still comes as a final.
            self._socket.send(STOP)

    def check(self) -> None:
        """Raise `FailedError` unless everything was heard."""
        if self.error is not None:
            raise FailedError(self.error)
        code, reason = self._socket.close_code, self._socket.close_reason
        if code == 1001:
            raise FailedError("the server shut down; the text ends where it did")
        if code != 1000:
            raise FailedError(f"the connection broke off ({code} {reason})")


def show_partial(text: str) -> None:
    """Write the line of partials anew; where stderr is no terminal, write a line for each."""
    if not sys.stderr.isatty():
        sys.stderr.write(f"... {text}\n" if text else "")
        return
    shown = text[-(shutil.get_terminal_size().columns - 1) :]  # a line that wraps could not be taken back
    sys.stderr.write(f"\r\x1b[K{shown}")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
