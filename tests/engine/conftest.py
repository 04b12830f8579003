"""Jobs played in the test's own thread, labs that are closed again, and the patience to wait for what they do."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import waiting
from workers import workers as every_worker

from gan_core.config import RunConfig
from gan_core.data import ImageSource
from gan_core.engine import Lab
from gan_core.engine.messages import Ended, Job, Message, Note, Rows, Sight, State, Turned
from gan_core.engine.running import runner
from gan_core.engine.running.mailbox import Inbox, Outbox
from gan_core.training import Turn, resolve
from gan_core.training.classifier import ClassifierReport

collect_ignore = [] if "GANSCOPE_TEST_RAY" in os.environ else ["on_ray"]  # `make test-ray` sets it, and has Ray

RING = {
    "data.name": "ring",
    "data.batch_size": 8,
    "model.latent_dim": 3,
    "model.generator.widths": [8],
    "model.discriminator.widths": [8],
    "diagnostics.samples": 64,
    "diagnostics.every": 20,
    "diagnostics.budget": 1.0,
    "schedule.rounds": 24,
    "seed": 3,
    "device": "cpu",
}
DIGITS = RING | {"data.name": "mnist5k", "diagnostics.grid": 4}


@pytest.fixture(scope="session")
def small() -> Callable[..., RunConfig]:
    """``small({"schedule.rounds": 5})``: a resolved config of the ring whose rounds take about a millisecond."""
    return lambda changes=None: resolve(RunConfig().replace({**RING, **(changes or {})}))


@pytest.fixture(scope="session")
def digits() -> Callable[..., RunConfig]:
    """The same for images."""
    return lambda changes=None: resolve(RunConfig().replace({**DIGITS, **(changes or {})}))


class StandIn:
    """In place of a frozen classifier: the mean grey of an image decides its class."""

    def __init__(self, classes: int = 10) -> None:
        self.classes = classes
        self.report = ClassifierReport(0.5, (), (), 0.0, 1, 1, 0.0, "", tuple(map(str, range(classes))))

    def probabilities(self, x: torch.Tensor) -> np.ndarray:
        grey = x.float() if x.dtype != torch.uint8 else x.float() / 127.5 - 1
        label = ((grey.mean((1, 2, 3)) + 1) / 2 * self.classes).long().clamp(0, self.classes - 1)
        return np.eye(self.classes)[label.numpy()]

    def features(self, x: torch.Tensor) -> np.ndarray:
        grey = (x.float() if x.dtype != torch.uint8 else x.float() / 127.5 - 1).flatten(1)
        return torch.stack([grey.mean(1), grey.std(1), grey[:, 0]], dim=1).double().numpy()

    def judge(self, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        return self.probabilities(x), self.features(x)


@pytest.fixture(scope="session")
def stand_in() -> Callable[[ImageSource], Any]:
    return lambda source: StandIn()


@dataclass
class Told:
    """What a job said."""

    messages: list[Message]

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def end(self) -> Ended:
        (end,) = self.of(Ended)
        assert end is self.messages[-1], "Ended is the last message"
        return end

    @property
    def frames(self) -> list[int]:
        return [sight.round for sight in self.of(Sight)]

    @property
    def states(self) -> list[str]:
        return [state.state for state in self.of(State)]

    def notes(self, kind: str) -> list[Note]:
        return [note for note in self.of(Note) if note.kind == kind]

    def rounds(self, track: str = "turns") -> list[int]:
        parts = [rows.rounds for rows in self.of(Rows) if rows.track == track]
        return np.concatenate(parts).tolist() if parts else []

    def scalars(self, track: str = "turns") -> dict[str, np.ndarray]:
        """The columns but the clock."""
        parts = [rows for rows in self.of(Rows) if rows.track == track]
        values = np.concatenate([rows.values for rows in parts])
        return {name: values[:, i] for i, name in enumerate(parts[0].columns) if name != "seconds"}


@pytest.fixture(scope="session")
def told() -> Callable[[list[Message]], Told]:
    return Told


Hook = Callable[[Turn, Inbox], None]


@pytest.fixture
def play_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """``play_job(config, hook=…)`` runs a job here and now; ``hook(turn, inbox)`` hears every turn before the runner."""
    real_play = runner.play

    def run(
        config: RunConfig,
        *,
        hook: Hook | None = None,
        before: tuple[str, ...] = (),
        resume_from: Path | None = None,
        measured_at: int | None = None,
        knobs: tuple[Turned, ...] = (),
        classifier: Callable[[ImageSource], Any] = lambda source: None,
        folder: str = "checkpoints",
    ) -> Told:
        inbox, outbox = Inbox(), Outbox()
        for command in before:
            inbox.put(command)  # type: ignore[arg-type]

        def heard(game: Any, played: int = 0) -> Iterator[Turn]:
            for turn in real_play(game, played):
                if hook is not None:
                    hook(turn, inbox)
                yield turn

        monkeypatch.setattr(runner, "play", heard)
        job = Job("a-run", config, tmp_path / folder, resume_from, measured_at, knobs)
        runner.run_job(job, inbox, outbox, classifier)
        return Told(outbox.drain())

    return run


@pytest.fixture(autouse=True)
def trouble(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What the engine had to log as an error: nothing, unless a test takes note of it by emptying this list."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear(logging.ERROR)
    logging.getLogger("gan_core").addHandler(ear)
    yield heard
    logging.getLogger("gan_core").removeHandler(ear)
    assert heard == []


@pytest.fixture
def open_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """``open_lab(capacity=1)``: a lab with a quick tick, closed when the test is over."""
    labs: list[Lab] = []

    def make(root: Path = tmp_path, **options: Any) -> Lab:
        labs.append(Lab(root, **{"tick": 0.05, **options}))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture(scope="session")
def workers() -> Callable[..., set[psutil.Process]]:
    """``workers()``: the processes of runs that this process, or that of the given number, has begun and that are left."""

    return every_worker


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """``until(lambda: …, "what is waited for")``."""

    return waiting.until
