"""What goes together, in sentences: the rules of the data, which any game has, and those that a game declares."""

from __future__ import annotations

from gan_core.config import Problem, RunConfig, unknown_name
from gan_core.data import DATASETS
from gan_core.training.domains import bad_options
from gan_core.training.games import GAMES


def explain(config: RunConfig) -> list[Problem]:
    """Why a config cannot be played (fatal), and what a person who plays it should know (not fatal)."""
    problems = unknown(config)
    if problems:
        return problems
    return list(GAMES[config.game].problems(config, DATASETS[config.data.name].load(**config.data.options)))


def unknown(config: RunConfig) -> list[Problem]:
    """The names that no registry knows; if all are known, the options that their entries do not have or allow."""
    name, game = config.data.name, GAMES[config.game]
    known = name in DATASETS
    found = [] if known else [unknown_name("data.name", name, DATASETS)]
    found += game.unknown(config)
    return [*bad_options(name, config.data.options, "data.options"), *found] if known else found
