"""CORS: what a web page of an allowed origin may send, and read of the answer. Source: Fetch standard."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110, `token`
_MAX_NAMES: Final = 64
_ALWAYS: Final = ("Authorization", "Content-Type", "X-Request-Id")
_EXPOSED: Final = "X-Request-Id, Retry-After, Server-Timing, X-Audio-Warnings, Location"
_MAX_AGE_S: Final = 7_200  # no browser keeps an answer to a preflight for much longer


def cors_headers(request: Headers, *, any_origin: bool) -> dict[str, str]:
    """Headers of an answer to a page whose origin is allowed.

    Request headers are named one by one: browsers take `*` for all but Authorization.

    Args:
        request: Headers of the request; there is an Origin among them.
        any_origin: True: every page may read the answer.
    """
    needed = {
        "Access-Control-Allow-Origin": "*" if any_origin else request["origin"],
        "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": ", ".join(_allowed(request)),
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }
    if is_preflight(request):
        needed["Access-Control-Max-Age"] = str(_MAX_AGE_S)
        needed["Vary"] = "Origin, Access-Control-Request-Headers"
        if request.get("access-control-request-private-network") == "true":  # from a public page to loopback
            needed["Access-Control-Allow-Private-Network"] = "true"
    return needed


def is_preflight(request: Headers) -> bool:
    """True for the headers of a preflight, if the method is OPTIONS."""
    return "access-control-request-method" in request


def _allowed(request: Headers) -> list[str]:
    """The names that were asked for, as far as they are names, and those that are always allowed."""
    asked = ",".join(request.getlist("access-control-request-headers")).split(",")
    names = {name.lower(): name for name in _ALWAYS}
    for name in map(str.strip, asked[:_MAX_NAMES]):
        if _NAME.fullmatch(name):
            names.setdefault(name.lower(), name)
    return list(names.values())
