"""One job, from its config to its end: builds the game, plays it, and tells what happened. Knows no thread and no store."""

from __future__ import annotations

import math
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_core.checkpoints import is_full
from gan_core.config import turned
from gan_core.engine.library.describe import describe
from gan_core.engine.messages import (
    Command,
    Ended,
    EndState,
    Job,
    Keep,
    Knobs,
    Moment,
    Note,
    Rows,
    Sight,
    State,
    Step,
    StepOf,
)
from gan_core.engine.observers import Blind, GetClassifier, Observer, Unmeasured, observer_for
from gan_core.engine.observers.measuring import Numbers
from gan_core.engine.running.captions import caption
from gan_core.engine.running.clock import Clock
from gan_core.engine.running.endings import Abandoned, Diverged, Stopped, reason
from gan_core.engine.running.hearing import Hearing
from gan_core.engine.running.mailbox import Inbox, Outbox
from gan_core.engine.running.saving import Saving
from gan_core.failpoints import failpoint, held
from gan_core.training import (
    GAMES,
    Translates,
    Turn,
    build,
    load_checkpoint,
    load_source,
    look_back,
    moment_of,
    play,
    restore,
    round_of,
)

ROWS_EVERY_SECONDS = 0.2
# Reading a number back from an accelerator stalls it; the round of a divergence must not depend on timing either.
FINITE_CHECK_EVERY = {"cpu": 1, "cuda": 32, "mps": 32}
PACE_SECONDS = 0.25  # between two looks at whether the runs beside this one have caught up, where nobody nudges

MayPlay = Callable[[str, int], bool]


def run_job(
    job: Job, inbox: Inbox, outbox: Outbox, classifier: GetClassifier, may_play: MayPlay = lambda run_id, played: True
) -> None:
    """Train until the last round, a command, a divergence or an exception; ``Ended`` is always the last message.

    ``may_play(run_id, played)`` is asked before each round, again and again until it says yes.
    """
    runner = _Runner(job, inbox, outbox, classifier, may_play)
    try:
        runner.wait_to_begin()
        runner.prepare()
        end = runner.finish(runner.train())
    except Stopped as stop:  # before it had begun
        end = runner.ended("stopped" if stop.command == "stop" else "interrupted")
    except Diverged as divergence:
        end = runner.ended("diverged", str(divergence), round=divergence.round)
    except BaseException as error:  # a run must never take its server with it
        with suppress(Exception):  # the last rows may show why it failed
            runner.flush()
        if isinstance(error, Abandoned):
            outbox.put(runner.ended("interrupted", "There was no time to save; it goes on from its last checkpoint."))
            return
        message = f"{type(error).__name__} while {runner.clock.phase}: {reason(error, runner.config)}"
        end = runner.ended("failed", message, trace=traceback.format_exc())
    outbox.put(end)


class _Runner:
    def __init__(self, job: Job, inbox: Inbox, outbox: Outbox, classifier: GetClassifier, may_play: MayPlay) -> None:
        self.job, self.config = job, job.config
        self.may_play = may_play
        self.inbox, self.outbox = inbox, outbox
        self.classifier = classifier
        self.round = 0 if job.resume_from is None else round_of(job.resume_from)
        self.clock = Clock()
        self.hearing = Hearing(inbox, outbox)
        self.saving = Saving(job, self.round, outbox, self.clock, self.hearing)
        self.rows: list[list[float] | Tensor] = []  # of the rounds up to self.round, not handed over yet
        self.seconds: list[float] = []  # the training clock at each of them
        self.flushed_at = time.perf_counter()
        self.measured: tuple[int, dict[str, float]] | None = None
        self.recorded_at = job.measured_at
        self.amid: dict[str, dict[str, Tensor]] = {}  # the last step of each player in the round that is being played
        self.glanced_at: int | None = None  # a round that was shown before it was over
        self.planned = deque(wish for wish in job.knobs if wish.round >= self.round)

    def wait_to_begin(self) -> None:
        """Wait until lock-step lets this run start. Only stop and interrupt are obeyed; other commands are queued."""
        while not self.may_play(self.job.run_id, self.round):
            self.hearing.wait_for_the_end(PACE_SECONDS)

    def prepare(self) -> None:
        self.clock.phase = "loading the data"
        failpoint("load")
        source = load_source(self.config)
        self.clock.phase = "building the networks"
        failpoint("build")
        self.game = build(self.config, source)
        self.observer: Observer = Blind()
        self.unmeasured = False  # whether it has been said that something could not be measured
        with self._harmless():
            self.observer = observer_for(self.config, source, self.classifier)
        self.reference_known = False
        self.wanted = [(player.name, column) for player in self.game.players for column in player.columns]
        self.columns = tuple(f"{player}.{column}" for player, column in self.wanted)
        self.losses = [index for index, (_, column) in enumerate(self.wanted) if column == "loss"]
        self.on_cpu = self.config.device == "cpu"
        self.check_every = FINITE_CHECK_EVERY[self.config.device]
        if self.job.resume_from is not None:
            self.clock.phase = f"restoring {self.job.resume_from.name}"
            state = load_checkpoint(self.job.resume_from)
            self.clock.before = float(state.pop("seconds", 0.0))
            self.clock.measuring = float(state.pop("measuring", 0.0))
            self.round = restore(self.game, state)
        self.saving.saved_at = self.clock.seconds
        self.outbox.put(Note(self.round, "reference", describe(self.config)))

    def train(self) -> EndState:
        """Play to the last round or to a command that ends the run; returns how it ended."""
        self.outbox.put(State("running", self.round))
        if self.round == 0:
            self.observe()
        self._turn_as_planned()
        self.turns = play(self.game, played=self.round)
        self.clock.start()
        try:
            while not self.over:
                self._keep_pace()
                self._obey()
                if self.over:
                    break  # a step was the last
                self.clock.phase = "training"
                self._play_round()
                self._look_after()
        except Stopped as stop:
            self.hearing.leaving = True
            return "stopped" if stop.command == "stop" else "interrupted"
        finally:
            self.clock.stop()
        until = self.job.until
        return "stopped" if until is not None and self.round < self.config.schedule.rounds else "finished"

    @property
    def over(self) -> bool:
        """Whether it has played its rounds, or trained its seconds; or has come to the round at which it was to stop."""
        schedule, until = self.config.schedule, self.job.until
        if self.round >= schedule.rounds:
            return True
        if until is not None:
            return self.round >= until
        return schedule.seconds is not None and self.clock.seconds >= schedule.seconds

    def finish(self, state: EndState) -> Ended:
        """Save and measure once more; returns how it ended."""
        try:
            summary: dict[str, Any] = {"state_hash": self.save(last=True)}
        except OSError as error:
            if not (self.hearing.leaving and is_full(error)):
                raise
            return self.ended(state, "The disk is full: it goes on from the checkpoint before.")
        # A server on its way out has no time to measure; the run goes on later and will.
        if state != "interrupted":
            summary["metrics"] = self.observe()
            with suppress(OSError):  # what was saved is whole; it only lacks a mark
                self.saving.keep_best()
        return self.ended(state, **summary)

    def ended(
        self, state: EndState, message: str = "", *, trace: str = "", round: int | None = None, **summary: Any
    ) -> Ended:
        summary["seconds"] = float(f"{self.clock.seconds:.3f}")
        return Ended(state, self.round if round is None else round, message, trace, summary)

    def observe(self) -> dict[str, float]:
        """Look at samples and measure them, off the training clock; a second look at the same round shows the same."""
        self.flush()
        if self.measured is not None and self.measured[0] == self.round and self.reference_known:
            return self.measured[1]
        with self.clock.aside("measuring"):
            if not self.reference_known:
                with self._harmless():
                    reference = self.observer.reference()
                    if reference is not None:
                        self.reference_known = True
                        self.outbox.put(Note(self.round, "reference", reference))
            values, sight = self._look(self.round)
            share = self.clock.measuring / self.clock.seconds if self.clock.seconds else 0.0
            self.outbox.put(replace(sight, measuring=share))
            self.measured = (self.round, values)
            with self._harmless():
                self.saving.remember(self.game, self.round)
                self.saving.compare(self.round, values)
        return values

    def _look(self, round: int) -> tuple[Numbers, Sight]:
        """What the observer measures and shows, as far as that can be done; the numbers of a whole round are recorded."""
        values: Numbers = {}
        sight = Sight(round, {})
        with self._harmless():
            try:
                failpoint("sample")
                values, sight = self.observer.look(self.game, round)
                if values and round == self.round != self.recorded_at:
                    row = np.array([list(values.values())], dtype=np.float32)
                    self.outbox.put(Rows("diagnostics", tuple(values), np.array([round]), row))
                    self.recorded_at = round
            except Unmeasured as error:
                sight = error.sight
                raise
        return values, sight

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """Something that looks at the run. What it raises is said once, and training goes on as if nobody had looked."""
        try:
            yield
        except BaseException as raised:
            error = raised.__cause__ if isinstance(raised, Unmeasured) and raised.__cause__ is not None else raised
            if isinstance(error, torch.OutOfMemoryError):
                torch.cuda.empty_cache()  # training needs it
            if not self.unmeasured:
                self.unmeasured = True
                trace = "".join(traceback.format_exception(error))
                message = f"{type(error).__name__}: {reason(error, self.config)}"
                self.outbox.put(Note(self.round, "not_measured", {"message": message, "traceback": trace}))

    def save(self, *, last: bool = False) -> str | None:
        """Hand over the rows and write a checkpoint of this round; returns the hash of the state in it (see `Saving.save`)."""
        self.flush()
        return self.saving.save(self.game, self.round, last=last)

    def flush(self) -> None:
        """Hand over the rows collected so far, up to the first that is not finite: that one is a divergence.

        One transfer from the device, whatever their number.
        """
        self.flushed_at = time.perf_counter()
        if not self.rows:
            return
        rows, clock = self.rows, self.seconds
        self.rows, self.seconds = [], []
        values = np.array(rows, dtype=np.float32) if self.on_cpu else _fetch(rows)
        first = self.round - len(values) + 1
        bad = ~np.isfinite(values[:, self.losses])
        stop = int(bad.any(1).argmax()) + 1 if bad.any() else len(values)
        rounds = np.arange(first, first + stop, dtype=np.int64)
        table = np.column_stack([values, np.array(clock, dtype=np.float32)])[:stop]
        self.outbox.put(Rows("turns", (*self.columns, "seconds"), rounds, table))
        if bad.any():
            raise Diverged(first + stop - 1, self.columns[self.losses[int(bad[stop - 1].argmax())]])

    def _play_round(self) -> None:
        """Play to the end of the round."""
        while not self._play_turn().ends_round:
            if self.inbox.abandoned:
                raise Abandoned

    def _play_turn(self) -> Turn:
        """Play one turn; the last one of a round keeps its row: the last step of each player."""
        self.hearing.beat()
        failpoint("turn")
        turn = next(self.turns)
        self.amid[turn.player.name] = turn.values
        if turn.ends_round:
            row = [self.amid[player][column] for player, column in self.wanted]
            self.rows.append([value.item() for value in row] if self.on_cpu else torch.stack(row))
            self.seconds.append(self.clock.seconds)
            self.round = turn.round
            self.amid = {}
        return turn

    def _look_after(self) -> None:
        """What is due after a round: hand over rows, measure, save."""
        if time.perf_counter() - self.flushed_at > ROWS_EVERY_SECONDS or not self._seems_finite():
            self.flush()
        if self._measurement_is_due() or self.glanced_at == self.round:
            self._measure()
        if self._passes():
            self.flush()
            self.saving.save_on_the_way(self.game, self.round)
        elif self.saving.due:
            self.save()
        self._turn_as_planned()

    def _passes(self) -> bool:
        """Whether a G from picture to picture stays as it is at this round, so that one drawing can be seen through training.

        From the first look on the rounds double, so a long run keeps few more than a short one.
        """
        every_so_often, beyond = divmod(self.round, self._first_looks[0] or 1)
        return isinstance(self.game, Translates) and not beyond and every_so_often.bit_count() == 1

    def _turn_as_planned(self) -> None:
        """Turn the knobs that were to be turned at this round: after all that belongs to it, before anybody's command."""
        while self.planned and self.planned[0].round <= self.round:
            wish = self.planned.popleft()
            self._turn(wish.values, told=wish.told)

    def _seems_finite(self) -> bool:
        if self.round % self.check_every:
            return True
        row = self.rows[-1]
        return math.isfinite(sum(float(row[index]) for index in self.losses))

    def _measurement_is_due(self) -> bool:
        """Every so many rounds, but not while measuring takes more than its share; beginning and end are seen in any case."""
        settings = self.config.diagnostics
        if self.over:
            return False  # the end is measured when everything is saved
        if self.round in self._first_looks or self.round == self._last_look:
            return True
        return self.round % settings.every == 0 and self.clock.measuring <= settings.budget * self.clock.seconds

    @property
    def _first_looks(self) -> tuple[int, ...]:
        every = self.config.diagnostics.every
        return (every // 4, every // 2, every)

    @property
    def _last_look(self) -> int:
        """The round of the look before that at the end: on a verdict two measurements in a row must agree."""
        every = self.config.diagnostics.every
        return (self.config.schedule.rounds - 1) // every * every

    def _measure(self) -> None:
        """Observe, and count the time: the first looks are free, or they would use up the share of the next half minute."""
        started = time.perf_counter()
        self.observe()
        if self.round not in self._first_looks:
            self.clock.measuring += time.perf_counter() - started

    def _obey(self) -> None:
        """Carry out the commands that have arrived. Between rounds only: what is seen and saved is a whole round."""
        for command in self.hearing.arrived():
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        looks = command in ("pause", "resume", "sample", "birthday") or isinstance(command, Keep)
        if self.amid and not looks:
            self._finish_round()  # what is saved, changed or ended is a whole round
        match command:
            case Knobs():
                self._turn(command.values)
            case Keep():
                self.saving.keep(self.round, command)
            case "birthday":
                self._count_birthdays()
            case "pause":
                self._pause()
            case "sample":
                self._glance()
            case "step_round" | StepOf():
                self._pause(command)
            case "checkpoint":
                self.save()
            case "stop" | "interrupt":
                raise Stopped(command)
            case "resume":
                pass  # it is running

    def _keep_pace(self) -> None:
        """Wait for the other runs of the lock-step, with the training clock stopped; commands are obeyed meanwhile."""
        if self._may_go_on():
            return
        with self.clock.aside("waiting for the run beside it"):
            while not self._may_go_on():
                if time.perf_counter() - self.flushed_at > ROWS_EVERY_SECONDS:
                    self.flush()
                self.hearing.beat()
                command = self.inbox.wait_for(PACE_SECONDS)
                if command is not None:
                    self._carry_out(command)

    def _may_go_on(self) -> bool:
        return self.may_play(self.job.run_id, self.round) and not held("round", self.round)

    def _turn(self, values: dict[str, float], *, told: bool = False) -> None:
        """Turn knobs between two rounds: they act from the next one on, and the note has the round that is over."""
        for knob, value in values.items():
            self.game.set_knob(knob, value)
        self.saving.saved = None  # a checkpoint of this round has the knobs as they were
        if not told:
            self.outbox.put(Note(self.round, "knob", {"changes": values, "label": turned(values)}))

    def _count_birthdays(self) -> None:
        self.flush()
        # Samples that are not finite cannot be compared.
        with self.clock.aside("the birthday test"), self._harmless(), suppress(ValueError):
            self.outbox.put(Note(self.round, "birthday", dict(self.observer.birthday(self.game))))

    def _pause(self, step: Step | None = None) -> None:
        """Wait for ``resume``, the clock stopped; other commands are carried out meanwhile, steps among them."""
        self.flush()
        with self.clock.aside("paused"):
            self.hearing.pausing = True
            self.outbox.put(State("paused", self.round))
            steps: Counter[str] = Counter()
            command: Command = step or self.hearing.next()
            try:
                while command != "resume":
                    if command == "step_round" or isinstance(command, StepOf):
                        steps[f"step:{command.player}" if isinstance(command, StepOf) else command] += 1
                        self._step(command)
                    elif command != "pause":
                        self._carry_out(command)
                    if self.over:
                        break  # that was the last
                    command = self.hearing.next()
            finally:
                if steps:
                    self.outbox.put(Note(self.round, "stepped", dict(steps)))
            self.hearing.pausing = False
            self.outbox.put(State("running", self.round))

    def _step(self, step: Step) -> None:
        """Play on to the end of a player's next turn, or of the round; show what it did."""
        wanted = step.player if isinstance(step, StepOf) else None
        played: list[Turn] = []
        while not played or not (played[-1].ends_round if wanted is None else played[-1].player.name == wanted):
            if self.inbox.abandoned:
                raise Abandoned
            before = moment_of(self.game)
            self.clock.start()
            played.append(self._play_turn())
            self.clock.stop()
        seen = None
        with self._harmless():
            seen = look_back(self.game, before, played[-1])
        self.outbox.put(Moment(caption(played, seen, GAMES[self.config.game].columns(self.config))))
        if not self.amid:
            self._look_after()
        self._glance()

    def _finish_round(self) -> None:
        self.clock.start()
        self._play_round()
        self.clock.stop()
        self._look_after()

    def _glance(self) -> None:
        """Observe; amid a round, show what will be seen again when it is over, and measure nothing."""
        if not self.amid:
            self.observe()
            return
        with self.clock.aside("measuring"):
            self.glanced_at = self.round + 1
            self.outbox.put(self._look(self.glanced_at)[1])


def _fetch(rows: list[Any]) -> np.ndarray:
    """Rows (n, c) from an accelerator."""
    values: np.ndarray = torch.stack(rows).to("cpu", torch.float32).numpy()
    return values
