"""What is done to a store in the tests of every fault: each act by a lab of its own, here or in a process of its own."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from holding import Hold
from waiting import until

from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.exchange.packs import write_pack
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.engine.running import runner
from gan_core.engine.upkeep.health import Health
from gan_core.failpoints import armed
from gan_core.store import RunRecord, RunStore, backup, restore_backup
from gan_core.training import resolve

SETTINGS = {
    "data.name": "ring",
    "data.batch_size": 4,
    "model.latent_dim": 2,
    "model.generator.widths": [4],
    "model.discriminator.widths": [4],
    "diagnostics.samples": 16,
    "diagnostics.every": 10,
    "diagnostics.budget": 1.0,
    "schedule.rounds": 24,
    "seed": 3,
    "device": "cpu",
}
SECONDS = 60


def settings(rounds: int = 24) -> RunConfig:
    return resolve(RunConfig().replace({**SETTINGS, "schedule.rounds": rounds}))


@contextmanager
def often_saved() -> Iterator[None]:
    """Runs that save themselves after every eight rounds."""
    real = runner._Runner._look_after

    def look_after(self: Any) -> None:
        real(self)
        if self.round % 8 == 0:
            self.save()

    runner._Runner._look_after = look_after  # type: ignore[method-assign]
    try:
        yield
    finally:
        runner._Runner._look_after = real  # type: ignore[method-assign]


@contextmanager
def not_looked_over() -> Iterator[None]:
    """Labs whose store is not looked over beside their start: that thread would meet the fault that is meant for an act."""
    real = Health._look
    Health._look = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        Health._look = real  # type: ignore[method-assign]


@contextmanager
def opened(root: Path) -> Iterator[Lab]:
    with not_looked_over(), often_saved(), Lab(root, tick=0.02, executor="thread") as lab:
        yield lab


def named(store: RunStore, name: str) -> RunRecord | None:
    """The newest run of this name, deleted or not."""
    found = (run for run in store.runs(include_deleted=True) if isinstance(run, RunRecord) and run.name == name)
    return next(found, None)


def known(store: RunStore, name: str) -> str:
    run = named(store, name)
    assert run is not None
    return run.id


def train(root: Path) -> None:
    with opened(root) as lab:
        lab.wait(lab.submit(settings(), name="trained"), SECONDS)


def fork(root: Path) -> None:
    with opened(root) as lab:
        lab.wait(lab.fork(known(lab.store, "whole"), {"seed": 7}, name="fork"), SECONDS)


def resume(root: Path) -> None:
    with opened(root) as lab:
        run = known(lab.store, "half")
        lab.resume(run)
        lab.wait(run, SECONDS)


def bring_in(root: Path) -> None:
    with opened(root) as lab:
        read_pack(lab.store, io.BytesIO((root.parent / "pack.zip").read_bytes()))


def purge(root: Path) -> None:
    with opened(root) as lab:
        lab.store.purge(known(lab.store, "deleted"))


def copy(root: Path) -> None:
    backup(root, root.parent / "copy.zip")


def put_back(root: Path) -> None:
    restore_backup(root.parent / "backup.zip", root.parent / "put-back")


def look(root: Path) -> None:
    with RunStore(root) as store:
        assert len(store.runs()) >= 2


ACTS: dict[str, Callable[[Path], None]] = {
    act.__name__: act for act in (train, fork, resume, bring_in, purge, copy, put_back, look)
}


def begun(lab: Lab, name: str, hold: Hold, round: int) -> str:
    """A run that waits at this round, with everything up to there in the store and on the disk."""
    hold.at(round)
    with armed(hold.wish):
        run = lab.submit(settings(), name=name)
        until(hold.waits)
        until(lambda: lab.view(run).status["round"] == round and round in lab.store.track(run, "turns", []).rounds)
    lab.store.flush()
    return run


def prepare(folder: Path) -> dict[str, str]:
    """A store with runs to act upon, a pack and a backup beside it; returns the hash that each run has at its end."""
    hold = Hold(folder)
    with opened(folder / "elsewhere") as lab:
        brought = lab.wait(lab.submit(settings(), name="brought"), SECONDS)
        with open(folder / "pack.zip", "wb") as file:
            write_pack(lab.store, brought.id, file, with_checkpoints=True)
    with opened(folder / "runs") as lab:
        whole = lab.wait(lab.submit(settings(), name="whole"), SECONDS)
        hold.at(16)
        with armed(hold.wish):
            half = lab.submit(settings(), name="half")
            until(lambda: lab.view(half).status["round"] == 16)
            lab.command(half, "stop")
            lab.wait(half, SECONDS)
        gone = lab.submit(settings(), name="deleted")
        lab.wait(gone, SECONDS)
        lab.delete(gone)
        child = lab.fork(whole.id, {"seed": 7}, name="undisturbed")
        forked = lab.wait(child, SECONDS)
        lab.delete(child)
        lab.store.purge(child)
    backup(folder / "runs", folder / "backup.zip")
    digest = whole.summary["state_hash"]
    return dict.fromkeys(("whole", "half", "trained", "brought"), digest) | {"fork": forked.summary["state_hash"]}


def main(act: str, root: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    torch.set_num_threads(1)
    ACTS[act](Path(root))
