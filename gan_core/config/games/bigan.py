"""The settings of the games on pairs: BiGAN, whose encoder is a function, and ALI, whose encoder draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Network, Optimizer, Part
from gan_core.config.games.coders import Decoder
from gan_core.config.schema import RunConfig


class PairDiscriminator(Network):
    joint: int = Field(
        128,
        ge=1,
        le=8192,
        title="units that see x and z",
        description="Convolutional D: units of the layer that sees what is known of x, and z",
    )


class Pairs(Part):
    """A generator, an encoder the other way, and a discriminator of pairs (x, z)."""

    code_dim: int = Field(
        16, ge=1, le=4096, title="length of the code", description="Length of the code z, which is also the noise of G"
    )
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    generator: Decoder = Field(default_factory=lambda: Decoder(activation="relu", normalization="batch"), title="G")
    encoder: Network = Field(default_factory=lambda: Network(normalization="batch"))
    discriminator: PairDiscriminator = Field(default_factory=PairDiscriminator, title="D")


class Matching(Part):
    pairs: Literal["right", "swapped"] = Field(
        "right",
        description="D sees x with its own code E(x), or, a mistake, with the code of another sample of the batch",
    )
    cycle: float = Field(
        0.0,
        ge=0,
        le=1000,
        title="λ of the cycle",
        description="λ, the weight of the mean squared error of G(E(x)) in the loss of G and E; 0 is off",
    )
    gamma: float = Field(
        0.1,
        ge=0,
        le=1000,
        title="γ of R1",
        description="γ, the weight of ½ ‖∇D‖² at the pairs (x, E(x)), by x and by z (R1); 0 is off",
    )


class PairOptimizers(Part):
    generator_encoder: Optimizer = Field(default_factory=Optimizer, title="G and E")
    discriminator: Optimizer = Field(default_factory=Optimizer, title="D")


class PairConfig(RunConfig):
    """What a game on pairs is set by."""

    ROLES: ClassVar[Mapping[str, str]] = {
        "G": "model.generator",
        "E": "model.encoder",
        "D": "model.discriminator",
    }
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "D": ("optimizers.discriminator", ""),
        "GE": ("optimizers.generator_encoder", ""),
    }

    model: Pairs = Field(default_factory=Pairs)
    matching: Matching = Field(default_factory=Matching)
    optimizers: PairOptimizers = Field(default_factory=PairOptimizers)


class BiganConfig(PairConfig):
    ABOUT: ClassVar[About] = About(
        title="Bidirectional GAN",
        paper="Donahue, Krähenbühl, Darrell, Adversarial Feature Learning",
        year=2017,
        formula=r"\min_{G,\,E} \max_D\; \mathbb{E}\log D(x, E(x)) + \mathbb{E}\log(1 - D(G(z), z))",
        idea="D sees a sample and its code together: (x, E(x)) of the data or (G(z), z) of the noise. Where it cannot tell "
        "them apart, the joint distributions agree, and E is the inverse of G. A cycle term λ‖x − G(E(x))‖² asks for "
        "the inverse itself (ALICE, Li et al. 2017).",
        watch_for="Samples may be good while reconstructions are of something else: the pairs are matched last, and V hardly "
        "shows it. With the pairs swapped nothing else is wrong.",
        url="https://arxiv.org/abs/1605.09782",
    )

    game: Literal["bigan"] = Field("bigan", description="Who plays, and for what")


class AliConfig(PairConfig):
    ABOUT: ClassVar[About] = About(
        title="Adversarially learned inference",
        paper="Dumoulin et al., Adversarially Learned Inference",
        year=2017,
        formula=r"\min_{G,\,q} \max_D\; \mathbb{E}_{q(z|x)}\log D(x, z) + \mathbb{E}\log(1 - D(G(z), z)),\quad"
        r" z = \mu(x) + \sigma(x)\,\varepsilon",
        idea="A BiGAN whose encoder gives a Gaussian of codes for each x, as that of a VAE does. No KL term holds it: D alone "
        "compares the pairs. With σ = 0 this is BiGAN.",
        watch_for="σ near 1 in every dimension: then the code tells nothing of x. The code that is shown is μ.",
        url="https://arxiv.org/abs/1606.00704",
    )

    game: Literal["ali"] = Field("ali", description="Who plays, and for what")
