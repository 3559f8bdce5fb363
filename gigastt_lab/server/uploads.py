"""Uploads, bodies of requests: counted while they come, beyond 256 KiB on disk, raw or as a form."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from gigastt_lab.audio.containers import sniff
from gigastt_lab.audio.raw import RawAudio, raw_or_file
from gigastt_lab.server.errors import BAD_REQUEST, PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, ApiError
from gigastt_lab.server.work import ClientGoneError

_IN_MEMORY_BYTES: Final = 2**18  # of each request: a short utterance needs no disk, and many may wait
_MAX_FIELDS: Final = 64
_FORM = "multipart/form-data"


@dataclass(frozen=True)
class Upload:
    """Upload of a client.

    Attributes:
        file: The audio, at its start; closed by `received`.
        fields: Fields of a form, besides the file: names and values, in order.
        raw: Raw audio that the content type states; None: the file says itself what it is.
    """

    file: BinaryIO
    fields: tuple[tuple[str, str], ...] = ()
    raw: RawAudio | None = None


@asynccontextmanager
async def received(
    request: Request, *, limit_bytes: int, timeout_s: float, form_only: bool = False
) -> AsyncIterator[Upload]:
    """The audio of a request: its body, or the field `file` of a form.

    Args:
        request: Request of whose body nothing was read.
        limit_bytes: Largest body; a larger one is refused when this point is reached, whatever its
            Content-Length says.
        timeout_s: Longest pause within the body, in seconds.
        form_only: True refuses a raw body.

    Raises:
        ApiError: `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`, or `BAD_REQUEST`: nothing, or no form.
        AudioError: the first bytes are of no audio file; so it needs not wait for a permit.
        ClientGoneError: the client hung up before the end.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit_bytes:
        raise _too_large(limit_bytes)
    counted = CountedBody(request, limit_bytes, timeout_s)
    is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    if form_only and not is_form:
        raise ApiError(
            BAD_REQUEST, f"The body has to be a form ({_FORM}) with the audio in its field `file`."
        )
    if is_form:
        form = await _form(Request(request.scope, counted.receive))
        try:
            yield _checked(_of_form(form), _type_of(form))
        finally:
            await form.close()
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        async for chunk in counted.chunks():
            file.write(chunk)
        if not counted.n_bytes:
            raise ApiError(BAD_REQUEST, "The body is empty; send the content of an audio file.")
        yield _checked(Upload(cast(BinaryIO, file)), request.headers.get("content-type", ""))


def _checked(upload: Upload, content_type: str) -> Upload:
    """The upload, as the raw audio that its type states, or else told from its bytes."""
    upload.file.seek(0)
    raw = raw_or_file(content_type, upload.file.read(16))
    upload.file.seek(0)
    if raw is None:
        sniff(upload.file)
    return replace(upload, raw=raw)


def _type_of(form: FormData) -> str:
    uploaded = form.get("file")
    return (uploaded.content_type or "") if isinstance(uploaded, UploadFile) else ""


class CountedBody:
    """The messages of a request, which raise where its body grows too large or stops coming."""

    def __init__(self, request: Request, limit_bytes: int, timeout_s: float) -> None:
        self.n_bytes = 0
        self._receive = request.receive
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s

    async def receive(self) -> Message:
        """See ASGI; raises `ApiError` or `ClientGoneError`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                message = await self._receive()
        except TimeoutError as error:
            raise ApiError(REQUEST_TIMEOUT) from error
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        return message

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes."""
        while True:
            message = await self.receive()
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=2**16)
    except (HTTPException, ValueError) as error:  # so Starlette and its parser call what is no form
        raise ApiError(BAD_REQUEST, "The form cannot be read; send one file and a few fields.") from error


def _of_form(form: FormData) -> Upload:
    uploaded = form.get("file")
    if not isinstance(uploaded, UploadFile):
        raise ApiError(
            BAD_REQUEST, "The form has no file in its field `file`; send the audio there.", param="file"
        )
    if not uploaded.size:
        raise ApiError(BAD_REQUEST, "The file is empty; send the content of an audio file.", param="file")
    fields = tuple((name, value) for name, value in form.multi_items() if isinstance(value, str))
    return Upload(uploaded.file, fields)


def _too_large(limit_bytes: int) -> ApiError:
    return ApiError(PAYLOAD_TOO_LARGE, f"The body is larger than {limit_bytes} bytes, the server's limit.")
