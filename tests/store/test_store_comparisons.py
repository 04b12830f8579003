"""Comparisons: kept with their runs, deleted with them, and never taking what was there before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gan_core.store import ComparisonNotFound, Member, RunNotFound, RunStore, StoreError
from gan_core.store.schema import MIGRATIONS, open_database

MEMBERS = [Member("a", "NS GAN", 0), Member("b", "WGAN", 0)]


@pytest.fixture
def runs(store: RunStore) -> list[str]:
    for run in "abc":
        store.create(run, name=run, config={})
        store.update(run, status="finished")
    return list("abc")


def test_a_comparison_is_read_as_it_was_kept(store: RunStore, runs: list[str]) -> None:
    made = store.create_comparison("duel", name="  a\nduel ", spec={"seeds": [0]}, members=MEMBERS)
    assert (made.name, made.spec, made.collected, made.members) == ("a duel", {"seeds": [0]}, False, tuple(MEMBERS))
    assert store.comparison("duel") == made
    newer = store.create_comparison("newer", name="n", spec={}, members=MEMBERS[:1], collected=True)
    assert store.comparisons() == [newer, made]


@pytest.mark.parametrize("name", ["../x", "", "nobody"])
def test_an_unknown_comparison_is_a_sentence(store: RunStore, name: str) -> None:
    with pytest.raises(ComparisonNotFound, match="There is no comparison"):
        store.comparison(name)
    with pytest.raises(RunNotFound):
        store.delete_comparison(name)


def test_what_cannot_be_kept_is_not_kept_in_part(store: RunStore, runs: list[str]) -> None:
    with pytest.raises(StoreError, match="cannot be kept"):
        store.create_comparison("duel", name="", spec={}, members=[*MEMBERS, Member("nobody", "x", 0)])
    with pytest.raises(StoreError, match="cannot be the id"):
        store.create_comparison("../duel", name="", spec={}, members=MEMBERS)
    assert store.comparisons() == []


def test_deleting_takes_its_runs_along_and_brings_the_same_back(store: RunStore, runs: list[str]) -> None:
    store.create_comparison("duel", name="", spec={}, members=[Member(run, run, 0) for run in runs])
    store.delete("c")  # on its own, before
    store.delete_comparison("duel")
    assert store.comparisons() == []
    assert store.runs() == []
    assert [member.run for member in store.comparison("duel").members] == ["a", "b"]
    store.restore_comparison("duel")
    assert [run.id for run in store.runs()] == ["b", "a"]
    assert [member.run for member in store.comparisons()[0].members] == ["a", "b"]


def test_an_active_run_keeps_its_comparison(store: RunStore, runs: list[str]) -> None:
    store.create_comparison("duel", name="", spec={}, members=MEMBERS)
    store.update("b", status="running")
    with pytest.raises(StoreError, match="Stop its runs first"):
        store.delete_comparison("duel")
    assert len(store.comparisons()) == 1
    assert len(store.runs()) == 3


def test_runs_that_were_collected_outlive_their_comparison(store: RunStore, runs: list[str]) -> None:
    store.create_comparison("duel", name="", spec={}, members=MEMBERS, collected=True)
    store.update("b", status="running")  # no reason to keep it
    store.delete_comparison("duel")
    assert store.comparisons() == []
    assert len(store.runs()) == 3


def test_a_purged_run_leaves_its_comparison(store: RunStore, runs: list[str]) -> None:
    store.create_comparison("duel", name="", spec={}, members=MEMBERS)
    store.delete("a")
    store.purge("a")
    assert [member.run for member in store.comparison("duel").members] == ["b"]


def test_a_store_of_before_comparisons_gets_them(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs" / "ganscope.db"
    with closing(open_database(path, MIGRATIONS[:1])) as connection:
        connection.execute(
            "INSERT INTO runs (id, name, config, status, created_at) VALUES ('a', 'old', '{}', 'finished', 1)"
        )
    with RunStore(tmp_path / "runs") as store:
        store.create_comparison("duel", name="", spec={}, members=MEMBERS[:1])
        assert store.comparisons()[0].members == (MEMBERS[0],)
    assert Path(f"{path}.v1.bak").exists()


def test_a_damaged_comparison_still_shows_its_runs(store: RunStore, runs: list[str]) -> None:
    store.create_comparison("duel", name="", spec={"seeds": [0]}, members=MEMBERS)
    with sqlite3.connect(store.root / "ganscope.db") as database:
        database.execute("UPDATE comparisons SET spec = '{broken'")
    assert store.comparison("duel").spec == {}
    assert len(store.comparison("duel").members) == 2


def test_deleting_a_comparison_twice_still_brings_its_runs_back(store: RunStore, runs: list[str]) -> None:
    store.create_comparison("duel", name="", spec={}, members=MEMBERS)
    store.delete_comparison("duel")
    store.delete_comparison("duel")
    store.restore_comparison("duel")
    assert [run.id for run in store.runs()] == ["c", "b", "a"]
