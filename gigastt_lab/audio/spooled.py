"""Streams that can be read once (pipes, HTTP responses, sockets), kept so that they can be read as files."""

from __future__ import annotations

import http.client
import inspect
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO, Final, cast

from gigastt_lab.errors import AudioError
from gigastt_lab.runtime.cancellation import check_cancelled

_IN_MEMORY_BYTES: Final = 16 << 20  # what is more goes to a file, which the system deletes
_READ_BYTES: Final = 1 << 20


def spooled(stream: Any, name: str) -> BinaryIO:
    """All that is still to come from `stream`, as a file; in memory while it is small, else on the disk.

    Args:
        stream: Anything with `read`; it is left open.
        name: Name in messages.

    Raises:
        AudioError: it gives no bytes, breaks off, or finds no room.
    """
    kept = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - whoever reads it closes it
    try:
        read = _reader(stream)
        while chunk := bytes_of(read(), name):
            check_cancelled()
            kept.write(chunk)
        _require_whole(stream, name)
    except (OSError, ValueError, http.client.HTTPException) as error:
        kept.close()
        if isinstance(error, AudioError):
            raise
        raise AudioError(f"{name} cannot be read to its end ({error}); give a file, or its bytes") from error
    except BaseException:
        kept.close()
        raise
    kept.seek(0)
    return cast(BinaryIO, kept)


def _reader(stream: Any) -> Callable[[], Any]:
    """A function that gives the next piece; some `read` takes no size, and gives all at once."""
    try:
        parameters = inspect.signature(stream.read).parameters
    except (TypeError, ValueError):  # of C, which says nothing: as files do
        return lambda: stream.read(_READ_BYTES)
    if parameters:
        return lambda: stream.read(_READ_BYTES)
    pieces = iter((stream.read(), b""))
    return lambda: next(pieces)


def bytes_of(piece: Any, name: str) -> bytes:
    """A piece that was read, if it is bytes.

    Raises:
        AudioError: it is text, samples, something to wait for, or nothing yet.
    """
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    if inspect.isawaitable(piece):
        close = getattr(piece, "close", None)
        if close is not None:  # else Python warns that nobody waited for it
            close()
        raise AudioError(f"{name} is read by `await`; give the bytes: await ….read()")
    if isinstance(piece, str):
        raise AudioError(f'{name} gives text; open it as binary: open(path, "rb")')
    if piece is None:
        raise AudioError(
            f"{name} has nothing to read now, as it does not wait; give its bytes when all is there"
        )
    raise AudioError(f"{name} gives {type(piece).__name__} instead of bytes; give a binary file, or bytes")


def _require_whole(stream: Any, name: str) -> None:
    """Refuse an HTTP response of the standard library that ended early: in pieces, it does not say so."""
    left = getattr(stream, "length", None)
    if isinstance(stream, http.client.HTTPResponse) and left:
        raise AudioError(f"{name} ended {left:,} bytes early; fetch it again")
