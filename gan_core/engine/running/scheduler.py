"""The scheduler: which runs train now, which wait, and in what a run computes."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from gan_core.engine.messages import COMMANDS, CommandKind, Ended, Job, Knobs, StepOf
from gan_core.engine.observers import GetClassifier
from gan_core.engine.running.active import ActiveRun, Refused
from gan_core.engine.running.executors import ChosenExecutor, Executor, HowFar, Kind, Setting, ThreadExecutor
from gan_core.engine.running.lockstep import Lockstep
from gan_core.engine.running.processes import ProcessExecutor
from gan_core.engine.running.watchdog import Watchdog
from gan_core.engine.showing.recorder import Recorder
from gan_core.store import RunStore, StoreError

log = logging.getLogger(__name__)

MAX_WAITING = 100
WRITE_SECONDS = 2.0  # for the end of a run to be on the disk before it is announced
END_SECONDS = 2 * WRITE_SECONDS  # for it to be announced too


class Scheduler:
    """At most ``capacity`` runs train at once, the others wait in order; a paused one gives up its place.

    ``setting`` says in what they compute (see `Lab`). ``wake`` has the recorder look at once, ``forget_cards`` is called
    when runs come or go. ``cluster`` makes the executor of runs on a cluster. Safe to use from any thread: ``_lock`` guards
    what is in memory and never waits for anything.
    """

    def __init__(
        self,
        store: RunStore,
        setting: Setting,
        capacity: int,
        classifier: GetClassifier,
        wake: Callable[[], None],
        forget_cards: Callable[[], None],
        cluster: Callable[[GetClassifier, Callable[[], None], HowFar], Executor] | None = None,
    ) -> None:
        self._store = store
        self._setting = setting
        self.capacity = capacity
        self._wake, self._forget_cards = wake, forget_cards
        self.lockstep = Lockstep(lambda run_id: self.executor.nudge(run_id), lambda run_id: self.executor.lane(run_id))
        asked = (classifier, wake, self.lockstep.how_far)
        cache = store.root / "cache"
        self._processes = ProcessExecutor(store.root, cache, *asked, self.lockstep.company, self._most_processes)
        self._spare = False
        executors: dict[Kind, Executor] = {"thread": ThreadExecutor(*asked), "process": self._processes}
        if cluster is not None:
            executors["ray"] = cluster(*asked)
        self.executor: Executor = ChosenExecutor(executors, self._kind_for)
        self.watchdog = Watchdog(self.executor)
        self.active: OrderedDict[str, ActiveRun] = OrderedDict()
        self.behind: list[Recorder] = []  # of runs that have ended, for which the store had no room
        self._queue: deque[str] = deque()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self.closing = threading.Event()
        self.returning: set[str] = set()  # runs that were lost elsewhere, and go on by themselves
        self.come_back: Callable[[str], None] = self.settled

    def keep_spare(self) -> None:
        """From now on a process waits for the next run, so that it begins at once; not where runs train in threads."""
        self._spare = self._setting == "process" or (self._setting == "auto" and (os.cpu_count() or 1) > 1)
        if self._spare:
            self._processes.keep_spare()

    def refuse_to_enter(self, runs: int = 1) -> None:
        if self.closing.is_set():
            raise Refused("The server is shutting down.")
        if self._store.only_reads:
            raise Refused(self._store.only_reads)
        if len(self._queue) + runs > MAX_WAITING:
            with self._lock:
                training = [run for run, active in self.active.items() if active.training]
            ahead = f" until {training[0]} ends, or another" if training else ""
            waiting = f"{len(self._queue)} runs are waiting already{ahead}"
            raise Refused(f"{waiting}; at most {MAX_WAITING} can. Stop some of them first.")

    def enqueue(self, *runs: ActiveRun) -> None:
        with self._lock:
            for active in runs:
                self.active[active.job.run_id] = active
                self._queue.append(active.job.run_id)
            self._forget_cards()
        self.start_waiting()
        for active in runs:
            active.view.tick()
            with self._lock:
                # The door was shut meanwhile, and whoever shut it may not have seen this run.
                stranded = self.closing.is_set() and not active.started
            if stranded:
                self.end(active, Ended("interrupted", active.view.status["round"]))

    def start_waiting(self) -> None:
        """Start as many as there is room for, in order, and tell the others their place.

        Runs that take turns are started all together, and need as much room as one: they share what the others leave. A
        paused run needs none, and goes on at once when it is told to, whoever has its place by then.
        """
        broken = []
        with self._lock:
            playing = [run for run, active in self.active.items() if active.training and not active.paused]
            sharing = {run: self._sharing(run) for run in playing}
            for run_id in list(self._queue):
                shared = self._sharing(run_id)
                room = shared in sharing.values() or len(set(sharing.values())) < self.capacity
                if self.closing.is_set() or not room:
                    continue
                active = self.active[run_id]
                self._queue.remove(run_id)
                active.view.set_status(place=None)
                try:
                    self.executor.submit(active.job)
                except RuntimeError as error:  # the system gives no more threads
                    broken.append((active, f"The run could not be started: {error}."))
                else:
                    active.started = True  # only now: the recorder may ask the executor for it
                    sharing[run_id] = shared
            spare = self.capacity - len(set(sharing.values()))
            for shared in dict.fromkeys(sharing.values()):
                if self.lockstep.takes_turns(next(iter(shared))):
                    self.lockstep.allow(next(iter(shared)), 1 + spare)
                    spare = 0
            for place, run_id in enumerate(self._queue, start=1):
                self.active[run_id].view.set_status(place=place)
        self._wake()
        for active, message in broken:
            self.end(active, Ended("failed", active.view.status["round"], message))

    def _sharing(self, run_id: str) -> frozenset[str]:
        """The runs that take turns with this one; itself alone where it takes none."""
        return self.lockstep.company(run_id) if self.lockstep.takes_turns(run_id) else frozenset([run_id])

    def _kind_for(self, job: Job) -> Kind:
        """Thread or process? A comparison: processes. A single run: the spare process if there is one, else a thread, so that
        the run does not wait. On an accelerator: a thread, since each process there takes seconds and memory.
        """
        if self._setting != "auto":
            return self._setting
        if len(self._sharing(job.run_id)) > 1:
            return "process"
        return "process" if self._spare and job.config.device == "cpu" else "thread"

    def _most_processes(self) -> int:
        """For the runs of a comparison: more than may compute at once would wait, and take some hundred MB each."""
        return max(1, min(self.capacity, os.cpu_count() or 1))

    def side_by_side(self, run_ids: Iterable[str]) -> None:
        """Let these runs keep pace. They need as much room as one: a fork does not wait while its parent trains."""
        self.lockstep.together(run_ids, at_once=1)
        self.start_waiting()

    def command(self, run_id: str, command: CommandKind | StepOf) -> None:
        """Ask an active run to pause, resume, stop, sample, save or step. Raises Refused for any other run or command."""
        player = command.player if isinstance(command, StepOf) else None
        if player is None and command not in COMMANDS:
            raise Refused(f"A run cannot be asked to {str(command)[:40]!r}.")
        with self._lock:
            active = self.active.get(run_id)
            if active is not None and player is not None and player not in active.job.config.seats:
                raise Refused(f"Nobody in this run is called {player[:40]!r}.")
            if active is not None and active.training:
                if command == "resume":
                    active.paused_for = ""
                if command in ("stop", "interrupt"):
                    self.watchdog.asked_to_end(run_id)
                    self.lockstep.go_on(run_id)
                self.executor.command(run_id, command)
                return
            waiting = run_id in self._queue
            if waiting and command in ("stop", "interrupt"):
                self._queue.remove(run_id)
        if active is not None and not waiting:
            raise Refused("This run has just ended.")
        if active is None:
            run = self._store.run(run_id)
            where = "This run trains in another process."
            raise Refused(where if run.active else f"This run is {run.status} already.")
        if command not in ("stop", "interrupt"):
            raise Refused("This run is still waiting for its turn.")
        self.end(active, Ended("stopped" if command == "stop" else "interrupted", active.view.status["round"]))

    def set_knobs(self, run_id: str, values: dict[str, float]) -> None:
        """Change knobs from the next round on. Raises Refused for a run that does not train here."""
        with self._lock:
            active = self.active.get(run_id)
            if active is None or not active.training:
                raise Refused("Knobs can be turned while a run trains here; this one does not.")
            self.executor.command(run_id, Knobs(values))

    def end(self, active: ActiveRun, end: Ended) -> None:
        """Give the place to the next, write down the end, then announce it. The first end of a run is the one that counts."""
        run_id = active.job.run_id
        with self._lock:
            if active.ended:
                return
            active.ended = True
            if end.state == "interrupted" and not self.closing.is_set() and self.executor.comes_back(run_id):
                self.returning.add(run_id)
            with suppress(ValueError):
                self._queue.remove(run_id)
            self.executor.forget(run_id)
            self.watchdog.forget(run_id)
            self.lockstep.leave(run_id)
        written = False
        try:
            self.start_waiting()
            active.recorder.end(end)
            self._store.flush(WRITE_SECONDS)
            written = True
        except StoreError as error:
            log.error("the end of run %s is not on the disk yet: %s", run_id, error)
        finally:
            message = end.message or self._store.problem or ""
            active.view.set_status(
                state=end.state,
                round=end.round,
                message=message,
                place=None,
                preparing="",
                rounds_per_second=0.0,
                stuck=False,
            )
            active.view.tick()
            with self._changed:
                del self.active[run_id]
                if active.recorder.behind:
                    self.behind.append(active.recorder)
                self._forget_cards()
                self._changed.notify_all()
        if written and not self.closing.is_set():
            with suppress(StoreError):  # it only makes reading faster
                self._store.compact(run_id)
        if run_id in self.returning:
            self.come_back(run_id)

    def holds(self, run_id: str) -> bool:
        """Whether the run is active. One whose end is being written down is waited for: the store may say already that it
        has ended, and whoever read so goes on with it or deletes it.
        """
        with self._changed:
            active = self.active.get(run_id)
            if active is not None and active.ended:
                self._changed.wait_for(lambda: self.active.get(run_id) is not active, END_SECONDS)
            return run_id in self.active

    def wait(self, run_id: str, timeout: float | None) -> None:
        """Block until the run is not active any more, or ``timeout`` seconds have passed."""
        with self._changed:
            self._changed.wait_for(lambda: run_id not in self.active and run_id not in self.returning, timeout)

    def settled(self, run_id: str) -> None:
        """A run that was to go on by itself does, or will not."""
        with self._changed:
            self.returning.discard(run_id)
            self._changed.notify_all()

    def close(self) -> bool:
        """Let no run enter any more; whether this is the first call."""
        with self._lock:
            if self.closing.is_set():
                return False
            self.closing.set()
        return True
