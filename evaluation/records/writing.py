"""A record file while it is being written: by one process at a time, and on disk within a second."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from evaluation.records.files import Header, Record, RecordError, RecordFile, line_of, read, unwritable

_SYNC_INTERVAL_S: Final = 1.0
_SHOWN_DIFFERENCES: Final = 6


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Keep every other process from writing the same file.

    The lock is the operating system's, on ``PATH.lock`` beside the file: that of a killed process is free.
    The empty file stays, since whoever removes it could take it from under another's lock.

    Raises:
        RecordError: another run holds it, or it cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise RecordError(
            f"{path} is being written by another run; wait for it, stop it, or give another file"
        ) from error
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def resume(path: Path) -> RecordFile | None:
    """Record file to go on from, a line that was broken off being cut; None where there is nothing.

    Raises:
        RecordError: something is there, and it is no record file, or cannot be read or written.
    """
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return None
    found = read(path)
    if path.stat().st_size > found.n_bytes:
        try:
            os.truncate(path, found.n_bytes)
        except OSError as error:
            raise unwritable(path, error) from error
    return found


class Appender:
    """Adds records to a file. A context manager.

    What was appended survives the death of the process at once, and a power cut within about a second.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RecordError: it cannot be written.
        """
        self._path = path
        self._synced = time.monotonic()
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise unwritable(path, error) from error

    def append(self, records: Sequence[Record]) -> None:
        """Write records, whole.

        Raises:
            RecordError: there is no room, or the disk is gone. What was written before is good.
        """
        content = memoryview(b"".join(map(line_of, records)))
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
            if time.monotonic() - self._synced > _SYNC_INTERVAL_S:
                os.fsync(self._descriptor)
                self._synced = time.monotonic()
        except OSError as error:
            raise RecordError(
                f"{self._path} cannot be written on ({error.strerror or error}); what is there is good: mend "
                "that and run the same command to go on"
            ) from error

    def __enter__(self) -> Appender:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._descriptor)


def require_same(path: Path, there: Header, here: Header) -> None:
    """Check that a file was begun by a run like this one.

    Args:
        path: Path of the file, for messages.
        there: Header of the file.
        here: The header that this run would write.

    Raises:
        RecordError: they differ in more than when and by which words they were started; the message says in
            what.
    """
    differences = _differences("", there.identity(), _plain(here.identity()))
    if differences:
        more = len(differences) - _SHOWN_DIFFERENCES
        shown = "; ".join(differences[:_SHOWN_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
        raise RecordError(
            f"{path} was begun by another run: {shown}. Give another file (--out), or begin it anew (--fresh)"
        )


def _differences(name: str, there: object, here: object) -> list[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        keys = dict.fromkeys([*there, *here])
        return [line for key in keys for line in _differences(f"{name}.{key}", there.get(key), here.get(key))]
    return [] if there == here else [f"{name.lstrip('.')} is {there!r} there and {here!r} here"]


def _plain(value: Any) -> Any:
    """A value as it comes back from JSON: lists for tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
