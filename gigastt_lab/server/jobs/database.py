"""Database of jobs: the SQLite file, its tables, and that it is ours."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from gigastt_lab.server.option import OptionError

_APPLICATION_ID: Final = 0x67_69_6A_62  # "gijb": whose file it is, in its header
_VERSION: Final = 1
_CHECKED_BYTES: Final = 2**28  # the check reads all of it: a second

# What a job is counted with against the limit of bytes besides its recording or result: its row and indexes.
ROW_BYTES: Final = 1024

# The triggers count by status what a query would have to walk through all rows for.
_TABLES: Final = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    format TEXT NOT NULL,
    options TEXT NOT NULL,
    request_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    ended REAL,
    processed_s REAL NOT NULL DEFAULT 0,
    duration_s REAL,
    code TEXT,
    message TEXT,
    bytes INTEGER NOT NULL
);
CREATE INDEX jobs_by_status ON jobs (status, seq);
CREATE INDEX jobs_by_end ON jobs (ended) WHERE ended IS NOT NULL;
CREATE TABLE results (
    seq INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    content BLOB NOT NULL
);
CREATE TABLE tallies (status TEXT PRIMARY KEY, jobs INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TRIGGER job_came AFTER INSERT ON jobs BEGIN
    INSERT INTO tallies VALUES (NEW.status, 1, NEW.bytes)
    ON CONFLICT (status) DO UPDATE SET jobs = jobs + 1, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER job_went AFTER DELETE ON jobs BEGIN
    UPDATE tallies SET jobs = jobs - 1, bytes = bytes - OLD.bytes WHERE status = OLD.status;
END;
CREATE TRIGGER job_changed AFTER UPDATE OF status, bytes ON jobs BEGIN
    UPDATE tallies SET jobs = jobs - 1, bytes = bytes - OLD.bytes WHERE status = OLD.status;
    INSERT INTO tallies VALUES (NEW.status, 1, NEW.bytes)
    ON CONFLICT (status) DO UPDATE SET jobs = jobs + 1, bytes = bytes + NEW.bytes;
END;
"""


def connected(path: Path) -> sqlite3.Connection:
    """A connection to the database, made where there is none yet; for one thread at a time.

    Every statement is a transaction of its own, on the disk when it returns, unless `with` holds several.

    Raises:
        OptionError: it is no database of jobs, a damaged one, or one of a later version.
        OSError: it cannot be opened or made.
    """
    # SQLite would make it readable for all; its companions get the rights of the file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise unusable(path, error) from error
    except OptionError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    n_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if n_tables and application_id != _APPLICATION_ID:
        raise OptionError(f"--jobs-dir: {path} is another program's database; give another directory")
    if version > _VERSION:
        raise OptionError(
            f"--jobs-dir: {path} is of a later version of this server; use that one, or another directory"
        )
    if not n_tables:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # an accepted job survives the loss of power, too
    connection.execute("PRAGMA secure_delete = ON")  # what was said does not stay in free pages
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_size_limit = 1048576")
    if not n_tables:
        connection.executescript(
            f"BEGIN; {_TABLES} PRAGMA application_id = {_APPLICATION_ID}; "
            f"PRAGMA user_version = {_VERSION}; COMMIT;"
        )
    if path.stat().st_size <= _CHECKED_BYTES:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise sqlite3.DatabaseError(str(said))


def unusable(path: Path, error: sqlite3.Error) -> OptionError:
    """Error of a database that SQLite cannot work with."""
    said = " ".join(str(error).replace("***", " ").split())
    return OptionError(
        f"--jobs-dir: {path} cannot be used ({said}); move it away, and the server begins anew"
    )


def tidied(connection: sqlite3.Connection) -> None:
    """Give back to the disk what deleted rows took."""
    with suppress(sqlite3.OperationalError):  # later, then
        connection.execute("PRAGMA incremental_vacuum").fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
