"""The GAN as a game: its networks, its columns, its knobs, and how it is built from settings. `AdversarialGame` plays it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_core.about import inside
from gan_core.config import GanConfig
from gan_core.config.games.gan import Tricks
from gan_core.data import Source, label_count, label_parts
from gan_core.losses import LOSSES, AdversarialLoss
from gan_core.metrics.course import Signal
from gan_core.models import ARCHITECTURES, Condition, packed_shape
from gan_core.regularizers import PENALTIES, Penalty
from gan_core.training.assembly import assemble, layers_of, normalize
from gan_core.training.columns import GRADIENTS, Chart, Column, Samples
from gan_core.training.columns import LOSSES as LOSS_CHART
from gan_core.training.games import gan_rules
from gan_core.training.games.adversarial import AdversarialGame, Settings
from gan_core.training.games.declaration import Declaration, Reading, Values
from gan_core.training.latent import Latent
from gan_core.training.optimization import optimizations_of, rates_of


def _networks(config: GanConfig, source: Source) -> dict[str, nn.Module]:
    """G and D without storage: torch's own initialisation would draw from the global generator."""
    generator, discriminator = config.model.generator, config.model.discriminator
    builders = ARCHITECTURES[generator.architecture], ARCHITECTURES[discriminator.architecture]
    told = label_count(source), config.model.embedding_dim, label_parts(source)
    condition = Condition(config.model.condition, *told)
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": builders[0].generator(config.model.latent_dim, source.shape, layers_of(generator, condition)),
            "D": builders[1].discriminator(_seen_by_d(config, source), layers_of(discriminator, condition)),
        }
        normalize(networks, config.networks)
    return networks


def _inputs(config: GanConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    y = None if config.model.condition == "none" else torch.empty(2, dtype=torch.int64, device="meta")
    shapes = {"G": (config.model.latent_dim,), "D": _seen_by_d(config, source)}
    return {role: (torch.empty(2, *shape, device="meta"), y) for role, shape in shapes.items()}


def _seen_by_d(config: GanConfig, source: Source) -> tuple[int, ...]:
    discriminator = config.model.discriminator
    return packed_shape(source.shape, discriminator.packing, discriminator.summary)


def _build(config: GanConfig, source: Source) -> AdversarialGame:
    model, objective, tricks = config.model, config.objective, config.tricks
    purposes = ["z", "penalties"]
    if tricks.instance_noise or tricks.label_flipping:
        purposes.append("tricks")
    if model.condition != "none":
        purposes.append("labels")
    if tricks.augment != "off":
        purposes.append("augment")
    assembled = assemble(
        config,
        source,
        _networks(config, source),
        purposes,
        model.initialization,
        channels_last=model.channels_last,
    )
    moves = optimizations_of(config, assembled.networks)
    settings = Settings(
        loss=_loss(config),
        penalties=tuple((PENALTIES[name], weight) for name, weight in objective.penalties.items()),
        clip_value=objective.clip_value,
        batch_size=config.data.batch_size,
        latent=_latent(config),
        columns=_columns(config),
        packing=model.discriminator.packing,
        summary=model.discriminator.summary,
        tricks=tricks,
        conditional=_conditional(config),
        class_weight=model.class_weight if model.condition == "ac_gan" else 0.0,
    )
    return AdversarialGame(assembled, moves, settings)


def _latent(config: GanConfig) -> Latent:
    return Latent(config.model.latent_dim, config.model.latent)


def _conditional(config: GanConfig) -> bool:
    return config.model.condition != "none"


def _loss(config: GanConfig) -> AdversarialLoss:
    return LOSSES[config.objective.loss].with_options(**config.objective.options)


# --- columns ---


def _columns(config: GanConfig) -> tuple[Column, ...]:
    loss = LOSSES[config.objective.loss]
    penalties = [PENALTIES[name] for name in config.objective.penalties]
    classes = config.model.condition == "ac_gan"
    return (*_of_d(loss, penalties, config.tricks, classes), *_of_g(loss, config.tricks, classes))


_OF_AVERAGES: dict[str, Samples] = {"real": "real", "fake": "generated"}
"""What the averages that a penalty remembers are of, by their names."""


def _of_d(loss: AdversarialLoss, penalties: Sequence[Penalty], tricks: Tricks, classes: bool) -> Iterator[Column]:
    real, fake = _opinions(loss)
    yield Column("D", "loss", "D loss", "total", "losses", _lines(loss, "D"))
    yield Column("D", "adv", "D adversarial term", "term")
    if classes:
        yield Column("D", "class", "D classification error", "term", "losses")
    for penalty in penalties:
        yield Column("D", penalty.term, f"D {inside(penalty.about.title)}", "term", "losses")
    yield Column("D", "real", real, "reading", "scores", told=True, of="real")
    yield Column("D", "fake", fake, "reading", "scores", told=True, of="generated")
    if loss.boundary is not None:
        yield Column("D", "accuracy_real", "right on real", "reading", "accuracy", of="real")
        yield Column("D", "accuracy_fake", "right on generated", "reading", "accuracy", of="generated")
    if tricks.instance_noise:
        yield Column("D", "noise", "instance noise σ", "reading", "scores")
    if tricks.augment != "off" and tricks.augment_target:
        yield Column("D", "augment", "share augmented p", "reading", "scores")
    for name in (*loss.measures, *loss.memory):
        yield Column("D", name, f"{inside(loss.about.title)} {name}", "reading", "losses")
    for penalty in penalties:
        for name in penalty.memory:
            label = f"{penalty.about.title} anchor of {name}"
            yield Column("D", f"{penalty.term}_{name}", label, "reading", "scores", of=_OF_AVERAGES.get(name, ""))
    yield Column("D", "grad_norm", "D gradient norm", "total", "gradients")


def _of_g(loss: AdversarialLoss, tricks: Tricks, classes: bool) -> Iterator[Column]:
    yield Column("G", "loss", "G loss", "total", "losses", _lines(loss, "G"))
    if tricks.feature_matching != "instead":
        yield Column("G", "adv", "G adversarial term", "term")
    if classes:
        yield Column("G", "class", "G classification error", "term", "losses")
    if tricks.feature_matching != "off":
        yield Column("G", "features", "G feature matching", "term", "losses")
    yield Column("G", "fake", f"{_opinions(loss)[1]} in G's turn", "reading", told=True)
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


def _reading(config: GanConfig) -> Reading:
    loss = LOSSES[config.objective.loss]
    likely = loss.output == "probability"
    return Reading(loss.reading, "probability" if likely else "score", 0.5 if likely else None)


# --- knobs ---


def _knobs(config: GanConfig) -> dict[str, float]:
    objective, seats = config.objective, config.seats.values()
    knobs: dict[str, float] = {
        **rates_of(config),
        **{seat.steps_key: seat.steps for seat in seats},
        "data.batch_size": config.data.batch_size,
        **{f"objective.penalties.{name}": weight for name, weight in objective.penalties.items()},
    }
    if objective.clip_value is not None:
        knobs["objective.clip_value"] = objective.clip_value
    if config.tricks.instance_noise:
        knobs["tricks.instance_noise"] = config.tricks.instance_noise
    if config.tricks.augment != "off" and not config.tricks.augment_target:
        knobs["tricks.augment_share"] = config.tricks.augment_share
    return knobs


# --- what the rest of the program asks ---


def _defaults(config: GanConfig) -> Mapping[str, Any]:
    defaults = {name: option.default for name, option in LOSSES[config.objective.loss].options.items()}
    return {"objective.options": {**defaults, **config.objective.options}}


def _forgets(before: GanConfig, after: GanConfig) -> frozenset[str]:
    """The memory of a loss means nothing to another one."""
    return frozenset() if before.objective.loss == after.objective.loss else frozenset({"loss"})


def _note(config: GanConfig) -> str:
    """What D's curve over a line means where D judges many points at once."""
    packing = config.model.discriminator.packing
    pack = "its curve is what it says of a real pack moved so that its mean is at x."
    return "" if packing == 1 else f"D judges {packing} points together: {pack}"


def _kept(config: GanConfig, values: Values) -> int:
    # D sees real and generated samples; what is kept for the gradient is kept once more for its own, and for a penalty.
    kept = 2 + bool(config.objective.penalties)
    return kept * (1 + config.tricks.unrolled_steps) * (values["G"] + 2 * values["D"])


READ_BY_VERDICT: dict[Signal, str] = {
    "judge_loss": "D.loss",
    "judge_real": "D.real",
    "judge_fake": "D.fake",
    "judge_right_real": "D.accuracy_real",
    "judge_right_fake": "D.accuracy_fake",
    "maker_gradient": "G.grad_norm",
}

GAN = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSS_CHART,
        Chart("scores", "What D says", ""),
        Chart("accuracy", "Accuracy", "share", drawn=False),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=_knobs,
    abilities=("sample", "judge", "push"),
    latent=_latent,
    conditional=_conditional,
    note=_note,
    unknown=gan_rules.unknown,
    problems=gan_rules.problems,
    defaults=_defaults,
    forgets=_forgets,
    kept=_kept,
    verdict="adversarial",
    reads=READ_BY_VERDICT,
    does={"D": "judge", "G": "maker"},
)
