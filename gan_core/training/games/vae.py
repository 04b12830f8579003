"""The variational autoencoder as a game of one: the parts of its ELBO, its columns, and how it is built from settings.

Both parts are in nats, summed over the numbers of x and over the dimensions of the code, and averaged over the batch: a mean
over one of them would be another β.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from gan_core.config import Problem, VaeConfig
from gan_core.config.games.vae import Elbo
from gan_core.data import Source
from gan_core.training.assembly import Assembly, assemble
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column
from gan_core.training.evaluation import evaluated
from gan_core.training.games.coding import (
    CodeGame,
    bernoulli,
    coder_inputs,
    coder_knobs,
    coder_networks,
    coder_problems,
    difference,
    moves_of,
    points_are_not_shares,
    unknown_architectures,
)
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.latent import Latent
from gan_core.training.optimization import Optimization
from gan_core.training.player import Outcome

ACTIVE = 0.1
"""Nats above which a dimension of the code counts as used. Var(μ) > 0.01 (Burda et al. 2016) counts noise after few steps."""
MOST_CURVES = 4
"""Dimensions that have a curve each, as many as a chart has colours for; of more, the largest, the median and the smallest."""
LEAST_ERROR = 1e-8  # of a batch that is decoded exactly


def kl_of(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) of each sample and dimension, ½(μ² + σ² − 1 − log σ²), (n, code_dim), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def draw(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """z = μ + σ ε, differentiable in μ and log σ²."""
    noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return mean + (0.5 * log_variance).exp() * noise


def gaussian_nll(error: Tensor, sigma: float | None) -> Tensor:
    """−log N(error; 0, σ²) summed over each sample, (n,), in nats; without σ, that of the likeliest σ of the batch.

    The likeliest σ² is the mean squared error (Rybkin et al. 2021, https://arxiv.org/abs/2006.13202).
    """
    squares = error.square().flatten(1)
    variance = (
        squares.mean().clamp(min=LEAST_ERROR) if sigma is None else torch.as_tensor(sigma**2, device=error.device)
    )
    return 0.5 * (squares / variance + (2 * math.pi * variance).log()).sum(1)


def paid(kl: Tensor, free_bits: float) -> Tensor:
    """Σ_d max(λ, KL_d) of the mean KL of each dimension (d,): below λ nothing is gained by less (Kingma et al. 2016)."""
    return kl.clamp(min=free_bits).sum() if free_bits else kl.sum()


class Vae(CodeGame):
    """Minimises −log p(x|z) + β KL(q(z|x) ‖ p(z)) with one draw of z for each x (Kingma and Welling 2014).

    E gives (n, 2 code_dim): μ, then log σ². The assembly has the stream ``posterior``.
    """

    def __init__(
        self, assembly: Assembly, moves: Optimization, columns: Sequence[Column], elbo: Elbo, *, images: bool
    ) -> None:
        super().__init__(assembly, moves, columns, images=images)
        self.elbo = elbo
        self.beta = elbo.beta

    def begin_round(self, round: int) -> None:
        super().begin_round(round)
        self.beta = self.elbo.beta * (min(1.0, round / self.elbo.warm_up) if self.elbo.warm_up else 1.0)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """What is decoded of z (n, code_dim), the mean of p(x|z); leaves Dec as it was."""
        return self._shown(z)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x), (n, code_dim) each; leaves E as it was."""
        with evaluated(self.E):
            mean, log_variance = self._encoded(x).chunk(2, 1)
            return mean, log_variance

    def reconstruction(self, output: Tensor, x: Tensor) -> Tensor:
        """−log p(x|z) of each sample, (n,), in nats."""
        if self.elbo.likelihood == "bernoulli":
            return bernoulli(output, x).flatten(1).sum(1)
        return gaussian_nll(difference(output, x, self.images), self.elbo.sigma)

    def _turns(self) -> dict[str, Callable[[float], None]]:
        return super()._turns() | {"elbo.beta": self._set_beta}

    def _set_beta(self, value: float) -> None:
        self.elbo = self.elbo.model_copy(update={"beta": float(value)})

    def _code(self, encoded: Tensor) -> Tensor:
        return encoded.chunk(2, 1)[0]

    def _objective(self) -> Outcome:
        x = self.data.next().x
        mean, log_variance = self._encoded(x).chunk(2, 1)
        output = self.Dec(draw(mean, log_variance, self.streams["posterior"]))
        rec, kl = self.reconstruction(output, x).mean(), kl_of(mean, log_variance).mean(0)
        terms = {"rec": rec, "weighted_kl": self.beta * paid(kl, self.elbo.free_bits)}
        return Outcome(terms, self._told(rec.detach(), kl.detach()))

    def _told(self, rec: Tensor, kl: Tensor) -> dict[str, Tensor]:
        whole = kl.sum()
        readings = {"negative_elbo": rec + whole, "kl": whole, "active": (kl > ACTIVE).sum().float()}
        if len(kl) <= MOST_CURVES:
            each = {f"kl_{index}": value for index, value in enumerate(kl.unbind(), start=1)}
        else:
            each = {"kl_largest": kl.max(), "kl_median": kl.median(), "kl_smallest": kl.min()}
        return readings | each | {"beta": torch.as_tensor(self.beta, device=kl.device)}


def _networks(config: VaeConfig, source: Source) -> dict[str, nn.Module]:
    return coder_networks(config.model, source, 2 * config.model.code_dim)


def _build(config: VaeConfig, source: Source) -> Vae:
    made = assemble(config, source, _networks(config, source), ("posterior",), config.model.initialization)
    moves = moves_of(config, config.optimizer, made)
    return Vae(made, moves, _columns(config), config.elbo, images=len(source.shape) == 3)


def _columns(config: VaeConfig) -> tuple[Column, ...]:
    return tuple(_each(config))


def _each(config: VaeConfig) -> Iterator[Column]:
    yield Column("VAE", "loss", "loss", "total", "losses")
    yield Column("VAE", "rec", "reconstruction, −log p(x|z)", "term", "losses")
    yield Column("VAE", "weighted_kl", "β · KL", "term", "losses")
    yield Column("VAE", "negative_elbo", "−ELBO", "reading", "losses", told=True)
    yield Column("VAE", "kl", "KL", "reading", "kl", told=True)
    yield Column("VAE", "active", f"dimensions with a KL above {ACTIVE} nats", "reading", "active", told=True)
    if config.model.code_dim <= MOST_CURVES:
        for index in range(1, config.model.code_dim + 1):
            yield Column("VAE", f"kl_{index}", f"KL of z{_below(index)}", "reading", "dimensions")
    else:
        for name in ("largest", "median", "smallest"):
            yield Column("VAE", f"kl_{name}", f"{name} KL of a dimension", "reading", "dimensions")
    yield Column("VAE", "beta", "weight of the KL term", "reading", "beta")
    yield Column("VAE", "grad_norm", "gradient norm", "total", "gradients")


def _below(index: int) -> str:
    return str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _reading(config: VaeConfig) -> Reading:
    free = config.elbo.free_bits
    loss = "The loss is the reconstruction plus the weighted KL term, in nats of a whole sample"
    also = f"; each dimension pays for {free:g} nats at least" if free else ""
    density = "" if config.elbo.likelihood == "bernoulli" else " Of a density it may be below 0."
    return Reading(f"{loss}{also}. With a weight of 1 it is −ELBO, which is above −log p(x).{density}")


def _problems(config: VaeConfig, source: Source) -> Iterator[Problem]:
    yield from coder_problems(config, source)
    if config.elbo.likelihood == "bernoulli":
        yield from points_are_not_shares("elbo.likelihood", source)
        if config.elbo.sigma is not None:
            said = "a Bernoulli likelihood has no standard deviation: this changes nothing"
            yield Problem("elbo.sigma", said, fatal=False)


VAE = Declaration(
    networks=_networks,
    inputs=coder_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("dimensions", "KL of each dimension", "nats"),
        Chart("kl", "KL to the prior", "nats"),
        Chart("active", "Dimensions in use", "dimensions"),
        Chart("beta", "Weight of the KL term", "β"),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=lambda config: coder_knobs(config, config.optimizer) | {"elbo.beta": config.elbo.beta},
    abilities=("sample", "encode", "reconstruct"),
    latent=lambda config: Latent(config.model.code_dim),
    unknown=unknown_architectures,
    problems=_problems,
    verdict="code",
    does={"VAE": "coder"},
)
