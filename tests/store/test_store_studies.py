"""Studies: rows are kept as they come, files lie beside, and what was deleted can be taken back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_core.store import RunNotFound, RunStore, StoreError, StudyNotFound, backup, fsck, restore_backup

SETTINGS = {"protocol": "price", "run": "a-run", "seeds": [0]}


@pytest.fixture
def study(store: RunStore) -> str:
    return store.studies.create("asked", name="  a\nstudy", settings=SETTINGS, cells=3).id


def test_a_study_is_read_as_it_was_kept_with_its_rows_in_order(store: RunStore, study: str) -> None:
    for key, value in (("b", 0.25), ("a", 0.5)):
        store.studies.add_row(study, key, {"accuracy": value, "each": [1.0, 2.0]}, 1.5)
    store.studies.add_row(study, "a", {"accuracy": 9.0}, 1.0)  # a cell has one answer
    made = store.studies.read(study)
    assert (made.name, made.protocol, made.settings, made.run) == ("a study", "price", SETTINGS, "a-run")
    assert (made.status, made.cells, made.done, made.seconds) == ("queued", 3, 2, 3.0)
    rows = store.studies.rows(study)
    assert [(row.key, row.values["accuracy"]) for row in rows] == [("b", 0.25), ("a", 0.5)]
    assert rows[0].values["each"] == [1.0, 2.0]
    assert [one.id for one in store.studies.of_run("a-run")] == [study]
    assert store.studies.of_run("another") == []


def test_one_whose_process_is_gone_is_interrupted(store: RunStore, study: str) -> None:
    store.studies.update(study, status="running")
    assert store.studies.read(study).status == "running"
    store.studies.update(study, owner={"pid": 1, "started": 1e9, "boot": "another"})
    gone = store.studies.read(study)
    assert (gone.status, gone.active) == ("interrupted", False)
    assert "ended before" in gone.message


def test_what_a_crash_left_half_written_is_swept(store: RunStore, study: str) -> None:
    name = store.studies.save(study, "samples", "png", b"picture")
    half = store.studies.folder(study) / f".{name}.0123abcd"
    half.write_bytes(b"pict")
    assert store.sweep() == 0  # somebody may be writing it
    store.studies.update(study, status="stopped")
    assert store.sweep() == 1
    assert [path.name for path in store.studies.folder(study).iterdir()] == [name]


def test_deleting_is_undone_and_purging_takes_rows_and_files(store: RunStore, study: str) -> None:
    name = store.studies.save(study, "samples", "png", b"picture")
    store.studies.add_row(study, "a", {"picture": name}, 0.0)
    with pytest.raises(StoreError, match="Stop the study first"):
        store.bin.delete([study])
    store.studies.update(study, status="stopped")
    store.bin.delete([study])
    assert store.studies.listed() == []
    (entry,) = store.bin.newest()
    assert (entry.kind, entry.name, store.bin.frees(entry)) == ("study", "a study", len(b"picture"))
    store.bin.restore(study)
    assert [one.done for one in store.studies.listed()] == [1]
    assert store.studies.file(study, name).read_bytes() == b"picture"
    with pytest.raises(StoreError, match="Delete the study first"):
        store.bin.purge(study)
    store.bin.delete([study])
    store.bin.purge(study)
    assert not store.studies.folder(study).exists()
    with pytest.raises(StudyNotFound, match="There is no study 'asked'"):
        store.studies.rows(study)


@pytest.mark.parametrize("name", ["../x", "", "nobody"])
def test_an_unknown_study_is_a_sentence(store: RunStore, name: str) -> None:
    with pytest.raises(StudyNotFound, match="There is no study"):
        store.studies.read(name)
    with pytest.raises(RunNotFound):
        store.bin.delete([name])
    with pytest.raises(StoreError):
        store.studies.create("../x", name="", settings=SETTINGS, cells=1)


def test_a_backup_holds_studies_and_their_files(store: RunStore, study: str, tmp_path: Path) -> None:
    name = store.studies.save(study, "samples", "png", b"picture")
    store.studies.add_row(study, "a", {"picture": name}, 2.0)
    store.studies.update(study, status="running")
    backup(store.root, tmp_path / "copy.zip")
    restore_backup(tmp_path / "copy.zip", tmp_path / "other")
    with RunStore(tmp_path / "other") as other:
        assert other.studies.file(study, name).read_bytes() == b"picture"
        assert other.studies.read(study).status == "interrupted"  # nobody computes the one of the copy
        assert other.studies.rows(study)[0].values == {"picture": name}
    assert fsck(tmp_path / "other") == []


def test_an_id_of_a_study_is_taken_once(store: RunStore, study: str) -> None:
    with pytest.raises(StoreError, match=r"^The study cannot be kept: UNIQUE constraint failed: studies\.id\.$"):
        store.studies.create(study, name="thief", settings=SETTINGS, cells=1)
    assert store.studies.read(study).name == "a study"


def test_a_wrong_change_of_a_study_changes_nothing(store: RunStore, study: str) -> None:
    before = store.studies.read(study)
    with pytest.raises(TypeError, match="a study has no field 'colour'"):
        store.studies.update(study, name="new", colour="red")
    with pytest.raises(ValueError, match="'dancing' is no state of a study"):
        store.studies.update(study, name="new", status="dancing")
    with pytest.raises(TypeError, match="a study has no field 'id'"):
        store.studies.update(study, id="other")
    assert store.studies.read(study) == before


@pytest.mark.parametrize("name", ["../x", "", "nobody"])
def test_nothing_is_read_written_or_removed_for_an_unknown_study(store: RunStore, name: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    acts: list[Callable[[], object]] = [
        lambda: store.studies.update(name, name="x"),
        lambda: store.studies.rows(name),
        lambda: store.studies.delete(name),
        lambda: store.studies.restore(name),
        lambda: store.studies.purge(name),
    ]
    if name != "nobody":  # whose folder would be one of the store
        acts += [
            lambda: store.studies.folder(name),
            lambda: store.studies.save(name, "samples", "png", b"picture"),
            lambda: store.studies.file(name, "samples-" + "0" * 32 + ".png"),
        ]
    for act in acts:
        with pytest.raises(StudyNotFound):
            act()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("data", ["{", "[1]", "null"])
def test_a_damaged_row_of_a_study_is_left_out(data: str, store: RunStore, study: str) -> None:
    for key in ("a", "b"):
        store.studies.add_row(study, key, {"accuracy": 0.5}, 1.0)
    with sqlite3.connect(store.root / "ganscope.db") as database:
        database.execute("UPDATE study_rows SET data = ? WHERE cell = 'a'", (data,))
    database.close()
    assert [row.key for row in store.studies.rows(study)] == ["b"]


def test_a_study_whose_files_resist_stays_in_the_bin(
    store: RunStore, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resist(folder: Path) -> None:
        raise OSError(16, "Device or resource busy")

    store.studies.save(study, "samples", "png", b"picture")
    store.studies.update(study, status="stopped")
    store.bin.delete([study])
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", resist)
        with pytest.raises(StoreError, match=r"^The files of the study cannot be removed: Device or resource busy\.$"):
            store.bin.purge(study)
    assert [entry.id for entry in store.bin.listed()] == [study]
    store.bin.purge(study)
    assert store.bin.listed() == []


def test_a_study_without_files_is_purged(store: RunStore, study: str) -> None:
    store.studies.update(study, status="stopped")
    store.bin.delete([study])
    store.bin.purge(study)
    assert store.bin.listed() == []
