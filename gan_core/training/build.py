"""From a configuration to a game that can be played."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from gan_core.config import ConfigError, Problem, RunConfig
from gan_core.config.schema import Optimizer, Schedule
from gan_core.data import DATASETS, DataError, Source, label_count, open_stream
from gan_core.losses import LOSSES
from gan_core.models import (
    ARCHITECTURES,
    Condition,
    LayerRow,
    initialize,
    layer_rows,
    normalize_spectrally,
    packed_shape,
    use_dropout_stream,
)
from gan_core.regularizers import PENALTIES
from gan_core.training.compatibility import explain, layers_of, unknown
from gan_core.training.games import AdversarialGame, Optimization
from gan_core.training.latent import Latent
from gan_core.training.streams import Streams


def resolve(config: RunConfig) -> RunConfig:
    """The config with the options of its data set and its loss filled in and ``device`` decided.

    Raises ConfigError for every name that no registry knows and every combination that cannot be built.
    """
    problems = unknown(config)
    if problems:
        raise ConfigError(problems)
    defaults = {name: option.default for name, option in LOSSES[config.objective.loss].options.items()}
    resolved = config.replace(
        {
            "data.options": {**DATASETS[config.data.name].options, **config.data.options},
            "objective.options": {**defaults, **config.objective.options},
            "device": _decide_device(config.device),
        }
    )
    problems = [problem for problem in explain(resolved) if problem.fatal]
    if problems:
        raise ConfigError(problems)
    return resolved


def load_source(config: RunConfig) -> Source:
    """The data of a config with its options filled in. Raises ConfigError where it is not on this machine."""
    try:
        return DATASETS[config.data.name].load(**config.data.options)
    except DataError as error:
        raise ConfigError([Problem("data.name", str(error))]) from error


def build(config: RunConfig, source: Source) -> AdversarialGame:
    """The game of a resolved config, its weights and streams a function of the seed alone."""
    return GAMES[config.game](config, source)


def count_parameters(config: RunConfig) -> dict[str, int]:
    """How many numbers G and D learn, without building them: {"G": …, "D": …}. ``config`` is resolved."""
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in skeletons(config).items()
    }


def layer_tables(config: RunConfig) -> dict[str, tuple[LayerRow, ...]]:
    """The layers of G and D of a resolved config, in order, without building them."""
    source, model = load_source(config), config.model
    seen = packed_shape(source.shape, model.discriminator.packing, model.discriminator.summary)
    y = None if model.condition == "none" else torch.empty(2, dtype=torch.int64, device="meta")
    shapes = {"G": (model.latent_dim,), "D": seen}
    return {
        name: layer_rows(network, torch.empty(2, *shapes[name], device="meta"), y)
        for name, network in _skeletons(config, source).items()
    }


def skeletons(config: RunConfig) -> dict[str, nn.Module]:
    """G and D of a resolved config without storage: what they consist of."""
    return _skeletons(config, load_source(config))


def _adversarial_game(config: RunConfig, source: Source) -> AdversarialGame:
    device = torch.device(config.device)
    seeds = Streams(config.seed)
    purposes: tuple[str, ...] = ("z", "penalties", "dropout.G", "dropout.D")
    if config.tricks.instance_noise or config.tricks.label_flipping:
        purposes = (*purposes, "tricks")
    if config.model.condition != "none":
        purposes = (*purposes, "labels")
    streams = {purpose: seeds.generator(purpose, device=device) for purpose in purposes}
    networks = _skeletons(config, source)
    for name, network in networks.items():
        network.to_empty(device="cpu")
        initialize(network, config.model.initialization, partial(seeds.generator, "init", name))
        network.to(device)
        use_dropout_stream(network, streams[f"dropout.{name}"])
    objective, optimizers, schedule = config.objective, config.optimizers, config.schedule
    return AdversarialGame(
        **networks,
        loss=LOSSES[objective.loss].with_options(**objective.options),
        penalties=tuple((PENALTIES[name], weight) for name, weight in objective.penalties.items()),
        clip_value=objective.clip_value,
        generator=_optimization(optimizers.generator, networks["G"], schedule, schedule.generator_steps),
        discriminator=_optimization(optimizers.discriminator, networks["D"], schedule, schedule.n_critic),
        data=open_stream(source, config.data.batch_size, seeds.generator, device),
        batch_size=config.data.batch_size,
        latent=Latent(config.model.latent_dim, config.model.latent),
        streams=streams,
        packing=config.model.discriminator.packing,
        summary=config.model.discriminator.summary,
        tricks=config.tricks,
        conditional=config.model.condition != "none",
        class_weight=config.model.class_weight if config.model.condition == "ac_gan" else 0.0,
    )


GAMES: dict[str, Callable[[RunConfig, Source], AdversarialGame]] = {"gan": _adversarial_game}


def _skeletons(config: RunConfig, source: Source) -> dict[str, nn.Module]:
    """G and D without storage: torch's own initialisation would draw from the global generator."""
    generator, discriminator = config.model.generator, config.model.discriminator
    builders = ARCHITECTURES[generator.architecture], ARCHITECTURES[discriminator.architecture]
    seen = packed_shape(source.shape, discriminator.packing, discriminator.summary)
    condition = Condition(config.model.condition, label_count(source), config.model.embedding_dim)
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": builders[0].generator(config.model.latent_dim, source.shape, layers_of(generator, condition)),
            "D": builders[1].discriminator(seen, layers_of(discriminator, condition)),
        }
        for network, settings in zip(networks.values(), (generator, discriminator), strict=True):
            if settings.spectral_norm:
                normalize_spectrally(network, settings.spectral_gain)
    return networks


def _optimization(settings: Optimizer, network: nn.Module, schedule: Schedule, steps: int) -> Optimization:
    return Optimization(
        _optimizer(settings, network),
        steps,
        clip_gradient=settings.clip_gradient,
        schedule=settings.lr_schedule,
        final=settings.lr_final,
        rounds=schedule.rounds,
    )


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
