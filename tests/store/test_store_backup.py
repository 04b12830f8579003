"""A backup is made while runs train, fits together, and comes back as a store that can be gone on with."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import sys
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gan_core import checkpoints
from gan_core.failpoints import armed
from gan_core.store import RunStore, StoreError, backup, fsck, restore_backup

MODULE = sys.modules[backup.__module__]


def test_a_backup_made_amid_writing_fits_together(store: RunStore, tmp_path: Path) -> None:
    store.create("a-run", name="A run", config={"seed": 1})
    store.update("a-run", status="running")
    over = threading.Event()

    def train() -> None:
        folder = store.checkpoint_dir("a-run")
        for k in range(1, 100_000):
            if over.is_set():
                return
            store.append("a-run", "turns", ["a"], np.array([k]), np.array([[k]]))
            store.add_frame("a-run", k, {"grid": {"file": store.save_artefact("a-run", "grid", "png", b"%d" % k)}})
            if k % 5 == 0:
                store.flush()
                checkpoints.write(folder, k, b"%d" % k, {"round": k})
                checkpoints.retain(folder, newest=2, up_to=k)

    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        while len(checkpoints.checkpoints(store.checkpoint_dir("a-run"))) < 2:
            pass
        for index in range(4):
            assert backup(store.root, tmp_path / f"{index}.zip") > 5
    finally:
        over.set()
        trainer.join()
    for index in range(4):
        root = tmp_path / f"restored-{index}"
        restore_backup(tmp_path / f"{index}.zip", root)
        with RunStore(root) as restored:
            assert restored.interrupt_orphans() == ["a-run"], "nobody trains the copy"
            rounds = restored.track("a-run").rounds
            assert np.array_equal(rounds, np.arange(1, len(rounds) + 1))
            saved = checkpoints.checkpoints(root / "a-run" / "checkpoints")
            assert saved
            assert max(map(checkpoints.round_of, saved)) <= len(rounds), "none is ahead of the curves"
        assert fsck(root) == []
    assert store.run("a-run").status == "running", "the store itself is as it was"


def test_nothing_is_overwritten_and_the_key_of_the_tickets_stays_here(
    store: RunStore, run: str, tmp_path: Path
) -> None:
    (store.root / "secret").write_text("key")
    (store.root / "datasets" / "0123456789abcdef").mkdir(parents=True)
    (store.root / "datasets" / "0123456789abcdef" / "card.json").write_text("{}")
    target = tmp_path / "copy.zip"
    backup(store.root, target)
    names = zipfile.ZipFile(target).namelist()
    assert "secret" not in names
    assert "datasets/0123456789abcdef/card.json" in names
    with pytest.raises(StoreError, match="There is a store in"):
        restore_backup(target, store.root)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.zip", "runs"], "no draft is left"
    with pytest.raises(StoreError, match="There is no store"):
        backup(tmp_path / "nowhere", target)
    with pytest.raises(StoreError, match="cannot be written"):
        backup(store.root, tmp_path / "no" / "such" / "folder.zip")


@pytest.mark.parametrize(
    "names",
    [
        ["../ganscope.db"],
        ["ganscope.db", "../outside"],
        ["ganscope.db", "/etc/passwd"],
        ["ganscope.db", "a-run/../../outside"],
        ["ganscope.db", "secret"],
        ["ganscope.db", "a-run/evil.py"],
        [],
    ],
)
def test_what_is_no_backup_is_refused_and_leaves_nothing(names: list[str], tmp_path: Path) -> None:
    source = tmp_path / "brought.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    with pytest.raises(StoreError, match="is not a backup"):
        restore_backup(source, tmp_path / "new")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["brought.zip"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(10)])
def test_a_file_that_is_no_zip_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "brought.zip").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be restored"):
        restore_backup(tmp_path / "brought.zip", tmp_path / "new")


def test_from_a_terminal(store: RunStore, run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gan_core.cli import main

    store.update(run, status="stopped")
    target = tmp_path / "copy.zip"
    assert main(["backup", str(target), "--store", str(store.root)]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 1
    assert main(["restore", str(target), "--store", str(tmp_path / "new")]) == 0
    assert json.loads(capsys.readouterr().out)["faults"] == []
    with RunStore(tmp_path / "new") as restored:
        assert restored.run(run).name == "A run"
    assert main(["restore", str(target), "--store", str(tmp_path / "new")]) == 2
    assert "There is a store in" in capsys.readouterr().err


def test_a_checkpoint_that_cannot_be_read_now_is_not_left_out(store: RunStore, run: str, tmp_path: Path) -> None:
    """A backup without it would look whole."""
    checkpoints.write(store.checkpoint_dir(run), 3, b"tensors", {"round": 3})
    with (
        armed("checkpoint.read=emfile"),
        pytest.raises(StoreError, match=r"would lack a checkpoint: round-000000003\.json"),
    ):
        backup(store.root, tmp_path / "copy.zip")
    assert not (tmp_path / "copy.zip").exists()
    assert backup(store.root, tmp_path / "copy.zip") == 3


def test_a_restoration_that_was_killed_can_be_done_again(store: RunStore, run: str, tmp_path: Path) -> None:
    backup(store.root, tmp_path / "copy.zip")
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / ".ganscope.db.draft").write_text("half")
    assert restore_backup(tmp_path / "copy.zip", tmp_path / "restored") == 1
    assert [path.name for path in (tmp_path / "restored").iterdir()] == ["ganscope.db"]


def strange(path: Path, *, flags: int = 0, method: int = 0) -> Path:
    """A zip file whose only entry says that it is encrypted, or packed in a way that nobody here can unpack."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ganscope.db", b"content")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<HH", data, data.index(mark) + offset, flags, method)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path, "No such file or directory"),
        (lambda path: strange(path, flags=1), ".* is encrypted, password required for extraction"),
        (lambda path: strange(path, method=99), "That compression method is not supported"),
    ],
    ids=["missing", "encrypted", "packed strangely"],
)
def test_what_cannot_be_unpacked_is_one_sentence_and_leaves_no_store(
    make: Callable[[Path], Path], why: str, tmp_path: Path
) -> None:
    source = make(tmp_path / "brought.zip")
    with pytest.raises(StoreError, match=rf"^{source} cannot be restored: {why}\.$"):
        restore_backup(source, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_refusal_is_said_in_its_own_words_alone(tmp_path: Path) -> None:
    zipfile.ZipFile(tmp_path / "brought.zip", "w").close()
    with pytest.raises(StoreError, match=r"^brought\.zip is not a backup of a store\.$"):
        restore_backup(tmp_path / "brought.zip", tmp_path / "new")


def test_what_has_no_room_is_refused_before_anything_is_written(
    store: RunStore, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(store.root, tmp_path / "copy.zip")
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        needed = sum(entry.file_size for entry in archive.infolist())
    free = iter([needed - 1, needed])
    monkeypatch.setattr(shutil, "disk_usage", lambda root: SimpleNamespace(free=next(free)))
    with pytest.raises(StoreError, match=r"^There is no room for copy\.zip in "):
        restore_backup(tmp_path / "copy.zip", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    assert restore_backup(tmp_path / "copy.zip", tmp_path / "new") == 1


def test_a_disk_that_fills_up_is_a_sentence_and_leaves_no_draft(store: RunStore, run: str, tmp_path: Path) -> None:
    with armed("backup.before_rename=enospc"), pytest.raises(StoreError) as refused:
        backup(store.root, tmp_path / "copy.zip")
    assert str(refused.value) == f"The backup {tmp_path / 'copy.zip'} cannot be written: No space left on device."
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    backup(store.root, tmp_path / "copy.zip")
    with (
        armed("restore.write=enospc"),
        pytest.raises(StoreError, match=r"cannot be restored: No space left on device\.$"),
    ):
        restore_backup(tmp_path / "copy.zip", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_an_index_that_is_damaged_is_a_sentence_and_no_backup(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "ganscope.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"^The store .* cannot be copied: file is not a database\.$"):
        backup(tmp_path / "runs", tmp_path / "copy.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_every_file_is_flushed_whole_before_it_gets_its_name(
    store: RunStore, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = store.save_artefact(run, "grid", "png", b"picture")
    store.add_frame(run, 1, {"grid": {"file": name}})
    store.flush()
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_size))
    backup(store.root, tmp_path / "copy.zip")
    assert flushed == [(tmp_path / "copy.zip").stat().st_size]
    flushed.clear()
    restore_backup(tmp_path / "copy.zip", tmp_path / "new")
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert sorted(flushed) == sorted(path.stat().st_size for path in files)


def test_the_index_of_a_backup_needs_no_file_beside_it(store: RunStore, run: str, tmp_path: Path) -> None:
    backup(store.root, tmp_path / "copy.zip")
    restore_backup(tmp_path / "copy.zip", tmp_path / "new")
    with closing(sqlite3.connect(tmp_path / "new" / "ganscope.db")) as index:
        assert index.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert index.execute("SELECT id FROM runs").fetchall() == [(run,)]


def test_a_file_that_two_frames_name_is_kept_once(store: RunStore, run: str, tmp_path: Path) -> None:
    name = store.save_artefact(run, "grid", "png", b"picture")
    for round in (1, 2):
        store.add_frame(run, round, {"grid": {"file": name, "count": round}})
    store.flush()
    assert backup(store.root, tmp_path / "copy.zip") == 2
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        assert archive.namelist() == ["ganscope.db", f"{run}/{name}"]


def test_a_backup_is_restored_whatever_crashes_left_in_the_store(store: RunStore, run: str, tmp_path: Path) -> None:
    """What its own restoration would refuse must not get into it."""
    study = store.studies.create("asked", name="", settings={"protocol": "price"}, cells=1).id
    picture = store.studies.save(study, "samples", "png", b"picture")
    for below, names in {
        f"studies/{study}": [f".{picture}.0123abcd"],
        "datasets/0123456789abcdef": ["card.json", "data.safetensors.0123abcd.tmp", ".DS_Store"],
        "datasets/.0123456789abcdef.a-run.1": ["card.json"],
    }.items():
        (store.root / below).mkdir(parents=True, exist_ok=True)
        for name in names:
            (store.root / below / name).write_bytes(b"half")
    checkpoints.write(store.root / ".aside-gone" / "checkpoints", 3, b"tensors", {"round": 3})
    backup(store.root, tmp_path / "copy.zip")
    restore_backup(tmp_path / "copy.zip", tmp_path / "new")
    found = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert found == {"ganscope.db", "datasets/0123456789abcdef/card.json", f"studies/{study}/{picture}"}


@pytest.fixture
def saved(store: RunStore, run: str) -> Path:
    """The checkpoints of rounds 1 to 3, the second of them pinned."""
    folder = store.checkpoint_dir(run)
    for round in (1, 2, 3):
        checkpoints.write(folder, round, b"tensors", {"round": round})
    store.pin(run, 2)
    return folder


def rounds_in(copy: Path) -> list[int]:
    with zipfile.ZipFile(copy) as archive:
        names = [Path(name) for name in archive.namelist() if name.endswith(".json")]
    return sorted(map(checkpoints.round_of, names))


def test_a_pin_comes_back_with_its_checkpoint(store: RunStore, saved: Path, tmp_path: Path) -> None:
    backup(store.root, tmp_path / "copy.zip")
    restore_backup(tmp_path / "copy.zip", tmp_path / "new")
    with RunStore(tmp_path / "new") as restored:
        assert [one.round for one in restored.checkpoints("a-run") if one.pinned] == [2]


def test_a_damaged_checkpoint_is_left_out_and_read_once(
    store: RunStore, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.path_of(saved, 1).write_bytes(b"{")
    asked: list[Path] = []

    def read(path: Path) -> tuple[bytes, Any]:
        asked.append(path)
        return checkpoints.read(path)

    monkeypatch.setattr(MODULE, "read", read)
    backup(store.root, tmp_path / "copy.zip")
    assert rounds_in(tmp_path / "copy.zip") == [2, 3]
    assert asked == checkpoints.checkpoints(saved)


@pytest.mark.parametrize("before", [True, False], ids=["before it is read", "after its tensors were read"])
def test_a_checkpoint_that_gives_way_meanwhile_is_made_up_for_by_the_newer_one(
    before: bool, store: RunStore, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> tuple[bytes, Any]:
        gives_way = path == checkpoints.path_of(saved, 3)
        found = None if gives_way and before else checkpoints.read(path)
        if gives_way:
            checkpoints.drop([path])
            checkpoints.write(saved, 4, b"tensors", {"round": 4})
        return found or checkpoints.read(path)

    monkeypatch.setattr(MODULE, "read", read)
    backup(store.root, tmp_path / "copy.zip")
    assert rounds_in(tmp_path / "copy.zip") == [1, 2, 4]
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        assert len(set(archive.namelist())) == len(archive.namelist()), "none stands in it twice"


def test_a_pin_that_is_taken_away_meanwhile_keeps_no_backup_from_being_made(
    store: RunStore, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = zipfile.ZipFile.write

    def unpinned_first(archive: zipfile.ZipFile, file: Path, *rest: Any) -> None:
        if Path(file).suffix == ".pinned":
            store.unpin("a-run", 2)
        write(archive, file, *rest)

    monkeypatch.setattr(zipfile.ZipFile, "write", unpinned_first)
    backup(store.root, tmp_path / "copy.zip")
    assert rounds_in(tmp_path / "copy.zip") == [1, 2, 3]
