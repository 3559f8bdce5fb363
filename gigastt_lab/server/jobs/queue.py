"""Queue of jobs: what the routes ask for, over the store, the folder and the workers."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from fastapi import Request

from gigastt_lab.formats import Format
from gigastt_lab.server.errors import JOB_CRASHED, JOB_NOT_FOUND, POOL_CLOSED, QUEUE_FULL, ApiError
from gigastt_lab.server.jobs.folder import Folder, opened
from gigastt_lab.server.jobs.intake import Budget, Intake, storage_full
from gigastt_lab.server.jobs.records import JobRecord, Status, is_id, new_id
from gigastt_lab.server.jobs.running import RunningJob
from gigastt_lab.server.jobs.store import MAX_ATTEMPTS, End, Store, Tally
from gigastt_lab.server.logs import request_id

logger = logging.getLogger(__name__)

_RETRY_S: Final = 30.0

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Limits:
    """Limits of jobs, as they are at the moment.

    Attributes:
        max_queued: Jobs that may wait.
        max_bytes: Bytes of recordings and results together.
        keep_s: Seconds that a job is kept after its end.
        body_bytes: Bytes of one body.
        idle_s: Seconds of a pause within a body.
    """

    max_queued: int
    max_bytes: int
    keep_s: float
    body_bytes: int
    idle_s: float


class JobQueue:
    """Queue of the jobs of one server. For one event loop; what blocks is done in a thread of its own.

    Attributes:
        tally: Numbers of jobs, by status, and the bytes they hold, as of the last change.
        running: Jobs that are worked on, by id.
        folder: Where the recordings are.
    """

    def __init__(self, path: Path, limits: Callable[[], Limits]) -> None:
        """Open the queue of a directory, with what the last server left in it.

        Raises:
            OptionError: the directory cannot be used.
        """
        self._limits = limits
        # SQLite blocks, and fsync for long; one thread, so that every change sees the one before.
        self._thread = ThreadPoolExecutor(1, "jobs")
        self.running: dict[str, RunningJob] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self.has_work = asyncio.Event()
        self._is_closed = False
        opened(path, self._take_up)
        self._budget = Budget(
            lambda: self._limits().max_bytes, lambda: self.tally.n_bytes, self.folder.free_bytes
        )

    def _take_up(self, folder: Folder) -> None:
        """Put back into the queue what the last process was working on; delete recordings of no job."""
        self.folder = folder
        self._store = Store(folder.database)
        for record in self._store.begun():
            if record.attempts >= MAX_ATTEMPTS:
                self._store.end(record, End("failed", code=JOB_CRASHED.code, message=JOB_CRASHED.message))
                logger.error("job %s failed: the server ended %d times during it", record.id, record.attempts)
            else:
                self._store.requeue(record, counts=True)
                logger.warning("job %s is begun again: the server ended during it", record.id)
        swept = self.folder.sweep(self._store.held())
        if swept:
            logger.info(
                "deleted %d recordings of uploads that were cut off, or of jobs that had ended", swept
            )
        self.tally: Tally = self._store.tally()
        n_queued = self.tally.jobs.get("queued", 0)
        if n_queued:
            logger.info("%d jobs are waiting from before", n_queued)
            self.has_work.set()

    async def submit(self, request: Request, *, wanted: Format, options: dict[str, Any]) -> JobRecord:
        """A new job of the recording in a request; it is on the disk when this returns.

        Raises:
            ApiError: no room in the queue or on the disk, or as `Intake.receive`.
            AudioError: it begins like no audio file.
            ClientGoneError: the client hung up before the end.
        """
        self._check_queue()
        limits = self._limits()
        intake, job_id = Intake(request, self.folder, self._budget), new_id()
        try:
            await intake.receive(
                job_id, limit_bytes=min(limits.body_bytes, limits.max_bytes), timeout_s=limits.idle_s
            )
            raw = None if intake.raw is None else asdict(intake.raw)
            adding = asyncio.ensure_future(self._add(job_id, intake.n_bytes, wanted, options | {"raw": raw}))
        except BaseException:
            intake.take_back()
            await asyncio.shield(asyncio.to_thread(self.folder.discard, job_id))
            raise
        # From here on the recording is the store's, whoever cancels this: nobody else may delete it.
        adding.add_done_callback(lambda _: intake.take_back())
        return await asyncio.shield(adding)

    async def get(self, job_id: str) -> JobRecord:
        """A job.

        Raises:
            ApiError: `JOB_NOT_FOUND`.
        """
        record = await self.do(lambda store: store.get(job_id)) if is_id(job_id) else None
        if record is None:
            raise ApiError(JOB_NOT_FOUND)
        return record

    async def remove(self, record: JobRecord) -> None:
        """Cancel a job that has not ended, delete one that has."""
        running = self.running.get(record.id)
        end = End("cancelled") if running is None else running.end("cancelled")
        if await self.do(lambda store: store.end(record, end)):
            logger.info("job %s is cancelled", record.id)
            task = self._tasks.get(record.id)
            if task is None:
                await asyncio.to_thread(self.folder.discard, record.id)
            else:
                task.cancel()  # the worker discards
            self.tell(record.id)
        elif await self.do(lambda store: store.delete(record)):
            logger.info("job %s is deleted", record.id)
            self.tell(record.id)

    async def do(self, what: Callable[[Store], _Result]) -> _Result:
        """Answer of the store, from its thread; the tally is that of afterwards.

        Raises:
            ApiError: `POOL_CLOSED`; `STORAGE_FULL`: the disk is.
            sqlite3.Error: the database cannot be read or written.
        """

        def done() -> tuple[_Result, Tally]:
            return what(self._store), self._store.tally()

        if self._is_closed:
            raise ApiError(POOL_CLOSED)
        try:
            result, self.tally = await asyncio.get_running_loop().run_in_executor(self._thread, done)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            logger.error("the disk of --jobs-dir is full: the database cannot be written")
            raise storage_full() from error
        return result

    def left_s(self, record: JobRecord) -> float | None:
        """Seconds until a job is swept; None if it has not ended."""
        return self._store.left_s(record, self._limits().keep_s)

    def working(self, running: RunningJob, task: asyncio.Task[None]) -> None:
        """Note that a job is worked on by a task, whose cancellation calls it off."""
        self.running[running.record.id] = running
        self._tasks[running.record.id] = task

    def stopped(self, running: RunningJob) -> None:
        """Note that a job is not worked on any more."""
        del self.running[running.record.id], self._tasks[running.record.id]

    def watch(self, job_id: str) -> asyncio.Event:
        """An event that is set whenever there is news of a job; `unwatch` ends it."""
        event = asyncio.Event()
        self._watchers.setdefault(job_id, set()).add(event)
        return event

    def unwatch(self, job_id: str, event: asyncio.Event) -> None:
        """Forget an event that `watch` gave."""
        watchers = self._watchers.get(job_id, set())
        watchers.discard(event)
        if not watchers:
            self._watchers.pop(job_id, None)

    def tell(self, job_id: str) -> None:
        """Tell those who watch a job that there is news."""
        for event in self._watchers.get(job_id, ()):
            event.set()

    async def sweep(self) -> None:
        """Delete what ended long enough ago."""
        swept = await self.do(lambda store: store.sweep(self._limits().keep_s))
        if swept:
            logger.info("swept %d jobs", swept)

    async def close(self) -> None:
        """Close the store, after all that was begun, and let another server have the folder.

        No worker works any more: what was under way goes back into the queue, through no fault of its own.
        """
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._put_back)
            self._thread.shutdown()
            self.folder.close()

    def n_of(self, status: Status) -> int:
        """Number of jobs of a status."""
        return self.tally.jobs.get(status, 0)

    def _put_back(self) -> None:
        try:
            for record in self._store.begun():
                self._store.requeue(record, counts=False)
                logger.info("job %s waits for the next start", record.id)
        except sqlite3.Error:  # then that one takes it for a crash
            logger.exception("jobs could not be put back into the queue")
        self._store.close()

    def _check_queue(self) -> None:
        if self.n_of("queued") >= self._limits().max_queued:
            raise _queue_full()

    async def _add(self, job_id: str, n_bytes: int, wanted: Format, options: dict[str, Any]) -> JobRecord:
        asked_by = request_id.get()
        try:
            record = await self.do(
                lambda store: store.add(
                    job_id, wanted=wanted, options=options, request_id=asked_by, n_bytes=n_bytes,
                    max_queued=self._limits().max_queued,
                )
            )  # fmt: skip
            if record is None:
                raise _queue_full()
        except BaseException:
            await asyncio.to_thread(self.folder.discard, job_id)
            raise
        logger.info("job %s: %d bytes", job_id, n_bytes)
        self.has_work.set()
        return record


def _queue_full() -> ApiError:
    return ApiError(QUEUE_FULL, retry_after_s=_RETRY_S)
