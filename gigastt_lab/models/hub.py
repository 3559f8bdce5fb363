"""Download of one file of the Hugging Face Hub: resumed, retried, with errors that say what to do.

The client's own `hf_hub_download` does not do: from its version 1.x on it throws partial files away, and it
waits for as long as a `Retry-After` says.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from io import FileIO
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gigastt_lab.errors import (
    ChecksumError,
    DownloadError,
    HubMissingError,
    HubRefusedError,
    HubUnreachableError,
)
from gigastt_lab.models.hub_client import (
    Answer,
    HopelessError,
    NoConnectionError,
    TemporaryError,
    TokenError,
    check_settings,
    file_url,
    get,
)
from gigastt_lab.models.registry import ModelFile
from gigastt_lab.models.storage import writing_to

logger = logging.getLogger(__name__)

_PROGRESS_BYTES: Final = 1 << 20  # an attempt that brought less counts as fruitless
_REFUSED, _MISSING, _BAD_RANGE = (401, 403, 451), (404, 410), 416
_BUSY = (408, 425, 429)  # and every 5xx


@dataclass(frozen=True)
class Retries:
    """Retry limits for failures that may heal: no connection, a cut one, 408, 425, 429, 5xx.

    Attributes:
        attempts: Attempts in a row that bring less than 1 MiB, before it is an error.
        first_wait_s: Pause, in s, after the first attempt; each next one is twice as long.
        max_wait_s: Longest pause, in s, that we choose ourselves.
        max_retry_after_s: Longest pause, in s, that the Hub may ask for; a longer one is an error at once.
    """

    attempts: int = 5
    first_wait_s: float = 1.0
    max_wait_s: float = 16.0
    max_retry_after_s: float = 120.0


DEFAULT_RETRIES: Final = Retries()


@dataclass(frozen=True)
class HubFile:
    """A file on the Hub.

    Attributes:
        repository: ``owner/name``.
        revision: Commit of the repository.
        file: Name, size and checksum of the file.
        directory: The model directory that it is for.
    """

    repository: str
    revision: str
    file: ModelFile
    directory: Path

    @property
    def url(self) -> str:
        """Address of the file."""
        return file_url(self.repository, self.revision, self.file.name)

    def error(self, kind: type[DownloadError], text: str) -> DownloadError:
        """An error about this file that ends with how to get along without the Hub."""
        return kind(f"{text}. {without_the_hub(self.url, self.directory)}")


def without_the_hub(what: str, directory: Path) -> str:
    """Advice for who has no Hub; `what` is that which would have to be put into `directory`."""
    return (
        "Without the Hub: take the small packaged model (--model demo); name a directory that holds the "
        f"model already (--model-dir); or put {what} into {directory} by hand"
    )


def check_client(directory: Path) -> None:
    """Check that the Hub's client can work as it is configured, before anything is done for `directory`.

    Raises:
        HubUnreachableError: it cannot; the message names the variable to check.
    """
    try:
        check_settings()
    except HopelessError as error:
        raise HubUnreachableError(f"{error}. {without_the_hub('the files', directory)}") from error


def fetch(
    source: HubFile,
    part: Path,
    *,
    retries: Retries = DEFAULT_RETRIES,
    report: Callable[[int], object] = int,
    was_reached: bool = True,
) -> int:
    """Complete `part` until it is as long as the file; bytes that it has are not asked for again.

    Args:
        source: File to fetch.
        part: File to write to; its directory is there, and it is not longer than the file.
        retries: Attempts and pauses after failures that may heal.
        report: Called with each number of bytes that arrived; a negative one takes bytes back.
        was_reached: True if the Hub has answered before: then a connection that fails may heal. Else who is
            offline need not wait for attempts that all fail.

    Returns:
        Number of answers that brought bytes.

    Raises:
        HubUnreachableError: no usable answer, after all `retries`, or in offline mode.
        HubRefusedError: the Hub wants another token.
        HubMissingError: there is no such file.
        ChecksumError: what is there has another size.
        DiskFullError: no space left.
        DirectoryNotWritableError: `part` cannot be written.
    """
    size, fruitless, n_answers = source.file.size, 0, 0
    while (start := _size(part)) != size:
        try:
            _receive(source, part, start, report)
            n_answers += 1
        except TemporaryError as error:
            if isinstance(error, NoConnectionError) and not (was_reached or n_answers):
                raise _no_connection(source, error) from error
            was_reached = was_reached or not isinstance(error, NoConnectionError)
            n_answers += _size(part) != start
            fruitless = 1 if _size(part) - start >= _PROGRESS_BYTES else fruitless + 1
            wait_s = min(retries.first_wait_s * 2 ** (fruitless - 1), retries.max_wait_s)
            asked_s = error.retry_after_s or 0.0
            if fruitless >= retries.attempts or asked_s > retries.max_retry_after_s:
                raise _unreachable(source, error, fruitless) from error
            wait_s = max(wait_s, asked_s)
            logger.info("%s: %s; trying again in %.0f s", source.file.name, error, wait_s)
            time.sleep(wait_s)
        except TokenError as error:
            raise source.error(HubRefusedError, str(error)) from None  # what it came from quotes the token
        except HopelessError as error:
            raise source.error(HubUnreachableError, f"{source.url}: {error}") from error
    return n_answers


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _receive(source: HubFile, part: Path, start: int, report: Callable[[int], object]) -> None:
    """Send one request, from byte `start` on; raises `TemporaryError` where another may do better."""
    size = source.file.size
    with get(source.url, start) as (answer, chunks):
        _check_status(source, answer)
        begins = _first_byte(source, answer, start)
        with writing_to(source.directory):
            output = part.open("ab", buffering=0)
        with output:
            if begins != start:  # the server takes no ranges, and sends the whole
                with writing_to(source.directory):
                    output.truncate(0)
                report(-start)
                start = 0
            for chunk in chunks:
                start += len(chunk)
                if start > size:
                    raise _wrong_size(source, "more")
                with writing_to(source.directory):
                    _write(output, chunk)
                report(len(chunk))
    if start < size:
        raise TemporaryError(f"the connection was cut after {start:,} of {size:,} bytes")


def _write(output: FileIO, chunk: bytes) -> None:
    unwritten = memoryview(chunk)
    while unwritten:  # without a buffer, a write may be short
        unwritten = unwritten[output.write(unwritten) :]


def _check_status(source: HubFile, answer: Answer) -> None:
    status = answer.status_code
    if status in (200, 206):
        return
    said = answer.headers.get("X-Error-Message")
    reason = f"{status} ({said})" if said else str(status)
    if status in _REFUSED:
        raise source.error(
            HubRefusedError,
            f"the Hub refuses {source.url}: {reason}. Set HF_TOKEN to a token that may read "
            f"{source.repository}, or unset a wrong one; accept the terms of a gated repository on its page "
            "first; a repository that does not exist is refused as well",
        )
    if status in _MISSING:
        raise source.error(
            HubMissingError,
            f"the Hub does not have {source.url}: {reason}. A mirror (HF_ENDPOINT) may lack the "
            "repository or this revision; else it was removed, and a newer version of this program may know "
            "another",
        )
    if status == _BAD_RANGE:
        raise _wrong_size(source, "fewer")
    if status in _BUSY or status >= 500:
        raise TemporaryError(f"the Hub answers {reason}", _retry_after_s(answer.headers.get("Retry-After")))
    raise HopelessError(f"the answer is {reason}; check HF_ENDPOINT and the proxy (HTTPS_PROXY)")


def _retry_after_s(header: str | None) -> float | None:
    """Seconds that a `Retry-After` asks for, given as seconds or as a date.

    >>> _retry_after_s("7"), _retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT"), _retry_after_s("soon")
    (7.0, 0.0, None)
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _first_byte(source: HubFile, answer: Answer, start: int) -> int:
    """The first byte that a good answer holds: `start`, or 0 where the server takes no ranges.

    Only an answer that declares the right length is taken for the whole file: with any other, a proxy or
    a login page may have answered, which must not cost the bytes that are there already.
    """
    size = source.file.size
    if answer.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != start:
            raise TemporaryError("the Hub sent another range than it was asked for")
        if match[2] not in ("*", str(size)):
            raise _wrong_size(source, f"{int(match[2]):,}")
        return start
    declared = answer.headers.get("Content-Length", "")
    if declared.isdecimal() and "Content-Encoding" not in answer.headers:  # else the length of another thing
        if int(declared) == size:
            return 0
        if start == 0:
            raise _wrong_size(source, f"{int(declared):,}")
    raise TemporaryError(
        f"the answer is not declared to be the {size:,} bytes of the file; "
        "a proxy or a login page may have answered instead of the Hub"
    )


def _wrong_size(source: HubFile, found: str) -> DownloadError:
    return source.error(
        ChecksumError,
        f"{source.url} holds {found} bytes instead of {source.file.size:,}: a proxy or a login page may have "
        "answered instead of the Hub, or a mirror (HF_ENDPOINT) that differs",
    )


def _no_connection(source: HubFile, error: TemporaryError) -> DownloadError:
    return HubUnreachableError(
        f"no connection to {urlsplit(source.url).hostname} ({error}). "
        f"{without_the_hub(source.url, source.directory)}. With a network: check the proxy (HTTPS_PROXY), or "
        "name a mirror (HF_ENDPOINT)"
    )


def _unreachable(source: HubFile, error: TemporaryError, attempts: int) -> DownloadError:
    asked = "" if error.retry_after_s is None else f", and asks for a pause of {error.retry_after_s:.0f} s"
    return source.error(
        HubUnreachableError,
        f"{source.url} gave no usable answer in {attempts} attempt{'s' * (attempts > 1)}: {error}{asked}. "
        "Check the connection and the proxy (HTTPS_PROXY), try later, or name a mirror (HF_ENDPOINT)",
    )
