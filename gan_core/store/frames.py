"""Rows of what was seen of a run: parts by round, each small JSON or the name of an artefact, as functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from gan_core.store.fields import from_json
from gan_core.store.records import Frame


def read(connection: sqlite3.Connection, run_id: str) -> list[Frame]:
    """All frames in the order of their rounds; a part that is damaged is left out."""
    rows = connection.execute(
        "SELECT round, part, data FROM frames WHERE run = ? ORDER BY round, rowid", (run_id,)
    ).fetchall()
    return _frames(rows)


def latest(connection: sqlite3.Connection, run_id: str, part: str) -> Frame | None:
    """The last frame that has this part. Found by an index, whatever the number of frames."""
    rows = connection.execute(
        """SELECT round, part, data FROM frames
           WHERE run = :run AND round = (SELECT max(round) FROM frames WHERE run = :run AND part = :part)
           ORDER BY rowid""",
        {"run": run_id, "part": part},
    ).fetchall()
    return next((frame for frame in _frames(rows) if part in frame.parts), None)


def latest_files(connection: sqlite3.Connection, parts: Sequence[str]) -> dict[str, str]:
    """Of every run that is not deleted, the file that its newest frame shows as the first of these ``parts`` it has."""
    newest = "(SELECT data FROM frames WHERE run = runs.id AND part = ? ORDER BY round DESC LIMIT 1)"
    rows = connection.execute(
        f"SELECT id, {', '.join([newest] * len(parts))} FROM runs WHERE deleted_at IS NULL", tuple(parts)
    ).fetchall()
    found = {}
    for run_id, *shown in rows:
        named = (_file(from_json(text)) for text in shown)
        if file := next(filter(None, named), None):
            found[run_id] = file
    return found


def files(connection: sqlite3.Connection, run_id: str, up_to_round: int) -> list[str]:
    """What the frames of rounds ≤ ``up_to_round`` name as their files, well formed or not."""
    rows = connection.execute("SELECT data FROM frames WHERE run = ? AND round <= ?", (run_id, up_to_round)).fetchall()
    return list(filter(None, (_file(from_json(row["data"])) for row in rows)))


def copy(connection: sqlite3.Connection, run_id: str, other: str, up_to_round: int) -> None:
    """Give ``other`` the frames of rounds ≤ ``up_to_round`` of ``run_id``; a part that it has already stays."""
    connection.execute(
        """INSERT OR IGNORE INTO frames SELECT ?, round, part, data FROM frames
           WHERE run = ? AND round <= ? ORDER BY round, rowid""",
        (other, run_id, up_to_round),
    )


def _file(part: Any) -> str:
    """The file that a part names, "" for none."""
    name = part.get("file") if isinstance(part, dict) else None
    return name if isinstance(name, str) else ""


def _frames(rows: Iterable[sqlite3.Row]) -> list[Frame]:
    """Frames of rows (round, part, data) that are sorted by round."""
    parts: dict[int, dict[str, Any]] = {}
    for row in rows:
        data = from_json(row["data"])
        if data is not None:
            parts.setdefault(row["round"], {})[row["part"]] = data
    return [Frame(round, found) for round, found in parts.items()]


def truncate(connection: sqlite3.Connection, run_id: str, after_round: int) -> None:
    connection.execute("DELETE FROM frames WHERE run = ? AND round > ?", (run_id, after_round))
