"""The adversarial autoencoder as a game of three: AE reconstructs, D tells codes from the prior, E fools D."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gan_core.config import AaeConfig, Problem
from gan_core.data import Batch, Source, label_count
from gan_core.models import Condition
from gan_core.models.mlp import mlp_discriminator, mlp_fits
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column, names_of
from gan_core.training.games.autoencoder import ERRORS
from gan_core.training.games.coding import (
    CodeGame,
    coder_inputs,
    coder_networks,
    coder_problems,
    points_are_not_shares,
    unknown_architectures,
)
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.latent import Latent, Prior
from gan_core.training.optimization import Optimization, optimizations_of, rates_of
from gan_core.training.petals import Petals
from gan_core.training.player import Outcome, Player


class Aae(CodeGame):
    """Three turns a round, each with a batch of its own (Makhzani et al. 2015); E belongs to two players, with the moments
    of both.

    ``assembly`` has the networks E, Dec and D, and the stream ``prior``; ``moves`` is the optimization of each player.
    """

    def __init__(
        self,
        assembly: Assembly,
        moves: Mapping[str, Optimization],
        columns: Sequence[Column],
        prior: Prior,
        *,
        error: str,
        labels: bool,
        images: bool,
    ) -> None:
        super().__init__(assembly, moves["AE"], columns, images=images)
        self.D = self.networks["D"] = assembly.networks["D"]
        self.prior, self.error, self.labels, self.each = prior, error, labels, moves
        (autoencoder,) = self.players
        self.players = (
            autoencoder,
            self._adversary("D", self.D, self._discriminate, columns),
            self._adversary("E", self.E, self._fool, columns),
        )

    def begin_round(self, round: int) -> None:
        for optimization in self.each.values():
            optimization.begin_round(round)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """What is decoded of z (n, code_dim), (n, *shape); leaves Dec as it was."""
        return self._shown(z)

    def switch(self, on: bool) -> None:
        """Whether D and E against D move from now on."""
        for player in self.players[1:]:
            player.moves = on

    def _adversary(
        self, name: str, network: nn.Module, objective: Callable[[], Outcome], columns: Sequence[Column]
    ) -> Player:
        return Player(
            name,
            (network,),
            objective,
            self.each[name].optimizer,
            terms=names_of(columns, name, "term"),
            readings=names_of(columns, name, "reading"),
            clip_gradient=self.each[name].clip_gradient,
        )

    def _turns(self) -> dict[str, Callable[[float], None]]:
        return {
            "optimizers.autoencoder.lr": self.each["AE"].set_rate,
            "optimizers.discriminator.lr": self.each["D"].set_rate,
            "optimizers.encoder.lr": self.each["E"].set_rate,
            "adversary.on": lambda value: self.switch(bool(value)),
            "data.batch_size": self._set_batch_size,
        }

    def _objective(self) -> Outcome:
        x = self.data.next().x
        output = self.Dec(self._encoded(x))
        readings = {}
        if self.error != "mse":
            readings["mse"] = ERRORS["mse"][1](output.detach(), x, self.images)
        return Outcome({"rec": ERRORS[self.error][1](output, x, self.images)}, readings)

    def _discriminate(self) -> Outcome:
        batch = self.data.next()
        y = self._classes(batch)
        with torch.no_grad():
            code = self._encoded(batch.x)
        of_prior, of_code = self._judged(self._draw(len(code), y), y), self._judged(code, y)
        terms = {"adv": softplus(-of_prior).mean() + softplus(of_code).mean()}
        readings = {
            "accuracy_real": (of_prior > 0).float().mean(),
            "accuracy_fake": (of_code <= 0).float().mean(),
        }
        return Outcome(terms, readings)

    def _fool(self) -> Outcome:
        batch = self.data.next()
        code = self._encoded(batch.x)
        terms = {"fool": softplus(-self._judged(code, self._classes(batch))).mean()}
        seen = code.detach()
        return Outcome(terms, {"code_mean": seen.mean(0).norm(), "code_std": seen.std(0).mean()})

    def _classes(self, batch: Batch) -> Tensor | None:
        """The class of each sample where D is told: of a draw and of a code alike."""
        return batch.y if self.labels else None

    def _draw(self, n: int, y: Tensor | None) -> Tensor:
        generator = self.streams["prior"]
        if y is not None and isinstance(self.prior, Petals):
            return self.prior.of(y, generator)
        return self.prior(n, generator)

    def _judged(self, code: Tensor, y: Tensor | None) -> Tensor:
        logits: Tensor = self.D(code) if y is None else self.D(code, y)
        return logits


# --- from settings ---


def _networks(config: AaeConfig, source: Source) -> dict[str, nn.Module]:
    networks = coder_networks(config.model, source, config.model.code_dim)
    condition = Condition("concatenation" if config.prior.labels else "none", label_count(source))
    with torch.device("meta"):
        networks["D"] = mlp_discriminator((config.model.code_dim,), layers_of(config.model.discriminator, condition))
        normalize({"D": networks["D"]}, {"D": config.model.discriminator})
    return networks


def _inputs(config: AaeConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    y = torch.empty(2, dtype=torch.int64, device="meta") if config.prior.labels else None
    code = torch.empty(2, config.model.code_dim, device="meta")
    return {**coder_inputs(config, source), "D": (code, y)}


def _latent(config: AaeConfig) -> Prior:
    prior = config.prior
    if prior.kind == "petals":
        return Petals(prior.petals, prior.radius, prior.along, prior.across)
    return Latent(config.model.code_dim)


def _build(config: AaeConfig, source: Source) -> Aae:
    made = assemble(config, source, _networks(config, source), ("prior",), config.model.initialization)
    E, Dec, D = (made.networks[role] for role in ("E", "Dec", "D"))
    moved = {"AE": nn.ModuleDict({"E": E, "Dec": Dec}), "D": D, "E": E}
    moves = optimizations_of(config, moved)
    game = Aae(
        made,
        moves,
        _columns(config),
        _latent(config),
        error=config.reconstruction.error,
        labels=config.prior.labels,
        images=len(source.shape) == 3,
    )
    game.switch(config.adversary.on)
    return game


def _columns(config: AaeConfig) -> tuple[Column, ...]:
    return (*_of_ae(config), *_of_adversaries())


def _of_ae(config: AaeConfig) -> Iterator[Column]:
    error = ERRORS[config.reconstruction.error][0]
    yield Column("AE", "loss", "reconstruction loss", "total", "reconstruction")
    yield Column("AE", "rec", error, "term")
    if config.reconstruction.error != "mse":
        yield Column("AE", "mse", ERRORS["mse"][0], "reading", "reconstruction")
    yield Column("AE", "grad_norm", "autoencoder gradient norm", "total", "gradients")


def _of_adversaries() -> Iterator[Column]:
    balance = ((2 * math.log(2), "2 log 2 = 1.386"),)
    yield Column("D", "loss", "D loss", "total", "losses", balance)
    yield Column("D", "adv", "D adversarial term", "term")
    yield Column("D", "accuracy_real", "right on draws of the prior", "reading", "accuracy", told=True, of="real")
    yield Column("D", "accuracy_fake", "right on codes", "reading", "accuracy", told=True, of="generated")
    yield Column("D", "grad_norm", "D gradient norm", "total", "gradients")
    yield Column("E", "loss", "E loss", "total", "losses", ((math.log(2), "log 2 = 0.693"),))
    yield Column("E", "fool", "E adversarial term", "term")
    yield Column("E", "code_mean", "size of the mean code", "reading", "code", told=True)
    yield Column("E", "code_std", "standard deviation of a number of the code", "reading", "code", told=True)
    yield Column("E", "grad_norm", "E gradient norm", "total", "gradients")


def _reading(config: AaeConfig) -> Reading:
    return Reading(
        "D's loss is 2 log 2 and E's log 2 where D cannot tell codes from draws of the prior. The reconstruction loss says "
        "what that costs."
    )


def _knobs(config: AaeConfig) -> dict[str, float]:
    return {
        **rates_of(config),
        "adversary.on": float(config.adversary.on),
        "data.batch_size": config.data.batch_size,
    }


def _unknown(config: AaeConfig) -> Iterator[Problem]:
    yield from unknown_architectures(config, but="D")
    if config.model.discriminator.architecture != "mlp":
        yield Problem("model.discriminator.architecture", "D sees codes, which are no pictures: choose an MLP")


def _problems(config: AaeConfig, source: Source) -> Iterator[Problem]:
    yield from coder_problems(config, source)
    reason = mlp_fits((config.model.code_dim,), layers_of(config.model.discriminator))
    if reason:
        yield Problem("model.discriminator", reason)
    if config.reconstruction.error == "bce":
        yield from points_are_not_shares("reconstruction.error", source)
    coders = config.model.encoder, config.model.decoder
    if any(one.architecture != "mlp" and one.normalization == "none" for one in coders):
        said = (
            "convolutions without a normalisation hardly learn here; choose batch, and three times the usual rate of AE"
        )
        yield Problem("model.encoder.normalization", said, fatal=False)
    yield from _of_the_prior(config, label_count(source))


def _of_the_prior(config: AaeConfig, classes: int) -> Iterator[Problem]:
    prior = config.prior
    if prior.kind == "petals" and config.model.code_dim != 2:
        said = f"the petals lie in a plane, and the code has {config.model.code_dim} numbers; choose 2"
        yield Problem("model.code_dim", said)
    if not prior.labels:
        return
    if classes == 0:
        yield Problem("prior.labels", "these data have no classes that D could be told")
    elif prior.kind == "normal":
        yield Problem("prior.labels", "one Gaussian for all classes: D is told the class for nothing", fatal=False)
    elif prior.petals != classes:
        yield Problem("prior.petals", f"each of the {classes} classes has a petal of its own: choose {classes}")


AAE = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("reconstruction", "Reconstruction", "error"),
        Chart("accuracy", "D's accuracy", "share"),
        Chart("code", "The code", "size"),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=_knobs,
    abilities=("sample", "encode", "reconstruct"),
    verdict="code",
    does={"AE": "coder", "D": "judge", "E": "encoder"},
    latent=_latent,
    unknown=_unknown,
    problems=_problems,
)
