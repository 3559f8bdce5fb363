"""Admission: how many connections may be open, and how many bodies held, at once."""

from __future__ import annotations

import asyncio
import select
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from gigastt_lab.server.errors import UPLOADS_SATURATED, ApiError

_SPARE: Final = 64  # connections beyond the limit: they are told so, or ask for /health or /ready
_LOOKED_AT: Final = 64  # of those that rest, for one that may be closed
_GRACE_S: Final = 0.02  # for what a client may be sending just now


class Connections:
    """Connections that are open, HTTP and WebSocket, each known by its transport.

    Beyond the limit, the one that has rested longest is closed: its client has its answer, or has not asked
    in full. Where none rests, a newcomer is a spare one, which gets one answer; of too many of these, the
    oldest is told to go. So whoever asks at once is heard, however many others say nothing.
    """

    def __init__(
        self,
        limit: Callable[[], int],
        keep_alive_s: Callable[[], float],
        on_refusal: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with none.

        Args:
            limit: Limit as it is now.
            keep_alive_s: Seconds that a connection may rest between two requests, as it is now.
            on_refusal: Called when a spare one is told to go before it could be answered.
            clock: Clock that returns seconds.
        """
        self.keep_alive_s = keep_alive_s
        self._limit = limit
        self._on_refusal = on_refusal
        self._clock = clock
        self._open: set[asyncio.Transport] = set()
        self._resting: OrderedDict[asyncio.Transport, float] = OrderedDict()  # since when
        self._spare: OrderedDict[asyncio.Transport, Callable[[], None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open) + len(self._spare)

    def enter(self, connection: asyncio.Transport, refuse: Callable[[], None]) -> bool:
        """Let a new connection in: True among those of the limit, False as a spare one.

        Args:
            connection: Its transport.
            refuse: Tells it to go, as a spare one, in favour of newer ones.
        """
        while len(self._open) >= self._limit() and (longest := self._longest_rested()):
            self.leave(longest)
            longest.close()
        if len(self._open) < self._limit():
            self._open.add(connection)
            return True
        self._spare[connection] = refuse
        if len(self._spare) > _SPARE:
            oldest = _first_quiet(list(self._spare)[:-1]) or next(iter(self._spare))
            self._on_refusal()
            self._spare.pop(oldest)()
        return False

    def rest(self, connection: asyncio.Transport) -> None:
        """Note that nothing is asked on a connection: it may be closed where there is no room."""
        if connection in self._open:
            self._resting.setdefault(connection, self._clock())

    def wake(self, connection: asyncio.Transport) -> None:
        """Note that something is asked on a connection: the head of a request has come."""
        self._resting.pop(connection, None)

    def leave(self, connection: asyncio.Transport) -> None:
        """Forget a connection; one that is not known is forgotten already."""
        self._resting.pop(connection, None)
        self._spare.pop(connection, None)
        self._open.discard(connection)

    def _longest_rested(self) -> asyncio.Transport | None:
        now = self._clock()
        return _first_quiet(
            [each for each, since in islice(self._resting.items(), _LOOKED_AT) if now - since >= _GRACE_S]
        )


def _first_quiet(connections: Sequence[asyncio.Transport]) -> asyncio.Transport | None:
    """The first whose client has sent nothing that was not read yet; in a flood, much comes at once."""
    if not hasattr(select, "poll"):  # Windows
        return connections[0] if connections else None
    asked = select.poll()
    numbers = [each.get_extra_info("socket").fileno() for each in connections]
    for number in numbers:
        asked.register(number, select.POLLIN)
    unread = {number for number, _ in asked.poll(0)}
    return next((each for each, n in zip(connections, numbers, strict=True) if n not in unread), None)


class Uploads:
    """Bodies that are held, in memory or on disk: being received, waiting, or worked on."""

    def __init__(self, limit: Callable[[], int], retry_after_s: Callable[[], float]) -> None:
        """Begin with none.

        Args:
            limit: Limit as it is now.
            retry_after_s: Seconds after which another try may help.
        """
        self._limit = limit
        self._retry_after_s = retry_after_s
        self._held = 0

    def __len__(self) -> int:
        return self._held

    @contextmanager
    def one(self) -> Iterator[None]:
        """Scope of a request with a body.

        Raises:
            ApiError: `UPLOADS_SATURATED`: too many others are held.
        """
        if self._held >= self._limit():
            raise ApiError(UPLOADS_SATURATED, retry_after_s=max(1.0, self._retry_after_s()))
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
