"""Runs that were recorded in another store, taken in as they are: all of them, or none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gan_core.store import artefacts, comparisons, tracks
from gan_core.store.fields import ENCODERS, encode, line, to_json
from gan_core.store.records import ComparisonRecord, Event, Frame, RunRecord, StoreError
from gan_core.store.tracks import TrackData

_KEPT = tuple(name for name in ENCODERS if name != "owner")


@dataclass(frozen=True)
class Whole:
    """Everything that a store knows of one run, but for its files. ``events`` have ids of the store they come from."""

    run: RunRecord
    tracks: Mapping[str, TrackData] = field(repr=False)
    frames: Sequence[Frame] = field(repr=False)
    events: Sequence[Event] = field(repr=False)


def must_have_ids(runs: Sequence[Whole], comparison: ComparisonRecord | None) -> None:
    """StoreError for an id that could be none: it names the folder that files are moved to."""
    for whole in runs:
        if not artefacts.is_run_id(whole.run.id):
            raise StoreError(f"{str(whole.run.id)[:64]!r} cannot be the id of a run.")
    if comparison is not None and not artefacts.is_run_id(comparison.id):
        raise StoreError(f"{str(comparison.id)[:64]!r} cannot be the id of a comparison.")


def insert(connection: sqlite3.Connection, runs: Sequence[Whole], comparison: ComparisonRecord | None) -> None:
    """Add them, with their own ids and times; nobody owns them. StoreError for an id that is taken."""
    for whole in runs:
        _insert_run(connection, whole)
    if comparison is not None:
        comparisons.insert(
            connection,
            (
                comparison.id,
                line(120)(comparison.name),
                to_json(comparison.spec),
                int(comparison.collected),
                comparison.created_at,
            ),
            [(comparison.id, m.run, line(60)(m.variant), int(m.seed)) for m in comparison.members],
        )


def _insert_run(connection: sqlite3.Connection, whole: Whole) -> None:
    run = whole.run
    row = {
        "id": run.id,
        "config": to_json(run.config),
        "created_at": float(run.created_at),
        "parent": run.parent,
        "forked_at": run.forked_at,
        **encode({name: getattr(run, name) for name in _KEPT}),
    }
    try:
        connection.execute(
            f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
    except sqlite3.IntegrityError as error:
        raise StoreError(f"There is a run {run.id!r} already.") from error
    for track, data in whole.tracks.items():
        for start in range(0, len(data), tracks.CHUNK_ROWS):
            part = slice(start, start + tracks.CHUNK_ROWS)
            tracks.insert(connection, run.id, track, tracks.pack(data.columns, data.rounds[part], data.values[part]))
    connection.executemany(
        "REPLACE INTO frames VALUES (?, ?, ?, ?)",
        [
            (run.id, int(frame.round), part, json.dumps(data))
            for frame in whole.frames
            for part, data in frame.parts.items()
        ],
    )
    connection.executemany(
        "INSERT INTO events (run, round, at, kind, data) VALUES (?, ?, ?, ?, ?)",
        [(run.id, int(e.round), float(e.at), line(40)(e.kind), to_json(e.data)) for e in whole.events],
    )
