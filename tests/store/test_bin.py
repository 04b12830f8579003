"""The bin: what was deleted is listed, comes back as it was, and is gone with its files once it is removed for good."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core.failpoints import armed
from gan_core.store import Member, RunNotFound, RunStore, StoreError, reserve


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs") as opened:
        for name in "abcd":
            opened.create(name, name=f"run {name}", config={})
            opened.update(name, status="finished")
            opened.save_artefact(name, "grid", "png", name.encode() * 1000)
        yield opened


def compare(store: RunStore, *runs: str, collected: bool = False) -> str:
    store.create_comparison(
        "the-two",
        name="the two",
        spec={},
        members=[Member(run, "v", seed) for seed, run in enumerate(runs)],
        collected=collected,
    )
    return "the-two"


def listed(store: RunStore) -> list[tuple[str, tuple[str, ...]]]:
    return [(entry.id, entry.runs) for entry in store.bin.listed()]


def test_what_is_deleted_in_one_act_is_taken_back_act_by_act(store: RunStore) -> None:
    store.bin.delete(["a", "b"])
    store.bin.delete(["c"])
    acts = []
    while newest := store.bin.newest():
        acts.append({entry.id for entry in newest})
        for entry in newest:
            store.bin.restore(entry.id)
    assert acts == [{"c"}, {"a", "b"}]
    assert len(store.runs()) == 4


def test_one_that_is_active_keeps_the_others_of_the_act(store: RunStore) -> None:
    store.update("b", status="running")
    with pytest.raises(StoreError, match=r"^Stop run b first\.$"):
        store.bin.delete(["a", "b"])
    assert listed(store) == []
    with pytest.raises(RunNotFound):
        store.bin.delete(["a", "nobody"])
    assert listed(store) == []


def test_a_run_that_was_deleted_before_keeps_its_place(store: RunStore) -> None:
    store.bin.delete(["a"])
    before = store.run("a").deleted_at
    store.bin.delete(["a", "b"])
    assert store.run("a").deleted_at == before
    assert listed(store) == [("b", ("b",)), ("a", ("a",))]


def test_a_comparison_goes_comes_and_is_removed_with_its_runs(store: RunStore) -> None:
    what = compare(store, "a", "b")
    store.bin.delete(["a"])  # before it, so not with it
    store.bin.delete([what])
    assert listed(store) == [(what, ("b",)), ("a", ("a",))]
    store.bin.restore(what)
    assert [run.id for run in store.runs()] == ["d", "c", "b"]
    with pytest.raises(StoreError, match="Delete the comparison first"):
        store.bin.purge(what)
    store.bin.delete([what])
    store.bin.purge(what)
    assert listed(store) == [("a", ("a",))]
    with pytest.raises(RunNotFound):
        store.run("b")
    with pytest.raises(RunNotFound):
        store.comparison(what)
    assert not (store.root / "b").exists()
    assert (store.root / "a").exists()


def test_collected_runs_outlive_their_comparison(store: RunStore) -> None:
    what = compare(store, "a", "b", collected=True)
    store.bin.delete([what])
    assert listed(store) == [(what, ())]
    store.bin.purge(what)
    assert len(store.runs()) == 4


def test_what_it_frees_is_what_the_disk_gets_back(store: RunStore) -> None:
    """Files that a fork shares are not: they stay as long as one of the two is there."""

    def taken() -> int:
        with sqlite3.connect(store.root / "ganscope.db") as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        found = {path.stat().st_ino: path.stat().st_size for path in store.root.rglob("*") if path.is_file()}
        return sum(found.values())

    (store.root / "a" / "shared").write_bytes(b"x" * 500_000)
    os.link(store.root / "a" / "shared", store.root / "b" / "shared")
    store.append("a", "turns", ["loss"], np.arange(100_000), np.random.default_rng(0).random((100_000, 1)))
    store.bin.delete(["a"])
    (entry,) = store.bin.listed()
    frees, before = store.bin.frees(entry), taken()
    assert frees > 400_000
    store.bin.purge("a")
    assert before - taken() == pytest.approx(frees, rel=0.05)


def test_a_damaged_run_is_deleted_and_taken_back_like_any_other(store: RunStore) -> None:
    with sqlite3.connect(store.root / "ganscope.db") as database:
        database.execute("UPDATE runs SET config = '{' WHERE id = 'a'")
    database.close()
    store.bin.delete(["a"])
    assert listed(store) == [("a", ("a",))]
    store.bin.restore("a")
    assert len(store.runs()) == 4
    store.bin.delete(["a"])
    store.bin.purge("a")
    assert len(store.runs(include_deleted=True)) == 3


def test_a_purge_that_files_resist_says_so(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def resist(folder: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(shutil, "rmtree", resist)
    store.bin.delete(["a"])
    with pytest.raises(StoreError, match=r"its folder .* remains until the next start: Device or resource busy"):
        store.bin.purge("a")
    assert listed(store) == []


def test_who_may_not_write_is_told_that_first(tmp_path: Path, store: RunStore) -> None:
    store.update("a", status="running")
    with RunStore(store.root, only_reads="Another program writes.") as watched:
        for what in ("a", "b", "nobody"):
            with pytest.raises(StoreError, match=r"^Another program writes\.$"):
                watched.bin.delete([what])


@pytest.mark.parametrize("act", ["restore", "purge", "delete"])
def test_nobody_is_not_found_in_the_bin(act: str, store: RunStore) -> None:
    with pytest.raises(RunNotFound, match="There is no run 'nobody'"):
        getattr(store.bin, act)(["nobody"] if act == "delete" else "nobody")


def test_a_file_that_vanishes_while_they_are_counted_frees_nothing(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_artefact("a", "thumb", "png", b"x" * 10)
    lstat = os.lstat

    def vanishes(path: str) -> os.stat_result:
        if "thumb" in str(path):
            Path(path).unlink()
        return lstat(path)

    store.bin.delete(["a"])
    (entry,) = store.bin.listed()
    monkeypatch.setattr(os, "lstat", vanishes)
    assert store.bin.frees(entry) == 1000


def test_a_run_that_was_taken_back_alone_outlives_its_comparison(store: RunStore) -> None:
    what = compare(store, "a", "b")
    store.bin.delete([what])
    store.bin.restore("b")
    assert listed(store) == [(what, ("a",))]
    store.bin.purge(what)
    assert [run.id for run in store.runs(include_deleted=True)] == ["d", "c", "b"]
    assert len(list((store.root / "b").iterdir())) == 1


def test_a_run_that_is_taken_back_while_its_comparison_is_purged_keeps_its_files(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = compare(store, "a", "b")
    store.bin.delete([what])
    call = store.bin._call

    def taken_back_first(change: Callable[[sqlite3.Connection], Any]) -> None:
        store.restore("b")
        call(change)

    monkeypatch.setattr(store.bin, "_call", taken_back_first)
    store.bin.purge(what)
    assert [run.id for run in store.runs(include_deleted=True)] == ["d", "c", "b"]
    assert len(list((store.root / "b").iterdir())) == 1
    assert not (store.root / "a").exists()


def test_a_collected_run_that_is_deleted_at_the_same_moment_stays_in_the_bin(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of some systems stands still for sixteen milliseconds."""
    monkeypatch.setattr(time, "time", lambda: 1e9)
    what = compare(store, "a", "b", collected=True)
    store.bin.delete([what, "a"])
    store.bin.purge(what)
    assert listed(store) == [("a", ("a",))]
    assert len(list((store.root / "a").iterdir())) == 1


def test_a_store_that_another_program_writes_is_not_purged_on_a_full_disk(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.bin.delete(["a"])
    with RunStore(store.root, only_reads="Another program writes.") as watched:
        monkeypatch.setattr(reserve, "is_full", lambda root: True)
        for act in (lambda: watched.purge("a"), lambda: watched.delete("b"), lambda: watched.bin.purge("a")):
            with pytest.raises(StoreError, match=r"^Another program writes\.$"):
                act()
        assert watched.only_reads
    assert (store.root / reserve.NAME).exists()
    assert len(list((store.root / "a").iterdir())) == 1


def test_what_is_reserved_for_a_full_disk_is_kept_for_that(store: RunStore) -> None:
    with armed("store.write=eio"), pytest.raises(StoreError, match="Input/output error"):
        store.delete("a")
    assert (store.root / reserve.NAME).exists()
    assert store.run("a").deleted_at is None
