"""Lessons on collapse: what comes next, and how it ended, to be held against what the class predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gan_core.config import BREAKS, CURES, PRESETS, Change, ConfigError, GanConfig, Preset, RunConfig, diff
from gan_core.data import MixtureSource
from gan_core.engine.comparing.variants import ASIDE
from gan_core.engine.library.catalogue import data_choice
from gan_core.metrics.histograms import covered
from gan_core.metrics.states import State
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


WELL: frozenset[State] = frozenset(("spread", "part", "varied", "healthy", "recovered"))
"""What there is to break."""
SHOWN = 75
"""Rounds within which a break shows at a run of digits."""
MENDS = {"discriminator_slow": "two_time_scales", "generator_ahead": "wgan_gp_10"}
"""The cure that was measured to bring back what a break took (docs/results/recipes.md); the break that states most first."""


@dataclass(frozen=True)
class NextAct:
    """What a lesson does next: the change, whether it breaks the run, and from which round on it is due; ``if_well`` says
    that it is due only while the verdict is one of ``WELL``."""

    change: Change
    breaks: bool
    round: int
    if_well: bool = False


def next_act(run: RunRecord) -> NextAct | None:
    """The next act of the preset that a run plays, found by what it computes: seed and length may be others.

    Any GAN of digits that is well can be broken, and what a break was done to can be cured. None for other runs, and after
    a last act that does not lead back to the first. The time between two acts counts from the fork.
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
    return _act_on_digits(config, run.forked_at)


def _act_on_digits(config: RunConfig, forked_at: int | None) -> NextAct | None:
    """The act of a run that plays no preset with acts."""
    if not isinstance(config, GanConfig) or config.game != "gan" or config.model.condition != "none":
        return None
    try:
        data = data_choice(config.data.name)
    except KeyError:  # of a version with other data
        return None
    if data.kind != "images" or not data.counted:
        return None
    for name, cure in MENDS.items():
        if BREAKS[name].holds_in(config):
            return NextAct(CURES[cure], False, (forked_at or 0) + SHOWN)
    convolutions = config.model.discriminator.architecture != "mlp"
    return NextAct(BREAKS["discriminator_slow" if convolutions else "generator_ahead"], True, 0, if_well=True)


def preset_of(config: RunConfig) -> Preset | None:
    """The preset that a configuration is, whatever its seed, its length and what is measured of it."""
    for preset in PRESETS.values():
        known = RunConfig.load(preset.settings)
        if known.game != config.game or not all(map(_aside, diff(known, config))):
            continue
        if _alone(known) == _alone(config):  # with the options that its data have where none are stated
            return preset
    return None


def _aside(field: str) -> bool:
    """Whether a setting says nothing of what a run computes, or only once its data are known."""
    return field.startswith(("diagnostics.", "data.options")) or field in {*ASIDE, "schedule.rounds"}


def _alone(config: RunConfig) -> RunConfig:
    """What a run computes, and no more."""
    return resolve(config).replace({**ASIDE, "schedule.rounds": 1})
