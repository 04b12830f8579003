"""A backup is made while runs train, fits together, and comes back as a store that can be gone on with."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gan_core import checkpoints
from gan_core.failpoints import armed
from gan_core.store import RunStore, StoreError, backup, fsck, restore_backup


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
