"""What a person should know of a configuration before and while it trains."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gan_core.about import inside
from gan_core.config import Problem, RunConfig, preset_config
from gan_core.losses import LOSSES, AdversarialLoss
from gan_core.models import LayerRow
from gan_core.regularizers import PENALTIES
from gan_core.training import build, count_parameters, explain, layer_tables, load_source, play, resolve


def describe(config: RunConfig) -> dict[str, Any]:
    """Names, reference lines and the reading aid for the curves of a resolved config, JSON-able.

    ``curves`` lists the columns of each chart; ``labels`` names every column; ``lines`` are (value, label) pairs at
    which a column stands when the game is balanced.
    """
    loss = LOSSES[config.objective.loss]
    penalties = [PENALTIES[name] for name in config.objective.penalties]
    likely = loss.output == "probability"
    real, fake = ("D(x)", "D(G(z))") if likely else ("score of real", "score of generated")
    terms = {f"D.{penalty.term}": f"D {inside(penalty.about.title)}" for penalty in penalties}
    if config.tricks.feature_matching != "off":
        terms["G.features"] = "G feature matching"
    if config.model.condition == "ac_gan":
        terms |= {"D.class": "D classification error", "G.class": "G classification error"}
    own = {f"D.{name}": f"{inside(loss.about.title)} {name}" for name in (*loss.measures, *loss.memory)}
    anchors = {f"D.{p.term}_{name}": f"{p.about.title} anchor of {name}" for p in penalties for name in p.memory}
    noise = {"D.noise": "instance noise σ"} if config.tricks.instance_noise else {}
    scores = {"D.real": real, "D.fake": fake}
    accuracy = {"D.accuracy_real": "right on real", "D.accuracy_fake": "right on generated"}
    if loss.boundary is None:
        accuracy = {}
    gradients = {"D.grad_norm": "D gradient norm", "G.grad_norm": "G gradient norm"}
    return {
        "curves": {
            "losses": ["D.loss", "G.loss", *terms, *own],
            "scores": [*scores, *anchors, *noise],
            "accuracy": list(accuracy),
            "gradients": list(gradients),
        },
        "labels": {
            "D.loss": "D loss",
            "G.loss": "G loss",
            "D.adv": "D adversarial term",
            "G.adv": "G adversarial term",
            **terms,
            **scores,
            "G.fake": f"{fake} in G's turn",
            **accuracy,
            **own,
            **anchors,
            **noise,
            **gradients,
        },
        "lines": {f"{player}.loss": [[value, label]] for player, value, label in reference_lines(loss)},
        "score_unit": "probability" if likely else "score",
        "score_line": 0.5 if likely else None,
        "reading": loss.reading,
    }


def reference_lines(loss: AdversarialLoss) -> tuple[tuple[str, float, str], ...]:
    """Where the losses stand when D cannot tell: player, value, and the value as a board would have it."""
    return tuple((player, value, _name(value)) for player, value in loss.equilibrium.items())


def _name(value: float) -> str:
    """A reference value as a board would have it."""
    known = {2 * math.log(2): "2 log 2", math.log(2): "log 2", -math.log(2): "−log 2"}
    return next(
        (f"{name} = {value:.3f}".replace("-", "−") for exact, name in known.items() if abs(value - exact) < 1e-9),
        f"{value:g}",
    )


def advice(config: RunConfig) -> tuple[Problem, ...]:
    """What a person who starts this should know. Raises ConfigError where it cannot be built, DataError without data."""
    return tuple(explain(resolve(config)))


@dataclass(frozen=True)
class Forecast:
    """``parameters`` of G and D, and how long 1,000 rounds take on this machine, measured just now: seconds of a core of its
    own, whatever else the machine does; on an accelerator by the clock.

    ``layers`` are their layers, in order. ``advice`` is what a person who starts this should know.
    """

    parameters: dict[str, int]
    seconds_per_1000_rounds: float
    device: str
    advice: tuple[Problem, ...] = ()
    layers: Mapping[str, tuple[LayerRow, ...]] = field(default_factory=dict)


def warm_up() -> None:
    """Do what the first run of a process would wait for: decode the digits, import what torch imports late."""
    forecast(preset_config("digits-dcgan"), budget_seconds=0.1)


def forecast(config: RunConfig, budget_seconds: float = 0.5) -> Forecast:
    """Play a few turns of ``config`` and time them. Raises ConfigError where the config cannot be built."""
    resolved = resolve(config)
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
    seconds = sum(steps[name] * statistics.median(spent[1:]) for name, spent in times.items())
    return Forecast(
        count_parameters(resolved), 1000 * seconds, resolved.device, advice(resolved), layer_tables(resolved)
    )
