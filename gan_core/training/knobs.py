"""Knobs: settings that may change between two rounds of a run.

A knob is a dotted field of the configuration. What was turned is part of the game's state, so that a run goes on with its
knobs where they stood; what a run was not built for (a penalty or noise that it does not have) takes a fork.
"""

from __future__ import annotations

from collections.abc import Mapping

from gan_core.config import ConfigError, Problem, RunConfig, nearest
from gan_core.training.build import resolve
from gan_core.training.games import GAMES


def knobs_of(config: RunConfig) -> dict[str, float]:
    """What can be turned in a run of this configuration, and where it stands at the beginning."""
    return GAMES[config.game].knobs(config)


def check(config: RunConfig, values: Mapping[str, float]) -> None:
    """Raise ConfigError unless a run of ``config`` can go on with its knobs at these values."""
    known = knobs_of(config)
    strange = [name for name in values if name not in known]
    if strange:
        message = f"this cannot change while the run trains; fork it instead{nearest(strange[0][:80], known)}"
        raise ConfigError([Problem(strange[0][:80], message)])
    resolve(config.replace(values))
