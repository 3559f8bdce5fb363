"""`transcribe --stream -`: audio from stdin to text as it arrives, raw PCM16 or a container."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from gigastt_lab.audio.live.input import LiveInput
from gigastt_lab.audio.samples import check_sample_rate
from gigastt_lab.errors import AudioError
from gigastt_lab.exit_codes import ExitCode
from gigastt_lab.formats import as_json_warning, as_json_word
from gigastt_lab.streaming.options import PRESETS, StreamOptions, with_silence

if TYPE_CHECKING:
    from gigastt_lab.engine import Engine
    from gigastt_lab.types import AudioWarning, Float32Array, StreamResult

logger = logging.getLogger(__name__)

_READ_BYTES = 65_536  # at most; a read returns what is there


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `transcribe --stream`."""
    add = parser.add_argument_group("live streams").add_argument
    add("--stream", action="store_true",
        help='transcribe as it arrives: raw mono PCM16, WebM, Ogg, MP3, ...; FILE is "-"')  # fmt: skip
    add("--sample-rate", type=int, default=16_000, metavar="HZ", help="of raw PCM16 (default: 16000)")
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
    check_sample_rate(options.sample_rate)
    live, writer = LiveInput(options.sample_rate), _Writer(options)
    code = ExitCode.OK
    with closing(live), _interrupts() as interrupts:
        session = None
        try:
            for piece in _pieces(live, interrupts):
                # Opened by the first audio: a container's rate is not the one that was given.
                session = session or engine.stream(live.sample_rate, _stream_options(options))
                writer.write(session.accept(piece), live.warnings())
        except AudioError as error:
            logger.error("%s", error)
            code = ExitCode.FAILED
            if live.container is None:
                session = None  # what it heard was no PCM16; of a container, what came before is said
        if session is not None:
            writer.write(session.finish(), live.warnings())
    writer.close()
    return code


def _pieces(live: LiveInput, interrupts: _Interrupts) -> Iterator[bytes | Float32Array]:
    """Audio that arrives on stdin, decoded."""
    for data in interrupts.chunks():
        yield from live.accept(data)
    yield from live.finish()


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
        self._warnings: list[AudioWarning] = []  # for the next final

    def write(self, results: list[StreamResult], warnings: list[AudioWarning]) -> None:
        self._warnings += warnings
        for result in results:
            if result.kind == "final" or self._with_partials:
                self._erase()
                if self._as_json or result.text:  # an empty final takes back what was shown
                    sys.stdout.write(self._as_line(result) if self._as_json else f"{result.text}\n")
                    sys.stdout.flush()
            elif self._shows_partials:
                self._show(result)

    def close(self) -> None:
        self._erase()

    def _as_line(self, result: StreamResult) -> str:
        content = _as_content(result)
        if result.kind == "final" and self._warnings:
            content["warnings"] = [as_json_warning(warning) for warning in self._warnings]
            self._warnings = []
        return json.dumps(content, ensure_ascii=False) + "\n"

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


def _as_content(result: StreamResult) -> dict[str, Any]:
    """A result as JSON has it; a word as the other formats give it."""
    content: dict[str, Any] = {
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
    return content


def _stream_options(options: argparse.Namespace) -> StreamOptions:
    chosen = PRESETS[options.preset]
    return chosen if options.silence_ms is None else with_silence(chosen, options.silence_ms)
