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

from gan_core.checkpoints import best_scores, is_full, path_of
from gan_core.config import RunConfig, turned
from gan_core.engine.library.describe import describe
from gan_core.engine.messages import (
    Beat,
    Command,
    CommandKind,
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
from gan_core.engine.running.mailbox import Inbox, Outbox
from gan_core.engine.upkeep.best import judged
from gan_core.failpoints import failpoint, held
from gan_core.training import (
    GAMES,
    Turn,
    build,
    capture,
    checkpoints,
    in_words,
    keep_checkpoint,
    load_checkpoint,
    load_source,
    look_back,
    moment_of,
    not_finite,
    play,
    restore,
    round_of,
    save_checkpoint,
    state_hash,
)
from gan_core.training.state import flatten

ROWS_EVERY_SECONDS = 0.2
# Reading a number back from an accelerator stalls it; the round of a divergence must not depend on timing either.
FINITE_CHECK_EVERY = {"cpu": 1, "cuda": 32, "mps": 32}
# Seconds. A disk that is busy or full may be well again: the last checkpoint of a job is worth a moment's patience, any
# other is tried again while training goes on.
SAVE_RETRIES = (0.1, 0.4, 1.0)
SAVE_AGAIN_AFTER, SAVE_AGAIN_AT_LAST = 5.0, 80.0  # twice as long after each time that it failed
ROOM_SECONDS = 1.0  # between two attempts to save on a full disk
DISK_FULL = "Disk full: the run waits, and goes on by itself once there is room. The last checkpoint is whole."
BEAT_SECONDS = 1.0
PACE_SECONDS = 0.25  # between two looks at whether the runs beside this one have caught up, where nobody nudges

NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")  # how torch's CPU allocator says it
BROKEN = ("device-side assert", "illegal memory access", "unspecified launch failure", "CUDA error: misaligned")
# After one of these nothing more can be computed on the accelerator by this process: every run in it fails the same way.

MayPlay = Callable[[str, int], bool]
# What a run was at its last looks stays in memory, so that the state before a collapse can be kept once it is known.
LOOKS_REMEMBERED, LOOKS_BYTES = 12, 64 * 2**20


class Diverged(Exception):
    """Something is not finite. ``round`` is the first round at which that shows."""

    def __init__(self, round: int, what: str) -> None:
        super().__init__(f"{what} is not finite at round {round:,}")
        self.round = round


class Stopped(Exception):
    """A command asked for the end."""

    def __init__(self, command: CommandKind) -> None:
        super().__init__(command)
        self.command = command


class Abandoned(Exception):
    """There is no time left to end the round."""


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
        message = f"{type(error).__name__} while {runner.phase}: {_reason(error, runner.config)}"
        end = runner.ended("failed", message, trace=traceback.format_exc())
    outbox.put(end)


def _reason(error: BaseException, config: RunConfig) -> str:
    """What an exception says; advice where memory ran out."""
    said = str(error)
    if any(sign in said for sign in BROKEN):
        return (
            f"the accelerator has failed for this process ({said.splitlines()[0][:200]}). Every run that trains on it here "
            "ends with it. Restart the server; each goes on from its last checkpoint. Runs in processes fail alone "
            "(GANSCOPE_EXECUTOR=process)."
        )
    if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(sign in said for sign in NO_MEMORY):
        return said
    if config.device == "cuda":
        torch.cuda.empty_cache()  # the other runs need it
    return (
        f"memory ran out. Take a smaller batch (data.batch_size is {config.data.batch_size:,}), narrower networks, "
        "or fewer runs at once; this one can go on from its last checkpoint when there is memory again."
    )


class _Clock:
    """Seconds of training: time spent paused, measuring or saving does not count."""

    def __init__(self) -> None:
        self.before = 0.0
        self.since: float | None = None

    @property
    def running(self) -> bool:
        return self.since is not None

    @property
    def seconds(self) -> float:
        return self.before + (time.perf_counter() - self.since if self.since is not None else 0.0)

    def start(self) -> None:
        self.since = time.perf_counter()

    def stop(self) -> None:
        self.before, self.since = self.seconds, None


class _Runner:
    def __init__(self, job: Job, inbox: Inbox, outbox: Outbox, classifier: GetClassifier, may_play: MayPlay) -> None:
        self.job, self.config = job, job.config
        self.may_play = may_play
        self.inbox, self.outbox = inbox, outbox
        self.classifier = classifier
        self.phase = "starting"
        self.round = 0 if job.resume_from is None else round_of(job.resume_from)
        self.clock = _Clock()
        self.measuring = 0.0
        self.rows: list[list[float] | Tensor] = []  # of the rounds up to self.round, not handed over yet
        self.seconds: list[float] = []  # the training clock at each of them
        self.flushed_at = time.perf_counter()
        self.measured: tuple[int, dict[str, float]] | None = None
        self.recorded_at = job.measured_at
        self.saved: tuple[int, str] | None = None
        self.amid: dict[str, dict[str, Tensor]] = {}  # the last step of each player in the round that is being played
        self.glanced_at: int | None = None  # a round that was shown before it was over
        self.looks: deque[dict[str, Any]] = deque(maxlen=LOOKS_REMEMBERED)
        # How good the best state on the disk is, and a better look that is not there yet: scores, in words, state.
        self.best_kept = best_scores(job.checkpoint_dir, self.round)
        self.best: tuple[tuple[float, ...], str, dict[str, Any]] | None = None
        self.beaten_at = time.monotonic()
        self.patience = SAVE_AGAIN_AFTER
        self.planned = deque(wish for wish in job.knobs if wish.round >= self.round)
        self.later: list[Command] = []  # heard while the run could obey none
        self.pausing = self.leaving = False  # asked to pause; asked to end

    def wait_to_begin(self) -> None:
        """Wait for a turn among the runs beside this one; to end is all that it can obey yet, the rest it does later."""
        while not self.may_play(self.job.run_id, self.round):
            self._hear_out(PACE_SECONDS)

    def prepare(self) -> None:
        self.phase = "loading the data"
        failpoint("load")
        source = load_source(self.config)
        self.phase = "building the networks"
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
            self.phase = f"restoring {self.job.resume_from.name}"
            state = load_checkpoint(self.job.resume_from)
            self.clock.before = float(state.pop("seconds", 0.0))
            self.measuring = float(state.pop("measuring", 0.0))
            self.round = restore(self.game, state)
        self.saved_at = self.clock.seconds
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
                self.phase = "training"
                self._play_round()
                self._look_after()
        except Stopped as stop:
            self.leaving = True
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
            if not (self.leaving and is_full(error)):
                raise
            return self.ended(state, "The disk is full: it goes on from the checkpoint before.")
        # A server on its way out has no time to measure; the run goes on later and will.
        if state != "interrupted":
            summary["metrics"] = self.observe()
            with suppress(OSError):  # what was saved is whole; it only lacks a mark
                self._keep_best()
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
        with self._aside("measuring"):
            if not self.reference_known:
                with self._harmless():
                    reference = self.observer.reference()
                    if reference is not None:
                        self.reference_known = True
                        self.outbox.put(Note(self.round, "reference", reference))
            values, sight = self._look(self.round)
            share = self.measuring / self.clock.seconds if self.clock.seconds else 0.0
            self.outbox.put(replace(sight, measuring=share))
            self.measured = (self.round, values)
            with self._harmless():
                self._remember()
                self._compare(values)
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
                message = f"{type(error).__name__}: {_reason(error, self.config)}"
                self.outbox.put(Note(self.round, "not_measured", {"message": message, "traceback": trace}))

    def _remember(self) -> None:
        """Keep the state of this look in memory, as many as there is room for."""
        if not self.looks.maxlen:
            return
        state = capture(self.game, self.round)
        size = sum(tensor.nbytes for tensor in flatten(state)[0].values())
        room = min(LOOKS_REMEMBERED, LOOKS_BYTES // size)
        if room != self.looks.maxlen:
            self.looks = deque(self.looks, maxlen=room)
        self.looks.append({**state, "seconds": self.clock.seconds, "measuring": self.measuring})

    def _compare(self, values: dict[str, float]) -> None:
        """Remember the state of this look if it is the best so far; `save` puts it on the disk."""
        found = judged(values)
        best = self.best_kept if self.best is None else max(self.best_kept, self.best[0])
        if self.round > 0 and found is not None and found[0] > best:
            state: dict[str, Any] = self.looks[-1] if self.looks else {"round": self.round}
            self.best = (*found, state)

    def _keep_best(self) -> None:
        """Put the best state on the disk; one that was too large to be remembered only if it has just been saved."""
        if self.best is None:
            return
        scores, told, state = self.best
        self.best = None
        folder = self.job.checkpoint_dir
        if path_of(folder, state["round"]).is_file() or ("networks" in state and not not_finite(state)):
            keep_checkpoint(folder, state, told, what="best", scores=scores, most=1)
            self.best_kept = scores

    def _keep(self, wish: Keep) -> None:
        """Put the newest state before a round on the disk for good: that of a look, else that of a checkpoint."""
        folder = self.job.checkpoint_dir
        state = next((look for look in reversed(self.looks) if look["round"] < wish.before), None)
        try:
            saved = next((path for path in reversed(checkpoints(folder)) if round_of(path) < wish.before), None)
            if saved is not None and (state is None or round_of(saved) >= state["round"]):
                state = {"round": round_of(saved)}
            if state is None or not_finite(state):
                return
            with self._aside("keeping a checkpoint"):
                keep_checkpoint(folder, state, wish.reason)
        except OSError as error:
            self.outbox.put(Note(self.round, "not_saved", {"message": f"{type(error).__name__}: {error}"}))
        else:
            self.outbox.put(Note(state["round"], "kept", {"reason": wish.reason}))

    def save(self, *, last: bool = False) -> str | None:
        """Write a checkpoint of this round, if there is none yet; returns the hash of the state in it.

        A state that is not finite is never written: it is a divergence if it is the ``last`` of the job. Otherwise a weight
        shows at the next round; a moment need not: one that has overflown stops its weights, so it is a divergence at once.
        A disk that cannot take it is an exception if it is the last, else a note.
        """
        self.flush()
        if self.saved is not None and self.saved[0] == self.round:
            return self.saved[1]
        with self._aside("saving a checkpoint"):
            state = capture(self.game, self.round)
            broken = not_finite(state)
            if broken and (last or not broken.startswith("networks/")):
                raise Diverged(self.round, in_words(broken))
            if broken:
                return None
            digest = state_hash(state)
            # What a clock says is not part of the state that two equal runs share.
            state = {**state, "seconds": self.clock.seconds, "measuring": self.measuring}
            try:
                self._write(state, last)
                self._keep_best()
            except OSError as error:
                if last:
                    raise
                self.outbox.put(Note(self.round, "not_saved", {"message": f"{type(error).__name__}: {error}"}))
                self.saved_at = self.clock.seconds + self.patience - self.config.schedule.checkpoint_seconds
                self.patience = min(2 * self.patience, SAVE_AGAIN_AT_LAST)
                return None
            self.patience = SAVE_AGAIN_AFTER
            self.outbox.put(Note(self.round, "checkpoint", {"state_hash": digest}))
            self.saved = (self.round, digest)
            self.saved_at = self.clock.seconds
        return digest

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
        self._beat()
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

    def _beat(self) -> None:
        """Say now and then that the run goes on: a turn, a look or a save that never ends is silent."""
        now = time.monotonic()
        if now - self.beaten_at > BEAT_SECONDS:
            self.beaten_at = now
            self.outbox.put(Beat())

    def _look_after(self) -> None:
        """What is due after a round: hand over rows, measure, save."""
        if time.perf_counter() - self.flushed_at > ROWS_EVERY_SECONDS or not self._seems_finite():
            self.flush()
        if self._measurement_is_due() or self.glanced_at == self.round:
            self._measure()
        if self.clock.seconds - self.saved_at > self.config.schedule.checkpoint_seconds:
            self.save()
        self._turn_as_planned()

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
        """Every so many rounds, but not while measuring takes more than its share; the beginning is seen in any case."""
        settings = self.config.diagnostics
        if self.over:
            return False  # the end is measured when everything is saved
        if self.round in self._first_looks:
            return True
        return self.round % settings.every == 0 and self.measuring <= settings.budget * self.clock.seconds

    @property
    def _first_looks(self) -> tuple[int, ...]:
        every = self.config.diagnostics.every
        return (every // 4, every // 2, every)

    def _measure(self) -> None:
        """Observe, and count the time: the first looks are free, or they would use up the share of the next half minute."""
        started = time.perf_counter()
        self.observe()
        if self.round not in self._first_looks:
            self.measuring += time.perf_counter() - started

    def _obey(self) -> None:
        """Carry out the commands that have arrived. Between rounds only: what is seen and saved is a whole round."""
        while self.later:
            self._carry_out(self.later.pop(0))
        while (command := self.inbox.take()) is not None:
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        looks = command in ("pause", "resume", "sample", "birthday") or isinstance(command, Keep)
        if self.amid and not looks:
            self._finish_round()  # what is saved, changed or ended is a whole round
        match command:
            case Knobs():
                self._turn(command.values)
            case Keep():
                self._keep(command)
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
        """Wait for the runs that this one plays beside, the clock stopped; obey meanwhile."""
        if self._may_go_on():
            return
        with self._aside("waiting for the run beside it"):
            while not self._may_go_on():
                if time.perf_counter() - self.flushed_at > ROWS_EVERY_SECONDS:
                    self.flush()
                self._beat()
                command = self.inbox.wait_for(PACE_SECONDS)
                if command is not None:
                    self._carry_out(command)

    def _may_go_on(self) -> bool:
        return self.may_play(self.job.run_id, self.round) and not held("round", self.round)

    def _turn(self, values: dict[str, float], *, told: bool = False) -> None:
        """Turn knobs between two rounds: they act from the next one on, and the note has the round that is over."""
        for knob, value in values.items():
            self.game.set_knob(knob, value)
        self.saved = None  # a checkpoint of this round has the knobs as they were
        if not told:
            self.outbox.put(Note(self.round, "knob", {"changes": values, "label": turned(values)}))

    def _count_birthdays(self) -> None:
        self.flush()
        # Samples that are not finite cannot be compared.
        with self._aside("the birthday test"), self._harmless(), suppress(ValueError):
            self.outbox.put(Note(self.round, "birthday", dict(self.observer.birthday(self.game))))

    def _pause(self, step: Step | None = None) -> None:
        """Wait for ``resume``, the clock stopped; other commands are carried out meanwhile, steps among them."""
        self.flush()
        with self._aside("paused"):
            self.pausing = True
            self.outbox.put(State("paused", self.round))
            steps: Counter[str] = Counter()
            command: Command = step or self._next_command()
            try:
                while command != "resume":
                    if command == "step_round" or isinstance(command, StepOf):
                        steps[f"step:{command.player}" if isinstance(command, StepOf) else command] += 1
                        self._step(command)
                    elif command != "pause":
                        self._carry_out(command)
                    if self.over:
                        break  # that was the last
                    command = self._next_command()
            finally:
                if steps:
                    self.outbox.put(Note(self.round, "stepped", dict(steps)))
            self.pausing = False
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
        with self._aside("measuring"):
            self.glanced_at = self.round + 1
            self.outbox.put(self._look(self.glanced_at)[1])

    def _write(self, state: dict[str, Any], last: bool) -> None:
        """Save, with a moment's patience for a disk that is busy; where it is full, wait for room."""
        attempts = iter(SAVE_RETRIES if last else ())
        waited = False
        while True:
            try:
                save_checkpoint(self.job.checkpoint_dir, state)
                break
            except OSError as error:
                if is_full(error) and not self.leaving:
                    if not waited:
                        self.outbox.put(State("paused", self.round, DISK_FULL))
                    waited = True
                    self._hear_out(ROOM_SECONDS)
                elif not is_full(error) and (pause := next(attempts, None)) is not None:
                    time.sleep(pause)
                else:
                    raise
        if waited:
            self.outbox.put(State("paused" if self.pausing else "running", self.round))

    def _hear_out(self, seconds: float) -> None:
        """A moment in which to end is all that can be obeyed; the rest is done later. Raises Stopped."""
        self._beat()
        command = self.inbox.wait_for(seconds)
        if command == "stop" or command == "interrupt":
            raise Stopped(command)
        if command is not None:
            self.later.append(command)

    def _next_command(self) -> Command:
        return self.later.pop(0) if self.later else self.inbox.wait()

    @contextmanager
    def _aside(self, phase: str) -> Iterator[None]:
        """Something that is not training: the clock stands still. An exception leaves its phase behind, to be told."""
        before, running = self.phase, self.clock.running
        self.clock.stop()
        self.phase = phase
        yield
        self.phase = before
        if running:
            self.clock.start()


def _fetch(rows: list[Any]) -> np.ndarray:
    """Rows (n, c) from an accelerator."""
    values: np.ndarray = torch.stack(rows).to("cpu", torch.float32).numpy()
    return values
