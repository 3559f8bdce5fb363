"""Audio files by the names that corpus files give them: as a path, or as a stem to be looked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evaluation.datasets.manifests import AUDIO_SUFFIXES


def at_path(name: str, folders: Sequence[Path]) -> Path | None:
    """The file of a path, relative to the first of the folders where it is one; None where it is none."""
    try:
        return next((folder / name for folder in folders if (folder / name).is_file()), None)
    except (OSError, ValueError):  # too long a name, or a null byte
        return None


def without_suffix(name: str) -> str:
    """Name of a file without the suffix of an audio file, if it has one; ``a.b`` has none.

    >>> without_suffix("a.b.WAV"), without_suffix("a.b")
    ('a.b', 'a.b')
    """
    stem, suffix = os.path.splitext(name)  # pathlib takes ten times as long, and a corpus has a million names
    return stem if suffix.lower() in _SUFFIXES else name


_SUFFIXES: Final = frozenset({*AUDIO_SUFFIXES, ".sph"})
_AUDIO_FOLDERS: Final = frozenset(
    {"audio", "audios", "wav", "wavs", "flac", "mp3", "ogg", "opus", "clips", "recordings", "sound", "sounds"}
)


class Beside:
    """Audio files that lie beside a corpus file, by stem.

    Looked through are the file's folder, the folders in it, and those next to it that are called as folders
    of audio are (TED-LIUM keeps `stm` beside `wav`); of two files of one stem, the one in the nearer folder.
    """

    def __init__(self, path: Path) -> None:
        """Look for audio beside a corpus file."""
        folder = path.parent.absolute()
        beside = [each for each in _folders(folder.parent) if each.name.lower() in _AUDIO_FOLDERS]
        near = [folder, *_folders(folder), *(each for each in beside if each != folder)]
        self._files: dict[str, Path] = {}
        for each in near:
            for file in _audio_files(each):
                self._files.setdefault(file.name, file)
                self._files.setdefault(file.stem, file)

    def find(self, name: str) -> Path | None:
        """The audio file of a name: a file's, with its suffix or not; folders before it are not heeded."""
        bare = Path(name).name
        return self._files.get(bare) or self._files.get(without_suffix(bare))


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    except OSError:  # one that may not be looked into holds nothing for us
        return []


def _audio_files(folder: Path) -> list[Path]:
    try:
        files = [each for each in folder.iterdir() if each.suffix.lower() in AUDIO_SUFFIXES]
    except OSError:
        return []
    order = {suffix: number for number, suffix in enumerate(AUDIO_SUFFIXES)}
    return sorted(files, key=lambda each: (order[each.suffix.lower()], each.name))
