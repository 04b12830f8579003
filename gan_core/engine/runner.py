"""One job, from its config to its end: builds the game, plays it, and tells what happened. Knows no thread and no store."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.engine.describe import describe
from gan_core.engine.mailbox import Inbox, Outbox
from gan_core.engine.messages import CommandKind, Ended, EndState, Job, Note, Rows, State
from gan_core.engine.observer import GetClassifier, Observer, observer_for
from gan_core.training import (
    Turn,
    build,
    capture,
    load_checkpoint,
    load_source,
    play,
    restore,
    save_checkpoint,
    state_hash,
)
from gan_core.training.state import StatefulGame

ROWS_EVERY_SECONDS = 0.2
# Reading a number back from an accelerator stalls it; the round of a divergence must not depend on timing either.
FINITE_CHECK_EVERY = {"cpu": 1, "cuda": 32, "mps": 32}


class Diverged(Exception):
    """A loss is not finite. ``round`` is the first such round."""

    def __init__(self, round: int, column: str) -> None:
        super().__init__(f"{column} is not finite at round {round:,}")
        self.round = round
        self.column = column


class Stopped(Exception):
    """A command asked for the end."""

    def __init__(self, command: CommandKind) -> None:
        super().__init__(command)
        self.command = command


def run_job(job: Job, inbox: Inbox, outbox: Outbox, classifier: GetClassifier) -> None:
    """Train until the last round, a command, a divergence or an exception; ``Ended`` is always the last message."""
    runner = _Runner(job, inbox, outbox, classifier)
    phase = "starting"
    try:
        phase = "loading data and building networks"
        runner.prepare()
        phase = "training"
        state = runner.train()
        phase = "measuring and saving the result"
        runner.finish(state)
    except Diverged as divergence:
        outbox.put(Note(divergence.round, "diverged", {"column": divergence.column}))
        outbox.put(Ended("diverged", divergence.round, str(divergence)))
    except BaseException as error:  # a run must never take its server with it
        message = f"{type(error).__name__} while {phase}: {error}"
        outbox.put(Ended("failed", runner.round, message, traceback.format_exc()))


@dataclass
class _Clock:
    """Seconds of training: time spent paused or measuring does not count."""

    before: float = 0.0
    since: float | None = None

    @property
    def seconds(self) -> float:
        return self.before + (time.perf_counter() - self.since if self.since is not None else 0.0)

    def start(self) -> None:
        self.since = time.perf_counter()

    def stop(self) -> None:
        self.before, self.since = self.seconds, None


class _Runner:
    def __init__(self, job: Job, inbox: Inbox, outbox: Outbox, classifier: GetClassifier) -> None:
        self.job, self.config = job, job.config
        self.inbox, self.outbox = inbox, outbox
        self.classifier = classifier
        self.round = 0
        self.clock = _Clock()
        self.measuring = 0.0

    def prepare(self) -> None:
        source = load_source(self.config)
        self.game: StatefulGame = build(self.config, source)
        self.observer: Observer = observer_for(self.config, source, self.classifier)
        self.columns = tuple(f"{player.name}.{name}" for player in self.game.players for name in player.columns)
        self.losses = [index for index, name in enumerate(self.columns) if name.endswith(".loss")]
        self.pending: list[Tensor] = []
        self.pending_seconds: list[float] = []
        self.pending_since = time.perf_counter()
        self.check_every = FINITE_CHECK_EVERY[self.config.device]
        if self.job.resume_from is not None:
            state = load_checkpoint(self.job.resume_from)
            self.round = restore(self.game, state)
            self.clock.before = float(state.get("seconds", 0.0))
            self.measuring = float(state.get("measuring", 0.0))
        self.saved_at = self.clock.seconds
        self.reference_known = False
        self.outbox.put(Note(self.round, "reference", describe(self.config)))

    def train(self) -> EndState:
        """Play to the last round or to a command that ends the run; returns how it ended."""
        self.outbox.put(State("running", self.round))
        if self.round == 0:
            self.observe()
        values: dict[str, Tensor] = {}
        self.clock.start()
        try:
            for turn in play(self.game, played=self.round) if self.round < self.config.schedule.rounds else ():
                values |= {f"{turn.player.name}.{name}": value for name, value in turn.values.items()}
                if turn.ends_round:
                    self.round = turn.round
                    self._end_round(values)
                    if self.round == self.config.schedule.rounds:
                        break
                self._obey(between_rounds=turn.ends_round)
        except Stopped as stop:
            return "stopped" if stop.command == "stop" else "interrupted"
        finally:
            self.clock.stop()
        return "finished"

    def finish(self, state: EndState) -> None:
        """Measure once more, save, and say how it ended."""
        self.flush_rows()
        summary: dict[str, Any] = {"seconds": round(self.clock.seconds, 3), "state_hash": self.save()}
        # A server on its way out has no time to measure; the run goes on later and will.
        if state != "interrupted":
            summary["metrics"] = self.observe()
        self.outbox.put(Ended(state, self.round, summary=summary))

    def observe(self) -> dict[str, float]:
        """Look at samples and measure them, off the training clock."""
        running = self.clock.since is not None
        self.clock.stop()
        started = time.perf_counter()
        if not self.reference_known and (reference := self.observer.reference()) is not None:
            self.reference_known = True
            self.outbox.put(Note(self.round, "reference", reference))
        values, sight = self.observer.look(self.game, self.round)
        if values:
            row = np.array([list(values.values())], dtype=np.float32)
            self.outbox.put(Rows("diagnostics", tuple(values), np.array([self.round]), row))
        self.outbox.put(sight)
        self.measuring += time.perf_counter() - started
        if running:
            self.clock.start()
        return values

    def save(self) -> str:
        """Write a checkpoint; returns the hash of the state in it."""
        state = capture(self.game, self.round)
        digest = state_hash(state)
        # What a clock says is not part of the state that two equal runs share.
        save_checkpoint(self.job.checkpoint_dir, {**state, "seconds": self.clock.seconds, "measuring": self.measuring})
        self.outbox.put(Note(self.round, "checkpoint", {"state_hash": digest}))
        self.saved_at = self.clock.seconds
        return digest

    def flush_rows(self) -> None:
        """Hand over the rows collected so far: one transfer from the device, whatever their number."""
        if not self.pending:
            return
        values = torch.stack(self.pending).to("cpu", torch.float32).numpy()
        first = self.round - len(values) + 1
        seconds = np.array(self.pending_seconds, dtype=np.float32)[:, None]
        self.pending, self.pending_seconds = [], []
        self.pending_since = time.perf_counter()
        bad = ~np.isfinite(values[:, self.losses])
        stop = int(bad.any(1).argmax()) + 1 if bad.any() else len(values)
        rounds = np.arange(first, first + stop, dtype=np.int64)
        self.outbox.put(Rows("turns", (*self.columns, "seconds"), rounds, np.hstack([values, seconds])[:stop]))
        if bad.any():
            column = self.columns[self.losses[int(bad[stop - 1].argmax())]]
            raise Diverged(first + stop - 1, column)

    def _end_round(self, values: dict[str, Tensor]) -> None:
        row = torch.stack([values[name] for name in self.columns])
        self.pending.append(row)
        self.pending_seconds.append(self.clock.seconds)
        if self.round % self.check_every == 0 and not bool(row[self.losses].isfinite().all()):
            self.flush_rows()
        if time.perf_counter() - self.pending_since > ROWS_EVERY_SECONDS:
            self.flush_rows()
        if self._measurement_is_due():
            self.flush_rows()
            self.observe()
        if self.clock.seconds - self.saved_at > self.config.schedule.checkpoint_seconds:
            self.flush_rows()
            self.save()

    def _measurement_is_due(self) -> bool:
        """Every so many rounds, but not while measuring takes more than its share; the beginning is seen in any case."""
        settings = self.config.diagnostics
        if self.round == self.config.schedule.rounds:
            return False
        if self.round in (settings.every // 4, settings.every // 2, settings.every):
            return True
        return self.round % settings.every == 0 and self.measuring <= settings.budget * self.clock.seconds

    def _obey(self, *, between_rounds: bool) -> None:
        """Carry out the commands that have arrived; while paused, wait for the next."""
        command = self.inbox.take()
        while command is not None:
            match command:
                case "pause":
                    command = self._pause()
                    continue
                case "sample":
                    self.flush_rows()
                    self.observe()
                case "stop" | "interrupt" | "checkpoint" if not between_rounds:
                    # What is saved is the state between two rounds: ask again when this one is over.
                    self.inbox.put(command)
                    return
                case "checkpoint":
                    self.flush_rows()
                    self.save()
                case "stop" | "interrupt":
                    raise Stopped(command)
            command = self.inbox.take()

    def _pause(self) -> CommandKind | None:
        self.clock.stop()
        self.flush_rows()
        self.outbox.put(State("paused", self.round))
        while True:
            command = self.inbox.wait()
            if command == "sample":
                self.observe()
            elif command == "resume":
                self.outbox.put(State("running", self.round))
                self.clock.start()
                return self.inbox.take()
            elif command != "pause":
                self.clock.start()
                return command
