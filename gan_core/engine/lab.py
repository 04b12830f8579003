"""The lab: every run of one process, from submission to its end. Opened and closed by whoever owns the process."""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gan_core.config import RunConfig
from gan_core.engine.chores import Chores
from gan_core.engine.classifiers import Classifiers, Progress
from gan_core.engine.executors import INTRA_OP_THREADS, ThreadExecutor
from gan_core.engine.live import LiveView, Status, view_of_stored_run
from gan_core.engine.messages import CommandKind, Ended, Job
from gan_core.engine.recorder import Recorder
from gan_core.store import DamagedRun, RunRecord, RunStore, StoreError, new_run_id
from gan_core.store.owner import this_process
from gan_core.training import CheckpointError, checkpoints, load_checkpoint, load_source, resolve, round_of

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
DEFAULT_CAPACITY = 2
STORED_VIEWS = 16
FOREIGN_VIEW_SECONDS = 2.0


class Refused(RuntimeError):
    """What was asked for cannot be done with this run now; ``str()`` is one sentence."""


@dataclass
class _Active:
    job: Job
    view: LiveView
    recorder: Recorder
    started: bool = False


class Lab:
    """Runs under ``root``: at most ``capacity`` train at once, the others wait in order.

    One recorder thread moves what they say into the store and to their viewers. All methods are safe to call from any
    thread. A run belongs to the lab, not to whoever started or watches it.
    """

    def __init__(self, root: Path | str, *, capacity: int = DEFAULT_CAPACITY, tick: float = TICK_SECONDS) -> None:
        self.store = RunStore(root)
        self.capacity = capacity
        self.classifiers = Classifiers(self.store.root / "cache")
        self.chores = Chores(self.store.root)
        self._tick = tick
        self._executor = ThreadExecutor(self.classifiers.get)
        self._active: OrderedDict[str, _Active] = OrderedDict()
        self._queue: deque[str] = deque()
        self._stored: OrderedDict[str, tuple[tuple[Any, ...], float, LiveView]] = OrderedDict()
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._wake = threading.Event()
        self.store.interrupt_orphans()
        self._thread = threading.Thread(target=self._record_for_ever, name="recorder", daemon=True)
        self._thread.start()

    # Starting and steering

    def submit(self, config: RunConfig, *, name: str = "", tags: tuple[str, ...] = (), key: str = "") -> str:
        """Start a run, or queue it; returns its id. Raises ConfigError if it cannot be built.

        A second submission with the same ``key`` (a double click) starts nothing and returns the first one's id.
        """
        resolved = resolve(config)
        with self._lock:
            self._refuse_when_closing()
            if key and key in self._keys:
                return self._keys[key]
            run_id = new_run_id()
            if key:
                self._keys[key] = run_id
                while len(self._keys) > 1000:
                    self._keys.popitem(last=False)
            self.store.create(
                run_id, name=name or _name_of(resolved), config=resolved.to_dict(), tags=tags, environment=environment()
            )
            self._enqueue(Job(run_id, resolved, self.store.checkpoint_dir(run_id)), Status("queued"))
            return run_id

    def resume(self, run_id: str) -> int:
        """Go on with an interrupted, stopped, failed or diverged run from its newest readable checkpoint.

        Returns the round it goes on from, 0 if there is none. What was recorded after that round is dropped, since
        it will be played again. Raises Refused if the run is active or finished.
        """
        with self._lock:
            self._refuse_when_closing()
            run = self.store.run(run_id)
            if run.active:
                raise Refused(f"This run is {run.status}.")
            if run.status == "finished":
                raise Refused("This run has played all its rounds.")
            config = resolve(RunConfig.load(run.config))
            folder = self.store.checkpoint_dir(run_id)
            checkpoint = _newest_readable(folder)
            played = 0 if checkpoint is None else round_of(checkpoint)
            self.store.truncate(run_id, played)
            self.store.update(
                run_id, status="queued", message="", traceback="", rounds=played, owner=this_process(), ended_at=None, summary={}
            )
            self._stored.pop(run_id, None)
            status = Status("queued", round=played)
            self._enqueue(Job(run_id, config, folder, resume_from=checkpoint), status, known=True)
            return played

    def command(self, run_id: str, command: CommandKind) -> None:
        """Ask an active run to pause, resume, stop, sample or save. Raises Refused for any other run."""
        with self._lock:
            active = self._active.get(run_id)
            if active is None:
                run = self.store.run(run_id)
                raise Refused(
                    "This run trains in another process." if run.active else f"This run is {run.status} already."
                )
            if active.started:
                self._executor.command(run_id, command)
            elif command in ("stop", "interrupt"):
                self._queue.remove(run_id)
                self._end(active, Ended("stopped" if command == "stop" else "interrupted", active.view.status["round"]))
            else:
                raise Refused("This run is still waiting for its turn.")
            self._wake.set()

    def delete(self, run_id: str) -> None:
        """Put a run that has ended into the bin; ``store.restore`` takes it back. Raises Refused for an active one."""
        with self._lock:
            if run_id in self._active:
                raise Refused("Stop the run first.")
            self.store.delete(run_id)
            self._stored.pop(run_id, None)

    # Looking

    def view(self, run_id: str) -> LiveView:
        """The run as its viewers see it, live or stored. Raises RunNotFound."""
        with self._lock:
            if run_id in self._active:
                return self._active[run_id].view
            run = self.store.run(run_id)
            version = (run.status, run.ended_at, run.started_at)
            kept = self._stored.get(run_id)
            fresh = kept is not None and kept[0] == version
            if fresh and kept is not None and (not run.active or time.monotonic() - kept[1] < FOREIGN_VIEW_SECONDS):
                self._stored.move_to_end(run_id)
                return kept[2]
        view = view_of_stored_run(self.store, run)
        with self._lock:
            self._stored[run_id] = (version, time.monotonic(), view)
            while len(self._stored) > STORED_VIEWS:
                self._stored.popitem(last=False)
        return view

    def is_active(self, run_id: str) -> bool:
        """Whether the run is queued or trains in this lab."""
        return run_id in self._active

    def recent(self, limit: int = 8) -> list[dict[str, Any]]:
        """The newest runs, JSON-able, for cards."""
        cards = []
        for run in self.store.runs(limit=limit):
            if isinstance(run, DamagedRun):
                cards.append({"id": run.id, "name": run.id, "state": "damaged", "message": run.reason})
                continue
            active = self._active.get(run.id)
            status = active.view.status if active else {"state": run.status, "round": run.rounds, "place": None}
            frame = self.store.latest_frame(run.id, "grid")
            cards.append(
                {
                    "id": run.id,
                    "name": run.name,
                    "state": status["state"],
                    "round": status["round"],
                    "rounds": run.config.get("schedule", {}).get("rounds", 0),
                    "place": status["place"],
                    "thumb": frame.parts["grid"]["file"] if frame else None,
                    "data": run.config.get("data", {}).get("name", ""),
                    "objective": run.config.get("objective", {}).get("name", ""),
                    "updated": run.ended_at or run.started_at or run.created_at,
                }
            )
        return cards

    def wait(self, run_id: str, timeout: float | None = None) -> RunRecord:
        """Block until the run has ended here, or ``timeout`` seconds have passed; returns its record."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._ended:
            while run_id in self._active:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._ended.wait(left if left is None else min(left, 1.0))
        return self.store.run(run_id)

    # Ending

    def close(self, timeout: float = 9.0) -> None:
        """Interrupt every run, save it, write everything down. A second call does nothing."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            waiting = [self._active[run_id] for run_id in self._queue]
            self._queue.clear()
            for active in waiting:
                self._end(active, Ended("interrupted", active.view.status["round"]))
        self._executor.close(max(0.5, timeout - 2.0))
        self._wake.set()
        self._thread.join(2.0)
        with self._lock:
            for active in list(self._active.values()):
                self._end(active, Ended("interrupted", active.view.status["round"], "The run did not stop in time."))
        self.chores.close()
        self.classifiers.close()
        self.store.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    def _enqueue(self, job: Job, status: Status, *, known: bool = False) -> None:
        status.rounds = job.config.schedule.rounds
        if known:
            view = view_of_stored_run(self.store, self.store.run(job.run_id))
            view.set_status(**vars(status))
        else:
            view = LiveView(job.run_id, status)
        self._active[job.run_id] = _Active(job, view, Recorder(self.store, view))
        self._queue.append(job.run_id)
        self._start_waiting()

    def _start_waiting(self) -> None:
        training = sum(active.started for active in self._active.values())
        while self._queue and training < self.capacity and not self._closing.is_set():
            active = self._active[self._queue.popleft()]
            active.started = True
            active.view.set_status(place=None)
            self.store.update(active.job.run_id, wait=False, started_at=time.time())
            self._executor.submit(active.job)
            training += 1
        for place, run_id in enumerate(self._queue, start=1):
            self._active[run_id].view.set_status(place=place)
        self._wake.set()

    def _record_for_ever(self) -> None:
        while True:
            self._wake.wait(self._tick)
            closing = self._closing.is_set()
            self._wake.clear()
            for active in list(self._active.values()):
                try:
                    self._record(active)
                except Exception:
                    # One run's trouble (a full disk, say) must not silence the others.
                    log.exception("recording run %s", active.job.run_id)
            if closing and not any(active.started for active in self._active.values()):
                return
            if not closing:
                time.sleep(self._tick / 2)

    def _record(self, active: _Active) -> None:
        run_id = active.job.run_id
        if active.started:
            alive = self._executor.alive(run_id)
            for message in self._executor.poll(run_id):
                if isinstance(message, Ended):
                    self._end(active, message)
                    return
                active.recorder.record(message)
            if not alive:
                self._end(active, Ended("failed", active.view.status["round"], "The run's thread died without a word."))
                return
            self.store.update(run_id, wait=False, rounds=active.view.status["round"])
            under_way = self.classifiers.progress(active.job.config.data.name)
            active.view.set_status(preparing=f"{under_way[1]} ({under_way[0]:.0%})" if under_way else "")
        active.view.tick()

    def _end(self, active: _Active, end: Ended) -> None:
        run_id = active.job.run_id
        with self._ended:
            try:
                active.recorder.event(end.round, end.state, {"message": end.message} if end.message else {})
                self.store.update(
                    run_id,
                    status=end.state,
                    rounds=end.round,
                    message=end.message,
                    traceback=end.traceback,
                    summary=end.summary,
                    ended_at=time.time(),
                )
                self.store.compact(run_id)
            finally:
                active.view.set_status(state=end.state, round=end.round, message=end.message, place=None, preparing="")
                active.view.tick()
                self._executor.forget(run_id)
                self._active.pop(run_id, None)
                self._ended.notify_all()
                self._start_waiting()

    def _refuse_when_closing(self) -> None:
        if self._closing.is_set():
            raise Refused("The server is shutting down.")


def prepare_classifier(lab: Lab, config: RunConfig, progress: Progress | None = None) -> None:
    """Wait until the frozen classifier of the config's data is there, if it has one; for callers who can wait."""
    source = load_source(resolve(config))
    if source.judged is not None:
        lab.classifiers.wait(source.judged, progress)


def environment() -> dict[str, Any]:
    """What beside the config decides the bits of a run."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "threads": INTRA_OP_THREADS,
    }


def _newest_readable(folder: Path) -> Path | None:
    for path in reversed(checkpoints(folder)):
        try:
            load_checkpoint(path)
            return path
        except CheckpointError as error:
            log.warning("%s", error)
    return None


def _name_of(config: RunConfig) -> str:
    return f"{config.data.name} · {config.objective.name} · {config.model.generator.architecture}"


__all__ = ["Lab", "Refused", "StoreError", "environment", "prepare_classifier"]
