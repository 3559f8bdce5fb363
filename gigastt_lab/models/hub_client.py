"""Requests to the Hugging Face Hub through its own client, whichever version of it is installed.

Session, headers, endpoint, token, timeouts and offline mode are those of `huggingface_hub`. It is built on
requests before its version 1.0, on httpx from there on (2.x: httpx2): what differs stays in this file.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

_CHUNK_BYTES: Final = 1 << 16  # what a cut connection loses at most
# Names of requests' and httpx' exceptions that come back however often one tries.
_HOPELESS: Final = (
    "InvalidURL", "MissingSchema", "InvalidSchema", "UnsupportedProtocol", "LocalProtocolError",
    "TooManyRedirects",
)  # fmt: skip
_NO_NETWORK: Final = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


class Answer(Protocol):
    """An answer of requests or of httpx: what they have in common."""

    status_code: int
    headers: Mapping[str, str]


class TemporaryError(Exception):
    """A failure that another attempt may heal.

    Attributes:
        retry_after_s: The pause that the Hub asks for, in seconds.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class NoConnectionError(TemporaryError):
    """No server was reached: no network, no such name, or nobody who listens."""


class HopelessError(Exception):
    """A failure that stays until the user changes something; the message says what."""


class TokenError(Exception):
    """A token that cannot be sent."""


def check_settings() -> None:
    """Load the client, and look at what the environment says of it.

    Raises:
        HopelessError: it cannot work so; the message names the variable to check.
    """
    try:
        from huggingface_hub import constants, utils  # noqa: F401 - whether it loads
    except (ValueError, OSError) as error:
        given = [name for name in sorted(os.environ) if name.startswith(("HF_", "HUGGING"))]
        raise HopelessError(
            f"the Hub's client cannot be loaded ({error}); check {', '.join(given) or 'its installation'}"
        ) from error
    try:
        address = urlsplit(_endpoint())
        _ = address.port  # a wrong one shows only here
        (address.hostname or "").encode("idna")
    except ValueError as error:
        raise HopelessError(f"the Hub's address cannot be used ({error}); check HF_ENDPOINT") from error
    if constants.HF_HUB_DOWNLOAD_TIMEOUT <= 0:
        raise HopelessError("HF_HUB_DOWNLOAD_TIMEOUT is not above 0; give it some seconds, or unset it")


def _endpoint() -> str:
    """Address of the Hub; an empty `HF_ENDPOINT` names no mirror."""
    from huggingface_hub import constants

    return constants.ENDPOINT or "https://huggingface.co"


def file_url(repository: str, revision: str, name: str) -> str:
    """Address of a file, on the mirror `HF_ENDPOINT` if there is one."""
    return f"{_endpoint()}/{repository}/resolve/{revision}/{quote(name)}"


@contextmanager
def get(url: str, start: int) -> Iterator[tuple[Answer, Iterator[bytes]]]:
    """Ask for `url` from byte `start` on: the answer, whatever its status, and its body.

    Raises:
        NoConnectionError: nobody was reached.
        TemporaryError: the connection was cut.
        HopelessError: offline mode, an address, proxy or certificate that cannot work.
        TokenError: the token cannot be sent.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    library: Any = sys.modules[HfHubHTTPError.__bases__[0].__module__.partition(".")[0]]
    is_requests = hasattr(library, "RequestException")
    failures = (library.RequestException,) if is_requests else (library.HTTPError, library.InvalidURL)
    session = _session()
    options = {"headers": _headers(start), "timeout": constants.HF_HUB_DOWNLOAD_TIMEOUT}
    try:
        if is_requests:
            with session.get(url, stream=True, **options) as answer:
                yield answer, answer.iter_content(_CHUNK_BYTES)
        else:
            with session.stream("GET", url, follow_redirects=True, **options) as answer:
                yield answer, answer.iter_bytes()
    except OfflineModeIsEnabled as error:
        raise HopelessError("offline mode is on (HF_HUB_OFFLINE); unset it to download") from error
    except failures as error:
        reason = f"{type(error).__name__}: {str(error) or 'no details'}"
        if _is_about_a_certificate(error):
            raise HopelessError(
                f"the certificate cannot be verified ({reason}); where a proxy opens the traffic, name its "
                "certificate in SSL_CERT_FILE and REQUESTS_CA_BUNDLE"
            ) from error
        if type(error).__name__ in _HOPELESS:
            raise HopelessError(f"{reason}; check HF_ENDPOINT and the proxy (HTTPS_PROXY)") from error
        raise (NoConnectionError if _reached_nobody(error) else TemporaryError)(reason) from error
    except ValueError as error:  # of a host's name; neither library makes one of its own errors of it
        if not isinstance(error, UnicodeError) and type(error).__name__ != "LocationParseError":
            raise  # of whoever reads the answer
        raise HopelessError(
            f"no such host ({error}); check HF_ENDPOINT and the proxy (HTTPS_PROXY)"
        ) from error


def _session() -> Any:
    """The client's session: a `requests.Session` or an `httpx.Client`."""
    from huggingface_hub.utils import get_session

    try:
        return get_session()
    except (ImportError, ValueError) as error:  # httpx reads the proxies of the environment here
        raise HopelessError(f"the proxy cannot be used: {error}; check HTTPS_PROXY and ALL_PROXY") from error
    except OSError as error:  # and the certificates
        raise HopelessError(f"the certificates cannot be read: {error}; check SSL_CERT_FILE") from error


def _headers(start: int) -> dict[str, str]:
    """The client's own headers, its token among them, and the range."""
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers

    try:
        headers = dict(build_hf_headers(library_name="gigastt-lab"))
    except (ValueError, OSError) as error:
        # Nothing of the error's text: it may quote the token.
        raise TokenError(
            f"the token of the Hub's login cannot be read ({type(error).__name__}): check the file "
            f"{constants.HF_TOKEN_PATH} (HF_TOKEN_PATH, HF_HOME), or set HF_TOKEN"
        ) from None
    token = headers.get("authorization", "")
    if not (token.isascii() and token.isprintable()):  # checked here: the libraries quote it in their errors
        raise TokenError("the token in HF_TOKEN, or of the Hub's login, holds characters that no token has")
    headers["Accept-Encoding"] = "identity"  # a compressed body cannot be resumed
    if start:
        headers["Range"] = f"bytes={start}-"
    return headers


def _is_about_a_certificate(error: BaseException) -> bool:
    return any(
        isinstance(each, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(each)
        for each in _with_causes(error)
    )


def _reached_nobody(error: BaseException) -> bool:
    """True of a name that is not resolved, a connection that is refused, and one that nobody answers."""
    return any(
        isinstance(each, socket.gaierror)
        or (isinstance(each, OSError) and each.errno in _NO_NETWORK)
        or type(each).__name__ in {"ConnectTimeout", "ConnectTimeoutError"}  # both libraries'
        for each in _with_causes(error)
    )


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that it came from; urllib3 keeps that in an attribute, too."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
