"""Errors as OpenAI's clients read them: an object under `error`, beside the fields that every error has.

Source: OpenAI API reference, "Errors"; its Python and JavaScript clients, which take message, type, param and
code from that object, and from nowhere else.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import Scope

from gigastt_lab.server.errors import ApiError

_PATHS: Final = ("/v1/audio/", "/v1/models/")  # OpenAI's, and not gigastt's
_SENT_BY_CLIENTS: Final = "x-stainless-lang"  # by OpenAI's own, in every language
_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def is_for_openai(scope: Scope) -> bool:
    """True if an error of this request is to have OpenAI's shape: by its path, or by who asks."""
    return scope["path"].startswith(_PATHS) or _SENT_BY_CLIENTS in Headers(scope=scope)


def content_for(scope: Scope, error: ApiError) -> dict[str, Any]:
    """The body of an error's answer, in the shape that the client of this request reads.

    `code` and `message` are at the top in either shape.
    """
    return as_openai(error) if is_for_openai(scope) else error.content


def missing_route(scope: Scope) -> str:
    """A hint for an OpenAI client whose base URL lacks "/v1"; "" where that is not what is wrong."""
    path = scope["path"]
    if _SENT_BY_CLIENTS not in Headers(scope=scope) or path.startswith("/v1/"):
        return ""
    return "There is no such route; the base URL of an OpenAI client ends in /v1 here."


def as_openai(error: ApiError) -> dict[str, Any]:
    """An error in OpenAI's shape; also the data of the event that ends a stream.

    >>> from gigastt_lab.server.errors import BAD_REQUEST
    >>> as_openai(ApiError(BAD_REQUEST, "No.", param="file"))["error"]
    {'message': 'No.', 'type': 'invalid_request_error', 'param': 'file', 'code': 'bad_request'}
    """
    status = error.kind.status
    usual = "server_error" if status >= 500 else "invalid_request_error"
    told = {
        "message": error.message,
        "type": _TYPES.get(status, usual),
        "param": error.param,
        "code": error.kind.code,
    }
    return error.content | {"error": told}
