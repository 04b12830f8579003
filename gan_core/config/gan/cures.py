"""Named change-sets: what turns a collapsing run into a healthy one (``CURES``), and what breaks a healthy one (``BREAKS``).

A change-set is dotted settings for ``RunConfig.replace``. It is applied to a recipe from its first round, as in
``preset_config("ring-collapse+r1")``, or to a collapsed run as a fork of it. What it is expected to do to which recipe
stands in the recipe's ``cures``; ``benchmarks/recipes.py`` counts over seeds how often it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gan_core.about import About
from gan_core.config.errors import ConfigError
from gan_core.config.gan.objectives import OBJECTIVES, WEIGHT_ON_POINTS
from gan_core.config.gan.tricks import TRICKS
from gan_core.config.overriding import flatten
from gan_core.config.schema import RunConfig


@dataclass(frozen=True)
class Change:
    """``part`` names the objective or trick whose card explains it; ``idea`` says in a sentence what it changes here."""

    title: str
    part: str
    idea: str
    changes: dict[str, Any]

    @property
    def about(self) -> About:
        return (OBJECTIVES | TRICKS)[self.part].about

    @property
    def fields(self) -> Mapping[str, Any]:
        """Every single setting that it states, by its dotted name in a configuration."""
        stated = flatten(self.changes)
        return {"objective.name" if field == "objective" else field: value for field, value in stated.items()}

    def fits(self, config: RunConfig) -> bool:
        """Whether a run of this configuration has the settings that it states: a run of another game may not."""
        try:
            config.replace(self.changes)
        except ConfigError:
            return False
        return True

    def holds_in(self, config: RunConfig) -> bool:
        """Whether a run has all of it, whatever else it has; a penalty that it does not have weighs 0."""
        settings = flatten(config.to_dict())
        penalties = {field: 0.0 for field in self.fields if field.startswith("objective.penalties.")}
        return self.fields.items() <= (penalties | settings).items()


def _adam(lr: float, beta1: float, beta2: float = 0.999) -> dict[str, Any]:
    players = ("generator", "discriminator")
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2}
    return {f"optimizers.{player}.{name}": value for player in players for name, value in settings.items()}


def _wgan_gp(weight: float) -> dict[str, Any]:
    return {
        "objective": "wgan_gp",
        "objective.penalties": {"gradient_penalty": weight},
        **_adam(1e-3, 0.5, 0.9),
    }


CURES: dict[str, Change] = {
    "r1": Change(
        "R1, γ = 0.1",
        "r1_gan",
        "One term more in D's loss: its slope at the real data costs. Nothing else is touched.",
        {"objective.penalties": {"r1": 0.1}},
    ),
    "wgan_gp": Change(
        "WGAN GP, λ = 0.1",
        "wgan_gp",
        "D becomes a critic that estimates a distance, and its slope is held near one, gently enough for close modes.",
        _wgan_gp(WEIGHT_ON_POINTS),
    ),
    "wgan_gp_10": Change(
        "WGAN GP, λ = 10",
        "wgan_gp",
        "The published weight. It suits images; on points it keeps D so flat that close modes are told apart late, and lost "
        "again.",
        {**_wgan_gp(10.0), "schedule.n_critic": 5},
    ),
    "r3gan": Change(
        "Relativistic pairing with R1 and R2",
        "r3gan",
        "Real and generated samples are judged in pairs, and D's slope costs on both.",
        {
            "objective": "r3gan",
            "objective.penalties": {"r1": 0.1, "r2": 0.1},
            **_adam(1e-3, 0.5),
            "schedule.n_critic": 5,
        },
    ),
    "spectral_norm": Change(
        "Spectral norm, gain 2",
        "spectral_norm",
        "Every layer of D stretches by at most two, and Adam forgets sooner (β₁ = 0.5).",
        {
            "model.discriminator.spectral_norm": True,
            "model.discriminator.spectral_gain": 2.0,
            **_adam(1e-3, 0.5),
        },
    ),
    "packing_4": Change(
        "Packs of four",
        "packing",
        "D judges four samples at once, so four equal ones look suspicious. Four times the batch, a quarter of the rate.",
        {"model.discriminator.packing": 4, "data.batch_size": 256, **_adam(1e-3, 0.9)},
    ),
    "packing_2": Change(
        "Packs of two",
        "packing",
        "D judges two samples at once: it helps, but a generator can still get by with a few modes.",
        {"model.discriminator.packing": 2, "data.batch_size": 128, **_adam(1e-3, 0.9)},
    ),
    "minibatch_stddev": Change(
        "Minibatch standard deviation",
        "minibatch_stddev",
        "D is told how much sixteen samples of a batch differ. A quarter of the learning rate, and Adam forgets sooner "
        "(β₁ = 0.5).",
        {"model.discriminator.minibatch_stddev": 16, **_adam(1e-3, 0.5)},
    ),
    "clipping": Change(
        "WGAN, weights clipped to ±0.05",
        "wgan",
        "A critic whose weights are cut back after every step: crude, and on the ring enough.",
        {
            "objective": "wgan",
            "objective.clip_value": 0.05,
            "optimizers.generator.lr": 5e-4,
            "optimizers.discriminator.lr": 5e-4,
        },
    ),
    "non_saturating": Change(
        "Non-saturating loss",
        "ns_gan",
        "G maximises log D(G(z)) instead: the same fixed point, but a slope exactly where D has won. One word changed.",
        {"objective.loss": "non_saturating"},
    ),
    "two_time_scales": Change(
        "D twice as fast as G",
        "two_time_scales",
        "G moves once a round and D learns at twice its rate, so that D forgets no mode before G can come back to it.",
        {"optimizers.discriminator.lr": 2e-3, "schedule.generator_steps": 1},
    ),
    "unrolled_10": Change(
        "Ten unrolled steps",
        "unrolled",
        "G is judged by the D of ten steps ahead, so running to the mode that D has just forgotten no longer pays.",
        {"tricks.unrolled_steps": 10},
    ),
}


def cure_between(before: RunConfig, after: RunConfig) -> str | None:
    """The cure that one run has and another lacks; of several, the one that states most. None where there is none.

    With another objective much else changes, so only a cure that names the objective counts then.
    """
    same = after.recipe == before.recipe
    new = [
        name
        for name, cure in CURES.items()
        if cure.holds_in(after) and not cure.holds_in(before) and (same or "objective.name" in cure.fields)
    ]
    return max(new, key=lambda name: len(CURES[name].fields), default=None)


BREAKS: dict[str, Change] = {
    "generator_ahead": Change(
        "Five G steps against one of D",
        "wgan_gp",
        "G moves five times before D answers, so all its samples run to the one place that D likes best just then.",
        {"schedule.n_critic": 1, "schedule.generator_steps": 5},
    ),
    "discriminator_slow": Change(
        "D a hundred times slower than G, five G steps",
        "two_time_scales",
        "D hardly learns while G moves five times, so G finds the one picture that this D likes best and draws it for every z.",
        {"optimizers.discriminator.lr": 1e-5, "schedule.generator_steps": 5},
    ),
    "without_r1": Change(
        "R1 taken away",
        "r1_gan",
        "D's slope at the real data costs nothing any more, so D grows cliffs, and G is thrown from mode to mode until few are "
        "left.",
        {"objective.penalties.r1": 0.0},
    ),
}
