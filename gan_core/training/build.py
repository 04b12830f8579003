"""From a configuration to a game that can be played."""

from __future__ import annotations

import torch
from torch import nn

from gan_core.config import ConfigError, Problem, RunConfig
from gan_core.data import DATASETS, DataError, Source
from gan_core.models import LayerRow, layer_rows
from gan_core.training.compatibility import explain, unknown
from gan_core.training.game import Game
from gan_core.training.games import GAMES


def resolve(config: RunConfig) -> RunConfig:
    """The config with the options of its data set filled in, what its game completes, and ``device`` decided.

    Raises ConfigError for every name that no registry knows and every combination that cannot be built.
    """
    problems = unknown(config)
    if problems:
        raise ConfigError(problems)
    resolved = config.replace(
        {
            "data.options": {**DATASETS[config.data.name].options, **config.data.options},
            **GAMES[config.game].defaults(config),
            "device": _decide_device(config.device),
        }
    )
    problems = [problem for problem in explain(resolved) if problem.fatal]
    if problems:
        raise ConfigError(problems)
    return resolved


def load_source(config: RunConfig) -> Source:
    """The data of a config with its options filled in. Raises ConfigError where it is not on this machine."""
    try:
        return DATASETS[config.data.name].load(**config.data.options)
    except DataError as error:
        raise ConfigError([Problem("data.name", str(error))]) from error


def build(config: RunConfig, source: Source) -> Game:
    """The game of a resolved config, its weights and streams a function of the seed alone."""
    return GAMES[config.game].build(config, source)


def count_parameters(config: RunConfig) -> dict[str, int]:
    """How many numbers each network learns, without building it, by its role. ``config`` is resolved."""
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in skeletons(config).items()
    }


def layer_tables(config: RunConfig) -> dict[str, tuple[LayerRow, ...]]:
    """The layers of each network of a resolved config, in order, without building them."""
    source, game = load_source(config), GAMES[config.game]
    inputs = game.inputs(config, source)
    return {role: layer_rows(network, *inputs[role]) for role, network in game.networks(config, source).items()}


def skeletons(config: RunConfig) -> dict[str, nn.Module]:
    """The networks of a resolved config without storage, by role: what they consist of."""
    return GAMES[config.game].networks(config, load_source(config))


def _decide_device(wish: str) -> str:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        return next(name for name, present in available.items() if present)
    if not available[wish]:
        raise ConfigError([Problem("device", f"{wish!r} is not available on this machine; choose 'auto' or 'cpu'")])
    return wish
