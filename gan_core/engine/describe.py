"""What a person should know of a configuration before and while it trains."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from gan_core.config import Problem, RunConfig
from gan_core.losses import LOSSES
from gan_core.regularizers import PENALTIES
from gan_core.training import build, count_parameters, explain, load_source, play, resolve


def describe(config: RunConfig) -> dict[str, Any]:
    """Names, reference lines and the reading aid for the curves of a resolved config, JSON-able.

    ``curves`` lists the columns of each chart; ``labels`` names every column; ``lines`` are (value, label) pairs at
    which a column stands when the game is balanced.
    """
    loss = LOSSES[config.objective.loss]
    penalties = [PENALTIES[name] for name in config.objective.penalties]
    real, fake = ("D(x)", "D(G(z))") if loss.output == "probability" else ("score of real", "score of generated")
    terms = {f"D.{penalty.term}": f"D {_inside(penalty.about.title)}" for penalty in penalties}
    if config.tricks.feature_matching != "off":
        terms["G.features"] = "G feature matching"
    own = {f"D.{name}": name for name in (*loss.measures, *loss.memory)}
    anchors = {f"D.{p.term}_{name}": f"{p.about.title} anchor of {name}" for p in penalties for name in p.memory}
    noise = {"D.noise": "instance noise σ"} if config.tricks.instance_noise else {}
    accuracy = (
        {} if loss.boundary is None else {"D.accuracy_real": "right on real", "D.accuracy_fake": "right on generated"}
    )
    labels = {
        "D.loss": "D loss",
        "G.loss": "G loss",
        **terms,
        "D.real": real,
        "D.fake": fake,
        **accuracy,
        **own,
        **anchors,
        **noise,
        "D.grad_norm": "D gradient norm",
        "G.grad_norm": "G gradient norm",
    }
    return {
        "curves": {
            "losses": ["D.loss", "G.loss", *terms, *own],
            "scores": ["D.real", "D.fake", *anchors, *noise],
            "accuracy": list(accuracy),
            "gradients": ["D.grad_norm", "G.grad_norm"],
        },
        "labels": labels,
        "lines": {f"{player}.loss": [[value, _name(value)]] for player, value in loss.equilibrium.items()},
        "score_unit": "probability" if loss.output == "probability" else "score",
        "score_line": 0.5 if loss.output == "probability" else None,
        "reading": loss.reading,
    }


def _inside(title: str) -> str:
    """A title inside a sentence: its first letter small, unless it begins a name such as R1 or LeCam."""
    word = title.split()[0]
    return title if any(letter.isupper() or letter.isdigit() for letter in word[1:]) else title[0].lower() + title[1:]


def _name(value: float) -> str:
    """A reference value as a board would have it."""
    known = {2 * math.log(2): "2 log 2", math.log(2): "log 2", -math.log(2): "−log 2"}
    return next((f"{name} = {value:.3f}" for exact, name in known.items() if abs(value - exact) < 1e-9), f"{value:g}")


@dataclass(frozen=True)
class Forecast:
    """``parameters`` of G and D, and how long 1,000 rounds take on this machine, measured just now.

    ``advice`` is what a person who starts this should know.
    """

    parameters: dict[str, int]
    seconds_per_1000_rounds: float
    device: str
    advice: tuple[Problem, ...] = ()


def forecast(config: RunConfig, budget_seconds: float = 0.5) -> Forecast:
    """Play a few rounds of ``config`` and time them. Raises ConfigError where the config cannot be built."""
    resolved = resolve(config)
    game = build(resolved, load_source(resolved))
    times = []
    started = time.perf_counter()
    for turn in play(game):
        if turn.ends_round:
            times.append(time.perf_counter() - started)
            if len(times) >= 3 and times[-1] > budget_seconds:
                break
    # The first round pays for what the later ones find ready.
    seconds = (times[-1] - times[0]) / (len(times) - 1)
    return Forecast(count_parameters(resolved), 1000 * seconds, resolved.device, tuple(explain(resolved)))
