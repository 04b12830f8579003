"""Loss of power: what had not been synced is gone or zero, in any order; what was said to be kept is whole."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_core import checkpoints
from gan_core.store import RunStore, fsck

Names = dict[str, int]  # what each name of the folder leads to


@dataclass
class Disk:
    """A folder as a journalling file system keeps it: names and contents reach the disk when they are synced, or earlier.

    ``moments`` holds, after every call, (names now, names synced, synced contents, all contents).
    """

    folder: Path
    names: Names = field(default_factory=dict)
    synced_names: Names = field(default_factory=dict)
    contents: dict[int, Path | bytes] = field(default_factory=dict)
    synced: dict[int, bytes] = field(default_factory=dict)
    moments: list[tuple[Names, Names, dict[int, bytes], set[str]]] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)

    def happened(self) -> None:
        self.moments.append((dict(self.names), dict(self.synced_names), dict(self.synced), set(self.promised)))

    def after_loss(self) -> Iterator[tuple[dict[str, bytes], set[str]]]:
        """What may be found at each moment, with what must be there: names early or late, contents that were not synced empty
        or zeros."""
        for now, kept, synced, promised in self.moments:
            for names in (now, kept):
                for lost in (b"", bytes(100)):
                    yield {name: synced.get(file, lost) for name, file in names.items()}, promised


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Records what `checkpoints` does to the disk, call by call."""
    disk = Disk(tmp_path / "checkpoints")
    fsync, replace, unlink = os.fsync, os.replace, Path.unlink

    class File(io.FileIO):
        def __init__(self, path: Path, mode: str) -> None:
            super().__init__(path, mode)
            disk.names[Path(path).name] = self.number = len(disk.contents)
            disk.contents[self.number] = Path(path)
            disk.happened()

    def opened(path: Path, mode: str) -> io.FileIO:
        return File(path, mode)

    def synced(handle: int) -> None:
        fsync(handle)
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if path == disk.folder:
            disk.synced_names = dict(disk.names)
        else:
            disk.synced[disk.names[path.name]] = path.read_bytes()
        disk.happened()

    def replaced(old: Path, new: Path) -> None:
        replace(old, new)
        disk.names[Path(new).name] = disk.names.pop(Path(old).name)
        disk.happened()

    def unlinked(path: Path, **options: Any) -> None:
        unlink(path, **options)
        if path.parent == disk.folder and disk.names.pop(path.name, None) is not None:
            disk.happened()

    monkeypatch.setattr(checkpoints, "open", opened, raising=False)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(Path, "unlink", unlinked)
    return disk


def test_whatever_was_not_synced_is_lost_a_checkpoint_with_a_name_is_whole(disk: Disk, tmp_path: Path) -> None:
    for round in (1, 2, 3):
        checkpoints.write(disk.folder, round, f"tensors {round}".encode(), {"round": round})
        disk.promised = {f"round-{round:09d}.json"}
        disk.happened()
        checkpoints.retain(disk.folder, 2, round)
        disk.happened()
    found = list(disk.after_loss())
    assert len(found) > 100
    for number, (files, promised) in enumerate(found):
        folder = tmp_path / f"after-{number}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        checkpoints.sweep(folder)
        named = checkpoints.checkpoints(folder)
        for path in named:
            assert checkpoints.read(path)[0] == f"tensors {checkpoints.round_of(path)}".encode()
        assert promised <= {path.name for path in named}
        shutil.rmtree(folder)


@pytest.mark.parametrize("tail", [b"", bytes(5000)], ids=["cut", "zeros"])
def test_wherever_the_log_of_the_index_ends_its_rows_are_a_prefix(tail: bytes, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    with RunStore(root) as store:
        store.create("a-run", name="", config={})
        store.update("a-run", status="stopped")
        store.flush()
        for round in range(1, 20):
            store.append("a-run", "turns", ["a"], np.array([round]), np.array([[float(round)]]))
            store.flush()
        shutil.copytree(root, tmp_path / "at-the-loss")
    log = (tmp_path / "at-the-loss" / "ganscope.db-wal").read_bytes()
    seen = []
    for end in range(0, len(log), len(log) // 40):
        left = tmp_path / f"left-{end}"
        shutil.copytree(tmp_path / "at-the-loss", left)
        (left / "ganscope.db-shm").unlink(missing_ok=True)  # it is memory
        (left / "ganscope.db-wal").write_bytes(log[:end] + tail)
        with RunStore(left) as store:
            rounds = store.track("a-run", "turns").rounds.tolist() if store.runs() else []
        assert rounds == list(range(1, len(rounds) + 1))
        assert fsck(left) == []
        seen.append(len(rounds))
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
