"""The room that is kept for a full disk: only where there is plenty, whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_core.checkpoints import SPARE_BYTES
from gan_core.store import reserve


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def leave(count: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda root: shutil._ntuple_diskusage(2 * count, count, count))  # type: ignore[attr-defined]

    return leave


@pytest.mark.parametrize(("lack", "there"), [(0, True), (1, False)])
def test_room_is_kept_where_four_times_as_much_is_free(
    lack: int, there: bool, tmp_path: Path, free: Callable[[int], None]
) -> None:
    free(4 * reserve.BYTES - lack)
    reserve.keep(tmp_path)
    assert [path.stat().st_size for path in tmp_path.iterdir()] == ([reserve.BYTES] if there else [])
    assert reserve.give_up(tmp_path) is there
    assert not reserve.give_up(tmp_path)


def test_what_is_kept_already_is_not_written_again(tmp_path: Path, free: Callable[[int], None]) -> None:
    free(4 * reserve.BYTES)
    (tmp_path / reserve.NAME).write_bytes(b"as it was")
    reserve.keep(tmp_path)
    assert (tmp_path / reserve.NAME).read_bytes() == b"as it was"


def test_where_the_disk_fills_meanwhile_no_half_of_it_stays(
    tmp_path: Path, free: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, data: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    free(4 * reserve.BYTES)
    monkeypatch.setattr(Path, "write_bytes", half)
    reserve.keep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_is_full_below_what_the_index_needs(
    tmp_path: Path, free: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for left in (SPARE_BYTES - 1, SPARE_BYTES):
        free(left)
        found.append(reserve.is_full(tmp_path))
    assert found == [True, False]
    monkeypatch.undo()
    assert not reserve.is_full(tmp_path / "nowhere"), "of which nothing is known"
