"""Folder of the jobs: one server's at a time, readable for its user alone; the recordings that wait in it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, TypeVar, cast

from gigastt_lab.server.jobs.database import unusable
from gigastt_lab.server.option import OptionError

_DATABASE: Final = "jobs.sqlite3"
_LOCK: Final = ".lock"
_UPLOADS: Final = "uploads"
# Nothing else in it is touched: somebody may have named a folder with uploads of another kind.
_RECORDING: Final = re.compile(r"[A-Za-z0-9_-]{22}\.audio")

_Made = TypeVar("_Made")


class Folder:
    """Folder of one server's jobs: `jobs.sqlite3`, and in `uploads` the recordings of jobs that wait.

    Attributes:
        database: Path of the database.
    """

    def __init__(self, path: Path) -> None:
        """Make it where it is missing, and lock it.

        Raises:
            OptionError: it cannot be used, or another server uses it.
        """
        from filelock import FileLock, Timeout

        self._uploads = path / _UPLOADS
        self.database = path / _DATABASE
        self._lock = FileLock(path / _LOCK, mode=0o600)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._uploads.mkdir(mode=0o700, exist_ok=True)
            self._lock.acquire(timeout=0)
            try:
                self._try_out()
            except BaseException:
                self._lock.release()
                raise
        except Timeout as error:
            raise OptionError(
                f"--jobs-dir {path} is another server's, which is running; give each its own"
            ) from error
        except OSError as error:
            raise OptionError(
                f"--jobs-dir {path} cannot be used: {error.strerror or error}; give a directory in which the "
                "server may make files"
            ) from error

    def close(self) -> None:
        """Let another server have it."""
        self._lock.release()

    def free_bytes(self) -> int:
        """Bytes that its disk has left."""
        return shutil.disk_usage(self._uploads).free

    def recording(self, job_id: str) -> Path:
        """Path of a job's recording."""
        return self._uploads / f"{job_id}.audio"

    def new(self, job_id: str) -> BinaryIO:
        """The file of a new job's recording, empty, for writing and reading.

        Raises:
            OSError: it cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return cast(BinaryIO, os.fdopen(os.open(self.recording(job_id), flags, 0o600), "w+b"))

    def keep(self, file: BinaryIO) -> None:
        """Bring a recording to the disk, with its name: it survives the loss of power.

        Raises:
            OSError: it cannot be written.
        """
        file.flush()
        os.fsync(file.fileno())
        if os.name == "posix":  # elsewhere a folder cannot be opened
            descriptor = os.open(self._uploads, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def discard(self, job_id: str) -> None:
        """Delete a job's recording, if it is there."""
        with suppress(OSError):  # it will be found by the sweep of the next start
            self.recording(job_id).unlink(missing_ok=True)

    def sweep(self, needed: Set[str]) -> int:
        """Delete recordings that no job needs, of uploads that a crash cut off; how many there were."""
        swept = 0
        for path in self._uploads.iterdir():
            if _RECORDING.fullmatch(path.name) and path.name.partition(".")[0] not in needed:
                path.unlink(missing_ok=True)
                swept += 1
        return swept

    def _try_out(self) -> None:
        """Raise `OSError` where no recording could be kept here."""
        probe = self._uploads / f"probe-{os.getpid()}"
        with probe.open("xb") as file:
            file.write(b"0")
        probe.unlink()


def opened(path: Path, make: Callable[[Folder], _Made]) -> _Made:
    """Result of `make` for the folder, which is free again where that fails.

    Raises:
        OptionError: as `Folder`; or the database cannot be opened.
    """
    folder = Folder(path)
    try:
        return make(folder)
    except OSError as error:
        folder.close()
        raise OptionError(f"--jobs-dir {path} cannot be used: {error.strerror or error}") from error
    except sqlite3.Error as error:
        folder.close()
        raise unusable(folder.database, error) from error
    except BaseException:
        folder.close()
        raise
