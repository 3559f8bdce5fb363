"""Records of jobs, and transcripts as they are stored: as JSON, of which any format can be made later."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeVar, cast, get_args

from gigastt_lab.formats import Format
from gigastt_lab.types import AudioWarning, Transcript, Word

# As gigastt's later versions call them.
Status = Literal["queued", "processing", "done", "failed", "cancelled"]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
ENDED: Final = frozenset[Status]({"done", "failed", "cancelled"})

_ID_BYTES: Final = 16
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class JobRecord:
    """Knowledge of one job; of one that is worked on, as it was when that began.

    Attributes:
        seq: Its number: jobs are worked on in this order.
        id: Name by which clients ask for it; it cannot be guessed.
        status: Where it stands.
        format: Format of its result where the client asks for none.
        options: Options of the recognition, as the client gave them.
        request_id: Id of the request that brought it, for the log.
        attempts: How often it was begun.
        created_at: Seconds since 1970, as all times here.
        started_at: When it was begun last; None: never.
        finished_at: When it ended; None: not yet.
        ended: The same by the store's own clock, which does not jump (`store.Clock`).
        processed_s: Seconds of audio that were recognised.
        duration_s: Seconds of the whole recording; None where that is not known.
        code: Code of the error; None unless it failed.
        message: Its sentence.
        position: Place in the queue, from 1; None unless it waits.
    """

    seq: int
    id: str
    status: Status
    format: Format
    options: dict[str, Any]
    request_id: str
    attempts: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    ended: float | None
    processed_s: float
    duration_s: float | None
    code: str | None
    message: str | None
    position: int | None = None


def new_id() -> str:
    """A name for a job that nobody guesses: 128 random bits, 22 characters of URLs and file names."""
    return secrets.token_urlsafe(_ID_BYTES)


def is_id(text: str) -> bool:
    """True if a job may have this name.

    >>> [is_id(text) for text in (new_id(), "", "../jobs.sqlite3", "%00" * 8)]
    [True, False, False, False]
    """
    return _ID.fullmatch(text) is not None


def stored(transcript: Transcript) -> str:
    """A transcript as JSON, without loss: all words and warnings, times as they are."""
    return json.dumps(
        {
            "duration_s": float(transcript.duration_s),
            "words": [_plain(word) for word in transcript.words],
            "warnings": [_plain(warning) for warning in transcript.warnings],
        },
        ensure_ascii=False,
    )


def restored(text: str) -> Transcript:
    """The transcript of which `stored` made `text`, perhaps in another version of this package."""
    content = json.loads(text)
    return Transcript(
        words=tuple(_made(Word, content["words"])),
        duration_s=content["duration_s"],
        warnings=tuple(_made(AudioWarning, content["warnings"])),
    )


def _plain(row: Word | AudioWarning) -> dict[str, Any]:
    return {name: _number(value) for name, value in asdict(row).items()}


def _number(value: Any) -> Any:
    """A number of NumPy's as Python's, which JSON knows."""
    return value.item() if hasattr(value, "item") else value


def _made(kind: type[_Row], rows: Iterable[dict[str, Any]]) -> Iterable[_Row]:
    known = {each.name for each in fields(cast(Any, kind))}
    for row in rows:
        yield kind(**{name: value for name, value in row.items() if name in known})
