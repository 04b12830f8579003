"""What is said of a checkpoint that is not whole, and what a disk that errs leaves."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_core.checkpoints import (
    CheckpointError,
    best_scores,
    drop,
    glance,
    kept_checkpoints,
    mark,
    put,
    read,
    sealed,
    size_of,
    write,
)
from gan_core.failpoints import armed


@pytest.mark.parametrize("look", [read, glance])
def test_what_is_wrong_with_a_checkpoint_is_said_once(look: Callable[[Path], object], tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    path.write_bytes(sealed({"format": 99}))
    with pytest.raises(CheckpointError) as refused:
        look(path)
    assert str(refused.value) == "round-000000001.json has format 99, this version reads format 1"


def test_the_best_of_which_the_disk_has_lost_the_scores_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    mark(write(tmp_path, 1, b"tensors", {"round": 1}), "best", "the best", (1.0,))
    monkeypatch.setattr(Path, "read_bytes", lost)
    assert best_scores(tmp_path, 1) == ()
    assert kept_checkpoints(tmp_path) == {1: ""}


def test_all_of_a_file_is_there_when_it_is_flushed_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed, real = [], os.fsync

    def watched(handle: int) -> None:
        told = os.fstat(handle)
        flushed.append("folder" if stat.S_ISDIR(told.st_mode) else told.st_size)
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    put(tmp_path / "file", bytes(100))
    assert flushed == [100, "folder"]


def test_writing_a_file_keeps_no_handle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, closed = [], []
    real_open, real_close = os.open, os.close

    def watched_open(path: Path, flags: int) -> int:
        opened.append(real_open(path, flags))
        return opened[-1]

    def watched_close(handle: int) -> None:
        closed.append(handle)
        real_close(handle)

    monkeypatch.setattr(os, "open", watched_open)
    monkeypatch.setattr(os, "close", watched_close)
    put(tmp_path / "file", b"data")
    assert len(opened) == 1
    assert closed == opened


def test_a_checkpoint_that_cannot_be_dropped_now_is_dropped_later(tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"tensors", {"round": 1})
    size = size_of(path)
    with armed("checkpoint.drop=eacces"):
        assert drop([path]) == 0
    assert read(path) == (b"tensors", {"round": 1})
    assert drop([path]) == size
    assert list(tmp_path.iterdir()) == []
