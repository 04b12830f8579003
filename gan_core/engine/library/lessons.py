"""Lessons on collapse: what comes next, and how it ended, to be held against what the class predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gan_core.config import BREAKS, CURES, PRESETS, Change, ConfigError, RunConfig
from gan_core.data import MixtureSource
from gan_core.engine.comparing.variants import ASIDE
from gan_core.metrics.histograms import covered
from gan_core.store import RunRecord, RunStore
from gan_core.training import load_source, resolve


@dataclass(frozen=True)
class Outcome:
    """What was counted at ``round``: the ``names`` of all K modes, and of those that are there (`covered`), in that order."""

    round: int
    names: tuple[str, ...]
    survivors: tuple[str, ...]


def outcome(store: RunStore, run_id: str, at: int | None = None) -> Outcome | None:
    """The newest count of a run, or the newest up to the round ``at``.

    None before there is one, or where data have no modes. Raises RunNotFound.
    """
    frame = store.latest_frame(run_id, "histogram")
    if frame is not None and at is not None and frame.round > at:
        frames = [frame for frame in store.frames(run_id) if frame.round <= at and "histogram" in frame.parts]
        frame = frames[-1] if frames else None
    if frame is None:
        return None
    counts = np.asarray(frame.parts["histogram"]["counts"])
    if not counts.sum():
        return None
    known = [event.data["class_names"] for event in store.events(run_id) if "class_names" in event.data]
    names = tuple(str(name) for name in (known[-1] if known else range(1, len(counts))))
    left = tuple(name for name, there in zip(names, covered(counts), strict=True) if there)
    return Outcome(frame.round, names, left)


def mode_names(config: RunConfig) -> tuple[str, ...]:
    """The names of the modes or classes of a run's data, none where they are not counted. Raises DataError."""
    source = load_source(config)
    if isinstance(source, MixtureSource):
        return tuple(str(mode + 1) for mode in range(source.num_modes))
    return tuple(map(str, source.class_names))


@dataclass(frozen=True)
class NextAct:
    """What a lesson does next: the change, whether it breaks the run, and from which round on it is due."""

    change: Change
    breaks: bool
    round: int


def next_act(run: RunRecord) -> NextAct | None:
    """The next act of the preset that a run plays, found by what it computes: seed and length may be others.

    None for a run of no lesson, and after a last act that does not lead back to the first. The time between two acts
    counts from the fork.
    """
    try:
        config = _alone(RunConfig.load(run.config))
    except ConfigError:  # of a version with other names
        return None
    for preset in PRESETS.values():
        stage, before = RunConfig.load(preset.settings), 0
        for act in preset.acts:
            change = (CURES | BREAKS)[act.change]
            if _alone(stage) == config:
                return NextAct(change, act.change in BREAKS, (run.forked_at or 0) + act.round - before)
            stage, before = stage.replace(change.changes), act.round
    return None


def _alone(config: RunConfig) -> RunConfig:
    """What a run computes, and no more."""
    return resolve(config).replace({**ASIDE, "schedule.rounds": 1})
