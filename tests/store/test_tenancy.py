"""Who serves a store, whatever the lock on it says and whether it can be had: no damage to it keeps a server from starting."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import psutil
import pytest

from gan_core.store import tenancy
from gan_core.store.tenancy import LOCK, Tenancy, network_file_system


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """Every file that is opened for a lock; kept here, none is closed unless somebody closes it."""
    files: list[IO[bytes]] = []

    def remembered(*given: Any, **more: Any) -> IO[bytes]:
        files.append(open(*given, **more))  # noqa: SIM115
        return files[-1]

    monkeypatch.setattr(tenancy, "open", remembered, raising=False)
    return files


def failing(number: int) -> Any:
    def fail(*given: Any, **more: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_who_has_the_store_keeps_it_until_it_is_closed(tmp_path: Path, opened: list[IO[bytes]]) -> None:
    first = Tenancy(tmp_path)
    told = (tmp_path / LOCK).read_text()
    assert first.claim()
    assert first.only_reads == ""
    second = Tenancy(tmp_path)
    assert not second.claim()
    assert f"served by another server, process {os.getpid()} on " in second.only_reads
    assert (tmp_path / LOCK).read_text() == told
    assert [file.closed for file in opened] == [False, True, True]
    first.close()
    assert opened[0].closed
    assert second.claim()
    assert (second.only_reads, second.crashes) == ("", 0)
    second.close()


@pytest.mark.parametrize("what", ["the file", "the lock"])
def test_where_nobody_can_tell_the_store_is_looked_at_until_one_can(
    what: str, tmp_path: Path, opened: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        if what == "the file":
            patched.setattr(tenancy, "open", failing(errno.EMFILE))
        else:
            patched.setattr(fcntl, "flock", failing(errno.ENOLCK))
        one = Tenancy(tmp_path)
        assert not one.claim()
    said = os.strerror(errno.EMFILE if what == "the file" else errno.ENOLCK)
    assert one.only_reads == f"Whether another server has this store cannot be told ({said}); it can only be looked at."
    assert all(file.closed for file in opened)
    assert one.claim()
    assert one.only_reads == ""
    one.close()


@pytest.mark.parametrize("number", sorted(tenancy.KEEPS_NO_LOCKS))
def test_where_no_file_system_keeps_a_lock_everybody_serves(
    number: int, tmp_path: Path, opened: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    one = Tenancy(tmp_path)
    assert one.claim()
    assert one.only_reads == ""
    assert [file.closed for file in opened] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "\x00", "3", "[]", "{}", "[" * 100_000),
        *(
            '{"since": "x", "crashes": 1, "pid": 1, "host": "h"}',
            '{"since": null, "crashes": 1, "pid": 1, "host": "h"}',
        ),
        *('{"since": 1' + "0" * 400 + ', "crashes": 1}', '{"since": 1e18, "crashes": 1, "pid": 1, "host": "h"}'),
        *('{"since": NaN, "crashes": 1, "pid": 1}', '{"since": 1, "crashes": 1, "pid": Infinity, "host": "h"}'),
        *('{"since": NOW, "crashes": "x"}', '{"since": NOW, "crashes": 1.5}', '{"since": NOW}'),
    ],
)
def test_a_damaged_lock_is_a_lock_all_the_same(text: str, tmp_path: Path) -> None:
    damaged = text.replace("NOW", str(time.time()))
    (tmp_path / LOCK).write_text(damaged)
    first = Tenancy(tmp_path)
    assert (first.only_reads, first.crashes) == ("", 0)
    (tmp_path / LOCK).write_text(damaged)
    assert Tenancy(tmp_path).taken_by == "another server"
    first.close()


def test_what_a_lock_says_of_a_machine_can_be_shown_on_a_page(tmp_path: Path) -> None:
    first = Tenancy(tmp_path)
    (tmp_path / LOCK).write_text(json.dumps({"since": 0, "pid": 7, "host": "a\n\x1b[31mb\ud800" + 100 * "c"}))
    told = Tenancy(tmp_path).taken_by
    assert told.startswith("another server, process 7 on a [31mbc")
    assert len(told) < 160
    first.close()


@pytest.mark.parametrize(
    ("error", "tells"),
    [
        (OSError(errno.EMFILE, "Too many open files"), False),
        (OSError(errno.EIO, "Input/output error"), True),
        (PermissionError(errno.EACCES, "Permission denied"), True),
        (psutil.AccessDenied(), True),
    ],
)
def test_a_disk_of_which_nothing_is_ever_known_is_one_of_this_machine(
    error: Exception, tells: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But want of a handle is no answer: the journal would be another one the next time."""

    def refuse(all: bool) -> None:
        raise error

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    if tells:
        assert network_file_system(tmp_path) == ""
    else:
        with pytest.raises(OSError, match="Too many open files"):
            network_file_system(tmp_path)


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ({"": "ext4"}, ""),
        ({"": "NFS4"}, "nfs4"),
        ({"": "cifs", "/runs": "ext4"}, ""),
        ({"/runs": "fuse.sshfs", "": "ext4"}, "fuse.sshfs"),
        ({"/run": "nfs", "/runs-beside": "nfs"}, ""),
        ({}, ""),
    ],
)
def test_the_innermost_mount_says_on_what_a_store_lies(
    mounts: dict[str, str], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [SimpleNamespace(mountpoint=f"{tmp_path}{where}", fstype=fstype) for where, fstype in mounts.items()]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: found)
    assert network_file_system(tmp_path / "runs") == kind
