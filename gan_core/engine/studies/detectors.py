"""Detectors: scores of strangeness that have seen normal pictures alone, those that learn made of the laboratory's own games.

Every network is a game that is built and played as in any run. What a detector is asked about are pictures in network units,
(n, C, H, W) in [−1, 1]; a score depends on its picture alone, and is larger for a stranger one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from gan_core.about import About
from gan_core.config import ConfigError, RunConfig
from gan_core.config.gan.studied import dense_gan
from gan_core.config.studies import AnomalySettings
from gan_core.data import ImageSource, to_unit
from gan_core.engine.latent.inversion import Found, search
from gan_core.intake.errors import DataError
from gan_core.metrics.outliers import OUTLIERS, squared_residual
from gan_core.training import Judges, Reconstructs, Streams, build, play, resolve
from gan_core.training.game import Game

AT_ONCE = 500
STARTS = 1  # of the search in z
Tick = Callable[[float], None]
"""Told the share of the training that is over; may raise to end it."""
Remake = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Detector:
    """``score`` gives (n,) for pictures (n, C, H, W); ``again`` what they are compared with, where that is a picture;
    ``film`` the search for them, step by step. ``seconds`` is what fitting took of the processor."""

    score: Callable[[Tensor], np.ndarray]
    again: Remake | None = None
    film: Callable[[Tensor], Iterator[tuple[int, Tensor]]] | None = None
    seconds: float = 0.0


def _card(title: str, paper: str, year: int, formula: str, idea: str, watch_for: str, url: str = "") -> About:
    return About(title, paper, year, formula, idea, watch_for, url)


SCORES: dict[str, About] = {
    **{name: outlier.about for name, outlier in OUTLIERS.items()},
    "autoencoder": _card(
        "Autoencoder",
        "Sakurada, Yairi, Anomaly Detection Using Autoencoders with Nonlinear Dimensionality Reduction",
        2014,
        r"s(x) = \tfrac1d \lVert x - \mathrm{Dec}(E(x)) \rVert^2",
        "What an autoencoder of normal pictures cannot make again of a picture.",
        "A code that is long enough makes anything again, and then nothing is strange.",
    ),
    "vae": _card(
        "VAE",
        "An, Cho, Variational Autoencoder based Anomaly Detection using Reconstruction Probability",
        2015,
        r"s(x) = \tfrac1d \lVert x - \mathrm{Dec}(\mu(x)) \rVert^2",
        "The same of a VAE, from the mean of the codes that it gives for a picture.",
        "The published score averages over draws of the code; this one takes their mean, so that it is the same each time.",
    ),
    "bigan": _card(
        "BiGAN",
        "Zenati et al., Efficient GAN-Based Anomaly Detection",
        2018,
        r"s(x) = \tfrac1d \lVert x - G(E(x)) \rVert^2",
        "What a BiGAN of normal pictures makes of the code of a picture, beside it. The published score adds D's opinion.",
        "Reconstructions that are good pictures of something else: the pairs are matched last.",
        "https://arxiv.org/abs/1802.06222",
    ),
    "d_alone": _card(
        "D alone",
        "Goodfellow et al., Generative Adversarial Nets",
        2014,
        r"s(x) = -D(x)",
        "How far D takes a picture for a generated one. D was taught to tell G's pictures of that moment from real ones, "
        "and nothing else.",
        "Its swings from class to class and from seed to seed: nobody taught D what an anomaly is.",
        "https://arxiv.org/abs/1406.2661",
    ),
    "anogan": _card(
        "AnoGAN",
        "Schlegl et al., Unsupervised Anomaly Detection with Generative Adversarial Networks",
        2017,
        r"s(x) = \min_z \tfrac1d \lVert x - G(z) \rVert^2",
        "The z of which G makes a picture most like this one is searched for by descent, for each picture anew. The published "
        "score adds the features of D.",
        "G draws whatever is dark and thin: the film shows how.",
        "https://arxiv.org/abs/1703.05921",
    ),
    "f_anogan": _card(
        "f-AnoGAN",
        "Schlegl et al., f-AnoGAN: Fast unsupervised anomaly detection with generative adversarial networks",
        2019,
        r"s(x) = \tfrac1d \lVert x - G(E(x)) \rVert^2",
        "An encoder learns to say a z of which the finished G makes a normal picture again. The published score adds "
        "features of D.",
        "An E that helps where G cannot draw: the residual says what G lacks, edges first.",
        "https://doi.org/10.1016/j.media.2019.01.010",
    ),
}
"""By name, those without networks first."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "outliers": tuple(OUTLIERS),
    "autoencoder": ("autoencoder",),
    "vae": ("vae",),
    "bigan": ("bigan",),
    "gan": ("d_alone", "anogan", "f_anogan"),
}
"""The scores that are fitted together."""

SECONDS = {"outliers": 0.0, "autoencoder": 0.004, "vae": 0.005, "bigan": 0.017, "gan": 0.025}
"""Of a round, 64 digits of 28×28 on an idle core; of the family ``gan`` also one of the encoder."""


def fitted(
    family: str, settings: AnomalySettings, source: ImageSource, seed: int, tick: Tick = lambda share: None
) -> dict[str, Detector]:
    """The detectors of a family, which have seen the training pictures of ``source`` alone; by the names of `SCORES`.

    Raises DataError where the networks cannot be built for pictures of this shape, and what ``tick`` raises.
    """
    if family == "outliers":
        return {name: _without_networks(name, source, seed) for name in FAMILIES[family]}
    began = time.process_time()
    try:
        config = config_of(family, settings, seed)
    except ConfigError as error:
        raise DataError(f"The networks of this study cannot be built for this data: {error}") from error
    game = trained(config, source, (lambda share: tick(share / 2)) if family == "gan" else tick)
    if family == "gan":
        return _of_a_gan(settings, config, game, source, seed, tick, began)
    assert isinstance(game, Reconstructs)
    return {family: by_residual(game.reconstruct, time.process_time() - began)}


def trained(config: RunConfig, source: ImageSource, tick: Tick, start: Callable[[Any], None] | None = None) -> Game:
    """The game of a config after all of its rounds, on other pictures than those it names; ``start`` is given it before."""
    game = build(config, source)
    if start is not None:
        start(game)
    rounds = config.schedule.rounds
    for turn in play(game):
        if turn.ends_round:
            tick(turn.round / rounds)
            if turn.round == rounds:
                break
    return game


def config_of(family: str, settings: AnomalySettings, seed: int) -> RunConfig:
    """The run that a family of scores is read off; of the family ``gan`` without its encoder. Raises ConfigError."""
    return _resolved(settings, seed, _games(settings)[family])


def encoder_config(settings: AnomalySettings, seed: int) -> RunConfig:
    """The run in which an encoder of pictures learns to undo the G of the family ``gan``."""
    gan, narrow = _games(settings)["gan"], settings.width
    model = {
        "latent_dim": settings.code_dim,
        "generator": gan["model"]["generator"],
        "encoder": {"architecture": "mlp", "widths": [2 * narrow, narrow], "activation": "relu"},
        "learns_from": "data",
    }
    return _resolved(settings, seed, {"game": "regressor", "model": model, "optimizer": {"lr": 1e-3}})


def _games(settings: AnomalySettings) -> dict[str, dict[str, Any]]:
    narrow, wide = settings.width, 2 * settings.width
    into = {"architecture": "mlp", "widths": [wide, narrow], "activation": "relu"}
    out = {"architecture": "mlp", "widths": [narrow, wide], "activation": "relu"}
    judge = {"architecture": "mlp", "widths": [wide, narrow]}
    coders = {"model": {"code_dim": settings.code_dim, "encoder": into, "decoder": out}, "optimizer": {"lr": 1e-3}}
    late = {"lr": 1e-3, "beta1": 0.5, "lr_schedule": "late", "lr_final": 0.02}
    return {
        "autoencoder": {"game": "autoencoder", **coders},
        "vae": {"game": "vae", "elbo": {"likelihood": "bernoulli"}, **coders},
        "bigan": {
            "game": "bigan",
            "model": {
                "code_dim": settings.code_dim,
                "generator": {**out, "normalization": "batch"},
                "encoder": {**into, "activation": "leaky_relu", "normalization": "batch"},
                "discriminator": judge,
            },
            "matching": {"cycle": 2.0, "gamma": 0.1},
            "optimizers": {"generator_encoder": late, "discriminator": late},
        },
        "gan": dense_gan(settings.code_dim, narrow),
    }


def _resolved(settings: AnomalySettings, seed: int, game: dict[str, Any]) -> RunConfig:
    schedule = {**game.get("schedule", {}), "rounds": settings.rounds}
    data = {"name": settings.data, "options": settings.options, "batch_size": settings.batch_size}
    return resolve(RunConfig.load({**game, "data": data, "schedule": schedule, "seed": seed, "device": "cpu"}))


# --- scores ---


def shares(x: Tensor) -> np.ndarray:
    """Pictures in network units as shares of white, (n, C, H, W) float64."""
    return (x.double().numpy() + 1) / 2


def flat(x: Tensor) -> np.ndarray:
    return shares(x).reshape(len(x), -1)


def by_residual(again: Remake, seconds: float = 0.0) -> Detector:
    """How far a picture is from what is made of it: the mean squared difference of a pixel, black 0 and white 1."""

    def remade(x: Tensor) -> Tensor:
        return torch.cat([again(part) for part in x.split(AT_ONCE)])

    return Detector(lambda x: squared_residual(shares(x), shares(remade(x))), remade, seconds=seconds)


def by_critic(game: Judges, seconds: float = 0.0) -> Detector:
    """−D(x): D says a large number to what it takes for real."""

    def score(x: Tensor) -> np.ndarray:
        return -torch.cat([game.judge(part) for part in x.split(AT_ONCE)]).double().numpy()

    return Detector(score, seconds=seconds)


def by_search(make: Remake, dim: int, steps: int, seed: int, seconds: float = 0.0) -> Detector:
    """The residual of the best z that a search finds for each picture; ``make`` is differentiable, z (n, dim).

    Every search begins at the same few z, so that a picture has the same score alone and beside others.
    """
    first = torch.randn(STARTS, 1, dim, generator=Streams(seed).generator("study", "search"))

    def found(x: Tensor) -> Iterator[Found]:
        return search(make, x, first.expand(-1, len(x), -1), steps, pull=0.0)

    def again(x: Tensor) -> Tensor:
        parts = []
        for part in x.split(AT_ONCE):
            *_, last = found(part)
            parts.append(make(last.z).detach())
        return torch.cat(parts)

    def film(x: Tensor) -> Iterator[tuple[int, Tensor]]:
        for now in found(x):
            yield now.step, make(now.z).detach()

    remade = by_residual(again, seconds)
    return Detector(remade.score, remade.again, film, seconds)


def _without_networks(name: str, source: ImageSource, seed: int) -> Detector:
    began = time.process_time()
    outlier, train = OUTLIERS[name], flat(to_unit(source.x[source.train_index]))
    score, make = outlier.fit(train, seed), outlier.again
    again = None
    if make is not None:
        of_pixels = make(train)

        def again(x: Tensor) -> Tensor:
            return torch.from_numpy(of_pixels(flat(x))).float().reshape(x.shape) * 2 - 1

    return Detector(lambda x: score(flat(x)), again, seconds=time.process_time() - began)


def _of_a_gan(
    settings: AnomalySettings,
    config: RunConfig,
    game: Game,
    source: ImageSource,
    seed: int,
    tick: Tick,
    began: float,
) -> dict[str, Detector]:
    """D's opinion, the search, and an encoder that learns to undo the same G."""
    trained_in = time.process_time() - began
    finished = game.networks["G"].eval().requires_grad_(False)

    def take_over(regressor: Any) -> None:
        regressor.G.load_state_dict(finished.state_dict())

    encoder = trained(encoder_config(settings, seed), source, lambda share: tick(0.5 + share / 2), take_over)
    make = cast(Remake, finished)
    assert isinstance(game, Judges)
    assert isinstance(encoder, Reconstructs)
    return {
        "d_alone": by_critic(game, trained_in),
        "anogan": by_search(make, settings.code_dim, settings.search_steps, seed, trained_in),
        "f_anogan": by_residual(encoder.reconstruct, time.process_time() - began),
    }
