"""Opening a store: new, older, newer, foreign, and by many at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gan_core.store import RunStore, StoreError
from gan_core.store.schema import MIGRATIONS, open_database


def test_the_file_is_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "db")) as connection:
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys")]
        assert settings == ["wal", 1]
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
