"""The settings of the adversarial autoencoder: its three networks, its prior, and who moves how fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Network, Optimizer, Part
from gan_core.config.games.autoencoder import Reconstruction
from gan_core.config.games.coders import Coders, DecayingOptimizer
from gan_core.config.schema import RunConfig


class AdversarialCoders(Coders):
    """An encoder, a decoder, and a discriminator of codes, which is an MLP."""

    discriminator: Network = Field(default_factory=lambda: Network(activation="relu"), title="D")


class CodePrior(Part):
    kind: Literal["normal", "petals"] = Field(
        "normal", description="N(0, I), or Gaussians on a circle in the plane, one for each class (a code of 2 numbers)"
    )
    petals: int = Field(
        10, ge=2, le=100, description="How many Gaussians there are; told the class, as many as classes"
    )
    radius: float = Field(4.0, gt=0, le=100, description="How far their means are from the centre")
    along: float = Field(1.0, gt=0, le=100, description="Their standard deviation towards the centre")
    across: float = Field(0.25, gt=0, le=100, description="Their standard deviation at right angles to that")
    labels: bool = Field(
        False, description="Tell D the class of each code, so that each class has a Gaussian of its own"
    )


class Adversary(Part):
    on: bool = Field(
        True,
        title="D and E against D move",
        description="Whether D and E against D move; off, the autoencoder goes on alone",
    )


class AdversaryOptimizer(Optimizer):
    lr: float = Field(1e-3, gt=0, le=10, title="learning rate", description="Learning rate")


class AaeOptimizers(Part):
    autoencoder: DecayingOptimizer = Field(default_factory=DecayingOptimizer, title="the autoencoder")
    discriminator: AdversaryOptimizer = Field(default_factory=AdversaryOptimizer, title="D")
    encoder: AdversaryOptimizer = Field(default_factory=AdversaryOptimizer, title="E against D")


class AaeConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="Adversarial autoencoder",
        paper="Makhzani et al., Adversarial Autoencoders",
        year=2015,
        formula=r"\min_{E,\,\mathrm{Dec}} \mathbb{E}\,\mathrm{err}(x, \mathrm{Dec}(E(x))),\quad"
        r"\min_{E} \max_D\; \mathbb{E}_{p(z)}\log D(z) + \mathbb{E}\log(1 - D(E(x)))",
        idea="An autoencoder whose codes a discriminator compares with draws of a prior: E learns to make codes that D takes "
        "for draws, so that draws can be decoded. The prior may be anything that can be drawn from. The rate of E "
        "against D beside that of the autoencoder is what β is to a VAE.",
        watch_for="D's loss at 2 log 2: it can no longer tell codes from the prior. With the adversary off the codes spread as "
        "they like, and a draw of the prior decodes to nothing.",
        url="https://arxiv.org/abs/1511.05644",
    )
    ROLES: ClassVar[Mapping[str, str]] = {
        "E": "model.encoder",
        "Dec": "model.decoder",
        "D": "model.discriminator",
    }
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "AE": ("optimizers.autoencoder", ""),
        "D": ("optimizers.discriminator", ""),
        "E": ("optimizers.encoder", ""),
    }

    game: Literal["aae"] = Field("aae", description="Who plays, and for what")
    model: AdversarialCoders = Field(default_factory=lambda: AdversarialCoders(code_dim=2))
    reconstruction: Reconstruction = Field(default_factory=Reconstruction)
    prior: CodePrior = Field(default_factory=CodePrior)
    adversary: Adversary = Field(default_factory=Adversary)
    optimizers: AaeOptimizers = Field(default_factory=AaeOptimizers)
