"""Book of the jobs that a soak's clients were promised, and what became of them when all is over."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evaluation.server_study.client import Address, Client

JOBS: Final = "/v1/jobs"

_SWEEP_S: Final = 60.0  # from one sweep of the server to the next
_SLACK_S: Final = 30.0
_POLL_S: Final = 0.2
_PAGE: Final = 1000
_WAITING: Final = frozenset({"queued", "processing"})


class JobBook:
    """Jobs that were answered with 202 and not deleted by a client since; for many threads."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._left: dict[str, float] = {}  # when it was accepted
        self._n_accepted = 0

    def accept(self, job_id: str) -> None:
        """Note that the server has promised a job."""
        with self._lock:
            self._n_accepted += 1
            self._left[job_id] = time.monotonic()

    def delete(self, job_id: str) -> None:
        """Note that a client is about to delete a job."""
        with self._lock:
            self._left.pop(job_id, None)

    @property
    def n_accepted(self) -> int:
        """Number of jobs that were promised."""
        return self._n_accepted

    def left(self) -> dict[str, float]:
        """Seconds since each job was accepted that nobody has deleted, by id."""
        now = time.monotonic()
        with self._lock:
            return {job_id: now - since for job_id, since in self._left.items()}


@dataclass(frozen=True, kw_only=True)
class JobsLeft:
    """Jobs when all is over.

    Attributes:
        n_accepted: Number of jobs that the server has promised.
        n_swept: Number of those that nobody deleted, and that are gone since their time is over.
        lost: Jobs that are gone before their time.
        stuck: Jobs that wait or are worked on though nobody uses the server.
        unswept: Jobs that are there though their time is over.
        n_after: Number of jobs after all were deleted.
        n_recordings: Number of recordings in the folder then; None where it is not ours.
        folder_bytes: Bytes of the folder then; None where it is not ours.
    """

    n_accepted: int
    n_swept: int
    lost: tuple[str, ...]
    stuck: tuple[str, ...]
    unswept: tuple[str, ...]
    n_after: int
    n_recordings: int | None
    folder_bytes: int | None


def jobs_left(
    address: Address, book: JobBook, folder: Path | None, *, keep_s: float, patience_s: float
) -> JobsLeft | None:
    """Hold the server's jobs against the book, and delete them; None where it has no jobs.

    Args:
        address: Address of the server, which nobody uses.
        book: Book of its jobs.
        folder: Folder of its jobs, if it is ours.
        keep_s: Seconds that the server keeps a job that has ended.
        patience_s: Seconds that jobs which wait may take to be done.

    Raises:
        OSError, HTTPException: the server cannot be reached.
    """
    with Client(address, patience_s) as client:
        give_up_at = time.monotonic() + patience_s
        while (found := _listed(client)) is not None:
            stuck = tuple(job_id for job_id, job in found.items() if job["status"] in _WAITING)
            if not stuck or time.monotonic() > give_up_at:
                break
            time.sleep(_POLL_S)
        if found is None:
            return None
        left = book.left()
        gone = {job_id: age_s for job_id, age_s in left.items() if job_id not in found}
        for job_id in found:
            client.request("DELETE", f"{JOBS}/{job_id}")
        after = _listed(client) or {}
    now = time.time()
    return JobsLeft(
        n_accepted=book.n_accepted,
        n_swept=sum(age_s >= keep_s for age_s in gone.values()),
        lost=tuple(job_id for job_id, age_s in gone.items() if age_s < keep_s),
        stuck=stuck,
        unswept=tuple(
            job_id
            for job_id, job in found.items()
            if job["finished_at"] is not None and now - job["finished_at"] > keep_s + _SWEEP_S + _SLACK_S
        ),
        n_after=len(after),
        n_recordings=None if folder is None else len(list((folder / "uploads").iterdir())),
        folder_bytes=folder_bytes(folder),
    )


def folder_bytes(folder: Path | None) -> int | None:
    """Bytes of all files in a folder; None without one."""
    if folder is None:
        return None
    return sum(_size(path) for path in folder.rglob("*"))


def pages(client: Client, query: str = "", limit: int = _PAGE) -> Iterator[dict[str, Any]]:
    """Pages of the list of jobs, the newest jobs first; none where the server does not list any.

    Raises:
        OSError, HTTPException: as `Client.request`.
    """
    cursor = ""
    while True:
        answer = client.request("GET", f"{JOBS}?limit={limit}{query}{cursor}")
        page = answer.content
        if answer.status != http.client.OK or not isinstance(page, dict) or "jobs" not in page:
            return
        yield page
        if not page.get("next_cursor"):
            return
        cursor = f"&cursor={page['next_cursor']}"


def _listed(client: Client) -> dict[str, dict[str, Any]] | None:
    found = list(pages(client))
    return {job["job_id"]: job for page in found for job in page["jobs"]} if found else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # deleted in this moment
        return 0
