"""The page at `/`: one file without anything from elsewhere, put together from parts.

Its own are in `web/` beside this file; those in `gigastt_lab/web` are the notebook widgets' as well.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response

from gigastt_lab.server.state import ServerState

_WEB: Final = Path(__file__).parent / "web"
_SHARED: Final = Path(__file__).parents[1] / "web"
_PART: Final = re.compile(r"/\* (part|shared): ([a-z_]+\.(?:js|css)) \*/")
_INLINE: Final = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def router(state: ServerState) -> APIRouter:
    """The route of one server."""
    del state
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response(html(), media_type="text/html; charset=utf-8", headers=headers())

    return routes


@cache
def html() -> str:
    """The page, its scripts and styles in it."""
    frame = (_WEB / "index.html").read_text(encoding="utf-8")
    directories = {"part": _WEB, "shared": _SHARED}
    return _PART.sub(lambda part: (directories[part[1]] / part[2]).read_text(encoding="utf-8").strip(), frame)


@cache
def headers() -> dict[str, str]:
    """Headers that keep the page to itself: own scripts by their hashes, own server, no frame around it."""
    inline = {kind: [_hash(content) for name, content in _INLINE.findall(html()) if name == kind]
              for kind in ("script", "style")}  # fmt: skip
    policy = (
        "default-src 'none'",
        # blob: is where an AudioWorklet is loaded from.
        f"script-src blob: {' '.join(inline['script'])}",
        f"style-src {' '.join(inline['style'])}",
        "connect-src 'self' blob:",
        "media-src blob:",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Permissions-Policy": "microphone=(self)",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
