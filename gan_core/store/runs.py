"""Rows of runs and their events, as functions of a connection."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gan_core.store import frames, tracks
from gan_core.store.fields import from_json
from gan_core.store.orphans import IS_ACTIVE, read_true
from gan_core.store.records import DamagedRun, Event, RunNotFound, RunRecord, StoreError


def insert(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Add a run. StoreError if its id is taken."""
    statement = f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
    try:
        connection.execute(statement, tuple(row.values()))
    except sqlite3.IntegrityError as error:
        raise StoreError(f"There is a run {row['id']!r} already.") from error


def update(connection: sqlite3.Connection, run_id: str, values: Mapping[str, Any]) -> None:
    statement = f"UPDATE runs SET {', '.join(f'{field} = ?' for field in values)} WHERE id = ?"
    if not connection.execute(statement, (*values.values(), run_id)).rowcount:
        raise RunNotFound(run_id)


def read(connection: sqlite3.Connection, run_id: str) -> RunRecord:
    """The record of a run, deleted or not. StoreError if its row is damaged."""
    row = connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise RunNotFound(run_id)
    record = read_true(row)
    if isinstance(record, DamagedRun):
        raise StoreError(record.reason)
    return record


def listed(
    connection: sqlite3.Connection, left_out: Sequence[str] = (), limit: int | None = None
) -> list[RunRecord | DamagedRun]:
    """Newest first, in the order of creation, without those of which a field of ``left_out`` is set."""
    shown = f"WHERE {' AND '.join(f'{field} IS NULL' for field in left_out)}" if left_out else ""
    rows = connection.execute(
        f"SELECT * FROM runs {shown} ORDER BY seq DESC LIMIT ?", (-1 if limit is None else limit,)
    ).fetchall()
    return [read_true(row) for row in rows]


def delete(connection: sqlite3.Connection, run_id: str) -> None:
    """Take a run off the list. StoreError while it is active."""
    deleted = connection.execute(
        f"UPDATE runs SET deleted_at = coalesce(deleted_at, ?) WHERE id = ? AND NOT {IS_ACTIVE}", (time.time(), run_id)
    )
    if not deleted.rowcount:
        raise StoreError("Stop the run first.")


def restore(connection: sqlite3.Connection, run_id: str) -> None:
    connection.execute("UPDATE runs SET deleted_at = NULL WHERE id = ?", (run_id,))


def remove(connection: sqlite3.Connection, run_id: str) -> None:
    """Remove a deleted run for good. StoreError if it was not deleted."""
    if not connection.execute("DELETE FROM runs WHERE id = ? AND deleted_at IS NOT NULL", (run_id,)).rowcount:
        raise StoreError("Delete the run first.")


def truncate(connection: sqlite3.Connection, run_id: str, after_round: int) -> None:
    """Remove rows, frames and events of rounds > ``after_round``."""
    tracks.truncate(connection, run_id, after_round)
    frames.truncate(connection, run_id, after_round)
    connection.execute("DELETE FROM events WHERE run = ? AND round > ?", (run_id, after_round))


def add_event(connection: sqlite3.Connection, event: tuple[str, int, float, str, str]) -> None:
    """Add ``(run, round, at, kind, data)``."""
    connection.execute("INSERT INTO events (run, round, at, kind, data) VALUES (?, ?, ?, ?, ?)", event)


def events(connection: sqlite3.Connection, run_id: str) -> list[Event]:
    """All events in the order in which they were added; damaged data reads as empty."""
    rows = connection.execute(
        "SELECT id, round, at, kind, data FROM events WHERE run = ? ORDER BY id", (run_id,)
    ).fetchall()
    return [Event(row["id"], row["round"], row["at"], row["kind"], from_json(row["data"]) or {}) for row in rows]
