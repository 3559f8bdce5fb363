"""Arguments of `transcribe` (files, folders, patterns, streams) as one list, with a name for each output."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gigastt_lab.errors import AudioError

logger = logging.getLogger(__name__)

STDIN: Final = "-"
_SUFFIXES: Final = tuple(
    f".{suffix}"
    for suffix in (
        "aac", "ac3", "adts", "aif", "aifc", "aiff", "amr", "asf", "au", "avi", "caf", "flac", "m4a", "m4b",
        "m4v", "mka", "mkv", "mov", "mp2", "mp3", "mp4", "mpga", "oga", "ogg", "ogv", "opus", "qt", "rf64",
        "spx", "tta", "w64", "wav", "wave", "weba", "webm", "wma", "wv", "3gp", "3g2",
    )
)  # fmt: skip
# Containers whose first bytes nothing else has: of other names, only these are taken for audio.
_UNMISTAKABLE: Final = frozenset({"wav", "flac", "ogg", "webm", "aiff", "caf", "w64", "amr", "ts"})
_SHOWN: Final = 3


@dataclass(frozen=True)
class Input:
    """One recording to transcribe.

    Attributes:
        file: Path of the file, or "-".
        name: Name that its output is made of: of a file in a folder, with its place in it.
        problem: Reason why there is nothing to transcribe; empty where there is.
        was_found: True of a file that was found in a folder, or by a pattern.
    """

    file: str
    name: Path
    problem: str = ""
    was_found: bool = False

    @property
    def may_be_read(self) -> bool:
        """True of what is there, as far as one sees without opening it."""
        return not self.problem and (self.file == STDIN or os.path.exists(self.file))


def inputs(given: Sequence[str], output: Path | None = None) -> list[Input]:
    """The recordings that the arguments of a command name, in their order.

    A folder stands for the audio files at any depth in it, by name; hidden ones are passed over. A pattern
    (`*`, `?`, `[...]`, `**`) that a shell has left as it is stands for what matches it.

    Args:
        given: Paths, folders, patterns, or "-".
        output: Folder that outputs go to, in which nothing is looked for.
    """
    return [each for argument in given for each in _inputs(argument, output)]


def _inputs(argument: str, output: Path | None) -> Iterator[Input]:
    if argument == STDIN:
        yield Input(STDIN, Path("stdin"))
    elif os.path.isdir(argument):
        yield from _in_folder(argument, output)
    elif os.path.lexists(argument) or not glob.has_magic(argument):
        yield Input(argument, Path(Path(argument).name or "unnamed"))
    else:
        matches = sorted(glob.glob(argument, recursive=True))
        for match in matches:
            if os.path.isdir(match):
                # `**` names folders and what is in them.
                if not argument.rstrip("/\\").endswith("**"):
                    yield from _in_folder(match, output)
            else:
                yield Input(match, Path(Path(match).name), was_found=True)
        if not matches:
            yield Input(argument, Path("unnamed"), f"no file matches {argument!r}; check the pattern")


def _in_folder(folder: str, output: Path | None) -> Iterator[Input]:
    others: list[str] = []
    n_found = 0
    for path in _files(folder, output):
        if _is_audio(path):
            n_found += 1
            yield Input(path, Path(os.path.relpath(path, folder)), was_found=True)
        else:
            others.append(os.path.relpath(path, folder))
    if others:
        more = ", ..." if len(others) > _SHOWN else ""
        logger.warning(
            "%s: %d files that are no audio are passed over (%s%s)",
            folder, len(others), ", ".join(others[:_SHOWN]), more,
        )  # fmt: skip
    if not n_found:
        yield Input(folder, Path("unnamed"), f"{folder!r} is a folder without audio files")


def _files(folder: str, output: Path | None) -> Iterator[str]:
    """Files at any depth, sorted; what is hidden is none."""

    def complain(error: OSError) -> None:
        logger.warning("%s cannot be looked into: %s", error.filename, error.strerror)

    for place, folders, names in os.walk(folder, onerror=complain):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not (output is not None and _is_same(place, name, output))
        )
        yield from (os.path.join(place, name) for name in sorted(names) if not name.startswith("."))


def _is_same(place: str, name: str, output: Path) -> bool:
    return os.path.realpath(os.path.join(place, name)) == os.path.realpath(output)


def _is_audio(path: str) -> bool:
    """True by the name, or by the first bytes."""
    from gigastt_lab.audio.containers import sniff  # `--help` should not load NumPy

    if not os.path.isfile(path):
        return False  # a pipe in a folder is nobody's recording
    if path.lower().endswith(_SUFFIXES):
        return True
    try:
        with open(path, "rb") as file:
            return sniff(file) in _UNMISTAKABLE
    except (AudioError, OSError):
        return False
