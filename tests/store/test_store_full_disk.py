"""A store on a full disk: it opens, shows everything, lets room be made, and keeps no handle of an attempt that failed."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core.store import RunStore, StoreError, reserve, schema
from gan_core.store.records import reason


class Disk:
    """As a disk is seen by the index: a number of bytes, of which its files and the reserve take some.

    While fewer than the index needs are left, nothing is written: what SQLite raises then was taken from a real one.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.size, self.others = root, 64 * 2**20, 0

    @property
    def free(self) -> int:
        files = [path for path in self.root.rglob("*") if path.is_file() and not path.name.startswith("ganscope.db-")]
        return max(0, self.size - self.others - sum(path.stat().st_size for path in files))

    @property
    def is_full(self) -> bool:
        return self.free < 64 * 2**10

    def fill(self) -> None:
        self.others += self.free


class OnDisk(sqlite3.Connection):
    disk: Disk

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        word = sql.split()[0].upper()
        if word == "PRAGMA" and "journal_mode" in sql and self.disk.is_full:
            raise sqlite3.OperationalError("disk I/O error")
        if word == "COMMIT" and self.disk.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *rest)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(tmp_path / "runs")
    real = sqlite3.connect
    monkeypatch.setattr(OnDisk, "disk", made, raising=False)
    monkeypatch.setattr(schema.sqlite3, "connect", lambda *given, **more: real(*given, factory=OnDisk, **more))
    usage = lambda path: shutil._ntuple_diskusage(made.size, made.size - made.free, made.free)  # type: ignore[attr-defined] # noqa: E731
    monkeypatch.setattr(reserve.shutil, "disk_usage", usage)
    with RunStore(made.root) as store:
        for name in ("first", "second", "third"):
            store.create(name, name=name, config={})
            store.append(name, "turns", ["a"], np.arange(200), np.zeros((200, 1)))
            store.update(name, status="finished")
            (store.checkpoint_dir(name) / "round-000000001.safetensors").write_bytes(bytes(300_000))
        store.delete("third")
    return made


@pytest.fixture
def open_store(disk: Disk) -> Iterator[Callable[[], RunStore]]:
    opened: list[RunStore] = []

    def make() -> RunStore:
        opened.append(RunStore(disk.root))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def everything_is_shown(store: RunStore) -> bool:
    return [run.id for run in store.runs()] == ["second", "first"] and len(store.track("second")) == 200


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a/file"), os.strerror(errno.ENOSPC)),
        (OSError("the device is gone"), "the device is gone"),
        (sqlite3.OperationalError("database or disk is full"), "database or disk is full"),
        (sqlite3.OperationalError(), "out of memory"),
    ],
    ids=repr,
)
def test_what_went_wrong_is_said_in_few_words(error: Exception, said: str) -> None:
    assert reason(error) == said


def test_what_is_reserved_opens_the_store_and_deletes_from_it(disk: Disk, open_store: Callable) -> None:
    assert (disk.root / reserve.NAME).stat().st_size == reserve.BYTES
    disk.fill()
    store = open_store()
    assert everything_is_shown(store)
    disk.fill()  # what the reserve gave is used up by others
    with pytest.raises(StoreError, match="full"):
        store.delete("second")
    store.purge("third")
    assert not (disk.root / "third").exists()
    store.delete("second")
    store.purge("second")
    assert [run.id for run in store.runs(include_deleted=True)] == ["first"]


def test_a_disk_that_fills_still_lets_a_run_be_deleted(disk: Disk, open_store: Callable) -> None:
    store = open_store()
    disk.fill()
    store.delete("second")
    assert store.run("second").deleted_at is not None
    assert not (disk.root / reserve.NAME).exists()
    store.purge("second")
    disk.size *= 2
    store.purge("third")
    assert (disk.root / reserve.NAME).exists(), "there is room for it again"


def test_without_a_reserve_the_store_is_there_to_be_looked_at_and_purged(disk: Disk, open_store: Callable) -> None:
    (disk.root / reserve.NAME).unlink()
    disk.fill()
    store = open_store()
    assert store.only_reads == reserve.DISK_FULL
    assert everything_is_shown(store)
    for refused in (lambda: store.create("more", name="", config={}), lambda: store.delete("first")):
        with pytest.raises(StoreError, match="The disk is full"):
            refused()
    with pytest.raises(StoreError, match="Delete the run first"):
        store.purge("first")
    assert (disk.root / "first").exists()
    store.purge("third")
    assert store.only_reads == ""
    store.create("more", name="", config={})
    assert store.run("more").status == "queued", "and those who look see what is written from now on"


def test_a_store_that_cannot_be_opened_keeps_no_handle(
    disk: Disk, open_store: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    handles = Path("/proc/self/fd")
    before = len(os.listdir(handles))
    gc.disable()
    try:
        for statement in ("foreign_keys", "user_version", "auto_vacuum", "journal_mode"):
            with monkeypatch.context() as patched:
                patched.setattr(OnDisk, "execute", fails_at(statement))
                for _ in range(5):
                    with pytest.raises(StoreError, match="disk I/O error"):
                        RunStore(disk.root)
            assert len(os.listdir(handles)) == before, statement
    finally:
        gc.enable()
    assert everything_is_shown(open_store())


def fails_at(statement: str) -> Callable[..., sqlite3.Cursor]:
    real = OnDisk.execute

    def execute(self: OnDisk, sql: str, *rest: Any) -> sqlite3.Cursor:
        if statement in sql:
            raise sqlite3.OperationalError("disk I/O error")
        real(self, "SELECT count(*) FROM runs").fetchone()  # a connection that has its files open
        return real(self, sql, *rest)

    return execute
