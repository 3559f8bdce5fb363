"""Workers: take jobs off the queue, one each at a time, and put them back when the server shuts down."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol, cast

from gigastt_lab.audio.raw import RawAudio
from gigastt_lab.engine import Engine
from gigastt_lab.server.errors import POOL_CLOSED, STORAGE_FULL, ApiError, api_error
from gigastt_lab.server.jobs.queue import JobQueue
from gigastt_lab.server.jobs.records import stored
from gigastt_lab.server.jobs.running import RunningJob
from gigastt_lab.server.jobs.store import End, Store
from gigastt_lab.server.logs import request_id
from gigastt_lab.server.metrics import Metrics
from gigastt_lab.server.pool import Pool
from gigastt_lab.server.work import Job
from gigastt_lab.types import Transcript

logger = logging.getLogger(__name__)

_RETRY_S: Final = 5.0
_SWEEP_S: Final = 60.0


class Server(Protocol):
    """Server, as far as workers need it."""

    pool: Pool
    metrics: Metrics

    @property
    def engine(self) -> Engine:
        """The engine, for those who have a permit."""

    async def background_job(self) -> Job:
        """A permit, however long that takes."""

    def max_job_audio_s(self) -> float:
        """Longest audio of a job, in seconds, as it is now."""

    def jobs_kept_s(self) -> float:
        """Seconds that a job is kept after its end, as they are now."""


class Workers:
    """Workers of one queue."""

    def __init__(self, queue: JobQueue, server: Server) -> None:
        """Begin without any."""
        self._queue = queue
        self._server = server
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False

    def start(self, n_workers: int) -> None:
        """Let so many work from now on."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(n_workers)]
        self._tasks.append(asyncio.create_task(self._sweep()))

    def stop(self) -> None:
        """Have all stop at once, if they have not been told before."""
        if not self._is_stopping:
            self._is_stopping = True
            for task in self._tasks:
                task.cancel()

    async def stopped(self) -> None:
        """Wait until all have stopped."""
        self.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        while True:
            await self._queue.has_work.wait()
            try:
                permit = await self._server.background_job()
                try:
                    await self._work_on_next(permit)
                finally:
                    permit.close()
            except ApiError as error:
                if error.kind is POOL_CLOSED:
                    return
                await asyncio.sleep(_RETRY_S)  # the disk is full, and the log says so
            except Exception:
                logger.exception("the queue of jobs stands still for %g s", _RETRY_S)
                await asyncio.sleep(_RETRY_S)  # nobody else would ever take the next one

    async def _work_on_next(self, permit: Job) -> None:
        record = await self._queue.do(Store.claim)
        if record is None:
            self._queue.has_work.clear()
            return
        # Without a pause since the claim: whoever cancels the job finds its task.
        running = RunningJob(record, permit, self._server.background_job)
        task = asyncio.create_task(self._run(running))
        self._queue.working(running, task)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:  # the server shuts down
            task.cancel()
            await asyncio.wait({task})
            raise  # and when the queue is closed, the job goes back into it
        finally:
            running.close()
            self._queue.stopped(running)
            self._queue.tell(record.id)
        if task.cancelled():  # its client did that, and the store knows
            await asyncio.to_thread(self._queue.folder.discard, record.id)
        elif (error := task.exception()) is not None:
            raise error

    async def _run(self, running: RunningJob) -> None:
        record = running.record
        request_id.set(record.request_id)
        logger.info("job %s begins, attempt %d", record.id, record.attempts)
        self._queue.tell(record.id)
        try:
            transcript = await self._transcript(running)
        except ApiError as error:
            if error.kind is POOL_CLOSED:
                return
            await self._failed(running, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client is told, the log has the cause
            await self._failed(running, error)
        else:
            await self._done(running, transcript)
        await asyncio.to_thread(self._queue.folder.discard, record.id)

    async def _transcript(self, running: RunningJob) -> Transcript:
        record, engine = running.record, self._server.engine
        path = self._queue.folder.recording(record.id)
        options = dict(record.options)
        raw = options.pop("raw", None)
        with cast(BinaryIO, await asyncio.to_thread(path.open, "rb")) as file:
            return await running.transcript(
                file,
                lambda opened: engine.transcribe_parts(
                    opened,
                    max_duration_s=self._server.max_job_audio_s(),
                    raw=None if raw is None else RawAudio(**raw),
                    **options,
                ),
                others_wait=lambda: self._server.pool.waiters > 0,
                tell=lambda: self._queue.tell(record.id),
            )

    async def _done(self, running: RunningJob, transcript: Transcript) -> None:
        running.close()  # nobody has to wait for the disk
        record = running.record
        end = End("done", transcript.duration_s, transcript.duration_s)
        text = await asyncio.to_thread(stored, transcript)
        if not await self._lasting(lambda store: store.end(record, end, text)):
            return
        self._server.metrics.inference_s.observe(running.work_s)
        self._server.metrics.worked(transcript.duration_s, running.work_s)
        logger.info(
            "job %s is done: %.1f s of audio in %.3f s", record.id, transcript.duration_s, running.work_s
        )
        logger.debug("text: %s", transcript.text)

    async def _failed(self, running: RunningJob, error: Exception) -> None:
        running.close()
        record, told = running.record, api_error(error)
        end = running.end("failed", told.kind.code, told.message)
        if not await self._lasting(lambda store: store.end(record, end)):
            return
        if told.kind.status == 500:
            logger.error("job %s failed", record.id, exc_info=error)
        else:
            logger.info("job %s failed: %s", record.id, told.message)

    async def _lasting(self, change: Callable[[Store], bool]) -> bool:
        """Answer of a change, as soon as the disk takes it: no result is lost because that was full."""
        while True:
            try:
                return await self._queue.do(change)
            except ApiError as error:
                if error.kind is not STORAGE_FULL:
                    raise
            except sqlite3.OperationalError:
                logger.exception("the result of a job cannot be written; another try in %g s", _RETRY_S)
            await asyncio.sleep(_RETRY_S)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._queue.sweep()
            except (sqlite3.Error, ApiError):
                logger.exception("jobs cannot be swept")
            await asyncio.sleep(min(_SWEEP_S, max(1.0, self._server.jobs_kept_s() / 4)))
