"""What is made of a model for the machine at hand, kept on disk, so that each is made once.

An entry belongs to the files it was made of (by checksum), to one processor (by its instruction sets), to one
version of ONNX Runtime and to one of this code.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

import onnxruntime as ort

from gigastt_lab.errors import GigasttError, ModelError
from gigastt_lab.storage import sha256_of

logger = logging.getLogger(__name__)

Kind = Literal["encoders", "heads"]
Loaded = TypeVar("Loaded")

VARIABLE: Final = "GIGASTT_LAB_CACHE"

# To be raised whenever something made here would come out otherwise than before.
_VERSION: Final = 1
# Entries of a kind that are kept, the last used ones: FP32 and INT8 of two models. An encoder of GigaAM's
# takes 1.7 and 0.45 GB, a head 14 MB.
_N_KEPT: Final = 4


class NotPreparedError(GigasttError):
    """Something could not be prepared, or what was prepared is damaged; the model runs as it is."""


def prepared(
    kind: Kind, files: Sequence[Path], make: Callable[[Path], None], load: Callable[[Path], Loaded]
) -> Loaded:
    """What `load` gives of the directory that `make` has filled, once; where it cannot be kept, every time.

    Args:
        kind: What is made.
        files: What it is made of.
        make: Fills a new directory, or leaves it empty: there is nothing to prepare.
        load: Loads what is in it.

    Raises:
        NotPreparedError: `load` finds it damaged; the next time it is made again.
    """
    try:
        folder = entry(kind, files, make, cache_directory())
        try:
            return load(folder)
        except ModelError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise NotPreparedError(f"{folder} was damaged, and is made again next time ({error})") from error
    except OSError as error:
        logger.warning(
            "what was prepared of %s cannot be kept (%s), and is made again at every start: "
            "name a directory that can be written in %s",
            files[0], error, VARIABLE,
        )  # fmt: skip
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:  # files that are mapped may go
        make(Path(name))
        return load(Path(name))


def cache_directory() -> Path:
    """Where entries are kept: ``GIGASTT_LAB_CACHE``, else ``gigastt_lab`` in the user's cache directory."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "gigastt_lab"


def entry(kind: Kind, files: Sequence[Path], make: Callable[[Path], None], directory: Path) -> Path:
    """The directory of what is made of `files`, made where it is not there yet.

    Args:
        kind: What is made.
        files: What it is made of.
        make: Fills a new directory, or leaves it empty.
        directory: The cache, see `cache_directory`.

    Raises:
        OSError: the cache cannot be written; or a file cannot be read.
    """
    entries = directory / kind
    found = entries / _key(*(_sha256(path, directory) for path in files), "cpu")
    if not found.is_dir():
        from filelock import FileLock  # noqa: PLC0415 - only where an entry is made

        entries.mkdir(parents=True, exist_ok=True)
        with FileLock(entries / ".lock"):
            if not found.is_dir():  # made while this one waited
                _make(found, make)
                _forget_oldest(entries)
    try:
        os.utime(found)  # used now
    except OSError:  # a cache that is only read
        logger.debug("%s: its time of use cannot be noted", found)
    return found


def noted_here(what: str, find_out: Callable[[], str]) -> str:
    """What `find_out` found out about this processor under this version of ONNX Runtime, once."""
    return _noted(cache_directory() / "notes" / _key(what), find_out)


def _make(target: Path, make: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as folder:
        made = Path(folder) / target.name
        made.mkdir()
        make(made)
        made.replace(target)


def _forget_oldest(entries: Path) -> None:
    """Delete all but the entries used last. A process that runs one keeps its mapped files."""
    folders = [path for path in entries.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for old in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[_N_KEPT:]:
        logger.info("%s: not used for long, deleted", old)
        shutil.rmtree(old, ignore_errors=True)


def _key(*what: str) -> str:
    """A name for `what` here and now."""
    return _digest(*what, ort.__version__, _processor(), str(_VERSION))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _processor() -> str:
    """What decides how ONNX Runtime packs weights: the instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return platform.machine() + " ".join(sorted(flags.split()))


def _sha256(path: Path, directory: Path) -> str:
    """SHA-256 of a file, remembered by its path, size and times: half a second for 900 MB."""
    status = path.stat()
    identity = _digest(*map(str, (path.resolve(), status.st_size, status.st_mtime_ns, status.st_ino)))
    return _noted(directory / "checksums" / identity, lambda: sha256_of(path))


def _noted(note: Path, find_out: Callable[[], str]) -> str:
    """What the file says; else found out, and written there where that can be."""
    try:
        return note.read_text(encoding="ascii")
    except OSError:
        found = find_out()
    with contextlib.suppress(OSError):  # a cache that is only read may hold the entry all the same
        note.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when whole: another process may be reading.
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False, encoding="ascii") as file:
            file.write(found)
        Path(file.name).replace(note)
    return found
