"""A model directory on disk: its lock, its free space, its checksums, and errors that say what to do."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from gigastt_lab.errors import DirectoryNotWritableError, DiskFullError, GigasttError, ModelError
from gigastt_lab.models.files import LOCK_NAME
from gigastt_lab.models.registry import ModelFile

logger = logging.getLogger(__name__)

# "differs" may come from the size alone; "ok" is said only of a checksum that was computed.
FileState = Literal["ok", "differs", "not verified", "missing"]

_GRAPH, _METADATA = 7, 14  # fields of an ONNX file
_VARINT, _BYTES = 0, 2  # kinds of protobuf fields
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
    """State of `file` in `directory`.

    Args:
        file: File as it should be.
        directory: Directory where it should be.
        verify: True computes the checksum; else a file of the right size is "not verified".

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


def require_plain_files(files: Iterable[ModelFile], directory: Path) -> None:
    """Check that in the place of none of `files` there is something else, a directory for example.

    Raises:
        ModelError: there is.
    """
    for file in files:
        path = directory / file.name
        if path.exists() and not path.is_file():
            what = "a directory" if path.is_dir() else "no regular file"
            raise ModelError(
                f"{path} is {what}, in the place of a model file; move it away, or give another "
                "directory (--model-dir)"
            )


def graph_metadata(path: Path) -> dict[str, str]:
    """The metadata of an ONNX file, and a cheap look whether it is one: milliseconds whatever its size.

    Reads the lengths of the outermost fields alone (protobuf: tag, length, content), which must end where the
    file ends. Damage inside a field is not seen.

    Raises:
        ModelError: it is no ONNX graph, or not a whole one.
        OSError: it cannot be read.

    Source: onnx.proto, message ModelProto: 7 is the graph, 14 the metadata, whose 1 is a key and 2 a value.
    """
    metadata: dict[str, str] = {}
    has_graph = False
    with path.open("rb") as file:
        try:
            for number, n_bytes in _fields(file, path.stat().st_size):
                if number == _METADATA:
                    pair = io.BytesIO(file.read(n_bytes))
                    texts = {of: pair.read(length).decode() for of, length in _fields(pair, n_bytes)}
                    metadata[texts[1]] = texts[2]
                has_graph |= number == _GRAPH and n_bytes > 0
        except (ValueError, KeyError) as error:
            raise ModelError(f"{path} is no whole ONNX graph: it is damaged, or of another format") from error
    if not has_graph:
        raise ModelError(f"{path} holds no ONNX graph")
    return metadata


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Number and length of each protobuf field before `end`; `file` stands at its content meanwhile."""
    while (position := file.tell()) < end:
        tag = _varint(file)
        number, kind = tag >> 3, tag & 7
        if number == 0 or kind not in (0, 1, 2, 5):
            raise ValueError(f"no field at byte {position}")
        if kind == _VARINT:
            _varint(file)
            continue
        n_bytes = _varint(file) if kind == _BYTES else {1: 8, 5: 4}[kind]
        after = file.tell() + n_bytes
        if after > end:
            raise ValueError(f"the field at byte {position} is cut")
        yield number, n_bytes
        file.seek(after)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise ValueError("no number")


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Keep other processes, gigastt's among them, from writing into `directory`; wait for one that does.

    The lock is the operating system's (flock): that of a killed process is free.

    Raises:
        DirectoryNotWritableError: the directory cannot be made, or the lock file cannot.
        DiskFullError: there is no room for either.
    """
    from filelock import FileLock, Timeout

    with writing_to(directory):
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / LOCK_NAME)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("another process is writing into %s: waiting", directory)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing_to(directory: Path) -> Iterator[None]:
    """Translate the operating system's errors while something is written into `directory`.

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
                f"{directory}: {reason}; make room there and try again, "
                "or give another directory (--model-dir)"
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
