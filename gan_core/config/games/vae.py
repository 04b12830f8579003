"""The settings of the variational autoencoder: its two networks, its likelihood, and what its code may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from gan_core.about import About
from gan_core.config.fields import MOST_ROUNDS, Part
from gan_core.config.games.coders import Coders, DecayingOptimizer
from gan_core.config.schema import RunConfig


class Elbo(Part):
    likelihood: Literal["gaussian", "bernoulli"] = Field(
        "gaussian",
        description="p(x|z): a Gaussian around what is decoded, or (images) the probability of white of each pixel",
    )
    sigma: float | None = Field(
        None,
        gt=0,
        le=100,
        description="Gaussian: standard deviation of each number of x, a pixel from 0 to 1; empty is the likeliest one for "
        "each batch (σ-VAE)",
    )
    beta: float = Field(1.0, ge=0, le=1000, title="β", description="β, the weight of the KL term; 1 is the ELBO")
    warm_up: int = Field(
        0, ge=0, le=MOST_ROUNDS, description="Rounds in which the weight of the KL term rises linearly to β; 0 is off"
    )
    free_bits: float = Field(
        0.0, ge=0, le=100, description="Nats of KL that each dimension of the code has for nothing; 0 is off"
    )


class VaeConfig(RunConfig):
    ABOUT: ClassVar[About] = About(
        title="Variational autoencoder",
        paper="Kingma and Welling, Auto-Encoding Variational Bayes",
        year=2014,
        formula=r"\log p(x) \ge \mathbb{E}_{q(z|x)} \log p(x|z) - \beta\,\mathrm{KL}\bigl(q(z|x) \,\|\, N(0, I)\bigr),"
        r"\quad q(z|x) = N(\mu(x), \sigma^2(x)),\quad z = \mu + \sigma \varepsilon",
        idea="The encoder gives a Gaussian of codes for each x, the decoder makes x again from a draw of it, and the KL term "
        "holds these Gaussians to the prior, so that a draw of the prior can be decoded too. A β above 1 weighs that more "
        "(β-VAE, Higgins et al. 2017).",
        watch_for="Posterior collapse: a dimension whose KL is near 0 tells the decoder nothing. With β too large that is true "
        "of all of them, and every reconstruction is the mean.",
        url="https://arxiv.org/abs/1312.6114",
    )
    ROLES: ClassVar[Mapping[str, str]] = {"E": "model.encoder", "Dec": "model.decoder"}
    PLAYERS: ClassVar[Mapping[str, tuple[str, str]]] = {"VAE": ("optimizer", "")}

    game: Literal["vae"] = Field("vae", description="Who plays, and for what")
    model: Coders = Field(default_factory=Coders)
    elbo: Elbo = Field(default_factory=Elbo)
    optimizer: DecayingOptimizer = Field(default_factory=DecayingOptimizer)
