"""One cause at a time: a game on the ring that goes well, and one setting of it turned until it does not. No torch.

``benchmarks/causes.py`` trains every value over seeds and writes the map that the page shows beside the slider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gan_core.config.gan.recipes import healthy_ring
from gan_core.config.schema import RunConfig

ROUNDS = 1500


@dataclass(frozen=True)
class Cause:
    """``values`` are what the slider stops at, by what it says there, each with the settings that it changes; ``usual`` is the
    value that the game has when it goes well. ``why`` is for after the class has seen it.
    """

    title: str
    slider: str
    question: str
    why: str
    usual: str
    values: Mapping[str, Mapping[str, Any]]

    def config(self, value: str, seed: int = 0) -> RunConfig:
        """The game with this value. Raises KeyError for one that the slider does not have."""
        return RunConfig.load(healthy_ring(ROUNDS)).replace({**self.values[value], "seed": seed})


def _each(path: str, values: list[Any]) -> dict[str, dict[str, Any]]:
    return {f"{value:g}" if isinstance(value, float) else str(value): {path: value} for value in values}


CAUSES: dict[str, Cause] = {
    "rates": Cause(
        "Learning rates out of balance",
        "D's learning rate over G's",
        "Which is worse for G: a D that learns ten times slower, or ten times faster?",
        "D is G's only teacher. One that is too slow praises a place long after G has moved there, and G runs from mode to "
        "mode; one that is too fast leaves hardly a slope to follow where G's samples are.",
        "1",
        {
            name: {"optimizers.discriminator.lr": 1e-3 * ratio}
            for name, ratio in {"1/30": 1 / 30, "1/10": 0.1, "1/3": 1 / 3, "1": 1.0, "3": 3.0, "10": 10.0}.items()
        },
    ),
    "n_critic": Cause(
        "How often D moves",
        "D steps per G step",
        "More steps make D better. Is a better D always better for G?",
        "With few steps D lags behind. With many it fits the batch it has, its picture grows cliffs, and G's samples are "
        "thrown from one mode to another; the games that ask for many steps also hold D's slope down.",
        "1",
        _each("schedule.n_critic", [1, 2, 5, 10, 20]),
    ),
    "beta1": Cause(
        "Adam's memory of where it went",
        "β₁ of both optimisers",
        "Momentum helps in every other problem. Why should it hurt here?",
        "Momentum carries a player on where the other has already turned. In a game that turns around its equilibrium it adds "
        "to the turning: the DCGAN paper went from 0.9 to 0.5, later ones to 0.",
        "0.5",
        {
            f"{value:g}": {"optimizers.generator.beta1": value, "optimizers.discriminator.beta1": value}
            for value in (0.0, 0.5, 0.8, 0.9, 0.95)
        },
    ),
    "latent_dim": Cause(
        "How much noise G gets",
        "numbers in z",
        "Eight modes have to come out. How many numbers must go in?",
        "G is continuous: what it makes of a line of noise is a curve, which has to cross the gaps between the modes. "
        "Three layers can fold even a line over all eight of them, so a small z alone is no collapse; what it costs is "
        "the share of samples that lie on a mode.",
        "64",
        _each("model.latent_dim", [1, 2, 4, 16, 64]),
    ),
    "normalization": Cause(
        "With and without normalisation",
        "normalisation in G and D",
        "Batch normalisation is in every DCGAN. Does it help here too?",
        "It brings the real and the generated batch to the same mean and width inside D, each by itself. Where a batch "
        "lies and how narrow it is, is all that tells a collapsed one on a plane, and D sees less of it. Layer "
        "normalisation changes each sample by itself. Strokes in images survive both.",
        "none",
        {
            value: {"model.generator.normalization": value, "model.discriminator.normalization": value}
            for value in ("none", "layer", "batch")
        },
    ),
}
