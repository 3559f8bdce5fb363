"""Job that is worked on: part by part, with a permit that it gives up between two parts where others wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import BinaryIO

from gigastt_lab.server.jobs.records import JobRecord, Status
from gigastt_lab.server.jobs.store import End
from gigastt_lab.server.work import Job
from gigastt_lab.types import Part, Transcript

Begin = Callable[[BinaryIO], Iterator[Part]]


class RunningJob:
    """One job at work.

    Attributes:
        record: The job, as it was when it was begun.
        processed_s: Seconds of audio that are recognised.
        duration_s: Seconds of the whole recording; None where that is not known.
        work_s: Seconds of work so far.
    """

    def __init__(self, record: JobRecord, permit: Job, next_permit: Callable[[], Awaitable[Job]]) -> None:
        """Begin, with a permit.

        Args:
            record: The job.
            permit: Permit to work, which `close` gives back.
            next_permit: Waits for another one.
        """
        self.record = record
        self.processed_s = 0.0
        self.duration_s: float | None = None
        self.work_s = 0.0
        self._permit: Job | None = permit
        self._next_permit = next_permit

    async def transcript(
        self, file: BinaryIO, begin: Begin, *, others_wait: Callable[[], bool], tell: Callable[[], None]
    ) -> Transcript:
        """The text of a recording.

        Args:
            file: The recording.
            begin: Begins the recognition: the parts of a file.
            others_wait: True while somebody waits for a permit.
            tell: Called when there is progress.

        Raises:
            ApiError: a part took too long; the server shuts down.
            AudioError: it cannot be decoded, or is too long.
            GigasttError: the model failed.
        """
        parts = begin(file)
        found: list[Part] = []
        while (part := await self._step(lambda: next(parts, None))) is not None:
            found.append(part)
            self.processed_s, self.duration_s = part.done_s, part.duration_s
            if part.is_last:
                break
            tell()
            if others_wait():
                self.close()
                self._permit = await self._next_permit()
        return Transcript.of_parts(found)

    def end(self, status: Status, code: str | None = None, message: str | None = None) -> End:
        """End of it, as far as it has come."""
        return End(status, self.processed_s, self.duration_s, code, message)

    def close(self) -> None:
        """Give the permit back: the work is done, or has stopped."""
        permit, self._permit = self._permit, None
        if permit is not None:
            self.work_s += permit.work_s
            permit.close()

    async def _step(self, do: Callable[[], Part | None]) -> Part | None:
        assert self._permit is not None
        self._permit.start_over()  # each part may take as long as a whole file of a request
        return await self._permit.step(do)
