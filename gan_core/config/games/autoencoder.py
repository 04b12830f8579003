"""The settings of the autoencoder: an encoder, a decoder, and how far a reconstruction is from its original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import Part
from gan_core.config.games.coders import Coders, DecayingOptimizer
from gan_core.config.schema import RunConfig


class Reconstruction(Part):
    error: Literal["mse", "bce", "l1"] = Field(
        "mse",
        description="Mean squared error, binary cross-entropy (images) or mean absolute error of a number of x; a pixel "
        "counts from 0 to 1",
    )


class AutoencoderConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="Autoencoder",
        paper="Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks",
        year=2006,
        formula=r"\min_{E,\,\mathrm{Dec}}\; \mathbb{E}\,\tfrac{1}{d}\,\lVert x - \mathrm{Dec}(E(x)) \rVert^2",
        idea="The encoder keeps a short code of x, from which the decoder makes x again. With linear layers and the mean "
        "squared error the best code is that of the principal components.",
        watch_for="Grey pixels: where the code leaves a pixel open, the squared error and the cross-entropy are least at the "
        "share of x in which it is white, so edges blur. The absolute error is least at the median: strokes go missing.",
        url="https://doi.org/10.1126/science.1127647",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"E": "model.encoder", "Dec": "model.decoder"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {"AE": ("optimizer", "")}

    game: Literal["autoencoder"] = Field("autoencoder", description="Who plays, and for what")
    model: Coders = Field(default_factory=Coders)
    reconstruction: Reconstruction = Field(default_factory=Reconstruction)
    optimizer: DecayingOptimizer = Field(default_factory=DecayingOptimizer)
