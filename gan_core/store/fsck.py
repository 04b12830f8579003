"""Whether a store keeps its promises: a list of what is wrong with it. Reads only, and needs no store to be open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_core.checkpoints import TEMPORARY, CheckpointError, checkpoints, glance, read
from gan_core.exhaustion import cannot_tell
from gan_core.store import artefacts, aside, owner, tracks
from gan_core.store.fields import from_json
from gan_core.store.records import DamagedRun, RunRecord, StoreError, read_run, reason
from gan_core.store.schema import MIGRATIONS, connect
from gan_core.store.studies import FOLDER, STUDY_ACTIVE, STUDY_STATES

GAPS = ("not_recorded", "not_the_same")  # events that own up to rounds that are missing
GO_ON = "`python -m gan_core study resume` and its id, which computes it again"
REINDEX = "take the newest copy (`python -m gan_core restore`), or rebuild it with `sqlite3 ganscope.db .recover`"


@dataclass(frozen=True)
class Fault:
    """A promise that is broken: of which run or study ("": of the store itself), by which file below the root, what to do."""

    sentence: str
    run: str = ""
    path: str = ""
    repair: str = ""

    def __str__(self) -> str:
        told = f"{self.sentence} ({self.path})" if self.path else self.sentence
        return f"{told} To repair: {self.repair}." if self.repair else told


def fsck(root: Path | str, *, thorough: bool = True) -> list[Fault]:
    """What is wrong with the store under ``root``; nothing, if there is none. A damaged part never hides the others.

    ``thorough`` reads every byte. Otherwise only what costs milliseconds per run: rows of the index, which files there
    are, and the seals of checkpoints but not their tensors.
    """
    root = Path(root)
    path = root / "ganscope.db"
    if not path.exists():
        return []
    try:
        with closing(connect(path, only_read=True)) as connection:
            return list(_faults(connection, root, thorough))
    except sqlite3.Error as error:
        return [Fault(f"The index cannot be read: {error}.", path=path.name, repair=REINDEX)]
    except (OSError, MemoryError) as error:
        # Nothing else is said: of what was found until then, some may have been found for the same reason.
        return [Fault(f"It cannot be told whether anything is wrong: {reason(error)}.", repair="look again later")]


def _faults(connection: sqlite3.Connection, root: Path, thorough: bool) -> Iterator[Fault]:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != len(MIGRATIONS):
        yield Fault(f"The index has format {version}, this version writes {len(MIGRATIONS)}.", path="ganscope.db")
        return
    if thorough:
        for (problem,) in connection.execute("PRAGMA integrity_check(20)").fetchall():
            if problem != "ok":
                yield Fault(f"The index is damaged: {problem}.", path="ganscope.db", repair=REINDEX)
        for table, *_ in connection.execute("PRAGMA foreign_key_check").fetchall():
            yield Fault(f"A row of {table} belongs to no run.", path="ganscope.db")
    folders = _listed(root)  # before the index is read: of a run that begins meanwhile the row comes first
    known = set()
    for row in connection.execute("SELECT * FROM runs ORDER BY seq").fetchall():
        known.add(str(row["id"]))
        yield from _faults_of_run(connection, root, row, thorough)
    yield from _strangers(folders, known)
    yield from _faults_of_studies(connection, root / FOLDER, thorough)


def _faults_of_run(connection: sqlite3.Connection, root: Path, row: sqlite3.Row, thorough: bool) -> Iterator[Fault]:
    run_id = str(row["id"])
    record = read_run(row)
    active = isinstance(record, RunRecord) and record.active
    trains = isinstance(record, RunRecord) and active and owner.life_of(record.owner) is not owner.Life.GONE
    if isinstance(record, DamagedRun):
        yield Fault(record.reason, run_id, record.path, record.repair)
    elif active and not trains:
        yield Fault(
            f"It says {record.status}, but the program that trained it is gone.",
            run_id,
            repair="open the store; it is then interrupted, and can be resumed",
        )
    if not artefacts.is_run_id(run_id):
        yield Fault("Its id cannot be one.", run_id, "ganscope.db")
        return
    folder = root / run_id
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        yield Fault("There is something else in place of its folder.", run_id, run_id, "move that away")
        return
    yield from _files(connection, folder, run_id, thorough, trains)
    yield from _checkpoints(root, folder / "checkpoints", run_id, thorough, trains)
    if thorough:
        yield from _rows(connection, run_id)


def _files(connection: sqlite3.Connection, folder: Path, run_id: str, thorough: bool, trains: bool) -> Iterator[Fault]:
    """Of what was seen: that it is JSON, and that the files that it names are there and hold what their names say."""
    lost = "the run can be watched and resumed without it"
    seen = set()
    for round, part, text in connection.execute(
        "SELECT round, part, data FROM frames WHERE run = ? ORDER BY round, rowid", (run_id,)
    ).fetchall():
        data = from_json(text)
        if data is None:
            yield Fault(f"What was seen of {part!r} at round {round:,} is not JSON.", run_id, "ganscope.db", lost)
        name = data.get("file") if isinstance(data, dict) else None
        if name is None or name in seen:
            continue
        seen.add(name)
        where = f"{run_id}/{name}"
        try:
            path = artefacts.find(folder, name)
            if thorough and not artefacts.is_whole(path):
                yield Fault("It was altered after it was saved.", run_id, where, f"delete it; {lost}")
        except (StoreError, OSError) as error:
            if cannot_tell(error):
                raise
            if not _is_being_purged(connection, folder):
                yield Fault(str(error), run_id, where, lost)
    for event_id, text in connection.execute("SELECT id, data FROM events WHERE run = ?", (run_id,)).fetchall():
        if not isinstance(from_json(text), dict):
            yield Fault(f"What its event {event_id} says is not JSON.", run_id, "ganscope.db", lost)
    if folder.is_dir() and not trains:
        for file in _listed(folder):
            if artefacts.is_temporary(file.name):
                yield Fault("This file was never finished.", run_id, f"{run_id}/{file.name}", "open the store")


def _is_being_purged(connection: sqlite3.Connection, folder: Path) -> bool:
    """Whether the run is gone from the index, or about to be: its folder goes aside before its rows go."""
    there = connection.execute("SELECT 1 FROM runs WHERE id = ?", (folder.name,)).fetchone() is not None
    return not there or aside.path_of(folder.parent, folder.name).exists()


def _checkpoints(root: Path, folder: Path, run_id: str, thorough: bool, trains: bool) -> Iterator[Fault]:
    check: Callable[[Path], object] = read if thorough else glance
    if folder.exists() and not folder.is_dir():
        yield Fault(
            "There is something else in place of its checkpoints.",
            run_id,
            str(folder.relative_to(root)),
            "move that away",
        )
        return
    whole = []
    for path in checkpoints(folder):
        try:
            check(path)
            whole.append(path)
        except CheckpointError as error:
            if isinstance(error.__cause__, OSError | MemoryError) and cannot_tell(error.__cause__):
                raise error.__cause__ from None
            if not path.exists():
                continue  # a newer one has taken its place meanwhile
            older = f"the one before, {whole[-1].name}, is whole" if whole else "no older one is whole"
            yield Fault(f"{error}.", run_id, str(path.relative_to(root)), f"resume, which passes it over; {older}")
    for file in [] if trains else _listed(folder):
        if file.name.endswith(TEMPORARY):
            yield Fault("This file was never finished.", run_id, str(file.relative_to(root)), "open the store")


def _rows(connection: sqlite3.Connection, run_id: str) -> Iterator[Fault]:
    """Of every track: that it can be read, that rounds only grow, and that none is missing without a word."""
    names = connection.execute("SELECT DISTINCT track FROM chunks WHERE run = ?", (run_id,)).fetchall()
    for (name,) in names:
        try:
            rounds = tracks.read(connection, run_id, name).rounds
        except StoreError as error:
            yield Fault(str(error), run_id, "ganscope.db", "resume it from an older checkpoint, or delete it")
            continue
        steps = np.diff(rounds)
        if (steps <= 0).any():
            again = int(rounds[1:][steps <= 0][0])
            yield Fault(f"Round {again:,} stands twice in its {name}.", run_id, "ganscope.db")
        elif name == "turns" and (steps > 1).any() and not _owned_up(connection, run_id):
            after = int(rounds[:-1][steps > 1][0])
            yield Fault(f"Rounds after {after:,} are missing in its {name}.", run_id, "ganscope.db")


def _owned_up(connection: sqlite3.Connection, run_id: str) -> bool:
    wanted = ", ".join("?" * len(GAPS))
    found = connection.execute(f"SELECT 1 FROM events WHERE run = ? AND kind IN ({wanted})", (run_id, *GAPS))
    return found.fetchone() is not None


def _faults_of_studies(connection: sqlite3.Connection, home: Path, thorough: bool) -> Iterator[Fault]:
    """Of every study: that it can be read, that it says what is true of it, and that its rows and their files are whole."""
    folders = [folder for folder in _listed(home) if folder.is_dir()]
    known = set()
    for row in connection.execute("SELECT * FROM studies ORDER BY seq").fetchall():
        study_id = str(row["id"])
        known.add(study_id)
        computed = row["status"] in STUDY_ACTIVE and owner.life_of(from_json(row["owner"]) or {}) is not owner.Life.GONE
        if not isinstance(from_json(row["settings"]), dict):
            yield Fault("Its settings are not JSON.", study_id, "ganscope.db", "delete the study")
        if row["status"] not in STUDY_STATES:
            yield Fault(f"Its status {row['status']!r} is unknown.", study_id, "ganscope.db", "delete the study")
        yield from _faults_of_cells(connection, row, home / study_id, thorough)
        for file in [] if computed else _listed(home / study_id):
            if artefacts.is_temporary(file.name):
                where = f"{FOLDER}/{study_id}/{file.name}"
                yield Fault("This file was never finished.", study_id, where, "open the store")
    for folder in folders:
        if folder.name not in known:
            yield Fault("The index knows no study of this folder.", path=f"{FOLDER}/{folder.name}", repair="delete it")


def _faults_of_cells(
    connection: sqlite3.Connection, study: sqlite3.Row, folder: Path, thorough: bool
) -> Iterator[Fault]:
    study_id, lost = str(study["id"]), "the study can be read without it"
    cells = connection.execute(
        "SELECT cell, data FROM study_rows WHERE study = ? ORDER BY rowid", (study_id,)
    ).fetchall()
    if study["status"] == "finished" and len(cells) < study["cells"]:
        told = f"It says finished, but {len(cells)} of {study['cells']} cells are there."
        yield Fault(told, study_id, "ganscope.db", GO_ON)
    for cell, text in cells:
        values = from_json(text)
        if not isinstance(values, dict):
            yield Fault(f"What was computed in its cell {cell!r} is not JSON.", study_id, "ganscope.db", GO_ON)
            continue
        for name in filter(artefacts.is_artefact, values.values()):
            where = f"{FOLDER}/{study_id}/{name}"
            try:
                path = artefacts.find(folder, name)
                if thorough and not artefacts.is_whole(path):
                    yield Fault("It was altered after it was saved.", study_id, where, f"delete it; {lost}")
            except (StoreError, OSError) as error:
                if cannot_tell(error):
                    raise
                yield Fault(str(error), study_id, where, lost)


def _strangers(folders: list[Path], known: set[str]) -> Iterator[Fault]:
    """Folders that look like those of runs, of which the index knows nothing."""
    for folder in folders:
        if folder.is_dir() and artefacts.is_run_id(folder.name) and folder.name not in known:
            yield Fault(
                "The index knows no run of this folder.",
                path=folder.name,
                repair="delete it, unless you have a copy of the index that knows it",
            )


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
