"""State that all requests of one server share."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from gigastt_lab.engine import Engine
from gigastt_lab.server.admission import Connections, Uploads
from gigastt_lab.server.config import ServerConfig
from gigastt_lab.server.errors import CONNECTIONS_SATURATED, POOL_SATURATED, ApiError
from gigastt_lab.server.jobs.queue import JobQueue, Limits
from gigastt_lab.server.jobs.workers import Workers
from gigastt_lab.server.keys import ApiKeys
from gigastt_lab.server.metrics import Metrics
from gigastt_lab.server.origins import Callers
from gigastt_lab.server.pool import Pool
from gigastt_lab.server.rate_limit import RateLimiter
from gigastt_lab.server.work import Job

_FOREVER_S: Final = 1e9  # a wait without an end, in numbers that every event loop can add

VERSION: Final = "2.0.13"  # of gigastt: whose routes, messages and codes these are


class ServerState:
    """State of one server: one engine, one set of weights, a pool of permits, and metrics.

    Attributes:
        pool: Permits to work.
        metrics: Counters for Prometheus.
        callers: Origins and hosts that may call.
        limiter: Rate limit of each client.
        keys: API keys, one of which a caller has to have; None: nobody is asked.
        connections: Connections that are open, up to a limit.
        uploads: Bodies that are held, up to a limit.
        jobs: Queue of the jobs of /v1/jobs; None: there are none.
        is_stopping: Set when the server shuts down: streams say what they have, and end.
    """

    def __init__(self, config: ServerConfig, keys: ApiKeys | None = None) -> None:
        """Begin without an engine: everybody waits.

        Raises:
            OptionError: the directory of the jobs cannot be used.
        """
        self.pool = Pool(config.pool_size)
        self.metrics = Metrics(
            pool_available=lambda: self.pool.available,
            pool_waiters=lambda: self.pool.waiters,
            connections=lambda: len(self.connections),
            uploads=lambda: len(self.uploads),
            jobs=lambda status: 0 if self.jobs is None else self.jobs.n_of(status),
            jobs_bytes=lambda: 0 if self.jobs is None else self.jobs.tally.n_bytes,
        )
        self.keys = keys
        self.connections = Connections(
            lambda: self.config.max_connections,
            lambda: self.config.keep_alive_secs,
            lambda: self.metrics.refused(CONNECTIONS_SATURATED.code),
        )
        self.uploads = Uploads(
            lambda: self.config.max_uploads, lambda: self.config.pool_checkout_timeout_secs
        )
        self.callers = Callers.of(config)
        self.limiter = RateLimiter(config.rate_limit_per_minute, config.rate_limit_burst)
        self.is_stopping = asyncio.Event()
        self._config = config
        self._engine: Engine | None = None
        # A thread for every permit, so that none waits for a thread; they are made when they are needed.
        self._executor = ThreadPoolExecutor(config.pool_size, "inference")
        self.jobs: JobQueue | None = None
        if config.jobs_dir is not None:
            self.jobs = JobQueue(Path(config.jobs_dir), lambda: _limits_of_jobs(self.config))
            self._workers = Workers(self.jobs, self)

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
    def n_free(self) -> int:
        """Permits that a request would get at once, or as soon as a job gives one up between two parts."""
        lent = 0 if self.jobs is None else len(self.jobs.running)
        return self.pool.available + max(0, lent - self.pool.waiters)

    @property
    def is_loading(self) -> bool:
        """True while there is no engine yet."""
        return self._engine is None

    def start(self, engine: Engine) -> None:
        """Take the engine that is there, and let everybody in."""
        self._engine = engine
        self.pool.open()
        if self.jobs is not None and not self.is_stopping.is_set():
            self._workers.start(self.config.jobs_workers)

    def apply(self, config: ServerConfig) -> None:
        """Take over limits that were read again."""
        before, self._config = self._config, config
        limit = (config.rate_limit_per_minute, config.rate_limit_burst)
        if limit != (before.rate_limit_per_minute, before.rate_limit_burst):
            self.limiter = RateLimiter(*limit)

    def stop(self) -> None:
        """Let nobody in any more; streams that are open end, and jobs wait for the next start."""
        self.pool.close()
        self.is_stopping.set()
        if self.jobs is not None:
            self._workers.stop()

    async def close(self) -> None:
        """Let the threads end, and close the queue of jobs."""
        if self.jobs is not None:
            await self._workers.stopped()
            await self.jobs.close()
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

    async def background_job(self) -> Job:
        """A permit to work on a job, however long that takes; each part of it may take as long as a request.

        Raises:
            ApiError: the server shuts down.
        """
        started = time.perf_counter()
        permit = await self.pool.acquire(_FOREVER_S)
        waited_s = time.perf_counter() - started
        return Job(permit, self._executor, queue_s=waited_s, timeout_s=self.config.inference_timeout_secs)

    def max_job_audio_s(self) -> float:
        """Longest audio of a job, in seconds, as it is now."""
        return self.config.jobs_max_audio_secs

    def jobs_kept_s(self) -> float:
        """Seconds that a job is kept after its end, as they are now."""
        return self.config.jobs_keep_secs


def _limits_of_jobs(config: ServerConfig) -> Limits:
    return Limits(
        max_queued=config.jobs_max_queued,
        max_bytes=config.jobs_max_bytes,
        keep_s=config.jobs_keep_secs,
        body_bytes=config.jobs_body_limit_bytes,
        idle_s=config.idle_timeout_secs,
    )
