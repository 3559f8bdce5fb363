"""Requests to the Hugging Face Hub through its own client, whichever version of it is installed.

Session, headers, endpoint, token, timeouts and offline mode are those of `huggingface_hub`. It is built on
requests before its version 1.0, on httpx from there on (2.x: httpx2): what differs stays in this file.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol
from urllib.parse import quote

_CHUNK_BYTES: Final = 1 << 16  # what a cut connection loses at most
# Names of requests' and httpx' exceptions that come back however often one tries.
_HOPELESS: Final = (
    "InvalidURL", "MissingSchema", "InvalidSchema", "UnsupportedProtocol", "LocalProtocolError",
    "TooManyRedirects",
)  # fmt: skip


class Answer(Protocol):
    """What the answers of requests and of httpx have in common."""

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


class HopelessError(Exception):
    """A failure that stays until the user changes something; the message says what."""


class TokenError(Exception):
    """A token that cannot be sent."""


def file_url(repository: str, revision: str, name: str) -> str:
    """Where a file is, on the mirror `HF_ENDPOINT` if there is one."""
    from huggingface_hub import constants  # noqa: PLC0415 - slow to import, and only downloads need it

    return f"{constants.ENDPOINT}/{repository}/resolve/{revision}/{quote(name)}"


@contextmanager
def get(url: str, start: int) -> Iterator[tuple[Answer, Iterator[bytes]]]:
    """Ask for `url` from byte `start` on: the answer, whatever its status, and its body.

    Raises:
        TemporaryError: no connection, or one that was cut.
        HopelessError: offline mode, an address, proxy or certificate that cannot work.
        TokenError: the token cannot be sent.
    """
    from huggingface_hub import constants  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled  # noqa: PLC0415

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
        raise TemporaryError(reason) from error


def _session() -> Any:
    """The client's session: a `requests.Session` or an `httpx.Client`."""
    from huggingface_hub.utils import get_session  # noqa: PLC0415

    try:
        return get_session()
    except (ImportError, ValueError) as error:  # httpx reads the proxies of the environment here
        raise HopelessError(f"the proxy cannot be used: {error}; check HTTPS_PROXY and ALL_PROXY") from error


def _headers(start: int) -> dict[str, str]:
    """The client's own headers, its token among them, and the range."""
    from huggingface_hub.utils import build_hf_headers  # noqa: PLC0415

    headers = dict(build_hf_headers(library_name="gigastt-lab"))
    token = headers.get("authorization", "")
    if not (token.isascii() and token.isprintable()):  # checked here: the libraries quote it in their errors
        raise TokenError("the token in HF_TOKEN, or of the Hub's login, holds characters that no token has")
    headers["Accept-Encoding"] = "identity"  # a compressed body cannot be resumed
    if start:
        headers["Range"] = f"bytes={start}-"
    return headers


def _is_about_a_certificate(error: BaseException | None) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
