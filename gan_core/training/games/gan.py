"""The GAN as a game: its networks, its columns, its knobs, and how it is built from settings. `AdversarialGame` plays it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from gan_core.about import inside
from gan_core.config import RunConfig
from gan_core.config.games.gan import Tricks
from gan_core.data import Source, label_count
from gan_core.losses import LOSSES, AdversarialLoss
from gan_core.models import ARCHITECTURES, Condition, normalize_spectrally, packed_shape
from gan_core.regularizers import PENALTIES, Penalty
from gan_core.training.assembly import assemble
from gan_core.training.columns import Column
from gan_core.training.compatibility import layers_of
from gan_core.training.games.adversarial import AdversarialGame, Settings
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.latent import Latent
from gan_core.training.optimization import optimization_of


def _networks(config: RunConfig, source: Source) -> dict[str, nn.Module]:
    """G and D without storage: torch's own initialisation would draw from the global generator."""
    generator, discriminator = config.model.generator, config.model.discriminator
    builders = ARCHITECTURES[generator.architecture], ARCHITECTURES[discriminator.architecture]
    condition = Condition(config.model.condition, label_count(source), config.model.embedding_dim)
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": builders[0].generator(config.model.latent_dim, source.shape, layers_of(generator, condition)),
            "D": builders[1].discriminator(_seen_by_d(config, source), layers_of(discriminator, condition)),
        }
        for network, settings in zip(networks.values(), (generator, discriminator), strict=True):
            if settings.spectral_norm:
                normalize_spectrally(network, settings.spectral_gain)
    return networks


def _inputs(config: RunConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    y = None if config.model.condition == "none" else torch.empty(2, dtype=torch.int64, device="meta")
    shapes = {"G": (config.model.latent_dim,), "D": _seen_by_d(config, source)}
    return {role: (torch.empty(2, *shape, device="meta"), y) for role, shape in shapes.items()}


def _seen_by_d(config: RunConfig, source: Source) -> tuple[int, ...]:
    discriminator = config.model.discriminator
    return packed_shape(source.shape, discriminator.packing, discriminator.summary)


def _build(config: RunConfig, source: Source) -> AdversarialGame:
    model, objective, tricks = config.model, config.objective, config.tricks
    purposes = ["z", "penalties"]
    if tricks.instance_noise or tricks.label_flipping:
        purposes.append("tricks")
    if model.condition != "none":
        purposes.append("labels")
    assembled = assemble(config, source, _networks(config, source), purposes, model.initialization)
    moves = {
        player: optimization_of(
            seat.optimizer, assembled.networks[player], steps=seat.steps, rounds=config.schedule.rounds
        )
        for player, seat in config.seats.items()
    }
    settings = Settings(
        loss=_loss(config),
        penalties=tuple((PENALTIES[name], weight) for name, weight in objective.penalties.items()),
        clip_value=objective.clip_value,
        batch_size=config.data.batch_size,
        latent=Latent(model.latent_dim, model.latent),
        columns=_columns(config),
        packing=model.discriminator.packing,
        summary=model.discriminator.summary,
        tricks=tricks,
        conditional=model.condition != "none",
        class_weight=model.class_weight if model.condition == "ac_gan" else 0.0,
    )
    return AdversarialGame(assembled, moves, settings)


def _loss(config: RunConfig) -> AdversarialLoss:
    return LOSSES[config.objective.loss].with_options(**config.objective.options)


# --- columns ---


def _columns(config: RunConfig) -> tuple[Column, ...]:
    loss = LOSSES[config.objective.loss]
    penalties = [PENALTIES[name] for name in config.objective.penalties]
    classes = config.model.condition == "ac_gan"
    return (*_of_d(loss, penalties, config.tricks, classes), *_of_g(loss, config.tricks, classes))


def _of_d(loss: AdversarialLoss, penalties: Sequence[Penalty], tricks: Tricks, classes: bool) -> Iterator[Column]:
    real, fake = _opinions(loss)
    yield Column("D", "loss", "D loss", "total", "losses", _lines(loss, "D"))
    yield Column("D", "adv", "D adversarial term", "term")
    if classes:
        yield Column("D", "class", "D classification error", "term", "losses")
    for penalty in penalties:
        yield Column("D", penalty.term, f"D {inside(penalty.about.title)}", "term", "losses")
    yield Column("D", "real", real, "reading", "scores")
    yield Column("D", "fake", fake, "reading", "scores")
    if loss.boundary is not None:
        yield Column("D", "accuracy_real", "right on real", "reading", "accuracy")
        yield Column("D", "accuracy_fake", "right on generated", "reading", "accuracy")
    if tricks.instance_noise:
        yield Column("D", "noise", "instance noise σ", "reading", "scores")
    for name in (*loss.measures, *loss.memory):
        yield Column("D", name, f"{inside(loss.about.title)} {name}", "reading", "losses")
    for penalty in penalties:
        for name in penalty.memory:
            label = f"{penalty.about.title} anchor of {name}"
            yield Column("D", f"{penalty.term}_{name}", label, "reading", "scores")
    yield Column("D", "grad_norm", "D gradient norm", "total", "gradients")


def _of_g(loss: AdversarialLoss, tricks: Tricks, classes: bool) -> Iterator[Column]:
    yield Column("G", "loss", "G loss", "total", "losses", _lines(loss, "G"))
    if tricks.feature_matching != "instead":
        yield Column("G", "adv", "G adversarial term", "term")
    if classes:
        yield Column("G", "class", "G classification error", "term", "losses")
    if tricks.feature_matching != "off":
        yield Column("G", "features", "G feature matching", "term", "losses")
    yield Column("G", "fake", f"{_opinions(loss)[1]} in G's turn", "reading")
    yield Column("G", "grad_norm", "G gradient norm", "total", "gradients")


def _opinions(loss: AdversarialLoss) -> tuple[str, str]:
    """What D's opinions of real and of generated samples are called."""
    return ("D(x)", "D(G(z))") if loss.output == "probability" else ("score of real", "score of generated")


def _lines(loss: AdversarialLoss, player: str) -> tuple[tuple[float, str], ...]:
    return tuple((value, label) for who, value, label in reference_lines(loss) if who == player)


def reference_lines(loss: AdversarialLoss) -> tuple[tuple[str, float, str], ...]:
    """Where the losses stand when D cannot tell: player, value, and the value as a board would have it."""
    return tuple((player, value, _name(value)) for player, value in loss.equilibrium.items())


def _name(value: float) -> str:
    """A reference value as a board would have it."""
    known = {2 * math.log(2): "2 log 2", math.log(2): "log 2", -math.log(2): "−log 2"}
    return next(
        (f"{name} = {value:.3f}".replace("-", "−") for exact, name in known.items() if abs(value - exact) < 1e-9),
        f"{value:g}",
    )


def _reading(config: RunConfig) -> Reading:
    loss = LOSSES[config.objective.loss]
    likely = loss.output == "probability"
    return Reading(loss.reading, "probability" if likely else "score", 0.5 if likely else None)


# --- knobs ---


def _knobs(config: RunConfig) -> dict[str, float]:
    objective, seats = config.objective, config.seats.values()
    knobs: dict[str, float] = {
        **{f"{seat.optimizer_key}.lr": seat.optimizer.lr for seat in seats},
        **{seat.steps_key: seat.steps for seat in seats},
        "data.batch_size": config.data.batch_size,
        **{f"objective.penalties.{name}": weight for name, weight in objective.penalties.items()},
    }
    if objective.clip_value is not None:
        knobs["objective.clip_value"] = objective.clip_value
    if config.tricks.instance_noise:
        knobs["tricks.instance_noise"] = config.tricks.instance_noise
    return knobs


GAN = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=("losses", "scores", "accuracy", "gradients"),
    reading=_reading,
    knobs=_knobs,
)
