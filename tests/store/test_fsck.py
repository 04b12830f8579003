"""fsck finds what is wrong, names the run and the file, and is silent about a store that is well."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core import checkpoints
from gan_core.store import Fault, Member, RunStore, StoreError, artefacts, aside, fsck


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two runs that have everything a run can have. To be copied, not written to."""
    root = tmp_path_factory.mktemp("well") / "runs"
    with RunStore(root) as store:
        for name in ("first", "second"):
            store.create(name, name=name, config={"seed": 1})
            store.append(name, "turns", ["a"], np.arange(1, 9), np.ones((8, 1)))
            store.append(name, "turns", ["a"], np.arange(9, 12), np.ones((3, 1)))
            store.append(name, "diagnostics", ["b"], np.array([0, 10]), np.ones((2, 1)))
            store.add_frame(name, 3, {"grid": {"file": store.save_artefact(name, "grid", "png", name.encode())}})
            store.add_event(name, 3, "started", {})
            for round in (5, 10):
                checkpoints.write(store.checkpoint_dir(name), round, b"tensors of " + name.encode(), {"round": round})
            store.update(name, status="stopped", rounds=11)
        store.create_comparison("both", name="both", spec={}, members=[Member("first", "v", 0)])
        store.studies.create("asked", name="asked", settings={"protocol": "price"}, cells=2)
        for cell in ("a", "b"):
            picture = store.studies.save("asked", "samples", "png", cell.encode())
            store.studies.add_row("asked", cell, {"accuracy": 0.5, "picture": picture}, 1.0)
        store.studies.update("asked", status="finished")
    return root


@pytest.fixture
def root(well: Path, tmp_path: Path) -> Path:
    shutil.copytree(well, tmp_path / "runs")
    return tmp_path / "runs"


def sql(statement: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        with sqlite3.connect(root / "ganscope.db") as database:
            database.execute(statement)
        database.close()

    return apply


def test_a_store_that_is_well_has_no_faults(root: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and "-shm" not in path.name}
    assert fsck(root) == []
    assert fsck(root, thorough=False) == []
    assert fsck(tmp_path / "nowhere") == []
    assert before.items() <= {path: path.stat().st_mtime_ns for path in root.rglob("*")}.items(), "it only reads"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE runs SET config = '{' WHERE id = 'first'", "its config is not JSON"),
        ("UPDATE runs SET status = 'dancing' WHERE id = 'first'", "its status 'dancing' is unknown"),
        ("UPDATE runs SET rounds = 'many' WHERE id = 'first'", "its rounds is of the wrong type"),
        ("UPDATE runs SET status = 'running', owner = '{}' WHERE id = 'first'", "the program that trained it is gone"),
        ("UPDATE chunks SET data = x'00' WHERE run = 'first'", "is damaged"),
        ("UPDATE chunks SET columns = '[' WHERE run = 'first'", "is damaged"),
        ("DELETE FROM chunks WHERE run = 'first' AND first_round = 1 AND track = 'turns'", ""),
        ("UPDATE frames SET data = '{' WHERE run = 'first'", "is not JSON"),
        ("UPDATE frames SET data = '{\"file\": \"../x\"}' WHERE run = 'first'", "is not the name of a file"),
        ("UPDATE events SET data = '7' WHERE run = 'first'", "is not JSON"),
    ],
)
def test_damage_in_the_index_is_named(root: Path, damage: str, told: str) -> None:
    sql(damage)(root)
    faults = fsck(root)
    if not told:  # a run may begin late: it is a fork, say
        assert faults == []
        return
    assert {fault.run for fault in faults} == {"first"}
    assert told in faults[0].sentence


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (sql("UPDATE studies SET settings = '['"), "Its settings are not JSON"),
        (sql("UPDATE studies SET status = 'dancing'"), "Its status 'dancing' is unknown"),
        (sql("UPDATE study_rows SET data = '{' WHERE cell = 'b'"), "computed in its cell 'b' is not JSON"),
        (sql("DELETE FROM study_rows WHERE cell = 'b'"), "It says finished, but 1 of 2 cells are there"),
        (lambda root: min((root / "studies" / "asked").glob("*.png")).unlink(), "is missing"),
        (lambda root: min((root / "studies" / "asked").glob("*.png")).write_bytes(b"x"), "was altered"),
        (lambda root: (root / "studies" / "asked" / ".a.png.0123abcd").write_bytes(b""), "was never finished"),
        (lambda root: (root / "studies" / "another").mkdir(), "The index knows no study of this folder"),
    ],
)
def test_damage_of_a_study_is_named_with_a_way_out(root: Path, damage: Callable[[Path], None], told: str) -> None:
    damage(root)
    (fault,) = fsck(root)
    assert told in fault.sentence
    assert fault.repair
    assert "asked" in (fault.run, fault.path) or "another" in fault.path


def test_a_damaged_row_of_a_study_is_computed_again_and_a_whole_one_stays(root: Path) -> None:
    sql("UPDATE study_rows SET data = '{' WHERE cell = 'b'")(root)
    with RunStore(root) as store:
        for cell in ("a", "b"):
            store.studies.add_row("asked", cell, {"accuracy": 0.9}, 1.0)
        assert {row.key: row.values["accuracy"] for row in store.studies.rows("asked")} == {"a": 0.5, "b": 0.9}
    assert fsck(root) == []


def test_rounds_that_are_missing_or_stand_twice(root: Path) -> None:
    with RunStore(root) as store:
        store.append("first", "turns", ["a"], np.array([20]), np.ones((1, 1)))
        store.append("second", "turns", ["a"], np.array([11]), np.ones((1, 1)))
    assert [(fault.run, fault.sentence) for fault in fsck(root)] == [
        ("first", "Rounds after 11 are missing in its turns."),
        ("second", "Round 11 stands twice in its turns."),
    ]
    with RunStore(root) as store:
        store.add_event("first", 11, "not_recorded", {"message": "the disk was full"})
    assert [fault.run for fault in fsck(root)] == ["second"], "a gap that is owned up to is no fault"


GRID, JSON, TENSORS = "grid-*.png", "checkpoints/round-000000010.json", "checkpoints/round-000000010.safetensors"
FILES = (GRID, JSON, TENSORS)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "random bytes": lambda path: path.write_bytes(bytes(range(256)) * 3),
    "cut short": lambda path: os.truncate(path, path.stat().st_size - 2),
    "missing": lambda path: path.unlink(),
    "a folder": folder,
    "another type of JSON": lambda path: path.write_bytes(b"[1]"),
    "one bit": flip,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_each_damage_of_each_file_is_named_with_a_way_out(root: Path, file: str, damage: str) -> None:
    (path,) = (root / "first").glob(file)
    DAMAGES[damage](path)
    faults = fsck(root)
    if (file, damage) == (JSON, "missing"):
        assert faults == [], "what has no JSON is no checkpoint; opening the store sweeps its tensors"
        return
    (fault,) = faults
    assert fault.run == "first"
    assert fault.repair
    assert str(path.relative_to(root)) == fault.path or path.stem in fault.path
    if file != GRID:
        assert path.name in fault.sentence
        assert "the one before, round-000000005.json, is whole" in fault.repair


def test_a_file_in_place_of_a_folder_and_a_folder_of_no_run(root: Path) -> None:
    shutil.rmtree(root / "first" / "checkpoints")
    (root / "first" / "checkpoints").write_text("")
    shutil.rmtree(root / "second")
    (root / "second").write_text("")
    (root / "stranger").mkdir()
    assert {(fault.run, fault.path) for fault in fsck(root, thorough=False)} >= {
        ("first", "first/checkpoints"),
        ("second", "second"),
        ("", "stranger"),
    }


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_an_index_that_cannot_be_read_is_one_fault(root: Path, content: bytes) -> None:
    (root / "ganscope.db").write_bytes(content)
    (root / "ganscope.db-wal").unlink(missing_ok=True)
    (fault,) = fsck(root)
    assert fault.path == "ganscope.db"
    assert isinstance(fault, Fault)


def test_a_flipped_page_of_the_index_is_noticed(root: Path) -> None:
    sql("PRAGMA wal_checkpoint(TRUNCATE)")(root)
    path = root / "ganscope.db"
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[4096 * page] ^= 0x40
    path.write_bytes(data)
    assert any(fault.path == "ganscope.db" for fault in fsck(root))


def test_opening_sweeps_what_a_crash_left_but_not_of_a_run_that_trains(root: Path) -> None:
    left = ["checkpoints/round-000000012.json.tmp", "checkpoints/round-000000012.safetensors", ".grid-0.png.0123abcd"]
    for name in ("first", "second"):
        for file in left:
            (root / name / file).write_bytes(b"half")
    assert len(fsck(root, thorough=False)) == 4  # tensors without a JSON are part of no checkpoint
    with RunStore(root) as store:
        store.update("second", status="running")
        assert store.sweep() == 3
        assert not any((root / "first" / file).exists() for file in left)
        assert all((root / "second" / file).exists() for file in left)
        assert len(checkpoints.checkpoints(root / "first" / "checkpoints")) == 2


def test_what_happens_while_it_looks_is_no_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run begins, a save is under way, an old checkpoint gives way to a new one."""
    module = sys.modules[fsck.__module__]
    look = module._faults_of_run

    with RunStore(root) as store:
        store.create("trains", name="", config={})
        (store.checkpoint_dir("trains") / "round-000000001.json.tmp").write_bytes(b"half")

        def meanwhile(*arguments: object) -> object:
            with suppress(StoreError):
                store.checkpoint_dir(store.create("begins", name="", config={}).id)
            return look(*arguments)

        monkeypatch.setattr(module, "_faults_of_run", meanwhile)
        assert fsck(root) == []
    monkeypatch.setattr(module, "_faults_of_run", look)
    (root / "nobody").mkdir()
    assert [fault.path for fault in fsck(root)] == ["nobody"]


@pytest.mark.parametrize("amid", [True, False], ids=["amid it", "after it"])
def test_a_run_that_is_purged_while_it_looks_has_no_fault(
    amid: bool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder goes aside first, then its rows go, and what was aside is removed."""
    asked: list[Path] = []
    find, put = artefacts.find, aside.put

    def purged_first(folder: Path, name: object) -> Path:
        if folder.name == "first" and not asked:
            asked.append(folder)
            with RunStore(root) as store:
                store.delete("first")
                store.purge("first")
        return find(folder, name)

    def seen_amid(root: Path, run_id: str) -> None:
        put(root, run_id)
        found.extend(fsck(root))

    found: list[Fault] = []
    if amid:
        monkeypatch.setattr(aside, "put", seen_amid)
        with RunStore(root) as store:
            store.delete("first")
            store.purge("first")
    else:
        monkeypatch.setattr(artefacts, "find", purged_first)
        found.extend(fsck(root))
        assert asked
    assert found == []


def test_one_file_that_many_frames_name_is_one_fault(root: Path) -> None:
    with RunStore(root) as store:
        (frame,) = store.frames("first")
        store.add_frame("first", 4, frame.parts)
    (root / "first" / frame.parts["grid"]["file"]).unlink()
    assert len(fsck(root)) == 1


def test_a_word_in_a_cell_of_a_study_is_no_file(root: Path) -> None:
    with RunStore(root) as store:
        store.studies.add_row("asked", "c", {"optimiser": "adam", "rounds": 7}, 1.0)
    assert fsck(root) == []


def test_an_id_that_leads_out_of_the_store_is_named_and_not_followed(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / ".a.png.0123abcd").write_bytes(b"")
    sql("INSERT INTO runs (id, name, config, status, created_at) VALUES ('../outside', '', '{}', 'finished', 1)")(root)
    assert fsck(root) == [Fault("Its id cannot be one.", "../outside", "ganscope.db")]


def test_a_link_in_place_of_the_folder_of_a_run_is_not_followed(root: Path) -> None:
    (root / "first").rename(root.parent / "elsewhere")
    (root / "first").symlink_to(root.parent / "elsewhere")
    (fault,) = fsck(root)
    assert (fault.run, fault.sentence) == ("first", "There is something else in place of its folder.")


@pytest.mark.parametrize("place", ["studies/.DS_Store", "studies/another.zip", "notes.txt"])
def test_a_file_of_somebody_else_is_no_fault(place: str, root: Path) -> None:
    (root / place).write_bytes(b"")
    assert fsck(root) == []


def test_a_file_in_place_of_the_folder_of_a_study_lacks_its_pictures(root: Path) -> None:
    shutil.rmtree(root / "studies" / "asked")
    (root / "studies" / "asked").write_bytes(b"")
    faults = fsck(root)
    assert [fault.run for fault in faults] == ["asked"] * 2
    assert all("is missing" in fault.sentence for fault in faults)


@pytest.mark.parametrize("of", ["first", "asked"])
def test_a_file_that_the_disk_does_not_give_back_is_named(of: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_whole = artefacts.is_whole

    def unless_it_is_lost(path: Path) -> bool:
        if path.parent.name == of:
            raise OSError(errno.EIO, "Input/output error")
        return is_whole(path)

    monkeypatch.setattr(artefacts, "is_whole", unless_it_is_lost)
    faults = fsck(root)
    assert {fault.run for fault in faults} == {of}
    assert all("Input/output error" in fault.sentence and fault.repair for fault in faults)


@pytest.mark.parametrize(
    ("failure", "why"),
    [(OSError(errno.EMFILE, "Too many open files"), "Too many open files"), (MemoryError(), "out of memory")],
    ids=["handles", "memory"],
)
@pytest.mark.parametrize("of", ["first", "asked", "checkpoints"])
def test_where_it_cannot_look_it_says_that_alone(
    of: str, failure: Exception, why: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither that something is damaged, nor that all is well: a user would delete what is whole."""

    def fails(path: Path) -> Any:
        if path.parent.name == of:
            raise failure
        return real(path)

    where, name = (checkpoints, "_unsealed") if of == "checkpoints" else (artefacts, "is_whole")
    real = getattr(where, name)
    monkeypatch.setattr(where, name, fails)
    told = f"It cannot be told whether anything is wrong: {why}."
    assert fsck(root) == [Fault(told, repair="look again later")]


@pytest.mark.parametrize("thorough", [True, False])
def test_a_checkpoint_that_gives_way_while_it_looks_is_no_fault(
    thorough: bool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsealed = checkpoints._unsealed

    def dropped_first(path: Path) -> dict[str, Any]:
        if checkpoints.round_of(path) == 5:
            checkpoints.drop([path])
        return unsealed(path)

    monkeypatch.setattr(checkpoints, "_unsealed", dropped_first)
    assert fsck(root, thorough=thorough) == []
