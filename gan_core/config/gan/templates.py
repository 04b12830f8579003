"""Comparisons ready to start, each with the difference that it is made to show. No torch.

Settings were chosen on seeds 0 to 2. ``benchmarks/templates.py`` counts over others how often each order holds, and writes
docs/results/templates.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.config.comparison import Comparison
from gan_core.config.duels import games_with_one_decoder
from gan_core.config.gan.cures import CURES
from gan_core.config.gan.objectives import WEIGHT_ON_POINTS
from gan_core.config.schema import RunConfig

Changes = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """What a template shows, seed by seed: each variant of ``more`` reads more of ``measure`` than any of ``less``.

    ``measure`` is one of ``METRICS``; what counts is the mean over the last quarter of a run's measurements.
    """

    measure: str
    more: tuple[str, ...]
    less: tuple[str, ...]

    def holds(self, read: Mapping[str, float]) -> bool:
        """Whether numbers by variant are in this order; what is no number is less than any."""
        ends = {name: value if value == value else float("-inf") for name, value in read.items()}
        return min(ends[name] for name in self.more) > max(ends[name] for name in self.less)


@dataclass(frozen=True)
class Template:
    """A comparison ready to start: ``question`` is what it answers, ``preset`` the base it is made for.

    ``variants`` gives the changes of each variant, by its name, for a base; ``rounds`` None is the base's. ``shows`` says
    what will be seen, and where it is reported, ``orders`` the same as numbers that were counted; of some nothing was.
    """

    title: str
    question: str
    preset: str
    variants: Callable[[RunConfig], dict[str, Changes]]
    shows: str = ""
    orders: tuple[Order, ...] = ()
    rounds: int | None = None

    def comparison(self, base: RunConfig, seeds: Sequence[int] = (0, 1, 2)) -> Comparison:
        """The comparison of this template for a base. Raises ConfigError where it does not fit."""
        variants = [{"name": name, "changes": changes} for name, changes in self.variants(base).items()]
        return Comparison.load({"base": base, "variants": variants, "seeds": list(seeds), "rounds": self.rounds})


def _rates(base: RunConfig, **times: float) -> Changes:
    """Learning rates that many times the base's."""
    rates = {seat.optimizer_key: seat.optimizer.lr for seat in base.seats.values()}
    return {f"{key}.lr": min(10.0, rate * times.get(key.rpartition(".")[2], 1.0)) for key, rate in rates.items()}


def _networks(**settings: Any) -> Changes:
    return {
        f"model.{player}.{key}": value for player in ("generator", "discriminator") for key, value in settings.items()
    }


def _with_the_steps_of(base: RunConfig, changes: Changes) -> Changes:
    """A change of the objective that keeps the optimisers and the steps of the base, which differ between papers."""
    kept: Changes = {seat.optimizer_key: seat.optimizer.model_dump(mode="json") for seat in base.seats.values()}
    return {**changes, **kept, **{seat.steps_key: seat.steps for seat in base.seats.values()}}


_PLAIN: Changes = {"objective": "ns_gan", "objective.penalties": {}, "schedule.n_critic": 1}  # nothing holds D back
_SEVEN: dict[str, Changes] = {
    "MM GAN": {"objective": "mm_gan"},
    "NS GAN": {"objective": "ns_gan"},
    "WGAN": {"objective": "wgan", "objective.clip_value": 0.05},
    "WGAN GP": {"objective": "wgan_gp", "objective.penalties": {"gradient_penalty": WEIGHT_ON_POINTS}},
    "LS GAN": {"objective": "ls_gan"},
    "DRAGAN": {"objective": "dragan", "objective.penalties": {"dragan": WEIGHT_ON_POINTS}},
    "BEGAN": {"objective": "began"},
}

TEMPLATES: dict[str, Template] = {
    "table-1": Template(
        "Seven losses of Table 1",
        "Which of the seven objectives of Lucic et al. (2018) keeps the modes when all learn as fast, with the same Adam?",
        "ring-collapse",
        lambda base: {name: _with_the_steps_of(base, changes) for name, changes in _SEVEN.items()},
        "The two that hold D's slope by a penalty keep most of the eight modes; the others give up all but a few (Gulrajani et "
        "al. 2017; Kodali et al. 2017).",
        (Order("modes_covered", ("WGAN GP", "DRAGAN"), ("MM GAN", "NS GAN", "WGAN", "LS GAN", "BEGAN")),),
        rounds=1500,
    ),
    "n-critic": Template(
        "The effect of n_critic",
        "What do more D steps per G step buy, and what do they cost?",
        "ring-collapse",
        lambda base: {
            f"n_critic {steps}": {**CURES["wgan_gp"].changes, "schedule.n_critic": steps} for steps in (1, 2, 5)
        },
        "A critic that is asked five times per G step leads G to all eight modes; asked once, it is behind, and G has fewer "
        "after as many rounds, in a third of the time (Arjovsky et al. 2017, section 3; Gulrajani et al. 2017).",
        (Order("modes_covered", ("n_critic 2", "n_critic 5"), ("n_critic 1",)),),
        rounds=600,
    ),
    "rates": Template(
        "Learning-rate imbalance",
        "Which player may learn faster before the game tips over?",
        "ring-healthy",
        lambda base: {
            name: {**_PLAIN, **_rates(base, **times)}
            for name, times in {
                "equal": {},
                "D 10 × faster": {"discriminator": 10.0},
                "G 10 × faster": {"generator": 10.0},
            }.items()
        },
        "Equal rates keep all modes. A G that learns ten times as fast moves on before D has answered, and keeps the fewest; a "
        "D that is as much faster costs less (Heusel et al. 2017).",
        (Order("modes_covered", ("equal", "D 10 × faster"), ("G 10 × faster",)),),
        rounds=1500,
    ),
    "upsampling": Template(
        "Transposed convolution against upsampling",
        "Where does the checkerboard come from, and does interpolating first remove it?",
        "digits-dcgan",
        lambda base: {
            "transposed": {"model.generator.upsampling": "transposed"},
            "nearest, then convolve": {"model.generator.upsampling": "nearest"},
            "bilinear, then convolve": {"model.generator.upsampling": "bilinear"},
        },
    ),
    "batch-norm": Template(
        "Batch norm or not",
        "What does batch normalisation do for G, for D, and for both?",
        "digits-dcgan",
        lambda base: {
            "in both": _networks(normalization="batch"),
            "in G only": {"model.generator.normalization": "batch", "model.discriminator.normalization": "none"},
            "none": _networks(normalization="none"),
        },
    ),
    "games": Template(
        "GAN, VAE, autoencoder",
        "Which game is sharper, and which covers more, when all three decode with the same network?",
        "digits-dcgan",
        games_with_one_decoder,
        rounds=1500,
    ),
    "packing": Template(
        "Packing 1 to 4",
        "How many samples must D see at once to notice that G repeats itself (PacGAN)?",
        "ring-collapse",
        lambda base: {
            "one at a time" if size == 1 else f"packs of {size}": {
                "model.discriminator.packing": size,
                "data.batch_size": size * base.data.batch_size,
                **_rates(base, discriminator=0.25, generator=0.25),
            }
            for size in (1, 2, 4)
        },
        rounds=1500,
    ),
}
