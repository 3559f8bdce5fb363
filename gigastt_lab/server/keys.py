"""API keys: who may call where there is no proxy that asks, read from a file, compared in constant time."""

from __future__ import annotations

import hmac
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from gigastt_lab.server.option import OptionError

logger = logging.getLogger(__name__)

BEARER: Final = "bearer"  # scheme of the header, and subprotocol of a WebSocket
MIN_LENGTH: Final = 16
_MAX_BYTES: Final = 2**20
# What may stand behind "Bearer". Source: RFC 6750, section 2.1.
_LINE: Final = re.compile(r"(?:(?P<name>[A-Za-z0-9._\-]{1,64})\s*:\s*)?(?P<key>[A-Za-z0-9._~+/\-]+=*)")
_HINT: Final = "`openssl rand -hex 32` makes a good one"


@dataclass(frozen=True)
class _Entry:
    name: str
    digest: bytes


class ApiKeys:
    """Keys of one file. Digests alone are kept, under a secret of this process: no traceback has a key."""

    def __init__(self, named: Iterable[tuple[str, str]]) -> None:
        """Take names and keys."""
        self._secret = secrets.token_bytes(32)
        self._entries = tuple(_Entry(name, self._digest(key)) for name, key in named)

    def __len__(self) -> int:
        return len(self._entries)

    def name_of(self, token: str) -> str | None:
        """Name of the key that a client has sent; None: it is none of ours.

        Every key is compared, whichever it was: the time tells nothing of them but their number.
        """
        digest = self._digest(token)
        found = None
        for entry in self._entries:
            if hmac.compare_digest(entry.digest, digest):
                found = entry.name
        return found

    def _digest(self, key: str) -> bytes:
        return hmac.digest(self._secret, key.encode("utf-8", "surrogatepass"), "sha256")


def read_keys(path: str) -> ApiKeys:
    """The keys of a file: one a line, `KEY` or `NAME: KEY`; behind `#` there are comments.

    A file that others than its owner and group may read or change is warned of.

    Raises:
        OptionError: it cannot be read, has no key, or a line that is none; never with the key itself.
    """
    try:
        content = _content(path)
    except OSError as error:
        raise OptionError(f"--api-key-file {path} cannot be read: {error.strerror or error}") from error
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:  # not its cause: a traceback would show what the file holds
        raise OptionError(f"--api-key-file {path} is no UTF-8; keys are ASCII, one a line") from None
    named = list(_parsed(lines, path))
    if not named:
        raise OptionError(f"--api-key-file {path} has no key; write one a line: {_HINT}")
    return ApiKeys(named)


def bearer_token(authorization: Sequence[str], subprotocols: Sequence[str]) -> str | None:
    """The key that a request brings along, whether right or not; None: it brings none.

    Args:
        authorization: Its Authorization headers. One of another scheme is somebody else's.
        subprotocols: Subprotocols that a WebSocket offers, as browsers cannot set its headers: "bearer", then
            the key, percent-encoded where it has characters that no subprotocol has.

    >>> bearer_token(["Bearer abc"], []), bearer_token(["Basic eA=="], ["bearer", "a%2Fb"])
    ('abc', 'a/b')
    """
    tokens = [value.partition(" ") for value in authorization]
    given = [token.strip() for scheme, _, token in tokens if scheme.lower() == BEARER]
    if not given and BEARER in subprotocols[:-1]:
        given = [unquote(subprotocols[subprotocols.index(BEARER) + 1])]
    return given[0] if len(given) == 1 else None


def _content(path: str) -> bytes:
    # A FIFO without a writer would hold the server for ever; and it could not be read again.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError("it is no regular file; SIGHUP has to be able to read it again")
        if state.st_size > _MAX_BYTES:
            raise OSError(f"it is larger than {_MAX_BYTES} bytes")
        if os.name == "posix" and state.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            logger.warning("others may read or change the API keys in %s; chmod 600 keeps them secret", path)
        return file.read(_MAX_BYTES)


def _parsed(lines: Sequence[str], path: str) -> Iterator[tuple[str, str]]:
    """Names and keys; one without a name is called by its line."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        text = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not text:
            continue
        where = f"--api-key-file {path}, line {number}"
        found = _LINE.fullmatch(text)
        if found is None:
            raise OptionError(
                f"{where} is no key; give KEY, or NAME: KEY, of ASCII letters, digits, -._~+/ and a final ="
            )
        key = found["key"]
        if len(key) < MIN_LENGTH:
            raise OptionError(
                f"{where} is a key of {len(key)} characters; give {MIN_LENGTH} or more: {_HINT}"
            )
        if key in seen:
            raise OptionError(f"{where} has the same key as line {seen[key]}; give everybody their own")
        seen[key] = number
        yield found["name"] or f"line {number}", key
