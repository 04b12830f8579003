"""The lab: every run of one process, from submission to its end. Opened and closed by whoever owns the process."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gan_core.checkpoints import path_of
from gan_core.config import Comparison, ConfigError, Problem, RunConfig, cure_between, story_of
from gan_core.engine.comparing.variants import comparison_name, resolve_variant, variants_of
from gan_core.engine.environment import environment, what_changed
from gan_core.engine.exchange.chores import Chores
from gan_core.engine.library.history import PLANNED, KnobsByRound, plan, planned, what_is_left
from gan_core.engine.messages import COMMANDS, CommandKind, Ended, Job, Keep, Knobs, State, StepOf, Turned
from gan_core.engine.running.executors import ChosenExecutor, Executor, Kind, ThreadExecutor, setting_of
from gan_core.engine.running.lockstep import Lockstep
from gan_core.engine.running.processes import ProcessExecutor
from gan_core.engine.running.starting_points import checkpoint_to_go_on_from
from gan_core.engine.running.watchdog import Watchdog
from gan_core.engine.showing.gallery import Gallery
from gan_core.engine.showing.live import LiveView, Status, rounds_of, seconds_of, stored_view
from gan_core.engine.showing.parts import SMALL
from gan_core.engine.showing.recorder import Recorder
from gan_core.engine.upkeep.classifiers import Classifiers, Progress
from gan_core.engine.upkeep.footprint import refuse_what_does_not_fit
from gan_core.engine.upkeep.health import Health
from gan_core.engine.upkeep.quota import Quota
from gan_core.store import DamagedRun, Member, RunNotFound, RunRecord, RunStore, StoreError, new_run_id
from gan_core.store.owner import this_process
from gan_core.store.reserve import DISK_FULL, is_full
from gan_core.store.tenancy import Tenancy
from gan_core.training import (
    CheckpointError,
    CheckpointUnreadable,
    check,
    fork,
    knobs_of,
    load_checkpoint,
    load_source,
    resolve,
    round_of,
    save_checkpoint,
)

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
BREATH_SECONDS = 0.05  # between two rounds of the recorder, however much there is to do
DEFAULT_CAPACITY = 2
MAX_WAITING = 100
MOST_CRASHES = 3  # at the start, one after the other: then a server does nothing by itself
MAX_KEYS = 1000
CARDS_SECONDS = 1.0
ORPHANS_SECONDS = 10.0  # between two looks for runs whose process, another one, is gone
WRITE_SECONDS = 2.0  # for the end of a run to be on the disk before it is announced
INHERITED_EVENTS = ("reference", "knob", "verdict", "forked")  # of a parent, by its fork
ALL_PLAYED = (
    "This run has played all its rounds. To train on from its end, fork it: `python -m gan_core fork {run}` plays as many "
    "again, `--set schedule.rounds=…` says how many in all, and `--set` changes anything else, a learning rate say."
)
DELETED = "This run was deleted; take it back first, on the Runs page or with restore-run."
CLOSING_SECONDS = 2.0  # of the time to close: for what is left when the runs have ended


class Refused(RuntimeError):
    """What was asked for cannot be done with this run now; ``str()`` is one sentence."""


@dataclass
class _Active:
    job: Job
    view: LiveView
    recorder: Recorder
    notice: str = ""
    paused_for: str = ""  # why the lab itself paused it
    started: bool = False
    ended: bool = False

    @property
    def training(self) -> bool:
        return self.started and not self.ended

    @property
    def paused(self) -> bool:
        return bool(self.view.status["state"] == "paused")

    @property
    def told(self) -> str:
        """What should be known of it as long as nothing is wrong with it."""
        return self.recorder.why or self.paused_for or self.notice


class Lab:
    """Runs under ``root``: at most ``capacity`` train at once, the others wait in order; a paused one gives up its place.

    ``executor`` says in what: ``thread``, ``process`` (one for a run alone, a few for all runs of a comparison), or ``auto``,
    which is processes for a comparison, and for a run alone a thread, or a process where one waits for it
    (``keep_spare``); None is what ``GANSCOPE_EXECUTOR`` says, or auto. Raises ConfigError for another.

    ``serving`` is for a server: there is one per store, and a second one only looks until the first is gone.

    One recorder thread moves what they say into the store and to their viewers. All methods are safe to call from any
    thread. A run belongs to the lab, not to whoever started or watches it.

    Locks: ``_entrance`` is held by one submission, resumption or deletion at a time and may wait for the disk;
    ``_lock`` guards what is in memory and never waits for anything.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        capacity: int = DEFAULT_CAPACITY,
        tick: float = TICK_SECONDS,
        executor: str | None = None,
        serving: bool = False,
    ) -> None:
        self._setting = setting_of(executor)
        self._quota = Quota()
        self._tenancy = Tenancy(Path(root)) if serving else None
        try:
            self.store = RunStore(root, only_reads=self._tenancy.only_reads if self._tenancy else "")
        except BaseException:
            if self._tenancy is not None:
                self._tenancy.close()  # who tries again must not meet its own lock
            raise
        self.capacity = capacity
        cache = self.store.root / "cache"
        self.classifiers = Classifiers(cache)
        self.chores = Chores(self.store.root)
        self._tick = tick
        self._wake = threading.Event()
        self._lockstep = Lockstep(
            lambda run_id: self._executor.nudge(run_id), lambda run_id: self._executor.lane(run_id)
        )
        asked = (self.classifiers.for_run, self._wake.set, self._lockstep.how_far)
        self._processes = ProcessExecutor(self.store.root, cache, *asked, self._lockstep.company, self._most_processes)
        self._spare = False
        executors: dict[Kind, Executor] = {"thread": ThreadExecutor(*asked), "process": self._processes}
        self._executor: Executor = ChosenExecutor(executors, self._kind_for)
        self._watchdog = Watchdog(self._executor)
        self._gallery = Gallery(self.store)
        self._active: OrderedDict[str, _Active] = OrderedDict()
        self._queue: deque[str] = deque()
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._cards: dict[int, tuple[float, list[dict[str, Any]]]] = {}
        self._behind: list[Recorder] = []  # of runs that have ended, for which the store had no room
        self._entrance = threading.Lock()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._orphans_due = time.monotonic() + ORPHANS_SECONDS
        try:
            self._begin()
        except StoreError:
            self.store.close()
            if self._tenancy is not None:
                self._tenancy.close()
            raise
        self.health = Health(self.store.root, at_once=not self.safe_mode)
        self._thread = threading.Thread(target=self._record_for_ever, name="recorder", daemon=True)
        self._thread.start()

    @property
    def safe_mode(self) -> bool:
        """Whether the servers before this one ended again and again as soon as they had begun."""
        return self._tenancy is not None and self._tenancy.crashes >= MOST_CRASHES

    def _begin(self) -> None:
        """What the crashes of others left is put right, where this lab may write."""
        if not self.store.only_reads:
            self.store.interrupt_orphans(self._active)
            if not self.safe_mode:
                self.store.sweep()

    # Starting and steering

    def keep_spare(self) -> None:
        """From now on a process waits for the next run, so that it begins at once; not where runs train in threads."""
        self._spare = self._setting == "process" or (self._setting == "auto" and (os.cpu_count() or 1) > 1)
        if self._spare:
            self._processes.keep_spare()

    def submit(
        self,
        config: RunConfig,
        *,
        name: str = "",
        tags: tuple[str, ...] = (),
        key: str = "",
        knobs: KnobsByRound | None = None,
        until: int | None = None,
    ) -> str:
        """Start a run, or queue it; returns its id. Raises ConfigError if it cannot be built.

        ``knobs`` are turned when so many rounds are over, and ``until`` is the round at which it stops. A second submission
        with the same ``key`` (a double click) starts nothing and returns the first one's id.
        """
        resolved = resolve(config)
        wishes = plan(resolved, knobs or {}, until=until)
        refuse_what_does_not_fit(resolved, self.store.root)
        with self._entrance:
            if key and key in self._keys:
                return self._keys[key]
            self._refuse_to_enter()
            active = self._create(resolved, name or _name_of(resolved), tags)
            active.job = self._planned(active.job, wishes, until)
            self._remember(key, active.job.run_id)
            self._enqueue(active)
            return active.job.run_id

    def compare(self, comparison: Comparison, *, name: str = "", key: str = "") -> str:
        """Start every run of a comparison; returns its id. They advance together, as many computing at once as there is room.

        Raises ConfigError, naming the variant, where one of them cannot be built: then none is started. A second call with
        the same ``key`` starts nothing.
        """
        resolved = {which: resolve_variant(which[0], config) for which, config in comparison.configs().items()}
        for config in {variant: config for (variant, _), config in resolved.items()}.values():
            refuse_what_does_not_fit(config, self.store.root)
        with self._entrance:
            if key and key in self._keys:
                return self._keys[key]
            self._refuse_to_enter(len(resolved))
            title = name or comparison_name(comparison)
            runs = {
                which: self._create(config, f"{which[0]} · seed {which[1]} · {title}")
                for which, config in resolved.items()
            }
            comparison_id = new_run_id()
            members = [Member(active.job.run_id, *which) for which, active in runs.items()]
            self.store.create_comparison(comparison_id, name=title, spec=comparison.to_dict(), members=members)
            self._remember(key, comparison_id)
            self._lockstep.together([member.run for member in members], at_once=1, wait_for_paused=False)
            self._lockstep.expect(member.run for member in members)
            self._enqueue(*runs.values())
            return comparison_id

    def collect(self, run_ids: Sequence[str], *, name: str = "") -> str:
        """Put runs that are there side by side in a comparison; returns its id. Raises ConfigError where there are too few or
        too many kinds of them. Runs that differ in their seed alone are one variant.
        """
        runs = [self.store.run(run_id) for run_id in dict.fromkeys(run_ids)]
        variants, members = variants_of([(run.id, RunConfig.load(run.config)) for run in runs])
        comparison_id = new_run_id()
        self.store.create_comparison(
            comparison_id,
            name=name or " · ".join(variants),
            spec={"variants": [{"name": variant, "changes": changes} for variant, changes in variants.items()]},
            members=[Member(*member) for member in members],
            collected=True,
        )
        return comparison_id

    def members(self, comparison_id: str, variant: str | None = None) -> list[str]:
        """The runs of a comparison, or of one of its variants."""
        members = self.store.comparison(comparison_id).members
        return [member.run for member in members if variant is None or member.variant == variant]

    def command_all(self, comparison_id: str, command: CommandKind, variant: str | None = None) -> int:
        """Ask every run of a comparison, or of one variant, that can still do it; returns how many were asked."""
        asked = 0
        for run_id in self.members(comparison_id, variant):
            with suppress(Refused):
                self.command(run_id, command)
                asked += 1
        return asked

    def turn_all(self, comparison_id: str, values: Mapping[str, float], variant: str | None = None) -> int:
        """Change knobs of every run of a comparison, or of one variant, that trains here; returns how many were changed.

        Raises ConfigError, before anything is changed, where one of them has no such knob or cannot take the value.
        """
        members = [run_id for run_id in self.members(comparison_id, variant) if self.is_active(run_id)]
        for run_id in members:
            check(resolve(RunConfig.load(self.store.run(run_id).config)), values)
        turned = 0
        for run_id in members:
            with suppress(Refused):
                self.turn(run_id, values)
                turned += 1
        return turned

    def resume_all(self, comparison_id: str, variant: str | None = None) -> int:
        """Go on with every run of a comparison, or of one variant, that was interrupted or stopped; returns how many do.

        All that train keep pace: those that were further wait for the others.
        """
        self.keep_pace(comparison_id)
        gone_on = 0
        for run_id in self.members(comparison_id, variant):
            if self.store.run(run_id).status in ("interrupted", "stopped"):
                self.resume(run_id)
                gone_on += 1
        return gone_on

    def keep_pace(self, comparison_id: str) -> None:
        """Let the runs of a comparison, once they go on, take turns and keep pace, as when it was started."""
        if not any(self.is_active(run_id) for run_id in self.members(comparison_id)):
            self._lockstep.together(self.members(comparison_id), at_once=1, wait_for_paused=False)

    def delete_comparison(self, comparison_id: str) -> None:
        """Delete a comparison with the runs that it started; ``store.restore_comparison`` takes both back."""
        with self._entrance:
            members = [member.run for member in self.store.comparison(comparison_id).members]
            self.store.delete_comparison(comparison_id)
            for run_id in members:
                self._gallery.forget(run_id)
            self._cards.clear()

    def resume(self, run_id: str) -> int:
        """Go on with an interrupted, stopped, failed or diverged run from its newest readable checkpoint.

        Returns the round it goes on from, 0 if there is none. What was recorded after that round is dropped, since
        it will be played again. Raises Refused if the run is active or finished.
        """
        with self._entrance:
            self._refuse_to_enter()
            self.store.interrupt_orphans(self._active)  # one whose process was just killed may go on at once
            run = self.store.run(run_id)
            if run.active or run_id in self._active:
                raise Refused(f"This run is {run.status}.")
            if run.deleted_at is not None:
                raise Refused(DELETED)
            if run.status == "finished":
                raise Refused(ALL_PLAYED.format(run=run_id))
            config = resolve(RunConfig.load(run.config))
            folder = self.store.checkpoint_dir(run_id)
            begins_at = run.forked_at or 0
            recorded = _last_round(self.store, run_id, "turns") or begins_at
            try:
                checkpoint, notice = checkpoint_to_go_on_from(folder, recorded)
            except (CheckpointUnreadable, OSError) as error:
                said = error.strerror if isinstance(error, OSError) else error
                raise Refused(
                    f"What was saved of this run cannot be read now, and is left as it is: {said}."
                ) from error
            if checkpoint is None and run.parent is not None:
                raise Refused(
                    "None of its checkpoints can be read, and a fork has no beginning of its own; fork again."
                )
            played = 0 if checkpoint is None else round_of(checkpoint)
            kept = -1 if checkpoint is None else played
            wishes, until = what_is_left(self.store.events(run_id), kept)
            self.store.truncate(run_id, kept)
            job = Job(run_id, config, folder, checkpoint, _last_round(self.store, run_id, "diagnostics"))
            job = self._planned(job, wishes, until)
            view = stored_view(self.store, run)
            notice += what_changed(run.environment, environment())
            if played > recorded:
                notice += f"Rounds {recorded + 1:,} to {played:,} were played, but not recorded."
            self.store.update(
                run_id,
                status="queued",
                message="",
                traceback="",
                rounds=played,
                owner=this_process(),
                environment=environment(),
                started_at=None,
                ended_at=None,
                summary={},
            )
            self._gallery.forget(run_id)
            view.set_status(state="queued", round=played, message=notice)
            active = _Active(job, view, Recorder(self.store, view, begins_at), notice)
            if notice:
                active.recorder.event(played, "not_the_same", {"message": notice})
            self._enqueue(active)
            return played

    def fork(
        self,
        run_id: str,
        changes: Mapping[str, Any] | None = None,
        *,
        at: int | None = None,
        name: str = "",
        tags: tuple[str, ...] = (),
        key: str = "",
        knobs: KnobsByRound | None = None,
        until: int | None = None,
    ) -> str:
        """Start a run that goes on from a checkpoint of another with dotted settings changed; returns its id.

        ``at`` is one of ``kept_rounds``; None is the newest, and of a run that trains here, now. The fork's rounds go on
        counting from there, and it has the parent's past. Its event ``forked`` says what could not go over. Where the
        parent has played all its rounds, or trained all its seconds, as many again are added. A second fork with the same
        ``key`` starts nothing.
        Raises ConfigError where the changed run cannot be built, Refused where there is no such checkpoint.
        """
        run = self.store.run(run_id)
        if run.deleted_at is not None:
            raise Refused(DELETED)
        parent = resolve(RunConfig.load(run.config))
        changes = dict(changes or {})
        resolve(parent.replace(changes))  # before anything else: most mistakes are here
        state = self._state_to_fork(run_id, at)
        parent = resolve(parent.replace(state.get("knobs", {})))
        clock = {part: state.pop(part) for part in ("seconds", "measuring") if part in state}
        played: int = state["round"]
        if played >= parent.schedule.rounds:
            changes = {**changes, "schedule.rounds": changes.get("schedule.rounds", played + parent.schedule.rounds)}
        limit, spent = parent.schedule.seconds, float(clock.get("seconds", 0.0))
        if limit is not None and spent >= limit:
            changes = {**changes, "schedule.seconds": changes.get("schedule.seconds", spent + limit)}
        config = resolve(parent.replace(changes))
        if played >= config.schedule.rounds:
            raise ConfigError([Problem("schedule.rounds", f"{played:,} rounds have been played; choose more")])
        wishes = plan(config, knobs or {}, begins_at=played, until=until)
        refuse_what_does_not_fit(config, self.store.root)
        try:
            made = fork(state, parent, config)
        except ConfigError:
            raise
        except ValueError as error:
            raise Refused(f"The checkpoint cannot be used: {error}.") from error
        with self._entrance:
            if key and key in self._keys:
                return self._keys[key]
            self._refuse_to_enter()
            child = new_run_id()
            story = story_of(changes)
            record = self.store.create(
                child,
                name=name or f"{run.name} → {story}",
                config=config.to_dict(),
                parent=run_id,
                forked_at=played,
                tags=tags,
                environment=environment(),
            )
            self._remember(key, child)
            try:
                self.store.inherit(child, run_id, played, events=INHERITED_EVENTS)
                self.store.update(child, rounds=played)
                told: dict[str, Any] = {
                    "parent": run_id,
                    "name": run.name,
                    "config": run.config,
                    "changes": changes,
                    "kept": made.kept,
                    "anew": made.anew,
                }
                told |= {"cure": cure_between(parent, config), "label": f"forked: {story}"}
                self.store.add_event(child, played, "forked", told)
                self.store.flush()
                # At last: a fork that has a checkpoint has its past too, whatever ends this process.
                folder = self.store.checkpoint_dir(child)
                checkpoint = save_checkpoint(folder, made.state | clock)
                view = stored_view(self.store, record)
            except (StoreError, OSError) as error:
                self.store.update(child, wait=False, status="failed", message=str(error))
                raise
            view.set_status(state="queued", round=played)
            job = Job(child, config, folder, checkpoint, _last_round(self.store, child, "diagnostics"))
            job = self._planned(job, wishes, until)
            self._tell(run_id, played, "fork", {"child": child, "label": f"fork: {story}"})
            self._enqueue(_Active(job, view, Recorder(self.store, view, begins_at=played)))
            return child

    def turn(self, run_id: str, values: Mapping[str, float]) -> None:
        """Change knobs of a run that trains here, from its next round on; each change is an event of the kind ``knob``.

        Raises ConfigError for what is no knob of this run or cannot be, Refused for a run that does not train here.
        """
        check(resolve(RunConfig.load(self.store.run(run_id).config)), values)
        with self._lock:
            active = self._active.get(run_id)
            if active is None or not active.training:
                raise Refused("Knobs can be turned while a run trains here; this one does not.")
            self._executor.command(run_id, Knobs(dict(values)))

    def knobs(self, run_id: str) -> dict[str, float]:
        """What can be turned in a run, and where it stands."""
        first = knobs_of(resolve(RunConfig.load(self.store.run(run_id).config)))
        knobs = dict(first)
        for event in self.store.events(run_id):
            if event.kind == "forked":
                knobs = dict(first)  # what its parent had turned is in its configuration
            elif event.kind == "knob":
                knobs |= {name: value for name, value in event.data.get("changes", {}).items() if name in knobs}
        return knobs

    def side_by_side(self, *run_ids: str) -> None:
        """Let these runs keep pace while they train here, until they are put beside others; a single one plays alone.

        They need as much room as one: a fork does not wait in the queue while its parent trains.
        """
        for run_id in run_ids:
            self.store.run(run_id)
        self._lockstep.together(run_ids, at_once=1)
        self._start_waiting()

    def company(self, run_id: str) -> frozenset[str]:
        """The runs that keep pace with this one, itself among them; none if it plays alone."""
        return self._lockstep.company(run_id)

    def kept_rounds(self, run_id: str) -> list[int]:
        """The rounds at which a run can be forked: those of its checkpoints, in order."""
        return [saved.round for saved in self.store.checkpoints(run_id)]

    def kept_for(self, run_id: str) -> dict[int, str]:
        """Those of them that are kept for good, each with what for: ``before Collapsed, round 600``."""
        return {saved.round: saved.kept_for for saved in self.store.checkpoints(run_id) if saved.kept_for}

    def command(self, run_id: str, command: CommandKind | StepOf) -> None:
        """Ask an active run to pause, resume, stop, sample, save or step. Raises Refused for any other run or command."""
        player = command.player if isinstance(command, StepOf) else None
        if player is None and command not in COMMANDS:
            raise Refused(f"A run cannot be asked to {str(command)[:40]!r}.")
        with self._lock:
            active = self._active.get(run_id)
            if active is not None and player is not None and player not in active.job.config.seats:
                raise Refused(f"Nobody in this run is called {player[:40]!r}.")
            if active is not None and active.training:
                if command == "resume":
                    active.paused_for = ""
                if command in ("stop", "interrupt"):
                    self._watchdog.asked_to_end(run_id)
                    self._lockstep.go_on(run_id)
                self._executor.command(run_id, command)
                return
            waiting = run_id in self._queue
            if waiting and command in ("stop", "interrupt"):
                self._queue.remove(run_id)
        if active is not None and not waiting:
            raise Refused("This run has just ended.")
        if active is None:
            run = self.store.run(run_id)
            where = "This run trains in another process."
            raise Refused(where if run.active else f"This run is {run.status} already.")
        if command not in ("stop", "interrupt"):
            raise Refused("This run is still waiting for its turn.")
        self._end(active, Ended("stopped" if command == "stop" else "interrupted", active.view.status["round"]))

    def delete(self, *run_ids: str) -> None:
        """Put runs that have ended into the bin, as one act; ``store.bin`` takes them back. Raises Refused where one is
        active, and deletes none.
        """
        with self._entrance:
            if active := [self.store.run(run_id).name for run_id in run_ids if run_id in self._active]:
                raise Refused(f"Stop {'the run' if len(run_ids) == 1 else ', '.join(active)} first.")
            self.store.bin.delete(run_ids)
            for run_id in run_ids:
                self._gallery.forget(run_id)
            self._cards.clear()

    # Looking

    def view(self, run_id: str) -> LiveView:
        """The run as its viewers see it, live or stored. Raises RunNotFound."""
        active = self._active.get(run_id)
        return active.view if active is not None else self._gallery.view(run_id)

    def is_active(self, run_id: str) -> bool:
        """Whether the run is queued or trains in this lab."""
        return run_id in self._active

    def recent(self, limit: int = 8) -> list[dict[str, Any]]:
        """The newest runs outside the archive, JSON-able, for cards; at most a second old, since every visitor asks again
        and again.
        """
        made, cards = self._cards.get(limit, (-math.inf, []))
        if time.monotonic() - made > CARDS_SECONDS:
            cards = [self._card(run) for run in self.store.runs(limit=limit, include_archived=False)]
            self._cards[limit] = (time.monotonic(), cards)
        return cards

    def wait(self, run_id: str, timeout: float | None = None) -> RunRecord:
        """Block until the run has ended here, or ``timeout`` seconds have passed; returns its record."""
        with self._changed:
            self._changed.wait_for(lambda: run_id not in self._active, timeout)
        return self.store.run(run_id)

    # Ending

    def close(self, timeout: float = 9.0) -> None:
        """Interrupt every run, save it, write everything down, in about ``timeout`` seconds. A second call does nothing."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        self.classifiers.cancel()
        self._executor.close(max(0.5, timeout - CLOSING_SECONDS))
        self._wake.set()
        self._thread.join(CLOSING_SECONDS)
        for active in list(self._active.values()):
            message = "The run did not stop in time." if active.started else ""
            self._end(active, Ended("interrupted", active.view.status["round"], message))
        self.chores.close()
        self.classifiers.close(0.5)
        try:
            self.store.close()
        except StoreError as error:
            log.error("closing: %s", error)
        if self._tenancy is not None:
            self._tenancy.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    def _create(self, resolved: RunConfig, name: str, tags: tuple[str, ...] = ()) -> _Active:
        """A run that has not been queued yet."""
        run_id = new_run_id()
        run = self.store.create(run_id, name=name, config=resolved.to_dict(), tags=tags, environment=environment())
        view = LiveView(run_id, Status("queued", rounds=rounds_of(run), seconds=seconds_of(run)), resolved)
        try:
            folder = self.store.checkpoint_dir(run_id)
        except StoreError as error:
            self.store.update(run_id, wait=False, status="failed", message=str(error))
            raise
        return _Active(Job(run_id, resolved, folder), view, Recorder(self.store, view))

    def _planned(self, job: Job, wishes: tuple[Turned, ...], until: int | None) -> Job:
        """The job with what it is to do by itself, which is on record: whatever ends this process, it is done all the same."""
        if told := planned(wishes, until):
            self.store.add_event(job.run_id, round_of(job.resume_from) if job.resume_from else 0, PLANNED, told)
        return replace(job, knobs=wishes, until=until)

    def _remember(self, key: str, run_id: str) -> None:
        if key:
            self._keys[key] = run_id
            while len(self._keys) > MAX_KEYS:
                self._keys.popitem(last=False)

    def _state_to_fork(self, run_id: str, at: int | None) -> dict[str, Any]:
        folder = self.store.checkpoint_dir(run_id)
        with self._lock:
            active = self._active.get(run_id)
        if at is None and active is not None and active.training:
            now = active.view.status["round"]
            with suppress(Refused):
                self.command(run_id, "checkpoint")
            self._wait(lambda: any(round >= now for round in self.kept_rounds(run_id)))
        kept = {round: path_of(folder, round) for round in self.kept_rounds(run_id)}
        if not kept:
            raise Refused("No checkpoint of this run has been kept yet; save one, and fork from it.")
        wanted = max(kept) if at is None else at
        if wanted not in kept:
            rounds = ", ".join(f"{round:,}" for round in kept)
            raise Refused(f"No checkpoint of round {wanted:,} was kept; there are those of round {rounds}.")
        try:
            state = load_checkpoint(kept[wanted])
        except CheckpointError as error:
            raise Refused(f"The checkpoint cannot be used: {error}.") from error
        if active is not None:  # what leads up to it may still be on its way into the store
            self._wait(lambda: (_last_round(self.store, run_id, "turns") or 0) >= wanted)
        return state

    def _wait(self, condition: Callable[[], bool], seconds: float = WRITE_SECONDS) -> None:
        """Until it holds, or for so many seconds."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self._wake.set()
            time.sleep(0.02)

    def _tell(self, run_id: str, round: int, kind: str, data: dict[str, Any]) -> None:
        """Note something that happened to a run, whether it trains here or not."""
        self.store.add_event(run_id, round, kind, data)
        active = self._active.get(run_id)
        if active is not None:
            active.view.add_event(round, kind, data)
        else:
            self.store.flush(WRITE_SECONDS)
            self._gallery.forget(run_id)

    def _refuse_to_enter(self, runs: int = 1) -> None:
        if self._closing.is_set():
            raise Refused("The server is shutting down.")
        if self.store.only_reads:
            raise Refused(self.store.only_reads)
        if len(self._queue) + runs > MAX_WAITING:
            with self._lock:
                training = [run for run, active in self._active.items() if active.training]
            ahead = f" until {training[0]} ends, or another" if training else ""
            waiting = f"{len(self._queue)} runs are waiting already{ahead}"
            raise Refused(f"{waiting}; at most {MAX_WAITING} can. Stop some of them first.")

    def _enqueue(self, *runs: _Active) -> None:
        with self._lock:
            for active in runs:
                self._active[active.job.run_id] = active
                self._queue.append(active.job.run_id)
            self._cards.clear()
        self._start_waiting()
        for active in runs:
            active.view.tick()
            with self._lock:
                # The door was shut meanwhile, and whoever shut it may not have seen this run.
                stranded = self._closing.is_set() and not active.started
            if stranded:
                self._end(active, Ended("interrupted", active.view.status["round"]))

    def _start_waiting(self) -> None:
        """Start as many as there is room for, in order, and tell the others their place.

        Runs that take turns are started all together, and need as much room as one: they share what the others leave. A
        paused run needs none, and goes on at once when it is told to, whoever has its place by then.
        """
        broken = []
        with self._lock:
            playing = [run for run, active in self._active.items() if active.training and not active.paused]
            sharing = {run: self._sharing(run) for run in playing}
            for run_id in list(self._queue):
                shared = self._sharing(run_id)
                room = shared in sharing.values() or len(set(sharing.values())) < self.capacity
                if self._closing.is_set() or not room:
                    continue
                active = self._active[run_id]
                self._queue.remove(run_id)
                active.view.set_status(place=None)
                try:
                    self._executor.submit(active.job)
                except RuntimeError as error:  # the system gives no more threads
                    broken.append((active, f"The run could not be started: {error}."))
                else:
                    active.started = True  # only now: the recorder may ask the executor for it
                    sharing[run_id] = shared
            spare = self.capacity - len(set(sharing.values()))
            for shared in dict.fromkeys(sharing.values()):
                if self._lockstep.takes_turns(next(iter(shared))):
                    self._lockstep.allow(next(iter(shared)), 1 + spare)
                    spare = 0
            for place, run_id in enumerate(self._queue, start=1):
                self._active[run_id].view.set_status(place=place)
        self._wake.set()
        for active, message in broken:
            self._end(active, Ended("failed", active.view.status["round"], message))

    def _sharing(self, run_id: str) -> frozenset[str]:
        """The runs that take turns with this one; itself alone where it takes none."""
        return self._lockstep.company(run_id) if self._lockstep.takes_turns(run_id) else frozenset([run_id])

    def _kind_for(self, job: Job) -> Kind:
        """Those that take turns gain by processes, as do the pages. A run alone is not made to wait for one; where one waits,
        training need not share an interpreter with the pages. An accelerator takes seconds and memory for each.
        """
        if self._setting != "auto":
            return self._setting
        if len(self._sharing(job.run_id)) > 1:
            return "process"
        return "process" if self._spare and job.config.device == "cpu" else "thread"

    def _most_processes(self) -> int:
        """For the runs of a comparison: more than may compute at once would wait, and take some hundred MB each."""
        return max(1, min(self.capacity, os.cpu_count() or 1))

    def _record_for_ever(self) -> None:
        while True:
            closing = self._closing.is_set()
            self._wake.clear()
            for active in list(self._active.values()):
                self._guarded(self._record, active)
            self._guarded(self._tend)
            if closing and not any(active.training for active in list(self._active.values())):
                return
            time.sleep(min(BREATH_SECONDS, self._tick))
            self._wake.wait(self._tick)

    def _tend(self) -> None:
        """What is not about the runs that train here."""
        for recorder in list(self._behind):
            recorder.catch_up()
            if not recorder.behind:
                self._behind.remove(recorder)
        self._gallery.refresh()
        if time.monotonic() >= self._orphans_due:
            self._orphans_due = time.monotonic() + ORPHANS_SECONDS
            with suppress(StoreError):
                self._take_over()
                if self.store.only_reads == DISK_FULL and not is_full(self.store.root):
                    self.store.begin_to_write()
                    self._begin()
                if not self.store.only_reads:
                    for run_id in self.store.interrupt_orphans(self._active):
                        self._gallery.changed(run_id)
                    self._quota.tend(self.store, self._active)

    def _take_over(self) -> None:
        """Serve the store once the server that had it is gone."""
        if self._tenancy is not None and self.store.only_reads and self._tenancy.only_reads and self._tenancy.claim():
            log.warning("the other server is gone; this one serves the store now")
            self.store.begin_to_write()
            self._begin()
            self._cards.clear()

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        # One run's trouble must not silence the others.
        try:
            work(*arguments)
        except Exception:
            log.exception("the recorder had trouble")

    def _record(self, active: _Active) -> None:
        run_id = active.job.run_id
        if active.training:
            alive = self._executor.alive(run_id)
            messages = self._executor.poll(run_id)
            active.recorder.record(message for message in messages if not isinstance(message, Ended))
            states = [message.state for message in messages if isinstance(message, State)]
            if states:
                self._lockstep.pause(run_id) if states[-1] == "paused" else self._lockstep.go_on(run_id)
                self._start_waiting()
            end = next((message for message in messages if isinstance(message, Ended)), None)
            if end is None and not alive:
                end = Ended("failed", active.view.status["round"], "The run died without a word.")
            if end is not None:
                self._end(active, end)
                return
            if messages:
                self._watchdog.heard(run_id)
            resting = active.paused or self._executor.starting(run_id)
            if (hang := self._watchdog.look(run_id, resting=resting)) is not None:
                active.recorder.event(
                    active.view.status["round"], "stuck", {"message": hang.message, "stack": hang.stack}
                )
            active.recorder.progress()
            self._heed(active)
            preparing = self.classifiers.progress(active.job.config.data.name)
            steps = [f"{preparing[1]} ({preparing[0]:.0%})"] if preparing else []
            if active.view.status["state"] == "queued":
                steps.insert(0, "starting a process for this run" if self._executor.starting(run_id) else "starting")
            hangs = self._watchdog.message(run_id)
            playing = [one for other, one in list(self._active.items()) if other != run_id]
            active.view.set_status(
                beside=sum(one.training and not one.paused for one in playing),
                stuck=bool(hangs),
                message=self.store.problem or hangs or active.recorder.why or active.paused_for or active.notice,
                preparing=", ".join(steps),
            )
        active.view.tick()

    def _heed(self, active: _Active) -> None:
        """What a change of the verdict asks for: the state before it is kept, and the run pauses if that was wished for."""
        run_id = active.job.run_id
        while active.recorder.verdicts:
            verdict = active.recorder.verdicts.popleft()
            lost = verdict.state in ("narrowing", "collapsed")
            began = verdict.first_sign if lost else verdict.onset_round  # what was never there cannot be kept
            if verdict.alarming and began:
                self._executor.command(run_id, Keep(began, f"before {verdict.title}, round {began:,}"))
            if verdict.state in active.job.config.diagnostics.pause_on:
                active.paused_for = (
                    f"Paused by itself: {verdict.title.lower()} since round {verdict.onset_round or 0:,}."
                )
                self._executor.command(run_id, "pause")

    def _end(self, active: _Active, end: Ended) -> None:
        """Give the place to the next, write down the end, then announce it. The first end of a run is the one that counts."""
        run_id = active.job.run_id
        with self._lock:
            if active.ended:
                return
            active.ended = True
            with suppress(ValueError):
                self._queue.remove(run_id)
            self._executor.forget(run_id)
            self._watchdog.forget(run_id)
            self._lockstep.leave(run_id)
        written = False
        try:
            self._start_waiting()
            active.recorder.end(end)
            self.store.flush(WRITE_SECONDS)
            written = True
        except StoreError as error:
            log.error("the end of run %s is not on the disk yet: %s", run_id, error)
        finally:
            message = end.message or self.store.problem or ""
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
                del self._active[run_id]
                if active.recorder.behind:
                    self._behind.append(active.recorder)
                self._cards.clear()
                self._changed.notify_all()
        if written and not self._closing.is_set():
            with suppress(StoreError):  # it only makes reading faster
                self.store.compact(run_id)

    def _card(self, run: RunRecord | DamagedRun) -> dict[str, Any]:
        if isinstance(run, DamagedRun):
            known: dict[str, Any] = {"id": run.id, "name": run.id, "state": "damaged", "message": str(run)}
            numbers = dict.fromkeys(("round", "rounds", "share", "updated"), 0)
            return known | numbers | {"place": None, "thumb": None, "verdict": {}}
        active = self._active.get(run.id)
        if active is not None:
            status = active.view.status
        else:
            seconds = float(run.summary.get("seconds") or 0.0)
            told = Status(run.status, run.rounds, rounds_of(run), seconds_of(run), elapsed=seconds)
            status = told.to_dict() | {"verdict": run.summary.get("verdict", {})}
        return {
            "id": run.id,
            "name": run.name,
            "state": "stuck" if status["stuck"] else status["state"],
            "round": status["round"],
            "rounds": status["rounds"],
            "share": status["share"],
            "place": status["place"],
            "thumb": self.thumbnail(run.id),
            "data": _entry(run.config, "data", "name"),
            "objective": _entry(run.config, "objective", "name") or _entry(run.config, "game"),
            "verdict": status["verdict"],
            "updated": run.ended_at or run.started_at or run.created_at,
        }

    def thumbnail(self, run_id: str) -> str | None:
        """The artefact that shows the newest samples of a run as a small picture, if there is one."""
        active = self._active.get(run_id)
        for part in SMALL:
            try:
                frame = self.store.latest_frame(run_id, part) if active is None else None
            except (StoreError, RunNotFound):
                return None
            parts = active.view.latest_parts if active else frame.parts if frame else {}
            if file := _entry(parts, part, "file"):
                return file
        return None


def prepare_classifier(lab: Lab, config: RunConfig, progress: Progress | None = None) -> None:
    """Wait until the frozen classifier of the config's data is there, if it has one; for callers who can wait.

    Where it cannot be trained, runs go on without, and say so.
    """
    source = load_source(resolve(config))
    if source.judged is not None:
        with suppress(RuntimeError):  # which is in the log
            lab.classifiers.wait(source.judged, progress)


def _last_round(store: RunStore, run_id: str, track: str) -> int | None:
    rounds = store.track(run_id, track, []).rounds
    return int(rounds[-1]) if len(rounds) else None


def _entry(node: Any, *path: str) -> str:
    """A text somewhere in nested dicts, "" if it is not there: what is stored may come from any version."""
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, str) else ""


def _name_of(config: RunConfig) -> str:
    return f"{config.data.name} · {config.title}"


__all__ = ["Lab", "Refused", "StoreError", "prepare_classifier"]
