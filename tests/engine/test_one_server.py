"""One server per store: a second one looks, says who the first is, and takes over when that is gone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from forking import TEXT, begun, said
from opening import open_page

import gan_core.engine
from gan_core.engine import Lab, Refused
from gan_core.engine.programs import let_go
from gan_core.engine.upkeep import housekeeping
from gan_core.store import RunStore, StoreError, tenancy
from gan_core.store.schema import connect

SERVER = """
import signal, sys
from gan_core.config import RunConfig
from gan_core.engine import Lab
lab = Lab(sys.argv[1], serving=True)
lab.store.create("theirs", name="theirs", config={})
lab.store.update("theirs", status="running")
print("ready", flush=True)
signal.pause()
"""


def test_a_second_server_only_looks_until_the_first_is_killed(
    tmp_path: Path, small: Callable, open_lab: Callable, until: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "ORPHANS_SECONDS", 0.05)
    first = begun(TEXT, SERVER, tmp_path)
    try:
        assert said(first) == "ready\n"
        lab: Lab = open_lab(tmp_path, serving=True)
        assert f"process {first.pid}" in lab.store.only_reads
        assert [card["state"] for card in lab.recent()] == ["running"]
        for refused in (lambda: lab.submit(small()), lambda: lab.resume("theirs"), lambda: lab.delete("theirs")):
            with pytest.raises((Refused, StoreError), match=f"another server, process {first.pid}"):
                refused()
        monkeypatch.setattr(gan_core.engine, "_current", lab)
        for page in ("home", "runs"):
            assert f"process {first.pid}" in open_page(page).warning[0].value
        # Not a server: the command line may train beside one.
        beside = open_lab(tmp_path)
        assert beside.wait(beside.submit(small()), 60).status == "finished"
    finally:
        let_go(first)
    until(lambda: not lab.store.only_reads, "the lock is free")
    until(lambda: lab.store.run("theirs").status == "interrupted")
    assert lab.wait(lab.submit(small({"seed": 8})), 60).status == "finished"


def test_a_server_that_was_closed_leaves_no_lock(tmp_path: Path, open_lab: Callable) -> None:
    for _ in range(5):
        lab = open_lab(tmp_path, serving=True)
        assert (lab.store.only_reads, lab.safe_mode) == ("", False)
        lab.close()


def test_after_three_crashes_at_the_start_nothing_is_done_by_itself(
    tmp_path: Path, open_lab: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for _ in range(5):
        one = tenancy.Tenancy(tmp_path)
        found.append(one.crashes)
        assert one._file is not None
        one._file.close()  # as when its process is killed: nothing is tidied up
    assert found == [0, 1, 2, 3, 4]
    with RunStore(tmp_path) as store:
        store.create("poison", name="poison", config={})
        store.update("poison", status="stopped")
        left = store.checkpoint_dir("poison") / "round-000000001.json.tmp"
        left.write_text("")
    lab = open_lab(tmp_path, serving=True)
    assert lab.safe_mode
    assert left.exists()
    assert lab.health.wait(60) == ()
    monkeypatch.setattr(gan_core.engine, "_current", lab)
    assert "safe mode" in open_page("home").warning[0].value
    lab.close()
    assert not open_lab(tmp_path, serving=True).safe_mode, "it was closed in peace"


def test_a_server_that_lived_for_a_while_did_not_crash_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tenancy.Tenancy(tmp_path)
    assert one._file is not None
    one._file.close()
    for later, crashes in ((3600.0, 0), (-3600.0, 0)):  # the clock may jump
        now = time.time() + later
        monkeypatch.setattr(tenancy.time, "time", lambda now=now: now)
        two = tenancy.Tenancy(tmp_path)
        assert two.crashes == crashes
        two.close()


def test_a_disk_that_is_read_only_can_be_looked_at(tmp_path: Path, small: Callable, open_lab: Callable) -> None:
    with Lab(tmp_path / "runs") as lab:
        run = lab.wait(lab.submit(small()), 60).id
    view = tmp_path / "view"
    view.mkdir()
    if subprocess.run(["mount", "--bind", str(tmp_path / "runs"), str(view)], capture_output=True).returncode == 0:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(view)], check=True, capture_output=True)
    else:
        view.rmdir()
        view = tmp_path / "runs"
        view.chmod(0o500)
    try:
        lab = open_lab(view, serving=True)
        assert "cannot be written to" in lab.store.only_reads
        assert [card["id"] for card in lab.recent()] == [run]
        assert len(lab.store.track(run)) == 24
        with pytest.raises(Refused, match="cannot be written to"):
            lab.submit(small())
        lab.close()
    finally:
        if view.name == "view":
            subprocess.run(["umount", "-l", str(view)], check=True)
        else:
            view.chmod(0o700)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "ext4", "tmpfs"])
def test_a_network_file_system_is_warned_of_and_gets_no_write_ahead_log(
    kind: str, tmp_path: Path, open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    local = kind in ("ext4", "tmpfs")
    mounts = [("/", "overlay"), (str(tmp_path), kind), (str(tmp_path) + "-beside", "nfs")]
    partitions = [SimpleNamespace(mountpoint=where, fstype=kind) for where, kind in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: partitions)
    lab = open_lab(tmp_path / "runs")
    faults = lab.health.wait(60)
    assert [f"({kind})" in fault.sentence for fault in faults] == ([] if local else [True])
    (database,) = (tmp_path / "runs").glob("*.db")
    assert lab.wait(lab.submit(small()), 60).status == "finished"
    assert connect(database).execute("PRAGMA journal_mode").fetchone()[0] == ("wal" if local else "delete")
    assert all("GANSCOPE_STORE" in fault.repair for fault in faults)


def test_a_folder_that_is_missing_or_no_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for odd in ("file", "loop", "file/below"):
        with pytest.raises(StoreError, match="cannot be"):
            Lab(tmp_path / odd, serving=True)
    spaced = tmp_path / "a folder – with ünicode?#%"
    with Lab(spaced, serving=True) as lab:
        assert lab.recent() == []
    assert os.listdir(spaced)
