"""The ways in which a run begins: anew, from its newest checkpoint, or as a fork from a checkpoint of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from gan_core.config import ConfigError, Problem, RunConfig, cure_between, story_of
from gan_core.engine.environment import environment, what_changed
from gan_core.engine.library.history import PLANNED, planned, what_is_left
from gan_core.engine.messages import Job, Turned
from gan_core.engine.running.active import ActiveRun, Refused
from gan_core.engine.running.starting_points import checkpoint_to_go_on_from
from gan_core.engine.showing.live import LiveView, Status, rounds_of, seconds_of, stored_view
from gan_core.engine.showing.recorder import Recorder
from gan_core.store import RunRecord, RunStore, StoreError, new_run_id
from gan_core.store.owner import this_process
from gan_core.training import CheckpointUnreadable, Fork, fork, resolve, round_of, save_checkpoint

# Of a parent, by its fork: what its curves show, and what is missing in them.
INHERITED_EVENTS = ("reference", "knob", "verdict", "forked", "not_recorded", "not_the_same")
ALL_PLAYED = (
    "This run has played all its rounds. To train on from its end, fork it: `python -m gan_core fork {run}` plays as many "
    "again, `--set schedule.rounds=…` says how many in all, and `--set` changes anything else, a learning rate say."
)
NOTHING_SAID: Mapping[str, float] = MappingProxyType({})
DELETED = "This run was deleted; take it back first, on the Runs page or with restore-run."


def create(
    store: RunStore, config: RunConfig, name: str, tags: tuple[str, ...] = (), takes: Mapping[str, float] = NOTHING_SAID
) -> ActiveRun:
    """A run that has not been queued yet; ``config`` is resolved, ``takes`` is what it is to take of a cluster's node."""
    run_id = new_run_id()
    run = store.create(run_id, name=name, config=config.to_dict(), tags=tags, environment=environment())
    if takes:
        store.leases.take(run_id, takes)
    view = LiveView(run_id, Status("queued", rounds=rounds_of(run), seconds=seconds_of(run)), config)
    try:
        folder = store.checkpoint_dir(run_id)
    except StoreError as error:
        store.update(run_id, wait=False, status="failed", message=str(error))
        raise
    return ActiveRun(Job(run_id, config, folder), view, Recorder(store, view))


def go_on(store: RunStore, run: RunRecord) -> ActiveRun:
    """A run that has ended before its last round, from its newest readable checkpoint, or from the beginning.

    What was recorded after that round is dropped. Raises Refused where it cannot go on.
    """
    if run.deleted_at is not None:
        raise Refused(DELETED)
    if run.status == "finished":
        raise Refused(ALL_PLAYED.format(run=run.id))
    config = resolve(RunConfig.load(run.config))
    folder = store.checkpoint_dir(run.id)
    begins_at = run.forked_at or 0
    recorded = store.last_round(run.id, "turns") or begins_at
    try:
        checkpoint, notice = checkpoint_to_go_on_from(folder, recorded)
    except (CheckpointUnreadable, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise Refused(f"What was saved of this run cannot be read now, and is left as it is: {said}.") from error
    if checkpoint is None and run.parent is not None:
        raise Refused("None of its checkpoints can be read, and a fork has no beginning of its own; fork again.")
    played = 0 if checkpoint is None else round_of(checkpoint)
    kept = -1 if checkpoint is None else played
    wishes, until = what_is_left(store.events(run.id), kept)
    store.truncate(run.id, kept)
    job = Job(run.id, config, folder, checkpoint, store.last_round(run.id, "diagnostics"))
    job = with_plan(store, job, wishes, until)
    view = stored_view(store, run)
    notice += what_changed(run.environment, environment())
    if played > recorded:
        notice += f"Rounds {recorded + 1:,} to {played:,} were played, but not recorded."
    store.update(
        run.id,
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
    view.set_status(state="queued", round=played, message=notice)
    active = ActiveRun(job, view, Recorder(store, view, begins_at), notice)
    if notice:
        active.recorder.event(played, "not_the_same", {"message": notice})
    return active


@dataclass(frozen=True)
class ForkPlan:
    """A fork before it is on record: its parent, the settings before and after, and the state that it begins with.

    ``clock`` is what the parent's clocks said; it is not part of the state.
    """

    parent: RunRecord
    before: RunConfig
    config: RunConfig
    changes: Mapping[str, Any]
    played: int
    clock: Mapping[str, Any]
    made: Fork

    @property
    def story(self) -> str:
        return story_of(self.changes)


def plan_fork(parent: RunRecord, changes: Mapping[str, Any], state: dict[str, Any]) -> ForkPlan:
    """The fork of ``parent`` from ``state``, a checkpoint, with dotted settings changed.

    Where the parent has played all its rounds, or trained all its seconds, as many again are added. Raises ConfigError
    where the changed run cannot be built, Refused where the state does not fit.
    """
    before = resolve(resolve(RunConfig.load(parent.config)).replace(state.get("knobs", {})))
    clock: dict[str, Any] = {part: state.pop(part) for part in ("seconds", "measuring") if part in state}
    played: int = state["round"]
    if played >= before.schedule.rounds:
        changes = {**changes, "schedule.rounds": changes.get("schedule.rounds", played + before.schedule.rounds)}
    limit, spent = before.schedule.seconds, float(clock.get("seconds", 0.0))
    if limit is not None and spent >= limit:
        changes = {**changes, "schedule.seconds": changes.get("schedule.seconds", spent + limit)}
    config = resolve(before.replace(changes))
    if played >= config.schedule.rounds:
        raise ConfigError([Problem("schedule.rounds", f"{played:,} rounds have been played; choose more")])
    try:
        made = fork(state, before, config)
    except ConfigError:
        raise
    except ValueError as error:
        raise Refused(f"The checkpoint cannot be used: {error}.") from error
    return ForkPlan(parent, before, config, changes, played, clock, made)


def create_fork(store: RunStore, plan: ForkPlan, name: str, tags: tuple[str, ...]) -> RunRecord:
    """The record of a fork, which has no past yet."""
    return store.create(
        new_run_id(),
        name=name or f"{plan.parent.name} → {plan.story}",
        config=plan.config.to_dict(),
        parent=plan.parent.id,
        forked_at=plan.played,
        tags=tags,
        environment=environment(),
    )


def begin_fork(store: RunStore, plan: ForkPlan, record: RunRecord) -> ActiveRun:
    """A fork that is on record, with the past of its parent, and its first checkpoint. StoreError and OSError fail it."""
    child, played = record.id, plan.played
    try:
        if takes := store.leases.takes(plan.parent.id):
            store.leases.take(child, takes)
        store.inherit(child, plan.parent.id, played, events=INHERITED_EVENTS)
        store.update(child, rounds=played)
        told: dict[str, Any] = {
            "parent": plan.parent.id,
            "name": plan.parent.name,
            "config": plan.parent.config,
            "changes": plan.changes,
            "kept": plan.made.kept,
            "anew": plan.made.anew,
        }
        told |= {"cure": cure_between(plan.before, plan.config), "label": f"forked: {plan.story}"}
        store.add_event(child, played, "forked", told)
        recorded = store.last_round(child, "turns") or 0
        if recorded < played:
            said = {"message": f"Rounds {recorded + 1:,} to {played:,} were played, but not recorded."}
            store.add_event(child, played, "not_recorded", said)
        store.flush()
        # At last: a fork that has a checkpoint has its past too, whatever ends this process.
        folder = store.checkpoint_dir(child)
        checkpoint = save_checkpoint(folder, plan.made.state | dict(plan.clock))
        view = stored_view(store, record)
    except (StoreError, OSError) as error:
        store.update(child, wait=False, status="failed", message=str(error))
        raise
    view.set_status(state="queued", round=played)
    job = Job(child, plan.config, folder, checkpoint, store.last_round(child, "diagnostics"))
    return ActiveRun(job, view, Recorder(store, view, begins_at=played))


def with_plan(store: RunStore, job: Job, wishes: tuple[Turned, ...], until: int | None) -> Job:
    """The job with what it is to do by itself, which is on record: whatever ends this process, it is done all the same."""
    if told := planned(wishes, until):
        store.add_event(job.run_id, round_of(job.resume_from) if job.resume_from else 0, PLANNED, told)
    return replace(job, knobs=wishes, until=until)
