"""Pool of permits to work: at most so many requests and streams at once, first come first served."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from gigastt_lab.server.errors import POOL_CLOSED, POOL_SATURATED, ApiError


class Permit:
    """The right to work; given back by `release`, or at the end of a `with`."""

    def __init__(self, pool: Pool) -> None:
        self._pool: Pool | None = pool

    def release(self) -> None:
        """Give the permit back, once; what has it works no more."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool._give_back()

    def __enter__(self) -> Permit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Pool:
    """Pool of permits, handed out in the order they are asked for. For one event loop, not for threads.

    Until `open` is called, when the model is there, everybody waits. After `close` nobody gets one.

    Attributes:
        size: Number of permits.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._free = 0
        self._state = "loading"
        self._waiting: deque[asyncio.Future[Permit]] = deque()

    @property
    def available(self) -> int:
        """Number of free permits."""
        return self._free

    @property
    def waiters(self) -> int:
        """Number of callers that wait for a permit."""
        return len(self._waiting)

    @property
    def in_use(self) -> int:
        """Number of permits at work."""
        return 0 if self._state == "loading" else self.size - self._free

    def open(self) -> None:
        """Hand out all permits from now on."""
        if self._state != "loading":
            return
        self._state = "open"
        for _ in range(self.size):
            self._give_back()

    def close(self) -> None:
        """Refuse whoever waits and whoever comes; those who work go on."""
        if self._state == "loading":
            self._free = self.size  # for `in_use`: nobody works
        self._state = "closed"
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(ApiError(POOL_CLOSED))

    async def acquire(self, timeout_s: float) -> Permit:
        """A permit, at once or as soon as it is this caller's turn.

        Args:
            timeout_s: Longest wait in seconds.

        Raises:
            ApiError: `POOL_SATURATED` after that, with the same time as a hint when to come again;
                `POOL_CLOSED`.
        """
        if self._state == "closed":
            raise ApiError(POOL_CLOSED)
        if self._free:
            self._free -= 1
            return Permit(self)
        turn: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(timeout_s):
                return await turn
        except TimeoutError as error:
            self._pass_on(turn)
            why = "The model is still being loaded" if self._state == "loading" else ""
            raise ApiError(POOL_SATURATED, why, retry_after_s=max(1.0, timeout_s)) from error
        except asyncio.CancelledError:
            self._pass_on(turn)
            raise
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)

    def _pass_on(self, turn: asyncio.Future[Permit]) -> None:
        """Pass on to the next one a permit that came in the moment when its waiter left."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            turn.result().release()

    def _give_back(self) -> None:
        if self._state != "closed":
            while self._waiting:
                turn = self._waiting.popleft()
                if not turn.done():
                    turn.set_result(Permit(self))
                    return
        self._free += 1
