"""`transcribe --stream -`: raw PCM16 from stdin to text, as it arrives."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from types import FrameType
from typing import TYPE_CHECKING

from gigastt_lab.exit_codes import ExitCode
from gigastt_lab.formats import as_json_word
from gigastt_lab.streaming.options import PRESETS, EndpointOptions, StreamOptions

if TYPE_CHECKING:
    from gigastt_lab.engine import Engine
    from gigastt_lab.types import StreamResult

logger = logging.getLogger(__name__)

_READ_BYTES = 65_536  # at most; a read returns what is there
_OTHER_CONTAINERS = (b"RIFF", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `transcribe --stream`."""
    add = parser.add_argument_group("live streams").add_argument
    add("--stream", action="store_true", help='transcribe raw mono PCM16 as it arrives; FILE is "-"')
    add("--sample-rate", type=int, default=16_000, metavar="HZ", help="of the stream (default: 16000)")
    add("--preset", choices=PRESETS, default="balanced", help="default: balanced")
    add("--silence-ms", type=int, metavar="MS",
        help="silence after speech that ends an utterance (default: the preset's)")  # fmt: skip
    add("--partials", action="store_true", help="with --format json: partial results, too")


def check(options: argparse.Namespace) -> None:
    """Leave by the parser's error where the options do not fit together."""
    parser: argparse.ArgumentParser = options.parser
    if options.files != ["-"]:
        parser.error('--stream reads stdin: give "-" as the one FILE')
    if options.format not in {"txt", "json"}:
        parser.error(f"--stream writes txt or json as it comes, not {options.format}")
    if options.output is not None:
        parser.error("--stream writes to stdout: leave --output out, and redirect it")
    if options.partials and options.format != "json":
        parser.error("--partials: only with --format json; on a terminal txt shows them anyway")
    try:
        _stream_options(options)
    except ValueError as error:
        parser.error(f"--silence-ms: {error}")


def run(options: argparse.Namespace, engine: Engine) -> int:
    """Transcribe until stdin ends, or Ctrl-C; returns the exit code."""
    session = engine.stream(options.sample_rate, _stream_options(options))
    writer = _Writer(options)
    head = b""
    with _interrupts() as interrupts:
        for data in interrupts.chunks():
            if len(head) < 4:
                head += data[:4]
                if head[:4] in _OTHER_CONTAINERS:
                    logger.error(
                        "stdin begins with %r, an audio file's header, and --stream takes raw PCM16: record "
                        "with `arecord -t raw -f S16_LE -r 16000 -c 1`, or leave --stream out for a file",
                        head[:4],
                    )
                    return ExitCode.FAILED
            writer.write(session.accept(data))
        writer.write(session.finish())
    writer.close()
    return ExitCode.OK


class _Interrupts:
    """Ctrl-C ends the recording, like the end of stdin; a second one ends the command."""

    def __init__(self) -> None:
        self._is_stopped = False
        self._is_reading = False

    def chunks(self) -> Iterator[bytes]:
        """Chunks that arrive on stdin, at once, until it ends or is stopped."""
        descriptor = sys.stdin.fileno()
        while not self._is_stopped:
            try:
                self._is_reading = True
                data = b"" if self._is_stopped else os.read(descriptor, _READ_BYTES)
            except KeyboardInterrupt:
                return
            finally:
                self._is_reading = False
            if not data:
                return
            yield data

    def stop(self, signal_number: int, frame: FrameType | None) -> None:
        """Handle Ctrl-C: it does not break into the recognition of what was read."""
        del signal_number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._is_stopped = True
        if self._is_reading:
            raise KeyboardInterrupt


@contextmanager
def _interrupts() -> Iterator[_Interrupts]:
    interrupts = _Interrupts()
    before = signal.signal(signal.SIGINT, interrupts.stop)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


class _Writer:
    """Finals on stdout; on a terminal, the partial that grows on stderr, its unsettled words dim."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._as_json = options.format == "json"
        self._with_partials = options.partials
        self._shows_partials = not self._as_json and sys.stderr.isatty()

    def write(self, results: list[StreamResult]) -> None:
        for result in results:
            if result.kind == "final" or self._with_partials:
                self._erase()
                if self._as_json or result.text:  # an empty final takes back what was shown
                    sys.stdout.write(_as_line(result) if self._as_json else f"{result.text}\n")
                    sys.stdout.flush()
            elif self._shows_partials:
                self._show(result)

    def close(self) -> None:
        self._erase()

    def _show(self, result: StreamResult) -> None:
        """Show one line, rewritten; of a long one the end."""
        first = max(0, len(result.text) - shutil.get_terminal_size().columns + 1)
        stable = max(first, result.stable)
        sys.stderr.write(f"\r\x1b[K{result.text[first:stable]}\x1b[2m{result.text[stable:]}\x1b[0m")
        sys.stderr.flush()

    def _erase(self) -> None:
        if self._shows_partials:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _as_line(result: StreamResult) -> str:
    """A result as one line of JSON; a word as the other formats give it."""
    content = {
        "type": result.kind,
        "utterance": result.utterance,
        "text": result.text,
        "stable": result.stable,
        "start": round(result.start, 3),
        "end": round(result.end, 3),
        "words": [as_json_word(word) for word in result.words],
    }
    if result.reason is not None:
        content["reason"] = result.reason
    return json.dumps(content, ensure_ascii=False) + "\n"


def _stream_options(options: argparse.Namespace) -> StreamOptions:
    chosen = PRESETS[options.preset]
    if options.silence_ms is None:
        return chosen
    endpoint = asdict(chosen.endpoint) | {"min_silence_ms": options.silence_ms}
    endpoint["min_blank_ms"] = max(endpoint["min_blank_ms"], options.silence_ms)
    return replace(chosen, endpoint=EndpointOptions(**endpoint))
