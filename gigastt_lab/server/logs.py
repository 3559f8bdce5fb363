"""The server's log: to stderr, as lines for people or as JSON, each with the id of its request."""

from __future__ import annotations

import json
import logging
import logging.config
import re
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

from gigastt_lab.server.config import LogFormat, LogLevel

request_id: ContextVar[str] = ContextVar("request_id", default="-")

_CLIENTS_ID: Final = re.compile(r"[A-Za-z0-9._\-]{1,128}")
# Fields of a record that are not given with `extra`.
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id", "taskName"}


def id_of(given: str | None) -> str:
    """The id of a request: the client's own where it is short and plain, else a new one."""
    return given if given is not None and _CLIENTS_ID.fullmatch(given) else uuid.uuid4().hex


class _WithRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class JsonFormatter(logging.Formatter):
    """JSON, one object a line: time, level, logger, message, request_id, what else was given, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        entry |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def configure(level: LogLevel, log_format: LogFormat) -> None:
    """Set up logging for the process, once."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"request_id": {"()": _WithRequestId}},
            "formatters": {
                "json": {"()": JsonFormatter},
                "text": {"format": "%(asctime)s %(levelname)-7s %(request_id)s %(name)s: %(message)s"},
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": log_format,
                    "filters": ["request_id"],
                }
            },
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                # Ours alone: at these levels the HTTP libraries log every header, and uvicorn every request.
                "gigastt_lab": {"level": level.upper()},
                "uvicorn": {
                    "level": "ERROR"
                },  # what is no HTTP would be a warning, as often as anybody likes
            },
        }
    )
