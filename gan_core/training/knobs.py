"""Knobs: settings that may change between two rounds of a run.

A knob is a dotted field of the configuration. What was turned is part of the game's state, so that a run goes on with its
knobs where they stood; what a run was not built for (a penalty or noise that it does not have) takes a fork.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gan_core.config import ConfigError, Problem, RunConfig, nearest
from gan_core.regularizers import PENALTIES
from gan_core.training.build import resolve


def knobs_of(config: RunConfig) -> dict[str, float]:
    """What can be turned in a run of this configuration, and where it stands at the beginning."""
    objective, optimizers, schedule = config.objective, config.optimizers, config.schedule
    knobs: dict[str, float] = {
        "optimizers.discriminator.lr": optimizers.discriminator.lr,
        "optimizers.generator.lr": optimizers.generator.lr,
        "schedule.n_critic": schedule.n_critic,
        "schedule.generator_steps": schedule.generator_steps,
        "data.batch_size": config.data.batch_size,
        **{f"objective.penalties.{name}": weight for name, weight in objective.penalties.items()},
    }
    if objective.clip_value is not None:
        knobs["objective.clip_value"] = objective.clip_value
    if config.tricks.instance_noise:
        knobs["tricks.instance_noise"] = config.tricks.instance_noise
    return knobs


def check(config: RunConfig, values: Mapping[str, float]) -> None:
    """Raise ConfigError unless a run of ``config`` can go on with its knobs at these values."""
    known = knobs_of(config)
    strange = [name for name in values if name not in known]
    if strange:
        message = f"this cannot change while the run trains; fork it instead{nearest(strange[0][:80], known)}"
        raise ConfigError([Problem(strange[0][:80], message)])
    resolve(config.replace(values))


def turn(game: Any, knob: str, value: float) -> None:
    """Set one knob of a game, between two rounds. Raises ValueError for what is no knob of it."""
    match knob.split("."):
        case ["optimizers", "generator" | "discriminator" as who, "lr"]:
            for group in game.optimization[who == "generator"].optimizer.param_groups:
                # Under a schedule the rate of each round is a share of the initial one.
                group["initial_lr" if "initial_lr" in group else "lr"] = float(value)
        case ["schedule", "n_critic"]:
            game.players[0].steps = int(value)
        case ["schedule", "generator_steps"]:
            game.players[1].steps = int(value)
        case ["data", "batch_size"]:
            game.batch_size = game.data.batch_size = int(value)
        case ["objective", "penalties", name] if any(PENALTIES.get(name) is penalty for penalty, _ in game.penalties):
            game.penalties = tuple(
                (penalty, float(value) if penalty is PENALTIES[name] else weight) for penalty, weight in game.penalties
            )
        case ["objective", "clip_value"] if game.clip_value is not None:
            game.clip_value = float(value)
        case ["tricks", "instance_noise"] if game.tricks.instance_noise or knob in game.knobs:
            game.tricks = game.tricks.model_copy(update={"instance_noise": float(value)})
        case _:
            raise ValueError(f"{knob} cannot change while the run trains")
    game.knobs[knob] = value
