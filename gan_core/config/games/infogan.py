"""The settings of InfoGAN: the networks of a GAN, one that reads the code off a sample, and what the code is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Network, Part
from gan_core.config.games.gan import Generator, Optimizers, Turns
from gan_core.config.schema import RunConfig


class Code(Part):
    categories: int = Field(10, ge=0, le=100, description="K of the categorical code, one-hot in z; 0 is none")
    category_scale: float = Field(
        1.0, gt=0, le=100, description="What stands for 1 in the one-hot: beside much noise G hardly hears a 1"
    )
    continuous: int = Field(2, ge=0, le=64, description="Continuous codes, U(−1, 1) each")


class Model(Part):
    latent_dim: int = Field(
        62, ge=1, le=4096, title="latent_dim (length of z)", description="Length of the noise in z, before the code"
    )
    latent: Literal["normal", "uniform"] = Field(
        "normal", title="z comes from", description="The noise in z: N(0, 1) or U(−1, 1) per component"
    )
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    generator: Generator = Field(default_factory=Generator, title="G")
    discriminator: Network = Field(default_factory=Network, title="D", description="D; Q reads what its head sees")
    recognition: Network = Field(
        default_factory=lambda: Network(widths=(128,)), description="Q, an MLP on the features of D"
    )


class Terms(Part):
    lambda_info: float = Field(
        1.0,
        ge=0,
        le=1000,
        title="λ of the information",
        description="λ, the weight of −L_I in the losses of D and of G; 0 is a GAN whose code means nothing",
    )
    lambda_continuous: float = Field(
        0.1,
        ge=0,
        le=1000,
        title="weight of the continuous codes",
        description="Weight of the continuous codes in the information term, beside the categorical",
    )
    r1: float = Field(
        0.0, ge=0, le=1e6, title="γ of R1", description="γ of R1, ½ γ E ‖∇D(x)‖², in the loss of D; 0 is off"
    )


class InfoganConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="InfoGAN",
        paper="Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative "
        "Adversarial Nets",
        year=2016,
        formula=r"\min_{G,\,Q} \max_D\; V(D, G) - \lambda L_I(G, Q),\quad"
        r" L_I = H(c) + \mathbb{E}\log Q(c \mid G(z, c)) \le I(c;\, G(z, c))",
        idea="A part of z is a code c, and a network Q on the features of D reads it off the samples: both players gain by "
        "samples that tell their code. The bound L_I of the categorical code cannot exceed log K.",
        watch_for="L_I at log K says only that Q can read the code, not that the code is a class of the data: G may write it "
        "anywhere. Look at the agreement with the classes of samples and of real data beside it.",
        url="https://arxiv.org/abs/1606.03657",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"G": "model.generator", "D": "model.discriminator", "Q": "model.recognition"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "D": ("optimizers.discriminator", "schedule.n_critic"),
        "G": ("optimizers.generator", "schedule.generator_steps"),
    }

    game: Literal["infogan"] = Field("infogan", description="Who plays, and for what")
    code: Code = Field(default_factory=Code)
    model: Model = Field(default_factory=Model)
    terms: Terms = Field(default_factory=Terms)
    optimizers: Optimizers = Field(default_factory=Optimizers)
    schedule: Turns = Field(default_factory=Turns)
