"""State that all requests of one server share."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gigastt_lab.engine import Engine
from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.errors import POOL_SATURATED, ApiError
from gigastt_lab.server.metrics import Metrics
from gigastt_lab.server.origins import Callers
from gigastt_lab.server.pool import Pool
from gigastt_lab.server.rate_limit import RateLimiter
from gigastt_lab.server.work import Job

VERSION: Final = "2.0.13"  # of gigastt: whose routes, messages and codes these are


class ServerState:
    """State of one server: one engine, one set of weights, a pool of permits, and metrics.

    Attributes:
        pool: Permits to work.
        metrics: Counters for Prometheus.
        callers: Origins and hosts that may call.
        limiter: Rate limit of each client.
        is_stopping: Set when the server shuts down: streams say what they have, and end.
    """

    def __init__(self, config: ServerConfig) -> None:
        """Begin without an engine: everybody waits."""
        self.pool = Pool(config.pool_size)
        self.metrics = Metrics(
            pool_available=lambda: self.pool.available, pool_waiters=lambda: self.pool.waiters
        )
        self.callers = Callers.of(config)
        self.limiter = RateLimiter(config.rate_limit_per_minute, config.rate_limit_burst)
        self.is_stopping = asyncio.Event()
        self._config = config
        self._engine: Engine | None = None
        # A thread for every permit, so that none waits for a thread; they are made when they are needed.
        self._executor = ThreadPoolExecutor(config.pool_size, "inference")

    @property
    def config(self) -> ServerConfig:
        """The configuration, as it is now."""
        return self._config

    @property
    def engine(self) -> Engine:
        """The engine; only for those who have a permit, which nobody gets before it is loaded."""
        assert self._engine is not None
        return self._engine

    @property
    def is_loading(self) -> bool:
        """True while there is no engine yet."""
        return self._engine is None

    def start(self, engine: Engine) -> None:
        """Take the engine that is there, and let everybody in."""
        self._engine = engine
        self.pool.open()

    def apply(self, config: ServerConfig) -> None:
        """Take over limits that were read again."""
        before, self._config = self._config, config
        limit = (config.rate_limit_per_minute, config.rate_limit_burst)
        if limit != (before.rate_limit_per_minute, before.rate_limit_burst):
            self.limiter = RateLimiter(*limit)

    def stop(self) -> None:
        """Let nobody in any more; streams that are open end."""
        self.pool.close()
        self.is_stopping.set()

    def close(self) -> None:
        """Let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def job(self) -> Job:
        """A permit to work, as soon as there is one.

        Raises:
            ApiError: there is none in time, or the server shuts down.
        """
        started = time.perf_counter()
        try:
            permit = await self.pool.acquire(max(0.001, self.config.pool_checkout_timeout_secs))
        except ApiError as error:
            if error.kind is POOL_SATURATED:
                self.metrics.pool_timeouts.inc()
            raise
        finally:
            waited_s = time.perf_counter() - started
            self.metrics.checkout_s.observe(waited_s)
        return Job(permit, self._executor, queue_s=waited_s, timeout_s=self.config.inference_timeout_secs)
