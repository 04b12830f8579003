"""The SQLite file: its tables, its version, and how a connection to it is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gan_core.failpoints import failpoint
from gan_core.store import reserve
from gan_core.store.records import StoreError, reason
from gan_core.store.tenancy import network_file_system

BUSY_SECONDS = 10.0

# MIGRATIONS[v] turns a file of version v (PRAGMA user_version; 0 is a new file) into one of version v + 1.
# Entries are history: append, never edit one that was released.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            seq         INTEGER PRIMARY KEY AUTOINCREMENT,
            id          TEXT NOT NULL UNIQUE,
            name        TEXT NOT NULL,
            config      TEXT NOT NULL,
            status      TEXT NOT NULL,
            created_at  REAL NOT NULL,
            started_at  REAL,
            ended_at    REAL,
            rounds      INTEGER NOT NULL DEFAULT 0,
            message     TEXT NOT NULL DEFAULT '',
            traceback   TEXT NOT NULL DEFAULT '',
            tags        TEXT NOT NULL DEFAULT '[]',
            note        TEXT NOT NULL DEFAULT '',
            parent      TEXT,
            forked_at   INTEGER,
            summary     TEXT NOT NULL DEFAULT '{}',
            environment TEXT NOT NULL DEFAULT '{}',
            owner       TEXT NOT NULL DEFAULT '{}',
            deleted_at  REAL
        )""",
        # A chunk is a piece of a track: `columns` a JSON list of c names, `rounds` and `data` as tracks.py packs them.
        """CREATE TABLE chunks (
            id          INTEGER PRIMARY KEY AUTOINCREMENT,
            run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            track       TEXT NOT NULL,
            columns     TEXT NOT NULL,
            rows        INTEGER NOT NULL,
            first_round INTEGER NOT NULL,
            last_round  INTEGER NOT NULL,
            rounds      BLOB NOT NULL,
            data        BLOB NOT NULL
        )""",
        "CREATE INDEX chunks_by_track ON chunks (run, track)",
        # One row per part: the latest grid is found without parsing JSON, and damage stays in one part.
        """CREATE TABLE frames (
            run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            round INTEGER NOT NULL,
            part  TEXT NOT NULL,
            data  TEXT NOT NULL,
            UNIQUE (run, round, part)
        )""",
        "CREATE INDEX frames_by_part ON frames (run, part, round)",
        """CREATE TABLE events (
            id    INTEGER PRIMARY KEY AUTOINCREMENT,
            run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            round INTEGER NOT NULL,
            at    REAL NOT NULL,
            kind  TEXT NOT NULL,
            data  TEXT NOT NULL
        )""",
        "CREATE INDEX events_by_run ON events (run)",
    ),
    (
        # `collected`: made of runs that were there before it, which outlive it.
        """CREATE TABLE comparisons (
            seq        INTEGER PRIMARY KEY AUTOINCREMENT,
            id         TEXT NOT NULL UNIQUE,
            name       TEXT NOT NULL,
            spec       TEXT NOT NULL,
            collected  INTEGER NOT NULL,
            created_at REAL NOT NULL,
            deleted_at REAL
        )""",
        """CREATE TABLE members (
            comparison TEXT NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
            run        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            variant    TEXT NOT NULL,
            seed       INTEGER NOT NULL,
            UNIQUE (comparison, run)
        )""",
        "CREATE INDEX members_by_run ON members (run)",
    ),
    ("ALTER TABLE runs ADD COLUMN archived_at REAL",),
    (
        # `run` is the one that is asked, "" for none: a study outlives it. `cells` says how many rows there will be.
        """CREATE TABLE studies (
            seq        INTEGER PRIMARY KEY AUTOINCREMENT,
            id         TEXT NOT NULL UNIQUE,
            name       TEXT NOT NULL,
            protocol   TEXT NOT NULL,
            settings   TEXT NOT NULL,
            run        TEXT NOT NULL DEFAULT '',
            status     TEXT NOT NULL,
            message    TEXT NOT NULL DEFAULT '',
            cells      INTEGER NOT NULL,
            owner      TEXT NOT NULL DEFAULT '{}',
            created_at REAL NOT NULL,
            deleted_at REAL
        )""",
        """CREATE TABLE study_rows (
            study   TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
            cell    TEXT NOT NULL,
            data    TEXT NOT NULL,
            seconds REAL NOT NULL,
            UNIQUE (study, cell)
        )""",
    ),
    (
        # Of runs on a cluster: how often each was started, and JSON of what it takes of a node.
        """CREATE TABLE leases (
            run    TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL DEFAULT 0,
            takes  TEXT NOT NULL DEFAULT '{}'
        )""",
    ),
)


def connect(path: Path, *, only_read: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any one thread at a time; rows can be read by name.

    One that can ``only_read`` makes no file and changes none, also where the disk itself allows nothing else.
    """
    where = path.absolute().as_uri()
    if only_read:
        # Beside a log that nobody may open for writing, what it holds cannot be seen: the file alone is read.
        # So it is where the disk is too full for what readers share, which loses nothing while the log is empty.
        alone = not os.access(path.parent, os.W_OK) or (reserve.is_full(path.parent) and not _has_log(path))
        where += "?immutable=1" if alone else "?mode=ro"
    connection = sqlite3.connect(where, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    # A text with invalid UTF-8 must damage its own run, not the query that lists all of them.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()  # or its handles stay until the collector comes by
        raise
    return connection


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def open_database(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """Create, or bring up to date, the file at ``path`` and return a connection for the writer.

    An older file is copied to ``<name>.v<version>.bak`` before it is changed. A file of a newer version, or one
    that is no database, is left untouched and is a StoreError.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return _open(path, migrations)
        except (sqlite3.Error, OSError, MemoryError) as error:
            # While another process switches a new file to WAL, SQLite may say "locked" without waiting for its timeout.
            locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
            if not locked or time.monotonic() > deadline:
                raise StoreError(f"The store {path} cannot be opened: {reason(error)}.") from error
            time.sleep(0.02)


def _open(path: Path, migrations: Sequence[Sequence[str]]) -> sqlite3.Connection:
    connection = connect(path)
    try:
        failpoint("store.open")
        _refuse_newer(connection, path, len(migrations))
        # What a purged run took goes back to the disk. Only takes effect while the file is still empty.
        connection.execute("PRAGMA auto_vacuum = FULL")
        if network_file_system(path.parent):  # the shared memory of a write-ahead log does not reach over a network
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        _migrate(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(connection: sqlite3.Connection, path: Path, supported: int) -> None:
    version = _version(connection)
    if version > supported:
        raise StoreError(
            f"The store {path} was written by a newer version of GANscope "
            f"(format {version}, this one reads up to {supported})."
        )


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]) -> None:
    if 0 < _version(connection) < len(migrations):
        backup = path.with_name(f"{path.name}.v{_version(connection)}.bak")
        with closing(sqlite3.connect(backup)) as copy:
            connection.backup(copy)
    connection.execute("BEGIN IMMEDIATE")
    # What fails here closes the connection, which undoes it.
    for statements in migrations[_version(connection) :]:  # read again: another process may have been faster
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")
