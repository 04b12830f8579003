"""The process is killed inside the writing of a checkpoint or of rows: what has a name is whole, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from forking import TEXT, forked

from gan_core.checkpoints import checkpoints, read, round_of, sweep, write
from gan_core.engine import Lab
from gan_core.failpoints import EXIT_STATUS, VARIABLE
from gan_core.store import RunStore, fsck


def killed_at(wish: str, code: str, *arguments: object) -> None:
    """Run a program to the failpoint where it is killed."""
    ended = forked(TEXT, code, *arguments, **{VARIABLE: wish})
    assert ended.returncode == EXIT_STATUS, ended.stderr


# Each checkpoint puts two files, so the third is the tensors of the second checkpoint, and the fourth its JSON.
POINTS = [
    *(f"save.{point}=exit@{n}" for point in ("before_temporary", "before_fsync", "before_rename") for n in (3, 4)),
    *(f"save.write=half@{n}" for n in (3, 4)),
    "save.before_manifest=exit@2",
]
SAVES = """
import sys
from pathlib import Path
from gan_core.checkpoints import write
for round in (10, 20):
    write(Path(sys.argv[1]), round, bytes(100_000) + bytes([round]), {"round": round})
"""


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_of_a_save_the_one_before_is_whole(point: str, tmp_path: Path) -> None:
    killed_at(point, SAVES, tmp_path)
    (path,) = checkpoints(tmp_path)
    assert read(path) == (bytes(100_000) + bytes([10]), {"round": 10})
    sweep(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, path.with_suffix(".safetensors").name]
    assert read(write(tmp_path, 20, b"again", 3)) == (b"again", 3)


ROWS = """
import sys
import numpy as np
from gan_core.store import RunStore
store = RunStore(sys.argv[1])
store.create("a-run", name="", config={})
for k in range(1, 1000):
    store.append("a-run", "turns", ["a"], np.array([k]), np.array([[k]]))
    store.save_artefact("a-run", "grid", "png", bytes([k % 256]))
    store.flush()
    print(k, file=open(sys.argv[2], "w"), flush=True)
"""


@pytest.mark.parametrize(
    ("point", "shown"),
    [
        ("store.write=exit@9", 7),
        ("store.before_commit=exit@9", 7),
        ("store.after_commit=exit@9", 7),
        ("artefact.before_rename=exit@9", 8),
    ],
)
def test_killed_at_any_point_of_a_write_no_acknowledged_row_is_missing(point: str, shown: int, tmp_path: Path) -> None:
    killed_at(point, ROWS, tmp_path / "runs", tmp_path / "acknowledged")
    acknowledged = int((tmp_path / "acknowledged").read_text())
    assert acknowledged >= shown
    with RunStore(tmp_path / "runs") as store:
        rounds = store.track("a-run").rounds
        assert len(rounds) in (acknowledged, acknowledged + 1)
        assert np.array_equal(rounds, np.arange(1, len(rounds) + 1))
        assert store.interrupt_orphans() == ["a-run"]
        store.sweep()
    assert fsck(tmp_path / "runs") == []


TRAINS = """
import json, sys, time
from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.running import runner

real = runner._Runner._look_after
def look_after(self):
    real(self)
    if self.round % 20 == 0:
        self.save()
    # Rows are written while it trains, and not all at its end: the fifth writing is amid the run on any machine.
    if self.round % 5 == 0:
        self.flush()
        while written() < self.round:
            time.sleep(0.01)
def written():
    (run,) = lab.store.runs()
    return max(lab.store.track(run.id, "turns", []).rounds, default=0)
runner._Runner._look_after = look_after
lab = Lab(sys.argv[1], tick=0.02)
lab.wait(lab.submit(RunConfig.load(json.loads(sys.argv[2]))), 60)
"""


@pytest.mark.parametrize("point", ["save.before_manifest=exit@2", "store.before_commit=exit@5"])
def test_a_run_that_was_killed_there_goes_on_bit_for_bit(
    point: str, tmp_path: Path, small: Callable, open_lab: Callable
) -> None:
    config = small({"schedule.rounds": 50})
    killed_at(point, TRAINS, tmp_path, json.dumps(config.to_dict()))
    lab: Lab = open_lab(tmp_path)
    (run,) = lab.store.runs()
    assert fsck(tmp_path) == []
    assert run.status == "interrupted"
    saved = [round_of(path) for path in checkpoints(lab.store.checkpoint_dir(run.id))]
    recorded = max(lab.store.track(run.id, "turns", []).rounds, default=0)
    within, ahead = [r for r in saved if r <= recorded], [r for r in saved if r > recorded]
    # Of those that the written rows reach the newest, of those ahead of them the oldest.
    assert lab.resume(run.id) in (within[-1:] + ahead[:1] or [0])
    ended, whole = lab.wait(run.id, 60), lab.wait(lab.submit(config), 60)
    assert ended.status == "finished"
    assert ended.summary["state_hash"] == whole.summary["state_hash"]
    assert fsck(tmp_path) == []
