"""Store of jobs: every change of a job's status, each on the disk before it is told to anybody."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from gigastt_lab.formats import Format
from gigastt_lab.server.jobs.database import ROW_BYTES, connected, tidied
from gigastt_lab.server.jobs.records import JobRecord, Status

MAX_ATTEMPTS: Final = 2
_NEWEST: Final = 2**62

_COLUMNS: Final = (
    "seq, id, status, format, options, request_id, attempts, created_at, started_at, finished_at, ended, "
    "processed_s, duration_s, code, message"
)
_POSITION: Final = (
    "CASE jobs.status WHEN 'queued' THEN (SELECT count(*) FROM jobs AS before "
    "WHERE before.status = 'queued' AND before.seq <= jobs.seq) END"
)
_SELECT_PLAIN: Final = f"SELECT {_COLUMNS} FROM jobs"
_SELECT: Final = f"SELECT {_COLUMNS}, {_POSITION} FROM jobs"


class Clock:
    """Clock that goes on steadily: the wall clock when the process began, and the seconds since.

    A step of the wall clock (NTP, an operator) neither deletes results early nor keeps them for years.
    """

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        # On Linux one that counts the time that a machine is suspended, too.
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        self._monotonic = monotonic or (time.monotonic if boot is None else lambda: time.clock_gettime(boot))
        self._offset = time.time() - self._monotonic()

    def now(self) -> float:
        """Seconds since 1970, or what was taken for that when the process began."""
        return self._offset + self._monotonic()


@dataclass(frozen=True)
class End:
    """End of a job.

    Attributes:
        status: Done, failed or cancelled.
        processed_s: Seconds of audio that were recognised.
        duration_s: Seconds of the whole recording; None where that is not known.
        code: Code of the error, of one that failed.
        message: Its sentence.
    """

    status: Status
    processed_s: float = 0.0
    duration_s: float | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Tally:
    """Numbers of jobs, by status, and the bytes that they hold."""

    jobs: dict[Status, int]
    n_bytes: int


class Store:
    """Store of the jobs of one directory. Its methods block: for one thread, one call at a time.

    What changes a status says from which: whoever comes second (a worker that is done with a job which was
    cancelled meanwhile) changes nothing, and learns it.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """Open the database, make it where there is none, and put back into the queue what was under way.

        Raises:
            OptionError: it is none that can be used.
            OSError: it cannot be opened or made.
        """
        self._clock = clock or Clock()
        self._connection = connected(path)
        self._connection.execute("UPDATE jobs SET ended = ?1 WHERE ended > ?1", (self._clock.now(),))

    def close(self) -> None:
        """Close the database; what is done is on the disk already."""
        self._connection.close()

    def begun(self) -> list[JobRecord]:
        """The jobs that were worked on when the last process ended; for `requeue`, or `end`."""
        return self._rows(f"{_SELECT} WHERE status = 'processing' ORDER BY seq")

    def add(
        self,
        job_id: str,
        *,
        wanted: Format,
        options: dict[str, Any],
        request_id: str,
        n_bytes: int,
        max_queued: int,
    ) -> JobRecord | None:
        """A new job at the end of the queue; None if as many are waiting as may."""
        is_new = self._changed(
            "INSERT INTO jobs (id, status, format, options, request_id, created_at, bytes) "
            "SELECT ?, 'queued', ?, ?, ?, ?, ? "
            "WHERE coalesce((SELECT jobs FROM tallies WHERE status = 'queued'), 0) < ?",
            (job_id, wanted, json.dumps(options), request_id, time.time(), ROW_BYTES + n_bytes, max_queued),
        )
        return self.get(job_id) if is_new else None

    def get(self, job_id: str) -> JobRecord | None:
        """The job of this name; None if there is none."""
        return next(iter(self._rows(f"{_SELECT} WHERE id = ?", job_id)), None)

    def page(self, status: Status | None, before: int | None, limit: int) -> list[JobRecord]:
        """Jobs, the newest first: those of one status, or all; those before a number, or from the newest."""
        last = _NEWEST if before is None else before
        if status is None:
            rows = self._rows(f"{_SELECT_PLAIN} WHERE seq < ? ORDER BY seq DESC LIMIT ?", last, limit)
        else:
            rows = self._rows(
                f"{_SELECT_PLAIN} WHERE status = ? AND seq < ? ORDER BY seq DESC LIMIT ?", status, last, limit
            )
        return self._placed(rows)

    def claim(self) -> JobRecord | None:
        """The next job of the queue, which from now on is worked on; None if the queue is empty."""
        found = self._connection.execute(
            "UPDATE jobs SET status = 'processing', attempts = attempts + 1, started_at = ? WHERE seq = "
            "(SELECT seq FROM jobs WHERE status = 'queued' ORDER BY seq LIMIT 1) RETURNING id",
            (time.time(),),
        ).fetchone()
        return None if found is None else self.get(found[0])

    def requeue(self, record: JobRecord, *, counts: bool) -> bool:
        """Put a job that was worked on back into the queue, where it was; False if it is not worked on.

        Args:
            record: The job.
            counts: False: the attempt was no fault of the job's, and is forgotten.
        """
        return self._changed(
            "UPDATE jobs SET status = 'queued', attempts = attempts - ?, started_at = NULL "
            "WHERE seq = ? AND status = 'processing'",
            (0 if counts else 1, record.seq),
        )

    def end(self, record: JobRecord, end: End, result: str | None = None) -> bool:
        """End a job that is worked on, or, where it is cancelled, also one that waits.

        Args:
            record: The job.
            end: How it ends.
            result: Its transcript, as `records.stored` makes it, of one that is done.

        Returns:
            True; False if somebody else has ended it, or put it back.
        """
        content = None if result is None else zlib.compress(result.encode())
        before = ("processing", "queued") if end.status == "cancelled" else ("processing", "processing")
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            is_ours = self._changed(
                "UPDATE jobs SET status = ?, finished_at = ?, ended = ?, processed_s = ?, duration_s = ?, "
                "code = ?, message = ?, bytes = ? WHERE seq = ? AND status IN (?, ?)",
                (end.status, time.time(), self._clock.now(), end.processed_s, end.duration_s,
                 end.code, end.message, ROW_BYTES + len(content or b""), record.seq, *before),
            )  # fmt: skip
            if is_ours and content is not None:
                self._connection.execute("INSERT INTO results VALUES (?, ?)", (record.seq, content))
        return is_ours

    def delete(self, record: JobRecord) -> bool:
        """Delete a job that has ended, with its result; False if it has not."""
        is_gone = self._changed(
            "DELETE FROM jobs WHERE seq = ? AND status IN ('done', 'failed', 'cancelled')", (record.seq,)
        )
        tidied(self._connection)
        return is_gone

    def result(self, record: JobRecord) -> str | None:
        """The stored transcript of a job; None if it has none."""
        row = self._connection.execute("SELECT content FROM results WHERE seq = ?", (record.seq,)).fetchone()
        return None if row is None else zlib.decompress(row[0]).decode()

    def sweep(self, keep_s: float, limit: int = 10_000) -> int:
        """Delete what ended more than so many seconds ago, at most `limit` jobs; how many there were."""
        swept = self._connection.execute(
            "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE ended <= ? LIMIT ?)",
            (self._clock.now() - keep_s, limit),
        ).rowcount
        if swept:
            tidied(self._connection)
        return swept

    def left_s(self, record: JobRecord, keep_s: float) -> float | None:
        """Seconds until a job that has ended is swept; None if it has not."""
        return None if record.ended is None else max(0.0, record.ended + keep_s - self._clock.now())

    def held(self) -> set[str]:
        """Names of the jobs whose recordings are needed."""
        rows = self._connection.execute("SELECT id FROM jobs WHERE status IN ('queued', 'processing')")
        return {row[0] for row in rows}

    def tally(self) -> Tally:
        """Numbers of jobs, and what they hold."""
        rows = self._connection.execute("SELECT status, jobs, bytes FROM tallies").fetchall()
        return Tally({row[0]: row[1] for row in rows}, sum(row[2] for row in rows))

    def _placed(self, records: list[JobRecord]) -> list[JobRecord]:
        """Jobs with their places in the queue; one is counted for all: those of a page follow each other."""
        first = next((record for record in records if record.status == "queued"), None)
        place = None if first is None else self.get(first.id)
        position = 0 if place is None or place.position is None else place.position
        placed = []
        for record in records:
            is_queued = record.status == "queued"
            placed.append(replace(record, position=position) if is_queued else record)
            position -= is_queued
        return placed

    def _changed(self, statement: str, given: tuple[Any, ...]) -> bool:
        return self._connection.execute(statement, given).rowcount > 0

    def _rows(self, statement: str, *given: Any) -> list[JobRecord]:
        rows: list[Any] = self._connection.execute(statement, given).fetchall()
        return [JobRecord(*(*row[:4], json.loads(row[4]), *row[5:])) for row in rows]
