"""``RunStore``: everything that is known of every run, for writers that must not wait and readers that never block."""

from __future__ import annotations

import atexit
import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gan_core import checkpoints
from gan_core.store import adoption, artefacts, aside, comparisons, forks, frames, orphans, owner, reserve, runs, tracks
from gan_core.store.adoption import Whole
from gan_core.store.bin import Bin
from gan_core.store.fields import encode, line, to_json
from gan_core.store.leases import Leases
from gan_core.store.orphans import IS_ACTIVE
from gan_core.store.readers import Readers
from gan_core.store.records import (
    ComparisonRecord,
    DamagedRun,
    Event,
    Frame,
    Member,
    RunNotFound,
    RunRecord,
    StoreError,
    reason,
)
from gan_core.store.schema import open_database
from gan_core.store.studies import Studies
from gan_core.store.tracks import TrackData
from gan_core.store.writer import NoWriter, Writer


class RunStore:
    """Runs under ``root``: the index and the curves in ``ganscope.db``, artefacts in ``<run id>/``.

    Several stores, in several processes, may share one root. What a caller appends (``append``, ``add_*``) is committed
    within a quarter of a second and is not waited for: ``flush`` waits. Every other write is committed when it returns.
    Reads see what is committed. A method that takes a run id raises RunNotFound if there is none, except ``append`` and
    ``add_*``, whose writes to an unknown run are logged and dropped. Every method raises StoreError if the storage
    fails; what raised was not done, and what was appended before is kept in memory, up to 64 MiB, and tried again.
    """

    def __init__(self, root: Path | str, *, only_reads: str = "") -> None:
        """``only_reads`` is a sentence that says why nothing may be written; a disk that is read-only has its own."""
        self.root = Path(root)
        owner.this_process()  # read now, while there is a file handle for it
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder {self.root} cannot be created: {error.strerror}.") from error
        path = self.root / "ganscope.db"
        if not only_reads and path.exists() and not os.access(self.root, os.W_OK):
            only_reads = f"The folder {self.root} cannot be written to: its runs can be looked at, none can be trained."
        self.only_reads = only_reads
        self._writer: Writer | NoWriter = NoWriter(only_reads) if only_reads else self._open_writer()
        self._readers = Readers(path, only_read=bool(self.only_reads))
        self.bin = Bin(self, self._readers, self._make_room)
        self.studies = Studies(self, self._readers, self._make_room)
        self.leases = Leases(lambda change: self._writer.call(change), self._readers)
        self._closed = False
        atexit.register(self.close)  # the writer is a daemon thread: without this the last quarter second is lost

    def __enter__(self) -> RunStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is queued, then stop. StoreError if that could not be written; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        try:
            if not self.only_reads:
                self.flush()
        finally:
            self._writer.close()
            self._readers.close()

    def begin_to_write(self) -> None:
        """Write from now on, where until now reading was all that was allowed. StoreError if that cannot be."""
        if self.only_reads:
            self._writer = Writer(open_database(self.root / "ganscope.db"))
            self._readers.look_anew()
            self.only_reads = ""

    def _open_writer(self) -> Writer | NoWriter:
        """On a full disk with what is reserved for that; a store without a reserve is there to be looked at."""
        try:
            opened = Writer(open_database(self.root / "ganscope.db"))
        except StoreError:
            if not reserve.is_full(self.root):
                raise
            if reserve.give_up(self.root):
                return Writer(open_database(self.root / "ganscope.db"))
            self.only_reads = reserve.DISK_FULL
            return NoWriter(self.only_reads)
        reserve.keep(self.root)
        return opened

    def _make_room(
        self, change: Callable[[sqlite3.Connection], None], before: Callable[[], None] | None = None
    ) -> None:
        """Write what makes room: on a full disk with what is reserved for that, after ``before``, which frees some."""
        try:
            self._writer.call(change)
        except StoreError:
            if self.only_reads not in ("", reserve.DISK_FULL) or not reserve.is_full(self.root):
                raise
            given = reserve.give_up(self.root)
            if before is not None:
                before()
            elif not given:
                raise
            self.begin_to_write()
            self._writer.call(change)

    @property
    def problem(self) -> str | None:
        """One sentence while writing fails (disk full, …), else ``None``."""
        return self._writer.problem

    # Writing

    def create(
        self,
        run_id: str,
        *,
        name: str,
        config: Mapping[str, Any],
        parent: str | None = None,
        forked_at: int | None = None,
        tags: Iterable[str] = (),
        environment: Mapping[str, Any] | None = None,
    ) -> RunRecord:
        """Add a run, queued and owned by this process. StoreError if the id is malformed or taken."""
        if not artefacts.is_run_id(run_id):
            raise StoreError(f"{str(run_id)[:64]!r} cannot be the id of a run.")
        row = {
            "id": run_id,
            "config": to_json(config),
            "created_at": time.time(),
            "parent": parent,
            "forked_at": forked_at,
            **encode(
                {
                    "name": name,
                    "status": "queued",
                    "tags": tags,
                    "environment": environment or {},
                    "owner": owner.this_process(),
                }
            ),
        }
        self._writer.call(lambda connection: runs.insert(connection, row))
        return self.run(run_id)

    def update(self, run_id: str, *, wait: bool = True, **fields: Any) -> None:
        """Set fields of a run: status, message, traceback, rounds, started_at, ended_at, archived_at, summary, name,
        note, tags, environment, owner. Texts are cut and cleaned.

        TypeError for an unknown field, ValueError for an unknown status. With ``wait=False`` the update is tried
        again while the storage fails, and is dropped if the run does not exist.
        """
        _check(run_id)
        values = encode(fields)
        if not values:
            return

        def change(connection: sqlite3.Connection) -> None:
            runs.update(connection, run_id, values)

        if wait:
            self._writer.call(change)
        else:
            self._writer.submit(change, size=sum(len(str(value)) for value in values.values()))

    def append(self, run_id: str, track: str, columns: Sequence[str], rounds: np.ndarray, values: np.ndarray) -> None:
        """Add rows to a track: ``rounds`` int (n,) and ``values`` float32 (n, c), both copied.

        NaN, infinities and -0.0 are kept bit for bit. The columns may differ from call to call.
        ValueError or TypeError if the arrays do not fit.
        """
        _check(run_id)
        if len(rounds) == 0:
            return
        chunk = tracks.pack(columns, rounds, values)
        self._writer.submit(
            lambda connection: tracks.insert(connection, run_id, track, chunk), size=len(chunk[-1]) + len(chunk[-2])
        )

    def add_frame(self, run_id: str, round: int, parts: Mapping[str, Any]) -> None:
        """Add parts to what was seen at ``round``; a part that is there already is replaced."""
        _check(run_id)
        rows = [(run_id, int(round), part, json.dumps(data)) for part, data in parts.items()]
        self._writer.submit(
            lambda connection: connection.executemany("REPLACE INTO frames VALUES (?, ?, ?, ?)", rows),
            size=sum(len(row[-1]) for row in rows),
        )

    def add_event(self, run_id: str, round: int, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Add something that happened at ``round``, now."""
        _check(run_id)
        event = (run_id, int(round), time.time(), line(40)(kind), to_json(data or {}))
        self._writer.submit(lambda connection: runs.add_event(connection, event), size=len(event[-1]))

    def save_artefact(self, run_id: str, kind: str, suffix: str, data: bytes) -> str:
        """Save a file and return its name, ``<kind>-<hash>.<suffix>``; the same content has the same name.

        ``kind`` is [a-z]+, ``suffix`` such as "png"; ValueError otherwise. The file is whole, on disk, on return.
        """
        name = artefacts.artefact_name(kind, suffix, data)
        artefacts.write_once(self._folder(run_id) / name, data)
        return name

    def inherit(self, run_id: str, parent: str, up_to_round: int, *, events: Collection[str] = ()) -> None:
        """Give a fork the past of its parent: rows, frames with their files, and events of these kinds, up to a round.

        The fork can then be read, exported and kept without its parent.
        """
        for run in (run_id, parent):
            _check(run)
        kinds = list(events)
        self._writer.call(lambda connection: forks.inherit(connection, self.root, run_id, parent, up_to_round, kinds))

    def whole(self, run_id: str) -> Whole:
        """Everything that is known of a run, but for its files."""
        rows = {name: self.track(run_id, name) for name in self.track_names(run_id)}
        return Whole(self.run(run_id), rows, self.frames(run_id), self.events(run_id))

    def adopt(self, runs: Sequence[Whole], files: Path, comparison: ComparisonRecord | None = None) -> None:
        """Take in runs of another store as they are, and their comparison: all of it, or nothing.

        ``files / <run id>`` holds the artefacts and checkpoints of a run; the folders are moved. StoreError for an id that
        is malformed or taken, and for a run that is active.
        """
        if any(whole.run.active for whole in runs):
            raise StoreError("A run that trains belongs to its own store.")
        adoption.must_have_ids(runs, comparison)
        aside.take_in(
            self.root,
            files,
            [whole.run.id for whole in runs],
            lambda: self._writer.call(lambda connection: adoption.insert(connection, runs, comparison), timeout=300.0),
        )

    def flush(self, timeout: float = 10.0) -> None:
        """Return once everything queued so far is committed; StoreError if it is not, within ``timeout`` seconds."""
        self._writer.call(lambda connection: None, timeout)

    # Reading

    def run(self, run_id: str) -> RunRecord:
        """The record of a run, deleted or not. StoreError if its row is damaged.

        Its status is what is true: a run whose process is gone is interrupted, whatever was written down last.
        """
        _check(run_id)
        with self._readers.lend() as connection:
            return runs.read(connection, run_id)

    def runs(
        self, *, include_deleted: bool = False, include_archived: bool = True, limit: int | None = None
    ) -> list[RunRecord | DamagedRun]:
        """Newest first, in the order of creation."""
        left_out = [
            field
            for field, wanted in (("deleted_at", include_deleted), ("archived_at", include_archived))
            if not wanted
        ]
        with self._readers.lend() as connection:
            return runs.listed(connection, left_out, limit)

    def family(self, run_id: str) -> list[RunRecord]:
        """The run, what it was forked from, and all that was forked from any of them, in the order of creation."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return forks.family(connection, run_id)

    def track(self, run_id: str, track: str = "turns", columns: Sequence[str] | None = None) -> TrackData:
        """A track, empty if nothing was recorded. ``columns`` picks some by name; one that is not there is all NaN."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return tracks.read(connection, run_id, track, columns)

    def last_round(self, run_id: str, track: str) -> int | None:
        """The last round of which a track has a row, if there is one."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return tracks.last_round(connection, run_id, track)

    def track_names(self, run_id: str) -> list[str]:
        """The tracks that have rows, in the order in which they began."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return tracks.names_of(connection, run_id)

    def frames(self, run_id: str) -> list[Frame]:
        """All frames in the order of their rounds; a part that is damaged is left out."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return frames.read(connection, run_id)

    def latest_frame(self, run_id: str, part: str = "grid") -> Frame | None:
        """The last frame that has this part. Found by an index, whatever the number of frames."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return frames.latest(connection, run_id, part)

    def latest_files(self, parts: Sequence[str]) -> dict[str, str]:
        """Of every run that is not deleted, the file that its newest frame shows as the first of these ``parts`` it has.

        One query for all of them, each found by an index.
        """
        with self._readers.lend() as connection:
            return frames.latest_files(connection, parts)

    def events(self, run_id: str) -> list[Event]:
        """All events in the order in which they were added; damaged data reads as empty."""
        self._folder(run_id)
        with self._readers.lend() as connection:
            return runs.events(connection, run_id)

    def artefact_path(self, run_id: str, name: str) -> Path:
        """The path of a saved file. StoreError if ``name`` is malformed or the file is missing."""
        return artefacts.find(self._folder(run_id), name)

    def checkpoint_dir(self, run_id: str) -> Path:
        """The folder of the run's checkpoints, created if need be."""
        folder = self._folder(run_id) / "checkpoints"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder {folder} cannot be created: {error.strerror}.") from error
        return folder

    def checkpoints(self, run_id: str) -> list[checkpoints.Saved]:
        """What has been saved of a run, oldest first."""
        try:
            return checkpoints.listed(self.checkpoint_dir(run_id))
        except OSError as error:
            raise StoreError(f"Its checkpoints cannot be looked at: {error.strerror or error}.") from error

    def pin(self, run_id: str, round: int) -> None:
        """Let a checkpoint stay until it is unpinned. StoreError where there is none of this round."""
        self._may_write()
        try:
            checkpoints.pin(self.checkpoint_dir(run_id), round)
        except checkpoints.CheckpointError as error:
            raise StoreError(str(error)) from error
        except OSError as error:
            raise StoreError(f"The checkpoint cannot be pinned: {reason(error)}.") from error

    def unpin(self, run_id: str, round: int) -> None:
        """Let a checkpoint be one like the others, or what else it is kept for."""
        self._may_write()
        try:
            checkpoints.unmark(checkpoints.path_of(self.checkpoint_dir(run_id), round), "pinned")
        except OSError as error:
            raise StoreError(f"The checkpoint cannot be unpinned: {reason(error)}.") from error

    def _may_write(self) -> None:
        if self.only_reads:
            raise StoreError(self.only_reads)

    # Tending

    def delete(self, run_id: str) -> None:
        """Take a run off the list; ``restore`` brings it back. StoreError while it is active."""
        self._folder(run_id)
        self.interrupt_orphans()
        self._make_room(lambda connection: runs.delete(connection, run_id))

    def restore(self, run_id: str) -> None:
        """Undo ``delete``."""
        self._folder(run_id)
        self._writer.call(lambda connection: runs.restore(connection, run_id))

    def purge(self, run_id: str) -> None:
        """Remove a deleted run and its files for good. StoreError if it was not deleted, or if files resist."""
        self._folder(run_id)

        def remove(connection: sqlite3.Connection) -> None:
            runs.remove(connection, run_id)
            aside.put(self.root, run_id)

        def remove_files() -> None:
            if self.run(run_id).deleted_at is None:
                raise StoreError("Delete the run first.")
            aside.remove_first(self.root, run_id)

        aside.purge(self.root, [run_id], lambda: self._make_room(remove, remove_files))
        reserve.keep(self.root)

    def compact(self, run_id: str, track: str | None = None) -> None:
        """Merge the chunks of one track, or of all, so that they read fast. What is read stays the same."""
        self._folder(run_id)

        def merge(connection: sqlite3.Connection) -> None:
            for name in [track] if track else tracks.names_of(connection, run_id):
                tracks.compact(connection, run_id, name)

        self._writer.call(merge)

    def truncate(self, run_id: str, after_round: int) -> None:
        """Remove rows, frames and events of rounds > ``after_round``; ``RunRecord.rounds`` is left to the caller."""
        self._folder(run_id)
        self._writer.call(lambda connection: runs.truncate(connection, run_id, after_round))

    # Comparisons

    def create_comparison(
        self,
        comparison_id: str,
        *,
        name: str,
        spec: Mapping[str, Any],
        members: Iterable[Member],
        collected: bool = False,
    ) -> ComparisonRecord:
        """Put runs together that are to be compared. StoreError if the id is malformed or taken, or a run is missing."""
        if not artefacts.is_run_id(comparison_id):
            raise StoreError(f"{str(comparison_id)[:64]!r} cannot be the id of a comparison.")
        row = (comparison_id, line(120)(name), to_json(spec), int(collected), time.time())
        cleaned = [(comparison_id, member.run, line(60)(member.variant), int(member.seed)) for member in members]
        self._writer.call(lambda connection: comparisons.insert(connection, row, cleaned))
        return self.comparison(comparison_id)

    def comparison(self, comparison_id: str) -> ComparisonRecord:
        """A comparison, deleted or not. ComparisonNotFound if there is none."""
        with self._readers.lend() as connection:
            return comparisons.read(connection, comparison_id)

    def comparisons(self, *, deleted: bool = False) -> list[ComparisonRecord]:
        """Those that are not deleted, or those that are, newest first."""
        with self._readers.lend() as connection:
            return comparisons.listed(connection, deleted)

    def delete_comparison(self, comparison_id: str) -> None:
        """Take a comparison off the list, and its runs with it unless they were collected; StoreError while one is active."""
        self.interrupt_orphans()
        self._make_room(lambda connection: comparisons.delete(connection, comparison_id, IS_ACTIVE))

    def restore_comparison(self, comparison_id: str) -> None:
        """Undo ``delete_comparison``: runs that were deleted before it stay deleted."""
        self._writer.call(lambda connection: comparisons.restore(connection, comparison_id))

    def interrupt_orphans(self, sparing: Container[str] = ()) -> list[str]:
        """Mark every active run whose process is gone as interrupted, and return the ids of those marked by this call.

        Each is marked, with an event, exactly once, even if several processes look at the same time. ``ended_at``
        stays empty: nobody saw the end. Where it cannot be told whether a process is gone, its runs are left as they
        are, and so are those of ``sparing``, which the caller knows to train.
        """
        with self._readers.lend() as connection:
            found = orphans.orphans(connection, sparing)
        if not found:
            return []
        return self._writer.call(
            lambda connection: [
                run_id for run_id, its_owner in found if orphans.interrupt(connection, run_id, its_owner)
            ]
        )

    def sweep(self) -> int:
        """Remove what crashes amid writing left in the folders of runs that no process trains; returns how many files."""
        runs = self.runs(include_deleted=True)
        swept = aside.sweep(self.root, {run.id for run in runs}.__contains__)
        swept += self.studies.sweep()
        for run in runs:
            if isinstance(run, RunRecord) and not run.active:
                swept += checkpoints.sweep(self.root / run.id / "checkpoints") + artefacts.sweep(self.root / run.id)
        return swept

    def _folder(self, run_id: str) -> Path:
        """The folder of a run that is in the index (it may not exist yet), else RunNotFound."""
        _check(run_id)
        with self._readers.lend() as connection:
            forks.must_be_there(connection, run_id)
        return self.root / run_id


def _check(run_id: str) -> None:
    if not artefacts.is_run_id(run_id):
        raise RunNotFound(run_id)
