"""What a person should know of a configuration before and while it trains."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gan_core.config import Problem, RunConfig, preset_config
from gan_core.models import LayerRow
from gan_core.training import GAMES, Chart, build, count_parameters, explain, layer_tables, load_source, play, resolve
from gan_core.training.latent import Categorical

OF_CODES = {
    "code_agreement": "samples",
    "code_by_chance": "samples, by chance",
    "code_of_real": "real data",
    "kmeans_of_real": "real data, k-means",
}
"""What `gan_core.engine.observers.categories` measures, as it is called in one chart."""


def describe(config: RunConfig) -> dict[str, Any]:
    """Names, reference lines and the reading aid for the curves of a resolved config, JSON-able.

    ``curves`` lists the columns of each chart; ``labels`` names every column; ``lines`` are (value, label) pairs at
    which a column stands when the game is balanced.
    """
    game = GAMES[config.game]
    columns = game.columns(config)
    drawn = sorted(columns, key=lambda column: column.kind != "total")  # what the loop adds up, first
    return {
        "curves": {chart.name: [column.key for column in drawn if column.chart == chart.name] for chart in game.charts},
        "labels": {column.key: column.label for column in columns}
        | (OF_CODES if traits(config).categories > 1 else {}),
        "lines": {column.key: [[value, words] for value, words in column.lines] for column in columns if column.lines},
        **asdict(game.reading(config)),
    }


@dataclass(frozen=True)
class Traits:
    """What a page asks of a run's game: its abilities, whether it asks for classes, the ``note`` to a judge's opinion.

    ``charts`` are those that have a panel; ``of`` says of columns whether they are of real samples, of generated ones, or of a
    player with which function. ``categories`` is how many the prior of z has, ``plane`` whether z is a point of a plane, drawn
    from N(0, I).
    """

    abilities: tuple[str, ...]
    conditional: bool
    note: str
    charts: tuple[Chart, ...]
    of: Mapping[str, str]
    categories: int = 0
    plane: bool = False


def traits(config: RunConfig) -> Traits:
    """The traits of the game that a config plays."""
    game = GAMES[config.game]
    columns, prior = game.columns(config), game.latent(config)
    return Traits(
        game.abilities,
        game.conditional(config),
        game.note(config),
        tuple(chart for chart in game.charts if chart.drawn),
        {column.key: of for column in columns if (of := column.of or game.does.get(column.player, ""))},
        prior.categories if isinstance(prior, Categorical) else 0,
        prior is not None and (prior.dim, prior.kind) == (2, "normal"),
    )


def advice(config: RunConfig) -> tuple[Problem, ...]:
    """What a person who starts this should know. Raises ConfigError where it cannot be built, DataError without data."""
    return tuple(explain(resolve(config)))


@dataclass(frozen=True)
class Forecast:
    """``parameters`` of each network, and how long 1,000 rounds take on this machine, measured just now: seconds of a core of
    its own, whatever else the machine does; on an accelerator by the clock.

    ``layers`` are their layers, in order. ``advice`` is what a person who starts this should know.
    """

    parameters: dict[str, int]
    seconds_per_1000_rounds: float
    device: str
    advice: tuple[Problem, ...] = ()
    layers: Mapping[str, tuple[LayerRow, ...]] = field(default_factory=dict)


def warm_up() -> None:
    """Do what the first run of a process would wait for: decode the digits, import what torch imports late."""
    _seconds_of_a_round(resolve(preset_config("digits-dcgan")), budget_seconds=0.1)


def forecast(config: RunConfig, budget_seconds: float = 0.5) -> Forecast:
    """Play a few turns of ``config`` and time them. Raises ConfigError where the config cannot be built."""
    resolved = resolve(config)
    seconds = _seconds_of_a_round(resolved, budget_seconds)
    return Forecast(
        count_parameters(resolved), 1000 * seconds, resolved.device, advice(resolved), layer_tables(resolved)
    )


def _seconds_of_a_round(resolved: RunConfig, budget_seconds: float) -> float:
    game = build(resolved, load_source(resolved))
    steps = {player.name: player.steps for player in game.players}
    for player in game.players:
        player.steps = 1  # with a thousand D steps per round, one round would be all there is time for
    times: dict[str, list[float]] = {name: [] for name in steps}
    clock = time.thread_time if resolved.device == "cpu" else time.perf_counter
    began, started = time.perf_counter(), clock()
    for turn in play(game):
        for value in turn.values.values():
            value.item()  # an accelerator is done only when it answers
        now = clock()
        times[turn.player.name].append(now - started)
        started = now
        if turn.ends_round and turn.round >= 3 and time.perf_counter() - began > budget_seconds:
            break
    # The first turn of each pays for what the later ones find ready; now and then one is held up.
    return sum(steps[name] * statistics.median(spent[1:]) for name, spent in times.items())
