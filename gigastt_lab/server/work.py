"""Work off the event loop: in threads, with a permit, called off when its client leaves or it takes long."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.types import Receive

from gigastt_lab.runtime.cancellation import Cancellation
from gigastt_lab.server.errors import INFERENCE_TIMEOUT, ApiError
from gigastt_lab.server.pool import Permit

Result = TypeVar("Result")


class ClientGoneError(Exception):
    """The client hung up; nobody is left to answer."""


class Job:
    """The work of one request or stream: steps that run in a thread, one after the other.

    Attributes:
        queue_s: Seconds that it waited for its permit.
        work_s: Seconds that its steps have taken so far.
    """

    def __init__(
        self, permit: Permit, executor: ThreadPoolExecutor, *, queue_s: float, timeout_s: float
    ) -> None:
        """Begin without a step.

        Args:
            permit: Permit that `close` gives back.
            executor: Executor with a thread for every permit.
            queue_s: Seconds that it waited for its permit.
            timeout_s: Longest work in seconds: of all steps together, or of those since `start_over`.
        """
        self.queue_s = queue_s
        self.work_s = 0.0
        self._permit = permit
        self._executor = executor
        self._timeout_s = timeout_s
        self._left_s = timeout_s
        self._cancellation = Cancellation()

    def start_over(self) -> None:
        """Give the next steps the whole time once more: the next piece of a stream begins."""
        self._left_s = self._timeout_s

    async def step(self, do: Callable[[], Result]) -> Result:
        """Run `do` in a thread.

        Whoever cancels this call gets control back when the work has stopped, and not before: only then may
        the permit go to another.

        Raises:
            ApiError: `INFERENCE_TIMEOUT`.
            Exception: what `do` raises.
        """
        started = time.perf_counter()
        # The request's id goes along, for the log.
        running = self._executor.submit(contextvars.copy_context().run, self._in_scope, do)
        outcome = asyncio.wrap_future(running)
        outcome.add_done_callback(_looked_at)
        try:
            async with asyncio.timeout(self._left_s):
                return await asyncio.shield(outcome)
        except TimeoutError as error:
            await self._call_off(running)
            raise ApiError(INFERENCE_TIMEOUT) from error
        except asyncio.CancelledError:
            await self._call_off(running)
            raise
        finally:
            took_s = time.perf_counter() - started
            self.work_s += took_s
            self._left_s -= took_s

    def close(self) -> None:
        """Give the permit back: the work is done, or has stopped."""
        self._permit.release()

    def _in_scope(self, do: Callable[[], Result]) -> Result:
        with self._cancellation.scope():
            return do()

    async def _call_off(self, running: Future[Result]) -> None:
        """Stop the work, and wait until it has stopped, however often this is cancelled itself."""
        self._cancellation.cancel()
        running.cancel()
        loop = asyncio.get_running_loop()
        stopped: asyncio.Future[None] = loop.create_future()

        running.add_done_callback(lambda _: loop.call_soon_threadsafe(stopped.set_result, None))
        interrupted = False
        while not stopped.done():
            try:
                await asyncio.shield(stopped)
            except asyncio.CancelledError:
                interrupted = True
        if interrupted:
            raise asyncio.CancelledError


def _looked_at(outcome: asyncio.Future[Any]) -> None:
    """Look at what work that was called off raised: it is no news, and asyncio would log it."""
    if not outcome.cancelled():
        outcome.exception()


@asynccontextmanager
async def while_connected(receive: Receive) -> AsyncIterator[None]:
    """Scope whose work is cancelled when the client hangs up.

    Args:
        receive: `receive` of a request whose body has been read: all that can still come is the end.

    Raises:
        ClientGoneError: the client hung up.
    """
    task = asyncio.current_task()
    assert task is not None
    is_gone = False

    async def watch() -> None:
        nonlocal is_gone
        while (await receive())["type"] != "http.disconnect":
            pass
        is_gone = True
        task.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if is_gone and task.uncancel() == 0:
            raise ClientGoneError from None
        raise
    finally:
        watching.cancel()
