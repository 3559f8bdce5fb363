"""A model directory on disk: its lock, its free space, its checksums, and errors that say what to do."""

from __future__ import annotations

import errno
import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gigastt_lab.errors import DirectoryNotWritableError, DiskFullError, GigasttError
from gigastt_lab.files import LOCK_NAME
from gigastt_lab.models import ModelFile

logger = logging.getLogger(__name__)

# "differs" may come from the size alone; "ok" is said only of a checksum that was computed.
FileState = Literal["ok", "differs", "not verified", "missing"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def size_text(n_bytes: int) -> str:
    """A number of bytes for people, in decimal units.

    >>> [size_text(n) for n in (135, 13_354, 2_712_896, 885_084_534)]
    ['135 B', '13 kB', '2.7 MB', '885 MB']
    """
    if n_bytes < 1000:
        return f"{n_bytes} B"
    value, unit = (n_bytes / 1e3, "kB") if n_bytes < 1e6 else (n_bytes / 1e6, "MB")
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits. About a second for 900 MB.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_state(file: ModelFile, directory: Path, *, verify: bool) -> FileState:
    """What is known of `file` in `directory`.

    Args:
        file: As it should be.
        directory: Where it should be.
        verify: Compute the checksum. Without, a file of the right size is "not verified".

    Raises:
        OSError: it is there and cannot be read.
    """
    path = directory / file.name
    if not path.exists():
        return "missing"
    if not path.is_file() or path.stat().st_size != file.size:
        return "differs"
    if not verify:
        return "not verified"
    return "ok" if sha256_of(path) == file.sha256 else "differs"


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Keep other processes, gigastt's among them, from downloading into `directory`; wait for one that does.

    The lock is the operating system's (flock): that of a killed process is free.

    Raises:
        DirectoryNotWritableError: the directory cannot be made, or the lock file cannot.
        DiskFullError: there is no room for either.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only downloads need it

    with writing_to(directory):
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / LOCK_NAME)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("another process is downloading into %s: waiting for it", directory)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing_to(directory: Path) -> Iterator[None]:
    """Translate what the operating system says while something is written into `directory`.

    Raises:
        DiskFullError: no space, quota or permitted file size is left.
        DirectoryNotWritableError: any other reason.
    """
    try:
        yield
    except GigasttError:
        raise  # some of ours are OSErrors, too
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _NO_ROOM:
            raise DiskFullError(
                f"{directory}: {reason}; make room there, or give another directory (--model-dir); "
                "the next attempt goes on from what is there already"
            ) from error
        raise DirectoryNotWritableError(
            f"{directory} cannot be written to ({reason}); make it writable, or give another (--model-dir)"
        ) from error


def require_space(directory: Path, n_bytes: int) -> None:
    """Check that `n_bytes` more fit into `directory`, before rather than after minutes of downloading.

    Raises:
        DiskFullError: they do not.
    """
    free = shutil.disk_usage(directory).free
    if free < n_bytes:
        raise DiskFullError(
            f"{directory} has {size_text(free)} free, and {size_text(n_bytes)} are to be downloaded; "
            "make room there, or give another directory (--model-dir)"
        )
