"""The lab: every run of one process, from submission to its end. Opened and closed by whoever owns the process."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_core.checkpoints import path_of
from gan_core.config import Comparison, RunConfig
from gan_core.engine.comparing.variants import comparison_name, resolve_variant, variants_of
from gan_core.engine.exchange.chores import Chores
from gan_core.engine.library.history import KnobsByRound, plan
from gan_core.engine.library.lessons import preset_of
from gan_core.engine.messages import CommandKind, Ended, StepOf
from gan_core.engine.remote.cluster import Cluster
from gan_core.engine.remote.executor import where_to_train
from gan_core.engine.running.active import Refused
from gan_core.engine.running.beginning import (
    DELETED,
    begin_fork,
    create,
    create_fork,
    go_on,
    plan_fork,
    with_plan,
)
from gan_core.engine.running.recording import RecorderThread
from gan_core.engine.running.scheduler import WRITE_SECONDS, Scheduler
from gan_core.engine.showing.gallery import Gallery
from gan_core.engine.showing.live import LiveView
from gan_core.engine.showing.run_cards import RunCards
from gan_core.engine.studies.queue import StudyQueue
from gan_core.engine.upkeep.classifiers import Classifiers, Progress
from gan_core.engine.upkeep.footprint import refuse_what_does_not_fit
from gan_core.engine.upkeep.health import Health
from gan_core.engine.upkeep.housekeeping import Housekeeping
from gan_core.store import Member, RunRecord, RunStore, StoreError, new_run_id
from gan_core.store.tenancy import Tenancy
from gan_core.training import CheckpointError, check, knobs_of, load_checkpoint, load_source, resolve
from gan_core.training.domains import judged_sources

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
DEFAULT_CAPACITY = 2
CLUSTER_CAPACITY = 1000
MAX_KEYS = 1000
CLOSING_SECONDS = 2.0  # of the time to close: for what is left when the runs have ended


class Lab:
    """Runs under ``root``: at most ``capacity`` train at once, the others wait in order; a paused one gives up its place.

    ``executor`` says in what: ``thread``, ``process`` (one for a run alone, a few for all runs of a comparison), or ``auto``,
    which is processes for a comparison, and for a run alone a thread, or a process where one waits for it
    (``keep_spare``); ``ray`` is on the Ray cluster of that address. None is what the environment says, or auto. Raises
    ConfigError for another.

    ``serving`` is for a server: there is one per store, and a second one only looks until the first is gone.

    One recorder thread moves what they say into the store and to their viewers. All methods are safe to call from any thread.

    ``_entrance`` is held by one submission, resumption or deletion at a time and may wait for the disk; the scheduler's
    lock guards what is in memory.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        capacity: int | None = None,
        tick: float = TICK_SECONDS,
        executor: str | None = None,
        ray: str | None = None,
        serving: bool = False,
    ) -> None:
        setting, address = where_to_train(executor, ray)
        capacity = capacity or (CLUSTER_CAPACITY if address else DEFAULT_CAPACITY)
        self._tenancy = Tenancy(Path(root)) if serving else None
        try:
            self.store = RunStore(root, only_reads=self._tenancy.only_reads if self._tenancy else "")
        except BaseException:
            if self._tenancy is not None:
                self._tenancy.close()  # who tries again must not meet its own lock
            raise
        self.classifiers = Classifiers(self.store.root / "cache")
        self.chores = Chores(self.store.root)
        self.studies = StudyQueue(self.store)
        self._gallery = Gallery(self.store)
        self._cards = RunCards(self.store, self._live)
        self._wake = threading.Event()
        cluster = Cluster(self.store, address) if address else None
        self._elsewhere, self.cluster = cluster, cluster.seen if cluster else None
        asked = (self.classifiers.for_run, self._wake.set, self._cards.forget, cluster.executor if cluster else None)
        self._scheduler = Scheduler(self.store, setting, capacity, *asked)
        kept = (self._scheduler.active, self._scheduler.behind, self._cards.forget)
        self._housekeeping = Housekeeping(self.store, self._tenancy, self._gallery, *kept)
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._entrance = threading.Lock()
        try:
            self._housekeeping.begin()
        except StoreError:
            self.store.close()
            if self._tenancy is not None:
                self._tenancy.close()
            raise
        self.health = Health(self.store.root, at_once=not self.safe_mode)
        told = (self.classifiers.progress, self._housekeeping.tend)
        self._recorder = RecorderThread(self.store, self._scheduler, *told, self._wake, tick)
        if self._elsewhere is not None:
            self._elsewhere.begin(self, self._scheduler, takes_over=serving)

    @property
    def capacity(self) -> int:
        """How many runs train at once."""
        return self._scheduler.capacity

    @capacity.setter
    def capacity(self, runs: int) -> None:
        self._scheduler.capacity = runs

    @property
    def safe_mode(self) -> bool:
        """Whether the servers before this one ended again and again as soon as they had begun."""
        return self._housekeeping.safe_mode

    # Starting and steering

    def keep_spare(self) -> None:
        """From now on a process waits for the next run, so that it begins at once; not where runs train in threads."""
        self._scheduler.keep_spare()

    def submit(
        self,
        config: RunConfig,
        *,
        name: str = "",
        tags: tuple[str, ...] = (),
        key: str = "",
        knobs: KnobsByRound | None = None,
        until: int | None = None,
        takes: Mapping[str, float] | None = None,
    ) -> str:
        """Start a run, or queue it; returns its id. Raises ConfigError if it cannot be built.

        ``knobs`` are turned when so many rounds are over, and ``until`` is the round at which it stops; ``takes`` are ``cpus``
        and ``gpus`` of a cluster's node. A second submission with the same ``key`` (a double click) only returns its id.
        """
        resolved = resolve(config)
        wishes = plan(resolved, knobs or {}, until=until)
        refuse_what_does_not_fit(resolved, self.store.root)
        with self._entrance:
            if key and key in self._keys:
                return self._keys[key]
            self._scheduler.refuse_to_enter()
            active = create(self.store, resolved, name or _name_of(resolved), tags, takes or {})
            active.job = with_plan(self.store, active.job, wishes, until)
            self._remember(key, active.job.run_id)
            self._scheduler.enqueue(active)
            return active.job.run_id

    def compare(self, comparison: Comparison, *, name: str = "", key: str = "") -> str:
        """Start every run of a comparison; returns its id. They advance together, as many computing at once as there is room.

        Raises ConfigError, naming the variant, where one cannot be built: then none is. ``key`` is as for ``submit``.
        """
        resolved = {which: resolve_variant(which[0], config) for which, config in comparison.configs().items()}
        for config in {variant: config for (variant, _), config in resolved.items()}.values():
            refuse_what_does_not_fit(config, self.store.root)
        with self._entrance:
            if key and key in self._keys:
                return self._keys[key]
            self._scheduler.refuse_to_enter(len(resolved))
            title = name or comparison_name(comparison)
            runs = {
                which: create(self.store, config, f"{which[0]} · seed {which[1]} · {title}")
                for which, config in resolved.items()
            }
            comparison_id = new_run_id()
            members = [Member(active.job.run_id, *which) for which, active in runs.items()]
            self.store.create_comparison(comparison_id, name=title, spec=comparison.to_dict(), members=members)
            self._remember(key, comparison_id)
            self._scheduler.lockstep.together([member.run for member in members], at_once=1, wait_for_paused=False)
            self._scheduler.lockstep.expect(member.run for member in members)
            self._scheduler.enqueue(*runs.values())
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
            self._scheduler.lockstep.together(self.members(comparison_id), at_once=1, wait_for_paused=False)

    def delete_comparison(self, comparison_id: str) -> None:
        """Delete a comparison with the runs that it started; ``store.restore_comparison`` takes both back."""
        with self._entrance:
            members = [member.run for member in self.store.comparison(comparison_id).members]
            self.store.delete_comparison(comparison_id)
            for run_id in members:
                self._gallery.forget(run_id)
            self._cards.forget()

    def resume(self, run_id: str) -> int:
        """Go on with an interrupted, stopped, failed or diverged run from its newest readable checkpoint.

        Returns the round it goes on from, 0 if there is none. What was recorded after that round is dropped, since
        it will be played again. Raises Refused if the run is active or finished.
        """
        with self._entrance:
            self._scheduler.refuse_to_enter()
            self.store.interrupt_orphans(self._scheduler.active)  # one whose process was just killed may go on at once
            run = self.store.run(run_id)
            if run.active or self._scheduler.holds(run_id):
                raise Refused(f"This run is {run.status}.")
            active = go_on(self.store, run)
            self._gallery.forget(run_id)
            self._scheduler.enqueue(active)
            return active.view.status["round"]

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
        changes = dict(changes or {})
        resolve(resolve(RunConfig.load(run.config)).replace(changes))  # before anything else: most mistakes are here
        planned = plan_fork(run, changes, self._state_to_fork(run_id, at))
        wishes = plan(planned.config, knobs or {}, begins_at=planned.played, until=until)
        refuse_what_does_not_fit(planned.config, self.store.root)
        with self._entrance:
            if key and key in self._keys:
                return self._keys[key]
            self._scheduler.refuse_to_enter()
            record = create_fork(self.store, planned, name, tags)
            self._remember(key, record.id)
            active = begin_fork(self.store, planned, record)
            active.job = with_plan(self.store, active.job, wishes, until)
            self._tell(run_id, planned.played, "fork", {"child": record.id, "label": f"fork: {planned.story}"})
            self._scheduler.enqueue(active)
            return record.id

    def turn(self, run_id: str, values: Mapping[str, float]) -> None:
        """Change knobs of a run that trains here, from its next round on; each change is an event of the kind ``knob``.

        Raises ConfigError for what is no knob of this run or cannot be, Refused for a run that does not train here.
        """
        check(resolve(RunConfig.load(self.store.run(run_id).config)), values)
        self._scheduler.set_knobs(run_id, dict(values))

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
        self._scheduler.side_by_side(run_ids)

    def company(self, run_id: str) -> frozenset[str]:
        """The runs that keep pace with this one, itself among them; none if it plays alone."""
        return self._scheduler.lockstep.company(run_id)

    def kept_rounds(self, run_id: str) -> list[int]:
        """The rounds at which a run can be forked: those of its checkpoints, in order."""
        return [saved.round for saved in self.store.checkpoints(run_id)]

    def kept_for(self, run_id: str) -> dict[int, str]:
        """Those of them that are kept for good, each with what for: ``before Collapsed, round 600``."""
        return {saved.round: saved.kept_for for saved in self.store.checkpoints(run_id) if saved.kept_for}

    def command(self, run_id: str, command: CommandKind | StepOf) -> None:
        """Ask an active run to pause, resume, stop, sample, save or step. Raises Refused for any other run or command."""
        self._scheduler.command(run_id, command)

    def delete(self, *run_ids: str) -> None:
        """Put runs that have ended into the bin, as one act; ``store.bin`` takes them back. Raises Refused where one is
        active, and deletes none.
        """
        with self._entrance:
            if active := [self.store.run(run_id).name for run_id in run_ids if self._scheduler.holds(run_id)]:
                raise Refused(f"Stop {'the run' if len(run_ids) == 1 else ', '.join(active)} first.")
            self.store.bin.delete(run_ids)
            for run_id in run_ids:
                self._gallery.forget(run_id)
            self._cards.forget()

    # Looking

    def view(self, run_id: str) -> LiveView:
        """The run as its viewers see it, live or stored. Raises RunNotFound."""
        return self._live(run_id) or self._gallery.view(run_id)

    def is_active(self, run_id: str) -> bool:
        """Whether the run is queued or trains in this lab."""
        return run_id in self._scheduler.active or run_id in self._scheduler.returning

    def recent(self, limit: int = 8) -> list[dict[str, Any]]:
        """The newest runs outside the archive, JSON-able, for cards; at most a second old, since every visitor asks again
        and again.
        """
        return self._cards.recent(limit)

    def thumbnail(self, run_id: str) -> str | None:
        """The artefact that shows the newest samples of a run as a small picture, if there is one."""
        return self._cards.thumbnail(run_id)

    def wait(self, run_id: str, timeout: float | None = None) -> RunRecord:
        """Block until the run has ended here, or ``timeout`` seconds have passed; returns its record."""
        self._scheduler.wait(run_id, timeout)
        return self.store.run(run_id)

    # Ending

    def close(self, timeout: float = 9.0) -> None:
        """Interrupt every run, save it, write everything down, in about ``timeout`` seconds. A second call does nothing."""
        if not self._scheduler.close():
            return
        self.classifiers.cancel()
        self._scheduler.executor.close(max(0.5, timeout - CLOSING_SECONDS))
        self._wake.set()
        self._recorder.join(CLOSING_SECONDS)
        for active in list(self._scheduler.active.values()):
            message = "The run did not stop in time." if active.started else ""
            self._scheduler.end(active, Ended("interrupted", active.view.status["round"], message))
        self.chores.close()
        self.studies.close(0.5)
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

    def _remember(self, key: str, run_id: str) -> None:
        if key:
            self._keys[key] = run_id
            while len(self._keys) > MAX_KEYS:
                self._keys.popitem(last=False)

    def _state_to_fork(self, run_id: str, at: int | None) -> dict[str, Any]:
        folder = self.store.checkpoint_dir(run_id)
        active = self._scheduler.active.get(run_id)
        if at is None and active is not None and active.training:
            now = active.view.status["round"]
            with suppress(Refused):
                self.command(run_id, "checkpoint")
            self._wait(lambda: any(round >= now for round in self.kept_rounds(run_id)))
        kept = {round: path_of(folder, round) for round in self.kept_rounds(run_id)}
        if not kept:
            raise Refused("No checkpoint of this run has been kept yet; save one, and fork from it.")
        recorded = max(kept) if active else self.store.last_round(run_id, "turns") or 0  # the rest is lost
        wanted = max((round for round in kept if round <= recorded), default=max(kept)) if at is None else at
        if wanted not in kept:
            rounds = ", ".join(f"{round:,}" for round in kept)
            raise Refused(f"No checkpoint of round {wanted:,} was kept; there are those of round {rounds}.")
        try:
            state = load_checkpoint(kept[wanted])
        except CheckpointError as error:
            raise Refused(f"The checkpoint cannot be used: {error}.") from error
        if active is not None:  # what leads up to it may still be on its way into the store
            self._wait(lambda: (self.store.last_round(run_id, "turns") or 0) >= wanted)
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
        active = self._scheduler.active.get(run_id)
        if active is not None:
            active.view.add_event(round, kind, data)
        else:
            self.store.flush(WRITE_SECONDS)
            self._gallery.forget(run_id)

    def _live(self, run_id: str) -> LiveView | None:
        active = self._scheduler.active.get(run_id)
        return active.view if active is not None else None


def prepare_classifier(lab: Lab, config: RunConfig, progress: Progress | None = None) -> None:
    """Wait until the frozen classifiers of the config's data are there; where one cannot be trained, runs go on without."""
    resolved = resolve(config)
    for judged in judged_sources(resolved, load_source(resolved)):
        with suppress(RuntimeError):  # which is in the log
            lab.classifiers.wait(judged, progress)


def _name_of(config: RunConfig) -> str:
    preset = preset_of(config)
    return preset.title if preset is not None else f"{config.data.name} · {config.title}"


__all__ = ["Lab", "Refused", "StoreError", "prepare_classifier"]
