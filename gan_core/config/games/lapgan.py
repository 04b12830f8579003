"""The settings of a LAPGAN: a GAN of small pictures, and one of details at each of two levels above it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Data, EmaDecay, Network, Optimizer, Part, Schedule, Width
from gan_core.config.schema import RunConfig

LEVELS = ("coarse", "middle", "fine")
"""A quarter of the size, half of it, all of it."""


class Bottom(Network):
    architecture: Literal["mlp"] = Field("mlp", description="The family of network")
    widths: tuple[Width, ...] = Field((128, 128), min_length=1, max_length=8, description="Units of each hidden layer")
    normalization: Literal["none", "batch", "layer"] = Field("none", description="What keeps the activations in range")


class BottomDiscriminator(Bottom):
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of units dropped in training")


class Details(Network):
    architecture: Literal["unet"] = Field("unet", description="The family of network")
    widths: tuple[Width, ...] = Field(
        (16, 32), min_length=1, max_length=8, description="Channels of each level of the U-Net"
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "batch", description="What keeps the activations in range"
    )


class DetailsDiscriminator(Network):
    architecture: Literal["patchgan"] = Field("patchgan", description="The family of network")
    widths: tuple[Width, ...] = Field(
        (16, 32), min_length=1, max_length=8, description="Channels of each layer; all but the last halve the map"
    )
    normalization: Literal["none", "batch", "layer", "instance"] = Field(
        "none", description="What keeps the activations in range"
    )
    dropout: float = Field(0.25, ge=0, lt=1, description="Share of units dropped in training")


class Pyramid(Part):
    """The networks of the smallest pictures, and those of details, which both levels have alike."""

    latent_dim: int = Field(
        32,
        ge=1,
        le=4096,
        title="latent_dim (length of z)",
        description="Length of the noise vector of the smallest pictures",
    )
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    condition: Literal["none", "concatenation"] = Field(
        "none",
        title="condition (on the class y)",
        description="Whether the smallest pictures are asked for by their class; the data must have labels",
    )
    generator: Bottom = Field(default_factory=Bottom, title="G")
    discriminator: BottomDiscriminator = Field(default_factory=BottomDiscriminator, title="D")
    detail_generator: Details = Field(default_factory=Details)
    detail_discriminator: DetailsDiscriminator = Field(default_factory=DetailsDiscriminator)


class Levels(Part):
    """Which levels move: one that never did leaves its pictures smooth, or noise."""

    coarse: bool = Field(
        True, title="D0 and G0 move", description="The players of the smallest pictures move (1) or stand still (0)"
    )
    middle: bool = Field(
        True,
        title="D1 and G1 move",
        description="The players of the details at half the size move (1) or stand still (0)",
    )
    fine: bool = Field(
        True, title="D2 and G2 move", description="The players of the details at full size move (1) or stand still (0)"
    )


class LapganTricks(Part):
    ema_decay: EmaDecay = 0.0


class LapganOptimizers(Part):
    generator: Optimizer = Field(default_factory=lambda: Optimizer(lr=1e-3), title="G")
    discriminator: Optimizer = Field(default_factory=lambda: Optimizer(lr=1e-3), title="D")


class LapganSchedule(Schedule):
    coarse_steps: int = Field(
        4,
        ge=1,
        le=1000,
        title="steps per round of D0 and G0",
        description="Steps per round of the players of the smallest pictures",
    )
    middle_steps: int = Field(
        2,
        ge=1,
        le=1000,
        title="steps per round of D1 and G1",
        description="Steps per round of the players of details at half the size",
    )


class LapganConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="LAPGAN",
        paper="Denton et al., Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks",
        year=2015,
        formula=r"\begin{aligned}h_k &= I_k - u(d(I_k))\\ \tilde I_k &= u(\tilde I_{k+1}) + G_k(z_k, u(\tilde I_{k+1}))"
        r"\end{aligned}",
        idea="A GAN makes pictures of a quarter of the size; at each level above it another one adds the details that an "
        "enlargement lacks. Each level trains by itself, on real pictures made coarse.",
        watch_for="A level is never shown what the one below it makes, so mistakes add up on the way. Look at the staircase: "
        "details on real coarse pictures are sharp long before whole samples are digits.",
        url="https://arxiv.org/abs/1506.05751",
    )
    ROLES: ClassVar[Mapping[str, str]] = {
        "G0": "model.generator",
        "D0": "model.discriminator",
        "G1": "model.detail_generator",
        "D1": "model.detail_discriminator",
        "G2": "model.detail_generator",
        "D2": "model.detail_discriminator",
    }
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "D0": ("optimizers.discriminator", "schedule.coarse_steps"),
        "G0": ("optimizers.generator", "schedule.coarse_steps"),
        "D1": ("optimizers.discriminator", "schedule.middle_steps"),
        "G1": ("optimizers.generator", "schedule.middle_steps"),
        "D2": ("optimizers.discriminator", ""),
        "G2": ("optimizers.generator", ""),
    }

    game: Literal["lapgan"] = Field("lapgan", description="Who plays, and for what")
    data: Data = Field(default_factory=lambda: Data(name="mnist5k", batch_size=32))
    model: Pyramid = Field(default_factory=Pyramid)
    levels: Levels = Field(default_factory=Levels)
    tricks: LapganTricks = Field(default_factory=LapganTricks)
    optimizers: LapganOptimizers = Field(default_factory=LapganOptimizers)
    schedule: LapganSchedule = Field(default_factory=LapganSchedule)
