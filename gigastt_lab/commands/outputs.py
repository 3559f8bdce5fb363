"""Names and contents of the files that `transcribe --output` writes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_PARTIAL: Final = ".partial"
_LONGEST_NAME: Final = 255  # bytes, on nearly every file system


def output_names(
    names: Sequence[Path],
    extension: str,
    *,
    longest: int = _LONGEST_NAME,
    is_input: Callable[[Path], bool] = lambda _: False,
) -> list[Path]:
    """A name for each output: the input's stem, its whole name where stems meet, numbered where these do.

    Names that differ in capitals alone meet, for on some file systems they are one.

    Args:
        names: Name of each input, with its place in the folder that it was found in.
        extension: Of the outputs.
        longest: Longest name that the folder takes, in bytes; a longer one is shortened.
        is_input: True of a name that an input has there: no output may take its place.

    >>> names = [Path(name) for name in ("x.wav", "y.wav", "y.mp3", "y.MP3")]
    >>> [path.as_posix() for path in output_names(names, "txt")]
    ['x.txt', 'y.wav.txt', 'y.mp3.txt', 'y.MP3.2.txt']
    """
    stems = Counter(_folded(path.with_name(path.stem)) for path in names)
    taken: set[str] = set()
    found: list[Path] = []
    for path in names:
        base = path.stem if stems[_folded(path.with_name(path.stem))] == 1 else path.name
        name, number = path.with_name(fitted(base, f".{extension}", longest)), 2
        while _folded(name) in taken or is_input(name):
            name, number = path.with_name(fitted(base, f".{number}.{extension}", longest)), number + 1
        taken.add(_folded(name))
        found.append(name)
    return found


def fitted(base: str, ending: str, longest: int = _LONGEST_NAME) -> str:
    """Both as one name of at most `longest` bytes: `base` is cut where it has to be, between characters.

    >>> fitted("запись", ".txt", 10), fitted("запись", ".txt", 255)
    ('зап.txt', 'запись.txt')
    """
    while base and len(os.fsencode(base + ending)) > longest:
        base = base[:-1]
    return base + ending


def longest_name(folder: Path) -> int:
    """Bytes of the longest name that a folder takes."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # a system or a file system that does not say
        return _LONGEST_NAME


def write_whole(path: Path, content: str) -> None:
    """Write a file, as a whole or not at all; its folder is made if it is not there.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(fitted(path.name, _PARTIAL, longest_name(path.parent)))
    try:
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _folded(path: Path) -> str:
    return path.as_posix().casefold()
