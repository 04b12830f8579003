"""The bin: what was deleted is off every list, and whole until it is taken back or removed for good."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gan_core.store import aside, comparisons
from gan_core.store.readers import Readers
from gan_core.store.records import ComparisonNotFound, RunRecord, StoreError, read_run
from gan_core.store.studies import StudyNotFound

if TYPE_CHECKING:
    from gan_core.store.run_store import RunStore

Kind = Literal["run", "comparison", "study"]
Call = Callable[[Callable[[sqlite3.Connection], Any]], Any]


@dataclass(frozen=True)
class Deleted:
    """A run or a study in the bin, or a comparison with the ``runs`` that went with it; those of one act have one
    ``deleted_at``.
    """

    id: str
    kind: Kind
    name: str
    deleted_at: float
    runs: tuple[str, ...]


class Bin:
    """Runs, comparisons and studies alike, by their ids. Every method raises RunNotFound for an unknown one, and StoreError."""

    def __init__(self, store: RunStore, readers: Readers, call: Call) -> None:
        """``call`` does something in one step of the store's writer."""
        self._store, self._readers, self._call = store, readers, call

    def listed(self) -> list[Deleted]:
        """What is in the bin, the last deleted first. Runs that went with a comparison are not listed beside it."""
        found = [self._comparison(comparison) for comparison in self._store.comparisons(deleted=True)]
        taken = {run for comparison in found for run in comparison.runs}
        with self._readers.lend() as connection:
            rows = connection.execute("SELECT * FROM runs WHERE deleted_at IS NOT NULL ORDER BY seq DESC").fetchall()
        for row, run in zip(rows, map(read_run, rows), strict=True):
            if run.id not in taken:
                name = run.name if isinstance(run, RunRecord) else run.id
                found.append(Deleted(run.id, "run", name, row["deleted_at"], (run.id,)))
        for study in self._store.studies.listed(deleted=True):
            found.append(Deleted(study.id, "study", study.name, study.deleted_at or 0.0, ()))
        return sorted(found, key=lambda entry: -entry.deleted_at)

    def newest(self) -> list[Deleted]:
        """What was deleted in the last act: what an undo takes back."""
        found = self.listed()
        return [entry for entry in found if entry.deleted_at == found[0].deleted_at]

    def frees(self, entry: Deleted) -> int:
        """The bytes that to remove it for good gives back: about those of its files and of its rows."""
        if entry.kind == "study":
            return sum(_bytes_in(self._store.studies.folder(entry.id)))
        rows = sum(map(self._bytes_of_rows, entry.runs))
        return rows + sum(sum(_bytes_in(self._store.root / run_id)) for run_id in entry.runs)

    def _bytes_of_rows(self, run_id: str) -> int:
        with self._readers.lend() as connection:
            (count,) = connection.execute(
                """SELECT (SELECT coalesce(sum(length(rounds) + length(data)), 0) FROM chunks WHERE run = :run)
                        + (SELECT coalesce(sum(length(data)), 0) FROM frames WHERE run = :run)
                        + (SELECT coalesce(sum(length(data)), 0) FROM events WHERE run = :run)""",
                {"run": run_id},
            ).fetchone()
        return int(count)

    def delete(self, whats: Sequence[str]) -> None:
        """Put runs, comparisons and studies into the bin, as one act: all of them, or none while one is active."""
        if self._store.only_reads:
            raise StoreError(self._store.only_reads)
        kinds = {what: self._kind(what) for what in whats}
        runs = [what for what, kind in kinds.items() if kind == "run" and self._went_at(what) is None]
        self._refuse_active(runs)
        for what, kind in kinds.items():
            if kind == "comparison":
                self._store.delete_comparison(what)
            elif kind == "study":
                self._store.studies.delete(what)
        for run_id in runs:
            self._store.delete(run_id)
        now = time.time()
        self._call(
            lambda connection: connection.executemany(
                "UPDATE runs SET deleted_at = ? WHERE id = ? AND deleted_at IS NOT NULL", [(now, run) for run in runs]
            )
        )

    def restore(self, what: str) -> None:
        """Take a run, a study or a comparison back, a comparison with the runs that went with it."""
        back = {
            "run": self._store.restore,
            "comparison": self._store.restore_comparison,
            "study": self._store.studies.restore,
        }
        back[self._kind(what)](what)

    def purge(self, what: str) -> None:
        """Remove a run, a study or a comparison for good, a comparison with the runs that went with it. StoreError for one
        that is not in the bin, or where files resist.
        """
        if self._kind(what) == "run":
            self._store.purge(what)
            return
        if self._kind(what) == "study":
            self._store.studies.purge(what)
            return
        comparison = self._store.comparison(what)
        if comparison.deleted_at is None:
            raise StoreError("Delete the comparison first.")
        runs = self._comparison(comparison).runs

        def remove(connection: sqlite3.Connection) -> None:
            for run in runs:
                # One that was taken back since keeps its files.
                if connection.execute("DELETE FROM runs WHERE id = ? AND deleted_at IS NOT NULL", (run,)).rowcount:
                    aside.put(self._store.root, run)
            connection.execute("DELETE FROM comparisons WHERE id = ? AND deleted_at IS NOT NULL", (what,))

        aside.purge(self._store.root, runs, lambda: self._call(remove))

    def _kind(self, what: str) -> Kind:
        with suppress(ComparisonNotFound):
            self._store.comparison(what)
            return "comparison"
        with suppress(StudyNotFound):
            self._store.studies.read(what)
            return "study"
        return "run"  # or nothing, which who deletes runs finds out

    def _went_at(self, run_id: str) -> float | None:
        """When a run was deleted, also one whose row is damaged."""
        with suppress(StoreError):
            return self._store.run(run_id).deleted_at
        return None

    def _refuse_active(self, runs: Sequence[str]) -> None:
        active = []
        for run_id in runs:
            with suppress(StoreError):
                run = self._store.run(run_id)
                active += [run.name] if run.active else []
        if active:
            told = "the run" if len(runs) == 1 else ", ".join(active)
            raise StoreError(f"Stop {told} first.")

    def _comparison(self, comparison: comparisons.ComparisonRecord) -> Deleted:
        """What goes and comes with it: the runs that bear the time of its deletion."""
        assert comparison.deleted_at is not None
        runs = tuple(member.run for member in comparison.members if not comparison.collected)
        mine = tuple(run for run in runs if self._went_at(run) == comparison.deleted_at)
        return Deleted(comparison.id, "comparison", comparison.name, comparison.deleted_at, mine)


def _bytes_in(folder: Path) -> list[int]:
    """The sizes of the files in a folder that no other run shares."""
    sizes = []
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                status = os.lstat(os.path.join(place, name))
            except OSError:
                continue
            sizes += [status.st_size] if status.st_nlink == 1 else []
    return sizes
