"""Checkpoints in a pack: all that are whole, so that it can be taken in, and a word on each that is not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_core import checkpoints
from gan_core.engine import Lab
from gan_core.engine.exchange.packs import write_pack
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.failpoints import armed
from gan_core.store import RunStore, StoreError


@pytest.fixture
def trained(open_lab: Callable[..., Lab], small: Callable) -> tuple[Lab, str, Path]:
    """A run that has ended, and the folder with its checkpoints, of which there are two or more; one is pinned."""
    lab = open_lab()
    run = lab.submit(small({"schedule.rounds": 12}))
    assert lab.wait(run, 60).status == "finished"
    folder = lab.store.checkpoint_dir(run)
    first, *others = checkpoints.checkpoints(folder)
    assert others
    checkpoints.pin(folder, checkpoints.round_of(first))
    return lab, run, folder


def packed(store: RunStore, run: str) -> tuple[io.BytesIO, set[str], str]:
    """A pack with checkpoints, the names of their files, and what its README says."""
    file = io.BytesIO()
    write_pack(store, run, file, with_checkpoints=True)
    with zipfile.ZipFile(file) as archive:
        inside = {name.rpartition("/")[2] for name in archive.namelist() if "/checkpoints/" in name}
        return file, inside, archive.read("README.txt").decode()


def taken_in(file: io.BytesIO, root: Path) -> set[str]:
    """The files of checkpoints in a store that took the pack in."""
    with RunStore(root) as store:
        (run,) = read_pack(store, file).runs
        return {path.name for path in store.checkpoint_dir(run).iterdir()}


def test_what_a_crash_left_of_a_checkpoint_is_not_packed(trained: tuple[Lab, str, Path], tmp_path: Path) -> None:
    lab, run, folder = trained
    whole = {path.name for path in folder.iterdir()}
    (folder / "round-000000099.safetensors").write_bytes(b"the JSON was never written")
    (folder / "round-000000098.pinned").write_bytes(b"{}")
    file, inside, said = packed(lab.store, run)
    assert inside == whole
    assert "Left out" not in said
    assert taken_in(file, tmp_path / "other") == whole


def test_a_damaged_checkpoint_is_left_out_with_a_word(trained: tuple[Lab, str, Path], tmp_path: Path) -> None:
    lab, run, folder = trained
    last = checkpoints.checkpoints(folder)[-1]
    data = bytearray(checkpoints.tensors_of(last).read_bytes())
    data[-1] ^= 1
    checkpoints.tensors_of(last).write_bytes(data)
    file, inside, said = packed(lab.store, run)
    assert inside == {path.name for path in folder.iterdir() if path.stem != last.stem}
    assert f"Left out, for nobody could go on from it:\n  {last.stem}.safetensors was altered" in said
    assert taken_in(file, tmp_path / "other") == inside


def test_a_checkpoint_that_is_dropped_while_a_pack_is_written_is_not_in_it(
    trained: tuple[Lab, str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, run, folder = trained
    listed = checkpoints.checkpoints

    def dropped(folder: Path) -> list[Path]:
        paths = listed(folder)
        checkpoints.drop(paths[:1])
        return paths

    monkeypatch.setattr(checkpoints, "checkpoints", dropped)
    file, inside, said = packed(lab.store, run)
    monkeypatch.undo()
    assert inside == {path.name for path in folder.iterdir()} != set()
    assert "Left out" not in said
    assert taken_in(file, tmp_path / "other") == inside


def test_a_checkpoint_that_cannot_be_read_now_is_not_left_out(trained: tuple[Lab, str, Path]) -> None:
    lab, run, _ = trained
    with armed("checkpoint.read=emfile"), pytest.raises(StoreError, match="Too many open files"):
        packed(lab.store, run)
