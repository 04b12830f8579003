"""The settings of the latent regressor: a generator that is finished, and the encoder that learns to undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Network, Part
from gan_core.config.games.coders import DecayingOptimizer
from gan_core.config.games.gan import Generator
from gan_core.config.schema import RunConfig


class Regressed(Part):
    """The generator and its noise are set as in a GAN, so that a fork of one takes them over."""

    latent_dim: int = Field(
        64, ge=1, le=4096, title="latent_dim (length of z)", description="Length of the noise vector z"
    )
    latent: Literal["normal", "uniform"] = Field(
        "normal", title="z comes from", description="z ~ N(0, 1) or U(−1, 1) per component"
    )
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    generator: Generator = Field(default_factory=Generator, title="G")
    encoder: Network = Field(default_factory=lambda: Network(activation="relu"))
    learns_from: Literal["noise", "data"] = Field(
        "noise",
        description="E is to say of which z G made what it sees, or to say a z of which G makes what it sees of the data",
    )


class RegressorConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="Latent regressor",
        paper="Donahue, Krähenbühl, Darrell, Adversarial Feature Learning, section 4",
        year=2017,
        formula=r"\min_E\; \mathbb{E}_{z}\,\tfrac{1}{d}\,\lVert z - E(G(z)) \rVert^2",
        idea="An encoder for a generator that is finished: it sees what G makes, and is to say of which z. G stays as the run "
        "left it that this one is forked from. Learning from data, E sees real samples instead, and is to say a z of which G "
        "makes them again: the encoder of f-AnoGAN (Schlegl et al. 2019).",
        watch_for="Codes of real data: E has never seen any, only what G makes. What G cannot make has no right code.",
        url="https://arxiv.org/abs/1605.09782",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"G": "model.generator", "E": "model.encoder"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {"E": ("optimizer", "")}

    game: Literal["regressor"] = Field("regressor", description="Who plays, and for what")
    model: Regressed = Field(default_factory=Regressed)
    optimizer: DecayingOptimizer = Field(default_factory=DecayingOptimizer)
