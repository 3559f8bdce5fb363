"""Rate limit of each client: a token bucket for each address, in bounded memory."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gigastt_lab.server.origins import host_of

_MAX_CLIENTS: Final = 100_000  # whoever was seen longest ago is forgotten first


class RateLimiter:
    """Limiter with a bucket of `burst` tokens for a client, refilled at `per_minute`; a request takes one."""

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets.

        Args:
            per_minute: Tokens that come back in a minute; 0: no limit.
            burst: Tokens in a full bucket.
            clock: Clock that returns seconds.
        """
        self._per_s = per_minute / 60
        self._burst = float(burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when

    def wait_s(self, client: str) -> float:
        """Take a token: 0.0 where there was one, else the seconds until there will be.

        Args:
            client: Client's address. Of IPv6 its first 64 bits count: the others, a client chooses itself.
        """
        if not self._per_s:
            return 0.0
        client = _network_of(client)
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._per_s)
        is_free = tokens >= 1.0 - 1e-9
        self._buckets[client] = (tokens - 1.0 if is_free else tokens, now)
        if len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if is_free else (1.0 - tokens) / self._per_s


def client_address(peer: str, forwarded_for: str | None, real_ip: str | None, *, trusts_proxy: bool) -> str:
    """Address of the client that sent a request.

    Args:
        peer: Address at the other end of the connection.
        forwarded_for: The X-Forwarded-For header, joined if there are several.
        real_ip: The X-Real-IP header.
        trusts_proxy: True reads the two headers at all; and then only of a peer on loopback or a private
            network. Of a chain, the last address that is neither is taken: what stands before it, the client
            may have written itself.

    >>> client_address("127.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.7", None, trusts_proxy=True)
    '9.9.9.9'
    >>> client_address("9.9.9.9", "6.6.6.6", None, trusts_proxy=True)
    '9.9.9.9'
    """
    if not trusts_proxy or not _is_near(peer):
        return peer
    chain = [host_of(part) for part in (forwarded_for or "").split(",")]
    chain = [part for part in chain if _parsed(part) is not None]
    if not chain:
        return real_ip.strip() if real_ip is not None and _parsed(real_ip.strip()) is not None else peer
    return next((part for part in reversed(chain) if not _is_near(part)), chain[0])


def _network_of(address: str) -> str:
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _is_near(address: str) -> bool:
    parsed = _parsed(address)
    return parsed is not None and (parsed.is_loopback or parsed.is_private)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
