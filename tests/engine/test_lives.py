"""Any order of start, pause, resume, fork, stop, delete, kill and restart leaves a store that is well and runs that are legal.

Ten thousand steps: ``GANSCOPE_STEPS=10000 python -m pytest tests/engine/test_lives.py``.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from gan_core.config import ConfigError, RunConfig
from gan_core.engine import Lab, Refused, StepOf, resume_interrupted
from gan_core.store import RunRecord, RunStore, StoreError, fsck
from gan_core.store.records import STATES
from gan_core.training import resolve

STEPS = int(os.environ.get("GANSCOPE_STEPS", "60"))
PER_LIFE = 20
TINY = {
    "data.name": "ring",
    "data.batch_size": 4,
    "model.latent_dim": 2,
    "model.generator.widths": [4],
    "model.discriminator.widths": [4],
    "diagnostics.samples": 16,
    "diagnostics.every": 1000,
    "device": "cpu",
}
T = TypeVar("T")
COMMANDS = st.sampled_from(["pause", "resume", "stop", "checkpoint", "sample", StepOf("D"), "step_round"])


def copied(folder: Path, target: Path) -> None:
    """What a kill would have left, at some moment: a file that is dropped meanwhile is a reason to look again."""
    for _ in range(20):
        with suppress(shutil.Error, FileNotFoundError):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target)
            return


def noted(step: Callable[..., T]) -> Callable[..., T]:
    """The step is one line of the life's story."""

    @wraps(step)
    def told(self: Lives, **given: object) -> T:
        self.story.append(f"{step.__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})")
        with self.telling():
            return step(self, **given)

    return told


class Lives(RuleBasedStateMachine):
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.story: list[str] = []

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Whatever goes wrong carries the steps up to there: it may depend on how threads met, and not happen again."""
        try:
            yield
        except Exception as error:
            error.add_note("\n".join(["The steps of this life:", *self.story]))
            raise

    @initialize()
    @noted
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="lives-"))
        self.known: set[str] = set()
        self.lab = Lab(self.root, capacity=2, tick=0.01, executor="thread")

    def started(self, run: str) -> str:
        self.known.add(run)
        return run

    @rule(target=runs, seed=st.integers(0, 3), rounds=st.sampled_from([1, 8, 40, 2000]))
    @noted
    def start(self, seed: int, rounds: int) -> str:
        config = resolve(RunConfig().replace(TINY | {"seed": seed, "schedule.rounds": rounds}))
        return self.started(self.lab.submit(config))

    @rule(run=runs, command=COMMANDS)
    @noted
    def command(self, run: str, command: str | StepOf) -> None:
        with suppress(Refused):
            self.lab.command(run, command)  # type: ignore[arg-type]

    @rule(run=runs, rate=st.sampled_from([1e-4, 1e-3]))
    @noted
    def turn(self, run: str, rate: float) -> None:
        with suppress(Refused):
            self.lab.turn(run, {"optimizers.generator.lr": rate})

    @rule(target=runs, run=runs)
    @noted
    def fork(self, run: str) -> str:
        with suppress(Refused, ConfigError):
            return self.started(self.lab.fork(run, {"seed": 7}))
        return run  # how many there are to choose from must not depend on how far a run came

    @rule(run=runs)
    @noted
    def resume(self, run: str) -> None:
        with suppress(Refused):
            self.lab.resume(run)

    @rule()
    @noted
    def resume_all(self) -> None:
        assert resume_interrupted(self.lab).refused == {}

    @rule(run=runs)
    @noted
    def delete(self, run: str) -> None:
        with suppress(Refused, StoreError):
            self.lab.delete(run)

    @rule(run=runs)
    @noted
    def take_back(self, run: str) -> None:
        self.lab.store.restore(run)

    @rule(seconds=st.sampled_from([0.0, 0.02, 0.1]))
    @noted
    def wait(self, seconds: float) -> None:
        time.sleep(seconds)  # of any length

    def open_again(self) -> None:
        self.lab = Lab(self.root, capacity=2, tick=0.01, executor="thread")
        assert not [run for run in self.lab.store.runs() if isinstance(run, RunRecord) and run.active], "nothing trains"

    @rule()
    @noted
    def restart(self) -> None:
        self.lab.close()
        self.open_again()

    @rule()
    @noted
    def kill(self) -> None:
        """As after kill -9: what was active says so still, its owner is gone, and nobody saved anything more."""
        active = [run.id for run in self.lab.store.runs() if isinstance(run, RunRecord) and run.active]
        kept = self.root.with_name(f"{self.root.name}-kept")
        for run in active:
            copied(self.root / run / "checkpoints", kept / run)
        self.lab.close()
        with RunStore(self.root) as store:
            for run in active:
                shutil.rmtree(self.root / run / "checkpoints")
                shutil.move(kept / run, self.root / run / "checkpoints")
                store.update(run, status="running", owner={"pid": 1, "boot": "another"})
        shutil.rmtree(kept, ignore_errors=True)
        self.open_again()

    @invariant()
    def every_run_is_listed_in_a_legal_state(self) -> None:
        if not hasattr(self, "lab"):
            return
        with self.telling():
            listed = {run.id: run for run in self.lab.store.runs(include_deleted=True)}
            assert listed.keys() == self.known
            assert all(isinstance(run, RunRecord) and run.status in STATES for run in listed.values())

    def teardown(self) -> None:
        if not hasattr(self, "lab"):
            return
        with self.telling():
            self.lab.close()
            self.lab.health.wait()  # it may still look at what goes now
            assert fsck(self.root) == []
        shutil.rmtree(self.root, ignore_errors=True)


Lives.TestCase.settings = settings(
    max_examples=math.ceil(STEPS / PER_LIFE),
    stateful_step_count=PER_LIFE,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLives = Lives.TestCase
