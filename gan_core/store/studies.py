"""Studies and their rows: rows are kept as they come, files in ``studies/<study id>/``."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_core.store import artefacts, owner
from gan_core.store.fields import from_json, line, to_json
from gan_core.store.readers import Readers
from gan_core.store.records import RunNotFound, StoreError, reason

if TYPE_CHECKING:
    from gan_core.store.run_store import RunStore

FOLDER = "studies"
STUDY_STATES = ("queued", "running", "finished", "stopped", "failed", "interrupted")
STUDY_ACTIVE = frozenset({"queued", "running"})
GONE = "The program that computed it ended before it did."
Call = Callable[[Callable[[sqlite3.Connection], Any]], Any]


class StudyNotFound(RunNotFound):
    """No study has this id."""

    def __str__(self) -> str:
        return f"There is no study {str(self.args[0])[:64]!r}."


@dataclass(frozen=True)
class StudyRecord:
    """A study: its ``settings``, the ``run`` that is asked ("" for none), and how many ``cells`` of work it has, of which
    ``done`` are stored. ``seconds`` were spent on these.
    """

    id: str
    seq: int
    name: str
    protocol: str
    settings: dict[str, Any]
    run: str
    status: str
    message: str
    cells: int
    done: int
    seconds: float
    owner: dict[str, Any]
    created_at: float
    deleted_at: float | None

    @property
    def active(self) -> bool:
        return self.status in STUDY_ACTIVE


@dataclass(frozen=True)
class StoredCell:
    """What was computed in the cell of this ``key``, in how many ``seconds``."""

    key: str
    values: dict[str, Any]
    seconds: float


_SELECT = """SELECT studies.*, (SELECT count(*) FROM study_rows WHERE study = studies.id) AS done,
                    (SELECT coalesce(sum(seconds), 0) FROM study_rows WHERE study = studies.id) AS seconds FROM studies"""
_KEEP_ROW = """INSERT INTO study_rows VALUES (?, ?, ?, ?) ON CONFLICT (study, cell)
                DO UPDATE SET data = excluded.data, seconds = excluded.seconds
                WHERE CASE WHEN json_valid(data) THEN json_type(data) <> 'object' ELSE 1 END"""
_SETTABLE = ("name", "settings", "status", "message", "cells", "owner", "deleted_at")


class Studies:
    """The studies of a store. Every method that takes an id raises StudyNotFound, and StoreError if the storage fails."""

    def __init__(self, store: RunStore, readers: Readers, call: Call) -> None:
        """``call`` does something in one step of the store's writer."""
        self._store, self._readers, self._call = store, readers, call

    def create(self, study_id: str, *, name: str, settings: Mapping[str, Any], cells: int) -> StudyRecord:
        """Add a study, queued and owned by this process. StoreError if the id is malformed or taken."""
        if not artefacts.is_run_id(study_id):
            raise StoreError(f"{str(study_id)[:64]!r} cannot be the id of a study.")
        row = (
            *(study_id, line(120)(name), line(40)(str(settings["protocol"])), to_json(settings)),
            *(str(settings.get("run", "")), "queued", cells, to_json(owner.this_process()), time.time()),
        )

        def insert(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(
                    """INSERT INTO studies (id, name, protocol, settings, run, status, cells, owner, created_at)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    row,
                )
            except sqlite3.IntegrityError as error:
                raise StoreError(f"The study cannot be kept: {error}.") from error

        self._call(insert)
        return self.read(study_id)

    def read(self, study_id: str) -> StudyRecord:
        """A study, deleted or not. One that was active when its process was killed is interrupted."""
        row = None
        if artefacts.is_run_id(study_id):
            with self._readers.lend() as connection:
                row = connection.execute(f"{_SELECT} WHERE id = ?", (study_id,)).fetchone()
        if row is None:
            raise StudyNotFound(study_id)
        return _record(row)

    def listed(self, *, deleted: bool = False) -> list[StudyRecord]:
        """Those that are not deleted, or those that are, newest first."""
        wanted = "IS NOT NULL" if deleted else "IS NULL"
        with self._readers.lend() as connection:
            rows = connection.execute(f"{_SELECT} WHERE deleted_at {wanted} ORDER BY seq DESC").fetchall()
        return [_record(row) for row in rows]

    def of_run(self, run_id: str) -> list[StudyRecord]:
        """The studies that ask a run, newest first."""
        return [study for study in self.listed() if study.run == run_id]

    def update(self, study_id: str, **changes: Any) -> None:
        """Set fields: name, settings, status, message, cells, owner. TypeError for another, ValueError for a state unknown."""
        if unknown := set(changes) - set(_SETTABLE):
            raise TypeError(f"a study has no field {sorted(unknown)[0]!r}")
        if changes.get("status", "queued") not in STUDY_STATES:
            raise ValueError(f"{changes['status']!r} is no state of a study")
        self.read(study_id)
        values = {
            name: to_json(value)
            if isinstance(value, Mapping)
            else line(500)(value)
            if isinstance(value, str)
            else value
            for name, value in changes.items()
        }
        names = ", ".join(f"{name} = :{name}" for name in values)
        statement = f"UPDATE studies SET {names} WHERE id = :id"
        self._call(lambda connection: connection.execute(statement, {**values, "id": study_id}))

    def add_row(self, study_id: str, key: str, values: Mapping[str, Any], seconds: float) -> None:
        """Keep what was computed in a cell; a second time changes nothing, since a cell has one answer, but a damaged row."""
        row = (study_id, key, json.dumps(values), seconds)
        self._call(lambda connection: connection.execute(_KEEP_ROW, row))

    def rows(self, study_id: str) -> list[StoredCell]:
        """What has been computed, in the order in which it came; a row that is damaged is left out, and computed again."""
        self.read(study_id)
        with self._readers.lend() as connection:
            found = connection.execute(
                "SELECT cell, data, seconds FROM study_rows WHERE study = ? ORDER BY rowid", (study_id,)
            ).fetchall()
        read = [(row["cell"], from_json(row["data"]), row["seconds"]) for row in found]
        return [StoredCell(key, values, seconds) for key, values, seconds in read if isinstance(values, dict)]

    def save(self, study_id: str, kind: str, suffix: str, data: bytes) -> str:
        """Keep a file, whole, and return its name, ``<kind>-<hash>.<suffix>``; see `RunStore.save_artefact`."""
        name = artefacts.artefact_name(kind, suffix, data)
        artefacts.write_once(self.folder(study_id) / name, data)
        return name

    def file(self, study_id: str, name: object) -> Path:
        """The path of a file. StoreError if ``name`` is malformed or the file is missing."""
        return artefacts.find(self.folder(study_id), name)

    def folder(self, study_id: str) -> Path:
        """Where the files of a study are; the folder may not exist yet."""
        if not artefacts.is_run_id(study_id):
            raise StudyNotFound(study_id)
        return self._store.root / FOLDER / study_id

    def sweep(self) -> int:
        """Remove what crashes amid writing left beside studies that nobody computes; returns how many files it was."""
        known = {study.id: study for study in (*self.listed(), *self.listed(deleted=True))}
        return sum(artefacts.sweep(self.folder(study_id)) for study_id, study in known.items() if not study.active)

    def delete(self, study_id: str, at: float | None = None) -> None:
        """Take a study off the list; ``restore`` brings it back. StoreError while it is active."""
        if self.read(study_id).active:
            raise StoreError("Stop the study first.")
        self.update(study_id, deleted_at=time.time() if at is None else at)

    def restore(self, study_id: str) -> None:
        """Undo ``delete``."""
        self.update(study_id, deleted_at=None)

    def purge(self, study_id: str) -> None:
        """Remove a deleted study and its files for good. StoreError if it was not deleted, or if files resist."""
        if self.read(study_id).deleted_at is None:
            raise StoreError("Delete the study first.")
        folder = self.folder(study_id)
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            raise StoreError(f"The files of the study cannot be removed: {reason(error)}.") from error
        self._call(
            lambda connection: connection.execute(
                "DELETE FROM studies WHERE id = ? AND deleted_at IS NOT NULL", (study_id,)
            )
        )


def _record(row: sqlite3.Row) -> StudyRecord:
    found = {name: row[name] for name in (field.name for field in fields(StudyRecord))}
    for name in ("settings", "owner"):
        read = from_json(row[name])
        found[name] = read if isinstance(read, dict) else {}
    if found["status"] in STUDY_ACTIVE and owner.life_of(found["owner"]) is owner.Life.GONE:
        found |= {"status": "interrupted", "message": GONE}
    return StudyRecord(**found)
