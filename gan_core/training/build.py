"""From a configuration to a game that can be played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from gan_core.config import ConfigError, Problem, RunConfig, nearest
from gan_core.config.schema import Network, Optimizer
from gan_core.data import DATASETS, Source, open_stream
from gan_core.losses import LOSSES
from gan_core.models import ARCHITECTURES, Layers, initialize, use_dropout_stream
from gan_core.regularizers import PENALTIES
from gan_core.training.games import AdversarialGame, Optimization
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams


def resolve(config: RunConfig) -> RunConfig:
    """The config with the data set's own options filled in and ``device`` decided.

    Raises ConfigError for every name that no registry knows and every combination that cannot be built.
    """
    problems = list(_unknown_names(config))
    if not problems:
        problems += _bad_options(config)
    if problems:
        raise ConfigError(problems)
    options = {**DATASETS[config.data.name].options, **config.data.options}
    resolved = config.replace({"data.options": options, "device": _decide_device(config.device)})
    problems = list(_misfits(resolved))
    if problems:
        raise ConfigError(problems)
    return resolved


def load_source(config: RunConfig) -> Source:
    """The data of a resolved config."""
    return DATASETS[config.data.name].load(**config.data.options)


def build(config: RunConfig, source: Source) -> AdversarialGame:
    """The game of a resolved config, its weights and streams a function of the seed alone."""
    return GAMES[config.game](config, source)


def count_parameters(config: RunConfig) -> dict[str, int]:
    """How many numbers G and D learn, without building them: {"G": …, "D": …}. ``config`` is resolved."""
    shape = load_source(config).shape
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in _skeletons(config, shape).items()
    }


def _adversarial_game(config: RunConfig, source: Source) -> AdversarialGame:
    device = torch.device(config.device)
    seeds = Streams(config.seed)
    purposes = ("z", "penalties", "dropout.G", "dropout.D")
    streams = {purpose: seeds.generator(purpose, device=device) for purpose in purposes}
    networks = _skeletons(config, source.shape)
    for name, network in networks.items():
        network.to_empty(device="cpu")
        initialize(network, config.model.initialization, partial(seeds.generator, "init", name))
        network.to(device)
        use_dropout_stream(network, streams[f"dropout.{name}"])
    objective, optimizers, schedule = config.objective, config.optimizers, config.schedule
    return AdversarialGame(
        **networks,
        loss=LOSSES[objective.loss],
        penalties=tuple((PENALTIES[name], weight) for name, weight in objective.penalties.items()),
        clip_value=objective.clip_value,
        generator=Optimization(_optimizer(optimizers.generator, networks["G"]), schedule.generator_steps),
        discriminator=Optimization(_optimizer(optimizers.discriminator, networks["D"]), schedule.n_critic),
        data=open_stream(source, config.data.batch_size, seeds.generator, device),
        batch_size=config.data.batch_size,
        latent=Latent(config.model.latent_dim, config.model.latent),
        streams=streams,
    )


GAMES: dict[str, Callable[[RunConfig, Source], AdversarialGame]] = {"gan": _adversarial_game}


def _skeletons(config: RunConfig, shape: tuple[int, ...]) -> dict[str, nn.Module]:
    """G and D without storage: torch's own initialisation would draw from the global generator."""
    generator, discriminator = config.model.generator, config.model.discriminator
    with torch.device("meta"):
        return {
            "G": ARCHITECTURES[generator.architecture].generator(config.model.latent_dim, shape, _layers(generator)),
            "D": ARCHITECTURES[discriminator.architecture].discriminator(shape, _layers(discriminator)),
        }


def _layers(network: Network) -> Layers:
    return Layers(**network.model_dump(exclude={"architecture"}))


def _optimizer(settings: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    parameters = list(network.parameters())
    match settings.name:
        case "adam":
            betas = (settings.beta1, settings.beta2)
            return torch.optim.Adam(parameters, lr=settings.lr, betas=betas, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr=settings.lr, momentum=settings.momentum)
        case "sgd":
            return torch.optim.SGD(parameters, lr=settings.lr, momentum=settings.momentum)


def _decide_device(wish: str) -> str:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        return next(name for name, present in available.items() if present)
    if not available[wish]:
        raise ConfigError([Problem("device", f"{wish!r} is not available on this machine; choose 'auto' or 'cpu'")])
    return wish


def _unknown_names(config: RunConfig) -> Iterator[Problem]:
    model = config.model
    named: list[tuple[str, str, Mapping[str, Any]]] = [
        ("data.name", config.data.name, DATASETS),
        ("model.generator.architecture", model.generator.architecture, ARCHITECTURES),
        ("model.discriminator.architecture", model.discriminator.architecture, ARCHITECTURES),
        ("objective.loss", config.objective.loss, LOSSES),
        *(("objective.penalties", name, PENALTIES) for name in config.objective.penalties),
    ]
    for field, name, registry in named:
        if name not in registry:
            yield Problem(field, f"unknown name {name[:80]!r}{nearest(name[:80], registry)}")


def _bad_options(config: RunConfig) -> Iterator[Problem]:
    dataset = DATASETS[config.data.name]
    for name, value in config.data.options.items():
        field = f"data.options.{name}"
        if name not in dataset.options:
            known = nearest(name[:80], dataset.options) if dataset.options else "; it has no options"
            yield Problem(field, f"{config.data.name} has no option {name[:80]!r}{known}")
            continue
        least, most = dataset.bounds[name]
        whole = isinstance(dataset.options[name], int)
        if isinstance(value, str):
            yield Problem(field, f"{value[:80]!r} must be a {'whole ' if whole else ''}number")
        elif not least <= value <= most:
            yield Problem(field, f"{repr(value)[:80]} must lie between {least:g} and {most:g}")
        elif whole and not float(value).is_integer():
            yield Problem(field, f"{value!r} must be a whole number")


def _misfits(config: RunConfig) -> Iterator[Problem]:
    shape = load_source(config).shape
    for field in ("generator", "discriminator"):
        network = getattr(config.model, field)
        reason = ARCHITECTURES[network.architecture].fits(shape, _layers(network))
        if reason:
            yield Problem(f"model.{field}", reason)
    if config.objective.penalties and config.model.discriminator.normalization == "batch":
        yield Problem(
            "model.discriminator.normalization",
            "a gradient penalty is per sample, but batch normalisation lets samples see each other; "
            "choose layer normalisation or none",
        )
