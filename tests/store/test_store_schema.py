"""Opening a store: new, older, newer, foreign, and by many at once."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gan_core.failpoints import armed
from gan_core.store import RunStore, StoreError, schema
from gan_core.store.schema import MIGRATIONS, open_database


def test_the_file_is_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "db")) as connection:
        asked = ("journal_mode", "foreign_keys", "synchronous", "auto_vacuum", "journal_size_limit")
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
        assert settings == ["wal", 1, 1, 1, 16 * 2**20], "what a purge or a long log took goes back to the disk"
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_a_newer_store_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "ganscope.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of GANscope"):
        RunStore(tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["ganscope.db"]


@pytest.mark.parametrize("content", [b"not a database at all" * 100, bytes(range(256)) * 20])
def test_a_file_that_is_no_database_is_refused_and_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ganscope.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"^The store .* cannot be opened: .*\.$"):
        RunStore(tmp_path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be created"):
        RunStore(tmp_path / "file")
    (tmp_path / "ganscope.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        RunStore(tmp_path)


def test_an_older_store_is_migrated_after_a_backup(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        store.create("a", name="old", config={})
    path = tmp_path / "ganscope.db"
    newer = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",))
    with closing(open_database(path, newer)) as connection:
        assert connection.execute("SELECT name, colour FROM runs").fetchone()[:] == ("old", "red")
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(newer)
    with closing(sqlite3.connect(tmp_path / f"ganscope.db.v{len(MIGRATIONS)}.bak")) as backup:
        assert backup.execute("SELECT name FROM runs").fetchall() == [("old",)]
        assert backup.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    RunStore(tmp_path).close()
    broken = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN colour TEXT", "ALTER TABLE nothing ADD COLUMN x"))
    with pytest.raises(StoreError, match="cannot be opened"):
        open_database(tmp_path / "ganscope.db", broken)
    with RunStore(tmp_path) as store:
        assert store.create("a", name="still works", config={}).name == "still works"


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    def open_and_create(k: int) -> str:
        with RunStore(tmp_path) as store:
            return store.create(f"run-{k}", name="", config={}).id

    with ThreadPoolExecutor(8) as pool:
        created = sorted(pool.map(open_and_create, range(8)))
    with RunStore(tmp_path) as store:
        assert sorted(run.id for run in store.runs()) == created


def test_on_a_network_file_system_every_commit_reaches_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunStore(tmp_path).close()  # as it was on a disk of this machine
    monkeypatch.setattr(schema, "network_file_system", lambda folder: "nfs4")
    with closing(open_database(tmp_path / "ganscope.db")) as connection:
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert settings == ["delete", 2]


@pytest.mark.parametrize("fault", ["enospc", "emfile", "enomem"])
def test_what_the_system_lacks_keeps_a_store_from_opening_in_a_sentence(fault: str, tmp_path: Path) -> None:
    said = os.strerror(getattr(errno, fault.upper()))
    with armed(f"store.open={fault}"), pytest.raises(StoreError, match=rf"^The store .* cannot be opened: {said}\.$"):
        RunStore(tmp_path)
    RunStore(tmp_path).close()


@pytest.mark.parametrize(
    ("failure", "why"),
    [(MemoryError(), "out of memory"), (sqlite3.OperationalError("disk I/O error"), "disk I/O error")],
)
def test_what_no_other_process_causes_is_not_waited_for(
    failure: Exception, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def fails(*given: object) -> None:
        tried.append(given)
        raise failure

    monkeypatch.setattr(schema, "_migrate", fails)
    with pytest.raises(StoreError, match=rf"^The store .* cannot be opened: {why}\.$"):
        open_database(tmp_path / "ganscope.db")
    assert len(tried) == 1


@pytest.mark.parametrize("log", ["full", "empty", "missing"])
def test_on_a_full_disk_what_the_log_holds_is_seen_and_else_no_file_is_made(
    log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema.reserve, "is_full", lambda root: True)
    path = tmp_path / "runs" / "ganscope.db"
    with RunStore(path.parent) as store:
        store.create("a", name="", config={})
        shutil.copytree(path.parent, tmp_path / "copy")
    path = tmp_path / "copy" / path.name
    (path.parent / "ganscope.db-shm").unlink()
    if log != "full":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT id FROM runs").fetchall()  # the last one who closes it puts the log into it
        assert not (path.parent / "ganscope.db-wal").exists()
    if log == "empty":
        (path.parent / "ganscope.db-wal").touch()
    with closing(schema.connect(path, only_read=True)) as connection:
        assert [row["id"] for row in connection.execute("SELECT id FROM runs")] == ["a"]
        assert (path.parent / "ganscope.db-shm").exists() == (log == "full")


@pytest.mark.parametrize("lets_go", [True, False])
def test_a_lock_of_another_process_is_waited_for_but_not_for_ever(
    lets_go: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, schema.BUSY_SECONDS, schema.BUSY_SECONDS + 0.1])
    waited: list[float] = []
    real = schema._open

    def locked(*given: Any) -> sqlite3.Connection:
        if lets_go and len(waited) == 1:
            return real(*given)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(schema, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=waited.append))
    monkeypatch.setattr(schema, "_open", locked)
    if lets_go:
        open_database(tmp_path / "ganscope.db").close()
    else:
        with pytest.raises(StoreError, match=r"cannot be opened: database is locked\.$"):
            open_database(tmp_path / "ganscope.db")
    assert len(waited) == 1
