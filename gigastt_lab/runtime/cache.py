"""Cache on disk of optimised models, and of findings about this processor, so that each is made once.

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
from gigastt_lab.models.storage import sha256_of

logger = logging.getLogger(__name__)

Kind = Literal["encoders", "heads"]
Loaded = TypeVar("Loaded")

VARIABLE: Final = "GIGASTT_LAB_CACHE"

_UNFINISHED: Final = ".partial-"
_END: Final = "\n"  # of a note

# To be raised whenever what is made here would come out otherwise than before.
_VERSIONS: Final[dict[Kind, int]] = {"encoders": 3, "heads": 1}
# Entries of a kind that are kept, the last used ones: FP32 and INT8 of two models, or four heads. An encoder
# of GigaAM's takes 1.7 and 0.45 GB, a head 14 MB.
_N_KEPT: Final = 4
_NOTES_VERSION: Final = "1"  # likewise, of what was found out


class NotPreparedError(GigasttError):
    """Something could not be prepared, or what was prepared is damaged; the model runs as it is."""


def prepared(
    kind: Kind, files: Sequence[Path], make: Callable[[Path], None], load: Callable[[Path], Loaded]
) -> Loaded:
    """Result of `load` on the directory that `make` fills once; where it cannot be kept, every time.

    Args:
        kind: Kind of the entry.
        files: Files that the entry is made of.
        make: Fills a new directory, or leaves it empty: there is nothing to prepare.
        load: Loads the entry from its directory.

    Raises:
        NotPreparedError: a file cannot be read, `load` finds the directory damaged (then it is deleted), or
            nothing can be written anywhere.
        GigasttError: what `make` raises.
    """
    try:
        for path in files:
            path.open("rb").close()
    except OSError as error:
        raise NotPreparedError(f"{path} cannot be read ({error.strerror})") from error
    try:
        return _loaded(load, entry(kind, files, make, cache_directory()))
    except OSError as error:
        logger.warning(
            "what was prepared of %s cannot be kept (%s), and is made again at every start: "
            "name a directory that can be written in %s",
            files[0], error, VARIABLE,
        )  # fmt: skip
    try:
        # Files that are mapped may go.
        with tempfile.TemporaryDirectory(prefix="gigastt-lab-", ignore_cleanup_errors=True) as name:
            make(Path(name))
            return _loaded(load, Path(name))
    except OSError as error:
        raise NotPreparedError(f"nothing can be written, not even for a moment ({error})") from error


def _loaded(load: Callable[[Path], Loaded], folder: Path) -> Loaded:
    try:
        return load(folder)
    except ModelError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotPreparedError(f"{folder} was damaged, and is made again next time") from error


def cache_directory() -> Path:
    """Directory of the cache: ``GIGASTT_LAB_CACHE``, else ``gigastt_lab`` in the user's cache directory.

    Raises:
        OSError: the user has no home.
    """
    if given := os.environ.get(VARIABLE):
        return Path(given)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gigastt_lab"
    except RuntimeError as error:
        raise FileNotFoundError(f"no home directory: {error}") from error


def entry(kind: Kind, files: Sequence[Path], make: Callable[[Path], None], directory: Path) -> Path:
    """Directory of the entry that is made of `files`, made where it is not there yet.

    Args:
        kind: Kind of the entry.
        files: Files that the entry is made of.
        make: Fills a new directory, or leaves it empty.
        directory: Directory of the cache, see `cache_directory`.

    Raises:
        OSError: the cache cannot be written; or a file cannot be read.
    """
    entries = directory / kind
    found = entries / _key(kind, str(_VERSIONS[kind]), *(_sha256(path, directory) for path in files))
    if not found.is_dir():
        from filelock import FileLock

        entries.mkdir(parents=True, exist_ok=True)
        with FileLock(entries / ".lock"):
            if not found.is_dir():  # made while this one waited
                _delete_unfinished(entries)
                _make(found, make)
                _delete_oldest(entries)
    try:
        os.utime(found)  # used now
    except OSError:  # a cache that is only read
        logger.debug("%s: its time of use cannot be noted", found)
    return found


def noted_here(what: str, find_out: Callable[[], str]) -> str:
    """Finding of `find_out` about this processor under this version of ONNX Runtime, made once."""
    try:
        directory = cache_directory()
    except OSError:
        return find_out()
    return _noted(directory / "notes" / _key(what, _NOTES_VERSION), find_out)


def noted_of(path: Path, what: str, find_out: Callable[[], str]) -> str:
    """Finding of `find_out` about the content of a file, made once for every processor.

    Raises:
        OSError: it cannot be read.
    """
    try:
        directory = cache_directory()
    except OSError:
        return find_out()
    note = _digest(what, _NOTES_VERSION, _sha256(path, directory))
    return _noted(directory / "notes" / note, find_out)


def _make(target: Path, make: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=_UNFINISHED) as folder:
        made = Path(folder) / target.name
        made.mkdir()
        make(made)
        for path in made.iterdir():  # a name must not outlive the content when the power fails
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        made.replace(target)


def _delete_unfinished(entries: Path) -> None:
    """Delete what a process that was killed has left; the caller holds the lock."""
    for left in entries.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)


def _delete_oldest(entries: Path) -> None:
    """Keep only the entries used last. A process that runs another one keeps its mapped files."""
    folders = [path for path in entries.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for old in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[_N_KEPT:]:
        logger.info("%s: not used for long, deleted", old)
        shutil.rmtree(old, ignore_errors=True)


def _key(*what: str) -> str:
    """Key of `what` for this processor and this version of ONNX Runtime."""
    return _digest(*what, ort.__version__, _processor())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _processor() -> str:
    """Instruction sets of this processor: they decide how ONNX Runtime packs weights."""
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
    """Finding in the file `note`; else made, and written there where that can be."""
    try:
        text = note.read_text(encoding="ascii")
        if text.endswith(_END):  # else it was never written whole
            return text.removesuffix(_END)
    except (OSError, ValueError):
        pass
    found = find_out()
    with contextlib.suppress(OSError):  # a cache that is only read may hold the entry all the same
        note.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when whole: another process may be reading.
        with tempfile.TemporaryDirectory(dir=note.parent, prefix=_UNFINISHED) as folder:
            whole = Path(folder) / note.name
            whole.write_text(found + _END, encoding="ascii")
            whole.replace(note)
    return found
