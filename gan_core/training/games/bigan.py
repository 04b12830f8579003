"""BiGAN and ALI as one game of two on pairs: D, and G with E; its columns, and how it is built from settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

from gan_core.config import Problem
from gan_core.config.fields import Network
from gan_core.config.games.bigan import Matching, PairConfig
from gan_core.data import BatchStream, Source
from gan_core.models import ARCHITECTURES, encoder_from, joined_discriminator, mlp_pair_discriminator
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.coding import unknown_architectures
from gan_core.training.games.declaration import Declaration, Reading, Values
from gan_core.training.games.vae import draw
from gan_core.training.latent import Latent, Prior
from gan_core.training.optimization import Optimization, optimizations_of, rates_of
from gan_core.training.player import Outcome, Player

LOG_VARIANCE = (-8.0, 2.0)
"""Bounds of log σ² of a code: a σ from 0.02, next to nothing beside a prior of 1, to 2.7."""


def pair_slopes(D: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    """‖∇D(x, z)‖² by x and by z together, for each pair, (n,), differentiable in the weights of D."""
    x, z = x.detach().requires_grad_(True), z.detach().requires_grad_(True)
    gradients = torch.autograd.grad(D(x, z).sum(), (x, z), create_graph=True)
    return torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0)


def discriminate(of_data: Tensor, of_noise: Tensor) -> Tensor:
    """−V of logits of D for pairs (x, E(x)) and (G(z), z): what D minimises; 2 log 2 where D cannot tell."""
    return softplus(-of_data).mean() + softplus(of_noise).mean()


class PairGame:
    """The players D and GE of a BiGAN (Donahue et al. 2017); ``stochastic`` makes it ALI (Dumoulin et al. 2017).

    ``assembly`` has the networks G, E and D, and the streams ``z`` and, of ALI, ``posterior``; E gives (n, code_dim), of ALI
    (n, 2 code_dim): μ, then log σ². ``moves`` is the optimization of each player.
    """

    def __init__(
        self,
        assembly: Assembly,
        moves: Mapping[str, Optimization],
        columns: Sequence[Column],
        matching: Matching,
        latent: Prior,
        *,
        stochastic: bool = False,
    ) -> None:
        self.networks: dict[str, nn.Module] = dict(assembly.networks)
        self.G, self.E, self.D = (self.networks[role] for role in ("G", "E", "D"))
        self.data: BatchStream = assembly.data
        self.streams = assembly.streams
        self.moves, self.matching, self.latent, self.stochastic = moves, matching, latent, stochastic
        self.memory: Memory = {}
        self.knobs: dict[str, float] = {}
        turns = {"D": ((self.D,), self._discriminate), "GE": ((self.G, self.E), self._generate)}
        self.players = tuple(
            Player(
                name,
                networks,
                objective,
                moves[name].optimizer,
                terms=names_of(columns, name, "term"),
                readings=names_of(columns, name, "reading"),
                clip_gradient=moves[name].clip_gradient,
            )
            for name, (networks, objective) in turns.items()
        )

    def begin_round(self, round: int) -> None:
        for optimization in self.moves.values():
            optimization.begin_round(round)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z), (n, *shape), for z (n, code_dim); leaves G as it was."""
        with evaluated(self.G):
            x_fake: Tensor = self.G(z)
            return x_fake

    def encode(self, x: Tensor) -> Tensor:
        """E(x), (n, code_dim), of ALI its mean; leaves E as it was."""
        with evaluated(self.E):
            return self._posterior(x)[0]

    def reconstruct(self, x: Tensor) -> Tensor:
        """G(E(x)), (n, *shape); leaves both as they were."""
        return self.sample(self.encode(x))

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        match knob:
            case "optimizers.discriminator.lr":
                self.moves["D"].set_rate(value)
            case "optimizers.generator_encoder.lr":
                self.moves["GE"].set_rate(value)
            case "data.batch_size":
                self.data.batch_size = int(value)
            case "matching.cycle":
                self.matching = self.matching.model_copy(update={"cycle": float(value)})
            case _:
                raise ValueError(f"{knob} cannot change while the run trains")
        self.knobs[knob] = value

    def _posterior(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The mean and log σ² of q(z|x), (n, code_dim) each; without the second where E is a function."""
        encoded: Tensor = self.E(x)
        if not self.stochastic:
            return encoded, None
        mean, log_variance = encoded.chunk(2, 1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def _code(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """A code of each x, drawn where E is not a function, and log σ²."""
        mean, log_variance = self._posterior(x)
        if log_variance is None:
            return mean, None
        return draw(mean, log_variance, self.streams["posterior"]), log_variance

    def _beside(self, code: Tensor) -> Tensor:
        """The code that D sees with each x: its own, or that of the sample before it."""
        return code if self.matching.pairs == "right" else code.roll(1, 0)

    def _discriminate(self) -> Outcome:
        x = self.data.next().x
        with torch.no_grad():
            z = self.latent(len(x), self.streams["z"])
            code, x_fake = self._beside(self._code(x)[0]), self.G(z)
        of_data, of_noise = self.D(x, code), self.D(x_fake, z)
        terms = {"adv": discriminate(of_data, of_noise)}
        if self.matching.gamma:
            terms["r1"] = self.matching.gamma / 2 * pair_slopes(self.D, x, code).mean()
        readings = {
            "value": -terms["adv"].detach(),
            "accuracy_real": (of_data > 0).float().mean(),
            "accuracy_fake": (of_noise <= 0).float().mean(),
        }
        return Outcome(terms, readings)

    def _generate(self) -> Outcome:
        x = self.data.next().x
        code, log_variance = self._code(x)
        z = self.latent(len(x), self.streams["z"])
        weight = self.matching.cycle
        # Without the term what G makes of the codes is only looked at, and must leave no trace in a normalisation.
        again = self.G(code) if weight else self.reconstruct(x)
        cycle = mse_loss(again, x)
        terms = {
            "encoder": softplus(self.D(x, self._beside(code))).mean(),
            "generator": softplus(-self.D(self.G(z), z)).mean(),
            "weighted_cycle": weight * cycle,
        }
        readings = {"cycle": cycle.detach()}
        if log_variance is not None:
            readings["sigma"] = (0.5 * log_variance.detach()).exp().mean()
        return Outcome(terms, readings)


# --- from settings ---


def _stochastic(config: PairConfig) -> bool:
    return config.game == "ali"


def _networks(config: PairConfig, source: Source) -> dict[str, nn.Module]:
    model = config.model
    of = {role: ARCHITECTURES[network.architecture] for role, network in config.networks.items()}
    outputs = (2 if _stochastic(config) else 1) * model.code_dim
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": of["G"].generator(model.code_dim, source.shape, layers_of(model.generator)),
            "E": encoder_from(of["E"].discriminator(source.shape, layers_of(model.encoder)), outputs),
            "D": _discriminator(config, source),
        }
        normalize(networks, config.networks)
    return networks


def _discriminator(config: PairConfig, source: Source) -> nn.Module:
    settings, code_dim = config.model.discriminator, config.model.code_dim
    layers = layers_of(settings)
    if settings.architecture == "mlp":
        return mlp_pair_discriminator(source.shape, code_dim, layers)
    discriminator = ARCHITECTURES[settings.architecture].discriminator(source.shape, layers)
    return joined_discriminator(discriminator, code_dim, settings.joint, layers)


def _inputs(config: PairConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    x = torch.empty(2, *source.shape, device="meta")
    z = torch.empty(2, config.model.code_dim, device="meta")
    return {"G": (z, None), "E": (x, None), "D": (x, z)}


def _latent(config: PairConfig) -> Latent:
    return Latent(config.model.code_dim)


def _build(config: PairConfig, source: Source) -> PairGame:
    purposes = ("z", "posterior") if _stochastic(config) else ("z",)
    made = assemble(config, source, _networks(config, source), purposes, config.model.initialization)
    moved = {"D": made.networks["D"], "GE": nn.ModuleDict({role: made.networks[role] for role in ("G", "E")})}
    moves = optimizations_of(config, moved)
    columns, latent = _columns(config), _latent(config)
    return PairGame(made, moves, columns, config.matching, latent, stochastic=_stochastic(config))


def _columns(config: PairConfig) -> tuple[Column, ...]:
    return (*_of_d(config), *_of_ge(config))


def _of_d(config: PairConfig) -> Iterator[Column]:
    balance = ((2 * math.log(2), "2 log 2 = 1.386"),)
    yield Column("D", "loss", "D loss", "total", "losses", balance)
    yield Column("D", "adv", "D adversarial term", "term")
    if config.matching.gamma:
        yield Column("D", "r1", "D R1 term", "term", "losses")
    value = ((-2 * math.log(2), "−log 4 = −1.386"),)
    yield Column("D", "value", "V", "reading", "value", value, told=True)
    yield Column("D", "accuracy_real", "right on (x, E(x))", "reading", "accuracy", told=True, of="real")
    yield Column("D", "accuracy_fake", "right on (G(z), z)", "reading", "accuracy", told=True, of="generated")
    yield Column("D", "grad_norm", "D gradient norm", "total", "gradients")


def _of_ge(config: PairConfig) -> Iterator[Column]:
    yield Column("GE", "loss", "G and E loss", "total", "losses")
    yield Column("GE", "encoder", "E's half, on (x, E(x))", "term", "halves")
    yield Column("GE", "generator", "G's half, on (G(z), z)", "term", "halves")
    yield Column("GE", "weighted_cycle", "λ · cycle", "term", "losses")
    yield Column("GE", "cycle", "mean squared error of G(E(x))", "reading", "cycle", told=True)
    if _stochastic(config):
        yield Column("GE", "sigma", "mean σ of a code", "reading", "sigma", ((1.0, "of the prior"),), told=True)
    yield Column("GE", "grad_norm", "G and E gradient norm", "total", "gradients")


def _reading(config: PairConfig) -> Reading:
    return Reading(
        "V is what D reaches at telling (x, E(x)) from (G(z), z): −log 4 where the pairs agree, 0 where it always can. The "
        "cycle is how far G(E(x)) is from x; D need not see that to be fooled."
    )


def _knobs(config: PairConfig) -> dict[str, float]:
    return {
        **rates_of(config),
        "data.batch_size": config.data.batch_size,
        "matching.cycle": config.matching.cycle,
    }


def _problems(config: PairConfig, source: Source) -> Iterator[Problem]:
    for field, network in _fields(config):
        reason = ARCHITECTURES[network.architecture].fits(source.shape, layers_of(network))
        if reason:
            yield Problem(field, reason)
    if config.model.discriminator.normalization == "batch":
        said = "D sees pairs of data in one batch and pairs of noise in another: batch normalisation tells them apart for it"
        yield Problem("model.discriminator.normalization", said, fatal=False)
    if config.matching.pairs == "swapped":
        said = "D sees x with the code of another sample: it can always tell the pairs apart, and E learns nothing of x"
        yield Problem("matching.pairs", said, fatal=False)


def _fields(config: PairConfig) -> list[tuple[str, Network]]:
    return [(config.ROLES[role], network) for role, network in config.networks.items()]


def _kept(config: PairConfig, values: Values) -> int:
    # G sees noise and codes, D pairs of both kinds; R1 keeps its own again.
    return 2 * (2 * values["G"] + values["E"] + 3 * values["D"])


def _declared(charts: tuple[Chart, ...]) -> Declaration[PairConfig]:
    return Declaration(
        networks=_networks,
        inputs=_inputs,
        build=_build,
        columns=_columns,
        charts=charts,
        reading=_reading,
        knobs=_knobs,
        abilities=("sample", "encode", "reconstruct"),
        verdict="code",
        does={"D": "judge", "GE": "maker"},
        latent=_latent,
        unknown=unknown_architectures,
        problems=_problems,
        kept=_kept,
    )


_CHARTS = (
    LOSSES,
    Chart("cycle", "From x to its code and back", "squared error"),
    Chart("value", "What D reaches", "V"),
    Chart("accuracy", "D's accuracy", "share"),
    Chart("halves", "The halves of G and E", "loss"),
)
BIGAN = _declared((*_CHARTS, GRADIENTS))
ALI = _declared((*_CHARTS, Chart("sigma", "Width of the codes", "σ"), GRADIENTS))
