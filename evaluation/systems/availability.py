"""Whether a system can start, found out before any work is done for another one."""

from __future__ import annotations

import importlib.util
import socket
from urllib.parse import urlsplit

from evaluation.systems.base import SystemUnavailableError
from evaluation.systems.registry import SystemSpec
from gigastt_lab.errors import ProviderError
from gigastt_lab.runtime.sessions import available_providers

PEER_MODULES = {"onnx-asr": "onnx_asr", "gigastt": "gigastt_uniffi"}
_CONNECT_S = 5.0


def require_available(spec: SystemSpec) -> None:
    """Raise where `spec` cannot start, as far as that shows without loading a model.

    Raises:
        SystemUnavailableError: a peer's package is not installed, or nobody listens at a server's address.
        ProviderError: this build of ONNX Runtime lacks the provider.
    """
    if spec.kind == "server":
        _require_listener(str(spec.options["url"]))
        return
    module = PEER_MODULES.get(spec.kind)
    if module is not None and importlib.util.find_spec(module) is None:
        raise SystemUnavailableError(f"{spec.kind} is not installed: pip install {spec.kind}")
    if spec.kind != "gigastt" and spec.provider != "auto" and spec.provider not in available_providers():
        raise ProviderError(
            f"provider {spec.provider} is not in this build of ONNX Runtime, which has "
            f"{', '.join(available_providers())}"
        )


def _require_listener(url: str) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise SystemUnavailableError(f"nobody answers at {url} ({error}); start the server first") from error
