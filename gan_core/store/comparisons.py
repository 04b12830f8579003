"""Rows of comparisons and of what belongs to them, as functions of a connection."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from gan_core.store.artefacts import is_run_id
from gan_core.store.fields import from_json
from gan_core.store.records import ComparisonNotFound, ComparisonRecord, Member, StoreError


def insert(
    connection: sqlite3.Connection,
    comparison: tuple[str, str, str, int, float],
    members: Sequence[tuple[str, str, str, int]],
) -> None:
    """Add ``(id, name, spec, collected, created_at)`` and its ``(id, run, variant, seed)``."""
    try:
        connection.execute(
            "INSERT INTO comparisons (id, name, spec, collected, created_at) VALUES (?, ?, ?, ?, ?)", comparison
        )
        connection.executemany("INSERT INTO members VALUES (?, ?, ?, ?)", members)
    except sqlite3.IntegrityError as error:
        raise StoreError(f"The comparison cannot be kept: {error}.") from error


def read(connection: sqlite3.Connection, comparison_id: str) -> ComparisonRecord:
    row = None
    if is_run_id(comparison_id):  # which a comparison's id is made as
        row = connection.execute("SELECT * FROM comparisons WHERE id = ?", (comparison_id,)).fetchone()
    if row is None:
        raise ComparisonNotFound(comparison_id)
    return _record(connection, row)


def listed(connection: sqlite3.Connection, deleted: bool = False) -> list[ComparisonRecord]:
    wanted = "IS NOT NULL" if deleted else "IS NULL"
    rows = connection.execute(f"SELECT * FROM comparisons WHERE deleted_at {wanted} ORDER BY seq DESC").fetchall()
    return [_record(connection, row) for row in rows]


def delete(connection: sqlite3.Connection, comparison_id: str, is_active: str) -> None:
    """Delete it, and the runs that it started; ``is_active`` is the SQL condition of a run that is."""
    comparison = read(connection, comparison_id)
    if comparison.deleted_at is not None:
        return
    now = time.time()
    if not comparison.collected:
        mine = "id IN (SELECT run FROM members WHERE comparison = ?)"
        if connection.execute(f"SELECT 1 FROM runs WHERE {mine} AND {is_active}", (comparison_id,)).fetchone():
            raise StoreError("Stop its runs first.")
        connection.execute(f"UPDATE runs SET deleted_at = ? WHERE {mine} AND deleted_at IS NULL", (now, comparison_id))
    connection.execute("UPDATE comparisons SET deleted_at = ? WHERE id = ?", (now, comparison_id))


def restore(connection: sqlite3.Connection, comparison_id: str) -> None:
    """Take it back, and the runs that went with it: they bear the time of its deletion."""
    comparison = read(connection, comparison_id)
    connection.execute(
        """UPDATE runs SET deleted_at = NULL
           WHERE deleted_at = ? AND id IN (SELECT run FROM members WHERE comparison = ?)""",
        (comparison.deleted_at, comparison_id),
    )
    connection.execute("UPDATE comparisons SET deleted_at = NULL WHERE id = ?", (comparison_id,))


def _record(connection: sqlite3.Connection, row: sqlite3.Row) -> ComparisonRecord:
    # Those that went with the comparison are still its members while it lies in the bin.
    members = connection.execute(
        """SELECT run, variant, seed FROM members JOIN runs ON runs.id = members.run
           WHERE comparison = ? AND (runs.deleted_at IS NULL OR runs.deleted_at = ?) ORDER BY members.rowid""",
        (row["id"], row["deleted_at"]),
    ).fetchall()
    fields: dict[str, Any] = dict(row) | {
        "collected": bool(row["collected"]),
        "spec": _spec(row["spec"]),
        "members": tuple(Member(*member) for member in members),
    }
    return ComparisonRecord(**fields)


def _spec(text: str) -> dict[str, Any]:
    """What was asked for; nothing if the text is damaged: its runs can still be seen."""
    spec = from_json(text)
    return spec if isinstance(spec, dict) else {}
