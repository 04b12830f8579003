"""What a fork has of its parent, and who is related to whom, as functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

from gan_core.store import artefacts, frames, tracks
from gan_core.store.records import RunNotFound, RunRecord, read_run


def must_be_there(connection: sqlite3.Connection, run_id: str) -> None:
    """Raise RunNotFound unless the index has this run."""
    if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is None:
        raise RunNotFound(run_id)


def inherit(
    connection: sqlite3.Connection, root: Path, run_id: str, parent: str, up_to_round: int, kinds: Collection[str]
) -> None:
    """Give a fork the rows, frames with their files, and events of these kinds that its parent has up to a round.

    In one transaction: the files that are linked are those that the copied rows name, and a parent that is purged
    meanwhile is gone before or after, never amid this.
    """
    for run in (run_id, parent):
        must_be_there(connection, run)
    artefacts.share(frames.files(connection, parent, up_to_round), root / parent, root / run_id)
    frames.copy(connection, parent, run_id, up_to_round)
    tracks.copy(connection, parent, run_id, up_to_round)
    connection.execute(
        f"""INSERT INTO events (run, round, at, kind, data) SELECT ?, round, at, kind, data FROM events
            WHERE run = ? AND round <= ? AND kind IN ({", ".join("?" * len(kinds))}) ORDER BY id""",
        (run_id, parent, up_to_round, *kinds),
    )


def family(connection: sqlite3.Connection, run_id: str) -> list[RunRecord]:
    """The run, what it was forked from, and all that was forked from any of them, in the order of creation."""
    rows = connection.execute(
        """WITH RECURSIVE
             up (id, parent) AS (
               SELECT id, parent FROM runs WHERE id = ?
               UNION SELECT runs.id, runs.parent FROM runs JOIN up ON runs.id = up.parent),
             family (id) AS (
               SELECT id FROM up UNION SELECT runs.id FROM runs JOIN family ON runs.parent = family.id)
           SELECT * FROM runs WHERE id IN family AND deleted_at IS NULL ORDER BY seq""",
        (run_id,),
    ).fetchall()
    return [run for run in map(read_run, rows) if isinstance(run, RunRecord)]
