"""Exit codes of the commands, one for each kind of failure, and the frame that every command runs in."""

from __future__ import annotations

import argparse
import io
import logging
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import Any

from gigastt_lab import errors

logger = logging.getLogger("gigastt_lab")  # the server's log shows the name: a command speaks for the package


class ExitCode(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    MODEL = 3
    UNREACHABLE = 4
    REFUSED = 5
    NOT_ON_HUB = 6
    CHECKSUM = 7
    NOT_WRITABLE = 8
    DISK_FULL = 9
    INTERRUPTED = 130


DOWNLOAD_CODES = (
    ExitCode.UNREACHABLE,
    ExitCode.REFUSED,
    ExitCode.NOT_ON_HUB,
    ExitCode.CHECKSUM,
    ExitCode.NOT_WRITABLE,
    ExitCode.DISK_FULL,
)

_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.MODEL: "the model or the provider could not be loaded",
    ExitCode.UNREACHABLE: "the Hub gave no usable answer: no network, offline mode, overload",
    ExitCode.REFUSED: "the Hub refused: a token is missing, wrong or not enough",
    ExitCode.NOT_ON_HUB: "the Hub lacks the repository, the revision or a file",
    ExitCode.CHECKSUM: "a file is not the published one: its size or SHA-256 differs",
    ExitCode.NOT_WRITABLE: "the model directory cannot be written to",
    ExitCode.DISK_FULL: "there is no room for the model",
    ExitCode.INTERRUPTED: "interrupted",
}
_LONGEST_CHOICES = 40  # characters, in a usage
_CODES: dict[type[errors.GigasttError], ExitCode] = {
    errors.HubUnreachableError: ExitCode.UNREACHABLE,
    errors.HubRefusedError: ExitCode.REFUSED,
    errors.HubMissingError: ExitCode.NOT_ON_HUB,
    errors.ChecksumError: ExitCode.CHECKSUM,
    errors.DirectoryNotWritableError: ExitCode.NOT_WRITABLE,
    errors.DiskFullError: ExitCode.DISK_FULL,
    errors.ModelError: ExitCode.MODEL,
}


def exit_code(error: Exception) -> ExitCode:
    """The code for an error that ends a command.

    >>> exit_code(errors.DiskFullError("full")).name, exit_code(errors.ModelError("broken")).name
    ('DISK_FULL', 'MODEL')
    """
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), ExitCode.FAILED)


def epilog(codes: Iterable[ExitCode], **meanings: str) -> str:
    """The end of a command's help: `codes`, with the `meanings` that differ, by a code's lower-case name.

    >>> print(epilog([ExitCode.OK, ExitCode.INTERRUPTED], ok="all is well"))
    exit codes:
      0    all is well
      130  interrupted
    """
    lines = [f"  {code.value:<3d}  {meanings.get(code.name.lower(), _MEANINGS[code])}" for code in codes]
    return "\n".join(["exit codes:", *lines])


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help whose lists stay lists, in a terminal of any width: what is too long goes on below its text."""

    _is_in_usage = False

    def _format_usage(self, *args: Any, **options: Any) -> str:
        self._is_in_usage = True
        try:
            return super()._format_usage(*args, **options)
        finally:
            self._is_in_usage = False

    def _metavar_formatter(self, action: argparse.Action, default: str) -> Callable[[int], tuple[str, ...]]:
        """Many choices have no room in the usage, whose parts argparse does not break; the list has them."""
        choices = ",".join(map(str, action.choices or ()))
        if self._is_in_usage and len(choices) > _LONGEST_CHOICES and action.metavar is None:
            return lambda n: (default,) * n
        return super()._metavar_formatter(action, default)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = [wrapped(line, width - len(indent)) for line in text.splitlines()]
        return "\n".join(f"{indent}{each}" if each else "" for line in lines for each in line)


def for_terminal(text: str) -> str:
    """The text with no line longer than the terminal, where stdout is one or COLUMNS says how wide it is."""
    if not (os.environ.get("COLUMNS") or (sys.stdout is not None and sys.stdout.isatty())):
        return text
    width = max(40, shutil.get_terminal_size().columns)
    lines = ([line] if len(line) <= width else wrapped(line, width) for line in text.split("\n"))
    return "\n".join(each for line in lines for each in line)


def wrapped(line: str, width: int) -> list[str]:
    """A line as lines of at most `width`; of a list (a term, two spaces, what it means) below its text.

    >>> wrapped("  0    every file was transcribed", 20)
    ['  0    every file', '       was', '       transcribed']
    """
    term = re.match(r" *\S.*?\s{2,}(?=\S)|\s*", line)
    start = term.end() if term else 0
    rest = " " * (start if start < width // 2 else 4)
    return textwrap.wrap(
        line, width, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    ) or [""]


def start_logging(levels: Mapping[str, int], *, level: int = logging.WARNING) -> None:
    """Log to stderr, in place of whatever was set up before.

    Args:
        levels: Levels of the loggers that differ, by name.
        level: Level of all others.
    """
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s: %(message)s", force=True)
    for name, own_level in levels.items():
        logging.getLogger(name).setLevel(own_level)


def run_command(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Exit code of a command that is run here; an error of ours or the system's ends it with a message.

    Args:
        run: The command, which returns its exit code.
        options: Its options.
    """
    _make_stdout_hold_all_texts()
    try:
        code = int(run(options))
        if sys.stdout is not None:
            sys.stdout.flush()  # what cannot be written shall be known before the process ends
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader went away (`| head`)
        give_up_what_is_unwritten()
        return ExitCode.FAILED
    except (errors.GigasttError, OSError) as error:
        logger.error("%s", error)
        give_up_what_is_unwritten()
        return exit_code(error)
    return code


def give_up_what_is_unwritten() -> None:
    """Give up what stdout did not take: else the interpreter tries again when it ends, and complains."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _make_stdout_hold_all_texts() -> None:
    """A file and a pipe get UTF-8, whatever the terminal's code page; a terminal escapes what it has not."""
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    is_chosen = bool(os.environ.get("PYTHONIOENCODING"))
    encoding = None if is_chosen or sys.stdout.isatty() else "utf-8"
    # Escaped instead of refused: a name that is not text, or what a chosen encoding lacks.
    sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
