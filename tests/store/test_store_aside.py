"""Folders that come in or go for good: wherever a kill cuts that short, the next sweep puts it right by the index."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_core.failpoints import armed
from gan_core.store import RunStore, StoreError, fsck
from gan_core.store.aside import DAY, purge, put, remove_first


@pytest.fixture
def binned(store: RunStore, run: str) -> str:
    """A deleted run with a file."""
    (store.root / run).mkdir()
    (store.root / run / "file").write_text("kept")
    store.update(run, status="stopped")
    store.delete(run)
    return run


def aside(store: RunStore, run: str) -> Path:
    return store.root / f".aside-{run}"


def put_aside(store: RunStore, run: str) -> None:
    os.rename(store.root / run, aside(store, run))


def test_a_purge_that_was_killed_before_its_commit_was_none(store: RunStore, binned: str) -> None:
    put_aside(store, binned)
    assert store.sweep() == 1
    assert (store.root / binned / "file").read_text() == "kept"
    assert not aside(store, binned).exists()
    store.restore(binned)
    assert fsck(store.root) == []


def test_a_purge_that_was_killed_after_its_commit_is_ended(store: RunStore, binned: str) -> None:
    with (
        armed("purge.files=eio"),
        pytest.raises(StoreError, match=r"The run is gone, its folder .* until the next start"),
    ):
        store.purge(binned)
    assert aside(store, binned).exists()
    assert not (store.root / binned).exists()
    assert store.sweep() == 1
    assert not aside(store, binned).exists()
    assert fsck(store.root) == []


def test_a_purge_that_is_refused_leaves_the_files_where_they_are(
    store: RunStore, binned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.restore(binned)
    with pytest.raises(StoreError, match="Delete the run first"):
        store.purge(binned)
    store.delete(binned)
    with armed("store.before_commit=enospc"), pytest.raises(StoreError, match="No space left"):
        store.purge(binned)
    assert (store.root / binned / "file").read_text() == "kept"

    def refuse(*arguments: object) -> None:
        raise OSError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        with pytest.raises(StoreError, match=r"The files of the run cannot be moved: Permission denied\."):
            store.purge(binned)
    assert (store.root / binned / "file").read_text() == "kept"
    assert store.run(binned).deleted_at is not None
    store.purge(binned)
    assert not (store.root / binned).exists()


def test_what_a_kill_left_aside_is_in_nobodys_way(store: RunStore, binned: str) -> None:
    aside(store, binned).mkdir()
    (aside(store, binned) / "of before").touch()
    store.purge(binned)
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == []


def test_where_a_run_has_its_folder_what_lies_aside_stays_there(store: RunStore, binned: str) -> None:
    """Nobody knows which of the two is the right one."""
    aside(store, binned).mkdir()
    (aside(store, binned) / "file").write_text("of the other")
    assert store.sweep() == 0
    assert (store.root / binned / "file").read_text() == "kept"


@pytest.mark.parametrize(("age", "there"), [(DAY / 2, True), (DAY * 2, False)])
def test_what_an_import_left_that_was_killed_is_removed_a_day_later(age: float, there: bool, store: RunStore) -> None:
    """Before, another process may be at it."""
    staging = store.root / ".import-0123456789abcdef"
    (staging / "files").mkdir(parents=True)
    made = staging.stat().st_mtime - age
    os.utime(staging, (made, made))
    assert store.sweep() == (0 if there else 1)
    assert staging.exists() == there


def test_one_folder_that_resists_holds_up_no_other(
    store: RunStore, binned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_aside(store, binned)
    aside(store, "another").mkdir()
    with armed("adopt.settle=eio"):
        assert store.sweep() == 1
    assert not aside(store, "another").exists()
    assert store.sweep() == 1


def test_what_is_not_aside_is_never_swept(store: RunStore, binned: str) -> None:
    """However old: folders of runs, of data, of caches, and what the index does not know."""
    folders = [store.root / name for name in (binned, "cache", "datasets", "a-stranger", ".hidden")]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        made = folder.stat().st_mtime - 9 * DAY
        os.utime(folder, (made, made))
    assert store.sweep() == 0
    assert all(folder.is_dir() for folder in folders)


def test_where_one_folder_is_in_the_way_none_comes_in(
    store: RunStore, tmp_path: Path, whole: Callable[[str], object]
) -> None:
    (store.root / "two").mkdir()
    with pytest.raises(StoreError, match=r"^There is a folder 'two' in the store already"):
        store.adopt([whole("one"), whole("two")], tmp_path / "files")  # type: ignore[list-item]
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == ["two"]


@pytest.mark.parametrize("fault", ["adopt.move=enospc", "store.before_commit=eio"])
def test_an_import_that_fails_leaves_nothing(
    fault: str, store: RunStore, tmp_path: Path, whole: Callable[[str], object]
) -> None:
    brought = whole("one")
    with armed(fault), pytest.raises(StoreError):
        store.adopt([brought], tmp_path / "files")  # type: ignore[list-item]
    assert store.runs() == []
    assert [path.name for path in store.root.iterdir() if path.is_dir()] == []


def test_a_file_that_cannot_be_settled_is_put_right_by_the_next_sweep(
    store: RunStore, tmp_path: Path, whole: Callable[[str], object]
) -> None:
    with armed("adopt.settle=eio"):
        store.adopt([whole("one")], tmp_path / "files")  # type: ignore[list-item]
    assert [run.id for run in store.runs()] == ["one"]
    assert not (store.root / "one").exists()
    store.sweep()
    assert (store.root / "one" / "a.txt").read_text() == "one"


@pytest.fixture
def whole(tmp_path: Path) -> Callable[[str], object]:
    """A run of another store, its one file laid out to be moved."""

    def make(run_id: str) -> object:
        (tmp_path / "files" / run_id).mkdir(parents=True)
        (tmp_path / "files" / run_id / "a.txt").write_text(run_id)
        with RunStore(tmp_path / "other") as other:
            other.create(run_id, name=run_id, config={})
            other.update(run_id, status="finished")
            return other.whole(run_id)

    return make


def test_a_folder_that_comes_in_while_its_namesake_goes_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a-run").mkdir()

    def remove() -> None:
        put(tmp_path, "a-run")
        (tmp_path / "a-run").mkdir()  # the same pack, brought again

    purge(tmp_path, ["a-run"], remove)
    assert [path.name for path in tmp_path.iterdir()] == ["a-run"]


@pytest.mark.parametrize("name", ["a-run", ".aside-a-run"])
def test_files_that_resist_are_named_before_any_row_goes(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    at = 1 if name == "a-run" else 2
    with (
        armed(f"purge.files=eacces@{at}"),
        pytest.raises(
            StoreError, match=rf"^The files of the run in \S*/{name} cannot be removed: Permission denied\.$"
        ),
    ):
        remove_first(tmp_path, "a-run")
    assert (tmp_path / name).is_dir()
    remove_first(tmp_path, "a-run")
    assert list(tmp_path.iterdir()) == []
