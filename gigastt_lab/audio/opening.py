"""Opening of a file that is to be read: a path, the content of a file, or one that is open already."""

from __future__ import annotations

import io
import os
import stat
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

from gigastt_lab.errors import AudioError, AudioNotFoundError

# A path, the content of a file, or a file that is open for reading and can be sought in.
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def name_of(source: Source) -> str:
    """Name of a file in messages: its path, or its number of bytes.

    Raises:
        AudioError: it is no file, or one that is open as text or cannot be sought in.
    """
    if isinstance(source, str | os.PathLike):
        return repr(os.fspath(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return f"{memoryview(source).nbytes} bytes"
    try:
        n_bytes = source.seek(0, os.SEEK_END)
        source.seek(0)
        head: object = source.read(1)
    except (AttributeError, TypeError, ValueError, OSError) as error:
        raise _no_file(source) from error
    if not isinstance(head, bytes):
        raise _no_file(source)
    return f"{n_bytes} bytes"


def _no_file(source: object) -> AudioError:
    return AudioError(
        f"an object of type {type(source).__qualname__} is no file that is read here; give a path, bytes, "
        "or a file that is open as binary and can be sought in; samples to from_array, anything else to "
        "Engine.transcribe"
    )


def opened(source: Source) -> AbstractContextManager[BinaryIO]:
    """The file, open for reading; one that was open before is left open, at any position.

    Raises:
        AudioNotFoundError: no file at this path.
        AudioError: a path of something else than a file, or of one that cannot be opened.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(bytes(source))  # of bytes, neither call makes a copy
    if not isinstance(source, str | os.PathLike):
        return nullcontext(source)
    path = os.fspath(source)
    try:
        # A pipe or a device would block, or never end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise AudioError(f"{path!r} is not a regular file; give the path of an audio file, or its bytes")
        return open(path, "rb")
    except FileNotFoundError as error:
        raise AudioNotFoundError(f"there is no file {path!r}; check the path") from error
    except (OSError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(
            f"{path!r} cannot be opened ({error}); check the path and its permissions"
        ) from error
