"""Runs of another store are taken in whole, or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_core.store import ComparisonRecord, Member, RunStore, StoreError, Whole


@pytest.fixture
def other(tmp_path: Path) -> RunStore:
    with RunStore(tmp_path / "other") as opened:
        yield opened


@pytest.fixture
def brought(other: RunStore, tmp_path: Path) -> Callable[[str], Whole]:
    """A finished run of another store, its one file laid out to be moved."""

    def make(run_id: str) -> Whole:
        other.create(run_id, name=run_id, config={"a": 1}, tags=["t"])
        other.update(run_id, status="finished", rounds=2, archived_at=3.0)
        other.append(run_id, "turns", ["D.loss"], np.array([1, 2]), np.array([[0.5], [np.nan]], np.float32))
        other.add_frame(run_id, 2, {"grid": {"file": "x"}})
        other.add_event(run_id, 2, "ended", {"why": "done"})
        other.flush()
        folder = tmp_path / "files" / run_id
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(run_id)
        return other.whole(run_id)

    return make


def test_what_is_adopted_is_what_was_there(store: RunStore, brought: Callable[[str], Whole], tmp_path: Path) -> None:
    one = brought("one")
    comparison = ComparisonRecord("duel", 0, "duel", {"x": 1}, True, 5.0, None, (Member("one", "v", 3),))
    store.adopt([one], tmp_path / "files", comparison)
    again = store.whole("one")
    assert again.run == dataclasses.replace(one.run, seq=again.run.seq, owner={})
    assert again.frames == one.frames
    assert [(e.at, e.kind, e.data) for e in again.events] == [(e.at, e.kind, e.data) for e in one.events]
    assert again.tracks["turns"].values.tobytes() == one.tracks["turns"].values.tobytes()
    assert (store.root / "one" / "a.txt").read_text() == "one"
    assert store.comparison("duel") == dataclasses.replace(comparison, seq=1)


def test_one_run_that_is_there_keeps_all_outside(
    store: RunStore, brought: Callable[[str], Whole], tmp_path: Path
) -> None:
    store.create("two", name="mine", config={})
    runs = [brought("one"), brought("two")]
    with pytest.raises(StoreError, match="There is a run 'two' already"):
        store.adopt(runs, tmp_path / "files")
    assert [run.name for run in store.runs()] == ["mine"]
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == []


def test_a_folder_in_the_way_and_a_run_that_trains_are_refused(
    store: RunStore, brought: Callable[[str], Whole], tmp_path: Path
) -> None:
    one = brought("one")
    running = dataclasses.replace(one, run=dataclasses.replace(one.run, status="running"))
    with pytest.raises(StoreError, match="belongs to its own store"):
        store.adopt([running], tmp_path / "files")
    (store.root / "one").mkdir()
    with pytest.raises(StoreError, match="There is a folder 'one'"):
        store.adopt([one], tmp_path / "files")
    assert store.runs() == []
    assert (tmp_path / "files" / "one").exists()


@pytest.mark.parametrize("odd", ["", ".", "../one", "a/b", ".aside-one", "cache", "x" * 200, "a\nb", None])
def test_what_could_be_no_folder_of_the_store_is_no_id(
    odd: str, store: RunStore, brought: Callable[[str], Whole], tmp_path: Path
) -> None:
    one = brought("one")
    malformed = dataclasses.replace(one, run=dataclasses.replace(one.run, id=odd))
    comparison = ComparisonRecord(odd, 0, "duel", {}, True, 5.0, None, (Member("one", "v", 3),))
    with pytest.raises(StoreError, match="cannot be the id of a run"):
        store.adopt([one, malformed], tmp_path / "files")
    with pytest.raises(StoreError, match="cannot be the id of a comparison"):
        store.adopt([one], tmp_path / "files", comparison)
    assert store.runs() == []
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == []
    assert (tmp_path / "files" / "one" / "a.txt").exists()


def test_the_newest_file_of_every_run_is_one_query(store: RunStore) -> None:
    for run in "abcd":
        store.create(run, name=run, config={})
    store.add_frame("a", 0, {"grid": {"file": "old"}})
    store.add_frame("a", 9, {"grid": {"file": "new"}, "thumb": {"file": "thumb"}})
    store.add_frame("b", 9, {"thumb": {"file": "small"}, "grid": {"count": 3}})
    store.add_frame("d", 1, {"grid": {"file": "gone"}})
    store.update("d", status="finished")
    store.delete("d")
    assert store.latest_files(("grid", "thumb")) == {"a": "new", "b": "small"}


def test_a_run_whose_id_leads_out_of_the_store_is_not_taken_in(
    store: RunStore, brought: Callable[[str], Whole], tmp_path: Path
) -> None:
    one = brought("one")
    (tmp_path / "files" / "one").rename(tmp_path / "evil")
    evil = dataclasses.replace(one, run=dataclasses.replace(one.run, id="../evil"))
    with pytest.raises(StoreError, match=r"^'\.\./evil' cannot be the id of a run\.$"):
        store.adopt([evil], tmp_path / "files")
    assert (tmp_path / "evil" / "a.txt").exists()
    assert store.runs() == []
