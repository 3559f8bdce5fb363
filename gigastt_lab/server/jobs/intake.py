"""Intake of recordings: bodies of requests, written to the jobs' folder as they come, within its budget."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO, Final

from fastapi import Request

from gigastt_lab.audio.containers import sniff
from gigastt_lab.audio.raw import RawAudio, raw_or_file
from gigastt_lab.server.errors import BAD_REQUEST, PAYLOAD_TOO_LARGE, STORAGE_FULL, ApiError
from gigastt_lab.server.jobs.folder import Folder
from gigastt_lab.server.jobs.form import FormFile
from gigastt_lab.server.uploads import CountedBody

logger = logging.getLogger(__name__)

_PIECE_BYTES: Final = 2**20  # so much of an upload is in memory
# Of the disk, for the database: where uploads took all, no job could be ended, and no space be had again.
_SPARE_BYTES: Final = 2**24
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Budget:
    """Bytes that uploads under way have been promised, on top of what jobs hold. For one event loop."""

    def __init__(self, limit: Callable[[], int], held: Callable[[], int], free: Callable[[], int]) -> None:
        """Begin with none promised.

        Args:
            limit: Limit of all bytes, as it is now.
            held: Bytes that jobs hold, as they are now.
            free: Bytes that the disk has left, as they are now.
        """
        self._limit = limit
        self._held = held
        self._free = free
        self._promised = 0

    def promise(self, n_bytes: int) -> None:
        """Promise so many bytes; `take_back` has to follow.

        Raises:
            ApiError: `STORAGE_FULL`.
        """
        promised = self._promised + n_bytes
        if self._held() + promised > self._limit():
            raise storage_full()
        if promised > self._free() - _SPARE_BYTES:
            logger.error("the disk of --jobs-dir is all but full")
            raise storage_full()
        self._promised += n_bytes

    def take_back(self, n_bytes: int) -> None:
        """Take a promise back: the job holds them now, or the upload failed."""
        self._promised -= n_bytes


class Intake:
    """One recording on its way to the disk.

    Attributes:
        n_bytes: Bytes of the recording so far.
        promised: Bytes that were promised to it.
        raw: Raw audio that its content type states, known when it is received; None: it says itself.
    """

    def __init__(self, request: Request, folder: Folder, budget: Budget) -> None:
        self.n_bytes = 0
        self.promised = 0
        self.raw: RawAudio | None = None
        self._content_type = request.headers.get("content-type", "")
        self._request = request
        self._folder = folder
        self._budget = budget

    async def receive(self, job_id: str, *, limit_bytes: int, timeout_s: float) -> None:
        """Write the audio of the request to the folder, and bring it to the disk.

        Args:
            job_id: Id of the job.
            limit_bytes: Largest body.
            timeout_s: Longest pause within the body, in seconds.

        Raises:
            ApiError: too large, too slow, no room, empty, or no form that can be read.
            AudioError: the first bytes are of no audio file.
            ClientGoneError: the client hung up before the end.
        """
        stated = self._request.headers.get("content-length", "")
        n_stated = int(stated) if stated.isdecimal() else 0
        if n_stated > limit_bytes:
            raise ApiError(
                PAYLOAD_TOO_LARGE, f"The body is larger than {limit_bytes} bytes, the limit of a job's."
            )
        self._promise(n_stated)
        body = CountedBody(self._request, limit_bytes, timeout_s)
        try:
            with await asyncio.to_thread(self._folder.new, job_id) as file:
                async for piece in self._pieces(body):
                    self.n_bytes += len(piece)
                    self._promise(self.n_bytes - self.promised)
                    await asyncio.to_thread(file.write, piece)
                await self._check(file)
                await asyncio.to_thread(self._folder.keep, file)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            logger.error("the disk of --jobs-dir is full: %s", error)
            raise storage_full() from error

    def take_back(self) -> None:
        """Take back what was promised."""
        self._budget.take_back(self.promised)
        self.promised = 0

    def _promise(self, n_bytes: int) -> None:
        if n_bytes > 0:
            self._budget.promise(n_bytes)
            self.promised += n_bytes

    async def _check(self, file: BinaryIO) -> None:
        if not self.n_bytes:
            raise ApiError(BAD_REQUEST, "The body is empty; send the content of an audio file.")

        def told() -> RawAudio | None:
            file.seek(0)
            raw = raw_or_file(self._content_type, file.read(16))
            if raw is None:
                sniff(file)
            return raw

        self.raw = await asyncio.to_thread(told)

    async def _pieces(self, body: CountedBody) -> AsyncIterator[bytes]:
        """The audio in pieces of about a megabyte."""
        waiting = bytearray()
        async for data in self._audio(body):
            waiting += data
            if len(waiting) >= _PIECE_BYTES:
                yield bytes(waiting)
                waiting.clear()
        if waiting:
            yield bytes(waiting)

    async def _audio(self, body: CountedBody) -> AsyncIterator[bytes]:
        content_type = self._content_type
        if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
            async for chunk in body.chunks():
                yield chunk
            return
        form = FormFile(content_type)
        async for chunk in body.chunks():
            for data in form.fed(chunk):
                yield data
        form.finish()
        self._content_type = form.content_type


def storage_full() -> ApiError:
    """Error of a job for which there is no room."""
    return ApiError(STORAGE_FULL, retry_after_s=60.0)
