"""What goes together in a GAN, in sentences. A rule is here because the thing cannot run, or would not be what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from gan_core.config import GanConfig, Problem, nearest, unknown_name
from gan_core.config.games.gan import Discriminator
from gan_core.data import DATASETS, Source, label_parts
from gan_core.losses import LOSSES
from gan_core.models import ARCHITECTURES, packed_shape
from gan_core.regularizers import PENALTIES
from gan_core.training.assembly import layers_of

MANY_CLASSES = 100


def unknown(config: GanConfig) -> list[Problem]:
    """The names that no registry knows; if all are known, the options that their entries do not have or allow."""
    return list(_unknown_names(config)) or list(_bad_loss_options(config))


def problems(config: GanConfig, source: Source) -> Iterator[Problem]:
    """Why a config whose names are known cannot be played (fatal), and what a person should know of it (not fatal)."""
    rules = (_shapes, _batches, _constraints, _autoencoder, _labels, _looking_ahead, _augmentation)
    for rule in rules:
        yield from rule(config, source.shape)
    yield from _conditioning(config, label_parts(source))
    yield from _advice(config, source.shape)


# --- names and options ---


def _unknown_names(config: GanConfig) -> Iterator[Problem]:
    model = config.model
    named: list[tuple[str, str, Mapping[str, Any]]] = [
        ("model.generator.architecture", model.generator.architecture, ARCHITECTURES),
        ("model.discriminator.architecture", model.discriminator.architecture, ARCHITECTURES),
        ("objective.loss", config.objective.loss, LOSSES),
        *(("objective.penalties", name, PENALTIES) for name in config.objective.penalties),
    ]
    for field, name, registry in named:
        if name not in registry:
            yield unknown_name(field, name, registry)


def _bad_loss_options(config: GanConfig) -> Iterator[Problem]:
    options = LOSSES[config.objective.loss].options
    for name, value in config.objective.options.items():
        field = f"objective.options.{name}"
        if name not in options:
            known = nearest(name[:80], options) if options else "; it has no options"
            yield Problem(field, f"the loss {config.objective.loss} has no option {name[:80]!r}{known}")
        elif not options[name].least <= value <= options[name].most:
            yield Problem(field, f"{value!r} must lie between {options[name].least:g} and {options[name].most:g}")


# --- what cannot be played ---


def _shapes(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    generator, discriminator = config.model.generator, config.model.discriminator
    seen = packed_shape(shape, discriminator.packing, discriminator.summary)
    for name, network, own in (("generator", generator, shape), ("discriminator", discriminator, seen)):
        reason = ARCHITECTURES[network.architecture].fits(own, layers_of(network))
        if reason:
            yield Problem(f"model.{name}", reason)


def _batches(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    """Packs and groups must divide the batch; what compares samples needs two of them."""
    D, size = config.model.discriminator, config.data.batch_size
    packs = size // D.packing
    if size % D.packing:
        yield Problem(
            "model.discriminator.packing",
            f"a batch of {size} samples does not divide into packs of {D.packing}; choose a multiple of {D.packing} "
            "as batch size",
        )
    elif D.minibatch_stddev and packs % D.minibatch_stddev:
        what = "samples" if D.packing == 1 else f"packs of {D.packing}"
        yield Problem(
            "model.discriminator.minibatch_stddev",
            f"a batch of {packs} {what} does not divide into groups of {D.minibatch_stddev}; choose a group that does",
        )
    elif packs < 2 and (D.minibatch_kernels or D.normalization == "batch"):
        yield Problem(
            "data.batch_size",
            f"packs of {D.packing} leave D a single one per batch, and it has nothing to compare it with; "
            "choose a larger batch",
        )
    if D.packing == 1 and D.summary != "none":
        yield Problem(
            "model.discriminator.summary",
            "a pack of one sample has nothing to sum up; choose 'none', or packs of at least 2",
        )
    if D.minibatch_stddev == 1:
        yield Problem(
            "model.discriminator.minibatch_stddev",
            "a group of one sample has no standard deviation; choose at least 2, or 0 for off",
        )


def _constraints(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    """What bounds D's slope, and what gets in its way."""
    objective, D = config.objective, config.model.discriminator
    chosen = {name: PENALTIES[name] for name in objective.penalties}
    if D.normalization == "batch" and any(penalty.per_sample for penalty in chosen.values()):
        yield Problem(
            "model.discriminator.normalization",
            "a gradient penalty is per sample, but batch normalisation lets samples see each other; "
            "choose layer normalisation or none",
        )
    sloped = [penalty.about.title.lower() for penalty in chosen.values() if penalty.slope]
    if objective.clip_value is not None and sloped:
        yield Problem(
            "objective.clip_value",
            f"clipped weights keep D's slope far below the one that the {sloped[0]} asks for, so that the two pull against "
            "each other; choose one of them",
        )
    if objective.clip_value is not None and D.spectral_norm:
        yield Problem(
            "objective.clip_value",
            "spectral normalisation divides weights by their own size, so that clipping them bounds nothing; "
            "choose one of them",
        )


def _autoencoder(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    D, objective, loss = config.model.discriminator, config.objective, LOSSES[config.objective.loss]
    if loss.output == "error" and D.output == "logit":
        yield Problem(
            "model.discriminator.output",
            f"the {loss.about.title.lower()} loss reads D's output as an error, which is never below 0, and a logit has no "
            "such bound: D could lower its loss for ever; choose 'reconstruction'",
        )
    if loss.labels and D.output == "reconstruction":
        yield Problem(
            "objective.loss",
            f"an autoencoder's score is minus its error and never positive, so with the {loss.about.title.lower()} loss D "
            "could never call anything real; choose energy, boundary_equilibrium or a loss that only compares",
        )
    if D.output == "reconstruction" and (D.minibatch_stddev or D.minibatch_kernels):
        yield Problem(
            "model.discriminator.minibatch_stddev" if D.minibatch_stddev else "model.discriminator.minibatch_kernels",
            "an autoencoder has no last layer that could be told about the minibatch; choose 0, or the output 'logit'",
        )
    if loss.memory and objective.penalties:
        yield Problem(
            "objective.penalties",
            "BEGAN's D loses L(x) − k L(x̂) and nothing else: k is steered by these two alone and would chase the penalty; "
            "choose another loss, or no penalty",
        )


def _labels(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    loss = LOSSES[config.objective.loss]
    for field, value in (("smoothing", config.tricks.label_smoothing), ("flipping", config.tricks.label_flipping)):
        if value and loss.labels is None:
            yield Problem(
                f"tricks.label_{field}",
                f"the {loss.about.title.lower()} loss has no labels: D does not answer 'real' or 'generated' for a sample; "
                "choose 0, or a loss that has labels",
            )


def _looking_ahead(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    if config.tricks.unrolled_steps and config.tricks.feature_matching == "instead":
        yield Problem(
            "tricks.unrolled_steps",
            "feature matching instead of the adversarial loss never asks D for its answer, so there is nothing to look "
            "ahead to; choose 'added', or 0 steps",
        )


def _augmentation(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    tricks, loss = config.tricks, LOSSES[config.objective.loss]
    if tricks.augment != "off" and len(shape) != 3:
        yield Problem("tricks.augment", "only pictures can be shifted or have a square cut out; choose 'off'")
    if tricks.augment != "off" and tricks.augment_target and loss.boundary is None:
        yield Problem(
            "tricks.augment_target",
            f"the {loss.about.title.lower()} loss has no boundary beyond which D calls a picture real, so that nobody can "
            "count how many it knows; choose 0, or another loss",
        )
    if tricks.augment == "off" and tricks.augment_target:
        yield _advise(
            "tricks.augment_target", "nothing is augmented, so there is no share to adapt; choose an augmentation"
        )
    if config.model.channels_last and len(shape) != 3:
        yield _advise("model.channels_last", "points have no channels, so nothing changes; only pictures have an order")
    if tricks.ema_warm_up and not tricks.ema_decay:
        yield _advise("tricks.ema_warm_up", "there is no moving average that could warm up; choose a decay")


def _conditioning(config: GanConfig, parts: tuple[int, ...]) -> Iterator[Problem]:
    kind, D = config.model.condition, config.model.discriminator
    num_labels = math.prod(parts) if parts else 0
    if kind == "none":
        return
    if num_labels < 2:
        yield Problem(
            "model.condition",
            f"{DATASETS[config.data.name].about.title!r} comes without labels, so that there is no class to ask for; "
            "choose data with classes, or 'none'",
        )
    elif kind == "spelled" and len(parts) == 1:
        yield Problem(
            "model.condition",
            f"a class of {DATASETS[config.data.name].about.title!r} has no parts that could be spelled; "
            "choose two_digits or stacked as data, or 'concatenation'",
        )
    if D.output == "reconstruction":
        yield Problem(
            "model.condition",
            "an autoencoder judges x by rebuilding it, and a class is nothing to rebuild; choose the output 'logit', or 'none'",
        )
    if D.packing > 1:
        yield Problem(
            "model.condition",
            f"a pack of {D.packing} samples has {D.packing} classes, and a conditional D is told one; "
            "choose packing 1, or 'none'",
        )
    if kind == "concatenation" and num_labels > MANY_CLASSES and D.architecture != "mlp":
        yield _advise(
            "model.condition",
            f"D sees each picture with {num_labels:,} planes of zeros and ones; an embedding or a projection is far cheaper",
        )


# --- what runs, but should be known ---


def _advice(config: GanConfig, shape: tuple[int, ...]) -> Iterator[Problem]:
    objective, D = config.objective, config.model.discriminator
    free = not objective.penalties and objective.clip_value is None and not D.spectral_norm
    if objective.loss == "wasserstein" and free:
        yield _advise("objective.loss", "nothing bounds the critic's slope: its loss will run away to minus infinity")
    for name, weight in objective.penalties.items():
        if len(shape) == 1 and PENALTIES[name].per_sample and weight >= 1 and name not in ("r1", "r2"):
            yield _advise(
                f"objective.penalties.{name}", f"{weight:g} suits images; on points 0.1 lets D tell close modes apart"
            )
    if D.spectral_norm and D.spectral_gain == 1 and len(shape) == 1:
        yield _advise(
            "model.discriminator.spectral_gain", "with a gain of 1 D is nearly flat on points; 2 cured the ring"
        )
    if _company(D) and any(PENALTIES[name].per_sample for name in objective.penalties):
        yield _advise(
            "objective.penalties",
            "D sees the other samples of the batch, so the slope that is penalised is that of the whole batch in one sample, "
            "as in Progressive GAN and StyleGAN2",
        )
    if D.summary != "none" and any(PENALTIES[name].per_sample for name in objective.penalties):
        yield _advise(
            "model.discriminator.summary",
            "the slope that is penalised is in what D is told of a pack, not in its samples",
        )
    sees = math.prod(packed_shape(shape, D.packing, D.summary))
    if D.output == "reconstruction" and D.code_dim >= sees:
        yield _advise(
            "model.discriminator.code_dim",
            f"a code of {D.code_dim} numbers can copy the {sees} that D sees, whether real or generated",
        )


def _company(D: Discriminator) -> bool:
    return bool(D.minibatch_stddev or D.minibatch_kernels)


def _advise(field: str, message: str) -> Problem:
    return Problem(field, message, fatal=False)
