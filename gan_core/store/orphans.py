"""Runs whose process was killed: what is true of them, and how that is written down."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Container
from dataclasses import replace

from gan_core.store import owner
from gan_core.store.fields import from_json
from gan_core.store.records import ACTIVE, DamagedRun, RunRecord, read_run

IS_ACTIVE = f"status IN ({', '.join(repr(state) for state in sorted(ACTIVE))})"
PROCESS_GONE = "The program that trained it ended before the run did."


def read_true(row: sqlite3.Row) -> RunRecord | DamagedRun:
    """What a row says; of a run that was active when its process was killed, what has become of it."""
    record = read_run(row)
    if isinstance(record, RunRecord) and record.active and owner.life_of(record.owner) is owner.Life.GONE:
        return replace(record, status="interrupted", message=PROCESS_GONE)
    return record


def orphans(connection: sqlite3.Connection, sparing: Container[str]) -> list[tuple[str, str]]:
    """Active runs, each with its owner as it is stored, whose process is gone for sure."""
    active = connection.execute(f"SELECT id, owner FROM runs WHERE {IS_ACTIVE} ORDER BY seq").fetchall()
    return [(row["id"], row["owner"]) for row in active if row["id"] not in sparing and _is_gone(row["owner"])]


def interrupt(connection: sqlite3.Connection, run_id: str, its_owner: str) -> bool:
    """Mark an orphan, with an event; False where it is none any more."""
    # The owner is compared again: since it was read, another process may have interrupted or resumed the run.
    changed = connection.execute(
        f"""UPDATE runs SET status = 'interrupted', message = ?
            WHERE id = ? AND owner = ? AND {IS_ACTIVE} RETURNING rounds""",
        (PROCESS_GONE, run_id, its_owner),
    ).fetchone()
    if changed is None:
        return False
    connection.execute(
        "INSERT INTO events (run, round, at, kind, data) VALUES (?, ?, ?, 'interrupted', '{}')",
        (run_id, changed["rounds"], time.time()),
    )
    return True


def _is_gone(its_owner: str) -> bool:
    return owner.life_of(from_json(its_owner)) is owner.Life.GONE
