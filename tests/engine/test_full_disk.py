"""A full disk: the run waits, the checkpoint before is whole, everything can be looked at, and it goes on by itself."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from holding import Hold

from gan_core.checkpoints import write
from gan_core.config import ConfigError
from gan_core.engine.running import saving
from gan_core.engine.upkeep import quota
from gan_core.failpoints import armed
from gan_core.store import fsck
from gan_core.training import checkpoints, load_checkpoint, round_of

MB = 2**20
WIDE = {"model.generator.widths": [256, 128], "model.discriminator.widths": [256, 128], "schedule.rounds": 30}


class SmallDisk:
    """A disk of 4 MB, or a process that may write no large file, where the system lets nobody mount one."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "runs"
        self.root.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(self.root)]
        self.mounted = subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self) -> None:
        """Leave no room for a checkpoint of ``WIDE``, piece by piece: a run may still be writing its best one."""
        if self.mounted:
            (self.root / "cache").mkdir(exist_ok=True)
            with (self.root / "cache" / "ballast").open("ab", buffering=0) as ballast:
                while (room := self._room() - 700 * 2**10) > 0:
                    ballast.write(bytes(min(room, 32 * 2**10)))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (300 * 2**10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def _room(self) -> int:
        left = os.statvfs(self.root)
        return left.f_bavail * left.f_frsize

    def empty(self) -> None:
        if self.mounted:
            (self.root / "cache" / "ballast").unlink(missing_ok=True)
        else:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    def close(self) -> None:
        self.empty()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.root)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "ROOM_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
def test_on_a_small_disk_a_run_waits_for_room_and_goes_on_by_itself(
    disk: SmallDisk, open_lab: Callable, small: Callable, until: Callable, hold: Hold, tmp_path: Path
) -> None:
    hold.at(5)
    lab = open_lab(disk.root)
    run = lab.submit(small(WIDE))
    until(lambda: lab.view(run).status["round"] == 5)
    lab.command(run, "pause")  # or it would write while the disk is filled
    until(lambda: lab.view(run).status["state"] == "paused")
    lab.command(run, "checkpoint")
    folder = lab.store.checkpoint_dir(run)
    until(lambda: checkpoints(folder), "the first checkpoint is on the disk")
    first = checkpoints(folder)[0]
    disk.fill()
    hold.let_go()
    lab.command(run, "resume")
    until(lambda: lab.view(run).status["message"] == saving.DISK_FULL, "the page says why")
    until(lambda: lab.view(run).status["state"] == "paused", "it has played all rounds and cannot be saved")
    kept = checkpoints(folder)
    assert first in kept
    for path in kept:
        load_checkpoint(path)
    assert [card["state"] for card in lab.recent()] == ["paused"]
    assert not list(folder.glob("*.tmp")), "half a file takes no room"
    disk.empty()
    assert lab.wait(run, 60).status == "finished"
    events = [event.kind for event in lab.store.events(run)]
    assert [kind for kind in events if kind in ("paused", "resumed")] == ["paused", "resumed"] * 2
    elsewhere = open_lab(tmp_path / "elsewhere")
    alone = elsewhere.wait(elsewhere.submit(small(WIDE)), 60)
    assert lab.store.run(run).summary["state_hash"] == alone.summary["state_hash"]
    lab.close()
    assert fsck(disk.root) == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("command", ["stop", "interrupt"])
def test_a_run_that_waits_for_room_can_be_ended(
    command: str, open_lab: Callable, small: Callable, until: Callable
) -> None:
    with armed("save.write=enospc"):
        lab = open_lab()
        run = lab.submit(small())
        until(lambda: lab.view(run).status["message"] == saving.DISK_FULL)
        lab.command(run, command)
        assert lab.wait(run, 60).status == ("stopped" if command == "stop" else "interrupted")
    assert lab.resume(run) == 0
    assert lab.wait(run, 60).status == "finished"


@pytest.mark.usefixtures("impatient")
def test_a_paused_run_that_is_saved_on_a_full_disk_stays_paused(
    open_lab: Callable, small: Callable, until: Callable, hold: Hold
) -> None:
    hold.at(5)
    lab = open_lab()
    run = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(run).status["round"] == 5)
    lab.command(run, "pause")
    until(lambda: lab.view(run).status["state"] == "paused")
    with armed("save.write=enospcx2"):
        lab.command(run, "checkpoint")
        until(lambda: checkpoints(lab.store.checkpoint_dir(run)))
    until(lambda: lab.view(run).status["message"] == "")
    assert lab.view(run).status["state"] == "paused"
    lab.command(run, "resume")
    until(lambda: lab.view(run).status["state"] == "running")


def test_closing_does_not_wait_for_room(open_lab: Callable, small: Callable, until: Callable, hold: Hold) -> None:
    hold.at(5)
    lab = open_lab()
    run = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(run).status["round"] == 5)
    with armed("save.write=enospc"):
        lab.close()
    (card,) = open_lab().recent()
    assert (card["id"], card["state"]) == (run, "interrupted")


def test_all_runs_together_keep_within_their_bound(
    open_lab: Callable, small: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = open_lab()
    run = lab.submit(small())
    lab.wait(run, 60)
    folder = lab.store.checkpoint_dir(run)
    write(folder, 1, bytes(1000), {})
    monkeypatch.setenv(quota.VARIABLE, "0.0000001")
    assert quota.Quota().tend(lab.store, {run}) == 0, "it trains"
    assert quota.Quota().tend(lab.store, ()) > 1000
    assert [round_of(path) for path in checkpoints(folder)] == [24], "the newest stays"
    for nonsense in ("much", "-1", "nan", "1e999"):
        monkeypatch.setenv(quota.VARIABLE, nonsense)
        with pytest.raises(ConfigError, match="not a positive number of GB"):
            quota.Quota()


def test_a_run_that_cannot_have_memory_fails_with_advice(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(5)
    lab = open_lab()
    beside = lab.submit(small({"schedule.rounds": 100_000_000}))
    until(lambda: lab.view(beside).status["round"] == 5)
    with armed("build=memory"):
        run = lab.submit(small({"seed": 9}))
        ended = lab.wait(run, 60)
    assert ended.status == "failed"
    assert "memory ran out" in ended.message
    assert "data.batch_size is 8" in ended.message
    assert "while building the networks" in ended.message
    assert lab.view(beside).status["state"] == "running"


def test_a_failed_accelerator_ends_its_runs_and_keeps_checkpoints(
    open_lab: Callable, small: Callable, hold: Hold, until: Callable
) -> None:
    hold.at(5)
    lab = open_lab()
    runs = [lab.submit(small({"schedule.rounds": 100_000_000, "seed": seed})) for seed in (1, 2)]
    until(lambda: min(lab.view(run).status["round"] for run in runs) == 5)
    for run in runs:
        lab.command(run, "checkpoint")
    until(lambda: all(checkpoints(lab.store.checkpoint_dir(run)) for run in runs))
    hold.let_go()
    with armed("forward=broken"):
        ended = [lab.wait(run, 60) for run in runs]
    for run in ended:
        assert run.status == "failed"
        assert "the accelerator has failed for this process (CUDA error: device-side assert triggered)" in run.message
        assert "Restart the server" in run.message
        assert lab.resume(run.id) > 0
        lab.command(run.id, "stop")


@pytest.mark.parametrize(
    ("point", "phase"),
    [
        ("load", "loading the data"),
        ("build", "building the networks"),
        ("forward", "training"),
        ("backward", "training"),
        ("step", "training"),
        ("save.write", "saving a checkpoint"),
    ],
)
def test_a_failpoint_in_each_phase_is_a_failure_of_that_phase(
    point: str, phase: str, play_job: Callable, small: Callable
) -> None:
    with armed(f"{point}=raise"):
        end = play_job(small()).end
    assert end.state == "failed"
    assert end.message == f"RuntimeError while {phase}: failpoint {point}"
