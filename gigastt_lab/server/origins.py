"""Allowed callers: web origins against pages that abuse a visitor's browser, hosts against DNS rebinding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gigastt_lab.server.config import ServerConfig, is_loopback


@dataclass(frozen=True)
class Callers:
    """Origins and hosts that are let in.

    Attributes:
        any_origin: True lets every origin in.
        origins: Further origins, in lower case.
        hosts: Names that the Host header may have; None: any.
    """

    any_origin: bool
    origins: frozenset[str]
    hosts: frozenset[str] | None

    @classmethod
    def of(cls, config: ServerConfig) -> Callers:
        """Callers as configured. Hosts are checked on a loopback address only: elsewhere many are right."""
        origins = frozenset(_as_sent(origin) for origin in config.allow_origin)
        if config.cors_allow_any or not is_loopback(config.host):
            return cls(config.cors_allow_any, origins, None)
        named = {host_of(origin.partition("://")[2]) for origin in origins}
        named |= {host_of(host) for host in config.allow_host}
        return cls(False, origins, frozenset(named))

    def allows_origins(self, origins: Sequence[str]) -> bool:
        """True if a request with these Origin headers is let in: none, or allowed ones.

        "null", which sandboxed frames and local files send, is another origin as well.
        """
        return self.any_origin or all(self._allows(origin.lower()) for origin in origins)

    def allows_hosts(self, hosts: Iterable[str]) -> bool:
        """True if a request with these Host headers is let in; HTTP/1.0 may have none."""
        if self.hosts is None:
            return True
        return all(is_loopback(name) or name in self.hosts for name in map(host_of, hosts))

    def _allows(self, origin: str) -> bool:
        if origin in self.origins:
            return True
        try:
            parts = urlsplit(origin)
            host = parts.hostname or ""
        except ValueError:
            return False
        is_plain = parts.scheme in {"http", "https"} and not parts.path and "@" not in parts.netloc
        return is_plain and is_loopback(host)


def _as_sent(origin: str) -> str:
    """An origin as browsers send it: without the usual port.

    >>> _as_sent("HTTPS://App.example.com:443/")
    'https://app.example.com'
    """
    plain = origin.lower().rstrip("/")
    usual = {"http": ":80", "https": ":443"}[plain.partition("://")[0]]
    return plain.removesuffix(usual)


def host_of(value: str) -> str:
    """The name in a Host header, without its port.

    >>> [host_of(value) for value in ("Localhost:9876", "[::1]:80", "::1", "stt.example.com")]
    ['localhost', '::1', '::1', 'stt.example.com']
    """
    value = value.strip().lower()
    if value.startswith("["):
        return value[1:].partition("]")[0]
    name, _, port = value.rpartition(":")
    return name if name and ":" not in name and port.isdecimal() else value
