"""What goes together, in sentences: the rules of the data, which any game has, and those that a game declares."""

from __future__ import annotations

from collections.abc import Iterator

from gan_core.config import Problem, RunConfig, nearest, unknown_name
from gan_core.data import DATASETS
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
    return [*_bad_data_options(config), *found] if known else found


def _bad_data_options(config: RunConfig) -> Iterator[Problem]:
    dataset = DATASETS[config.data.name]
    for name, value in config.data.options.items():
        field = f"data.options.{name}"
        if name not in dataset.options:
            known = nearest(name[:80], dataset.options) if dataset.options else "; it has no options"
            yield Problem(field, f"{config.data.name} has no option {name[:80]!r}{known}")
            continue
        least, most = dataset.bounds[name]
        whole = isinstance(dataset.options[name], int)
        if isinstance(value, str):
            yield Problem(field, f"{value[:80]!r} must be a {'whole ' if whole else ''}number")
        elif not least <= value <= most:
            yield Problem(field, f"{repr(value)[:80]} must lie between {least:g} and {most:g}")
        elif whole and not float(value).is_integer():
            yield Problem(field, f"{value!r} must be a whole number")
