"""The settings of generative latent optimisation: a decoder with a code for each training picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Part
from gan_core.config.games.autoencoder import Reconstruction
from gan_core.config.games.coders import DecayingOptimizer, Decoder
from gan_core.config.schema import RunConfig


class Coded(Part):
    """A decoder, and the length of the code that each training picture has."""

    code_dim: int = Field(8, ge=2, le=4096, title="length of the code", description="Length of the code z, on a sphere")
    initialization: Literal["torch", "dcgan", "orthogonal"] = Field("torch", description="How the weights begin")
    decoder: Decoder = Field(default_factory=lambda: Decoder(activation="relu"))


class Sampling(Part):
    reach: float = Field(
        0.0,
        ge=0,
        le=1,
        description="How far a sample goes from the nearest code of a training picture to its own z: 0 copies, 1 is z itself",
    )


class GloConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="A code for each picture (GLO)",
        paper="Bojanowski et al., Optimizing the Latent Space of Generative Networks",
        year=2018,
        formula=r"\min_{\mathrm{Dec},\,z_1 \dots z_n}\; \tfrac1n \sum_i \lVert x_i - \mathrm{Dec}(z_i) \rVert^2,\quad "
        r"\lVert z_i \rVert^2 = d",
        idea="No encoder and no D: each training picture has a code of its own, which is learnt like a weight. Samples are "
        "decoded at the code nearest to z, so this decoder copies on purpose; with a reach it draws what lies between codes.",
        watch_for="Sharp samples at once: they are training pictures. With the reach at 1, blends of two pictures.",
        url="https://arxiv.org/abs/1707.05776",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"Dec": "model.decoder"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {"GLO": ("optimizer", "")}

    game: Literal["glo"] = Field("glo", description="Who plays, and for what")
    model: Coded = Field(default_factory=Coded)
    reconstruction: Reconstruction = Field(default_factory=Reconstruction)
    sampling: Sampling = Field(default_factory=Sampling)
    optimizer: DecayingOptimizer = Field(default_factory=DecayingOptimizer)
