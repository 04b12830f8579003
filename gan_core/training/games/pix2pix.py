"""From picture to picture as a game of two (Isola et al. 2017): the input of each pair is a degraded target.

The discriminator's loss is halved, and every loss is a mean over patches or pixels, from −1 to 1: λ = 100 means nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss, softplus

from gan_core.config import Problem
from gan_core.config.fields import Network as NetworkConfig
from gan_core.config.games.pix2pix import Pix2pixConfig, Translation
from gan_core.data import DEGRADATIONS, BatchStream, ImageSource, Source
from gan_core.models import (
    Network,
    halvings,
    logits_on_a_side,
    patch_discriminator,
    receptive_field,
    smallest_side,
    srresnet,
    unet,
)
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.averaging import average_of, follow
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.declaration import Declaration, Reading, Values
from gan_core.training.optimization import Optimization, optimizations_of, rates_of
from gan_core.training.player import Outcome, Player
from gan_core.training.streams import Streams

DISTANCES = {"l1": ("mean absolute error", l1_loss), "l2": ("mean squared error", mse_loss)}
"""By the name in the settings: what it is called, and the mean over pixels from −1 to 1."""
UNHEEDED = 2
"""Pairs that are looked at in the turn of a D that nobody heeds and that does not move."""


def degraded(x: Tensor, name: str, seed: int = 0) -> Tensor:
    """Pictures x (n, C, H, W) in network units by the named degradation, a function of x and of the seed alone."""
    return DEGRADATIONS[name].apply(x, Streams(seed).generator("degradation", device=x.device))


class Pix2pix:
    """The players D and G. The assembly has both networks and the stream ``degradation``; ``moves`` is by player.

    With an ``ema_decay`` above 0 outputs are those of a moving average of G.
    """

    def __init__(
        self,
        assembly: Assembly,
        moves: Mapping[str, Optimization],
        columns: Sequence[Column],
        translation: Translation,
        *,
        sees_input: bool,
        ema_decay: float = 0.0,
    ) -> None:
        self.networks: dict[str, nn.Module] = dict(assembly.networks)
        self.G, self.D = self.networks["G"], self.networks["D"]
        self.G_average, self.ema_decay = average_of(self.G, ema_decay), ema_decay
        if self.G_average is not None:
            self.networks["G_average"] = self.G_average
        self.data: BatchStream = assembly.data
        self.streams = assembly.streams
        self.moves, self.translation, self.sees_input = moves, translation, sees_input
        self.memory: Memory = {}
        self.knobs: dict[str, float] = {}
        turns = {"D": (self.D, self._discriminate), "G": (self.G, self._generate)}
        self.players = tuple(
            Player(
                name,
                (network,),
                objective,
                moves[name].optimizer,
                terms=names_of(columns, name, "term"),
                readings=names_of(columns, name, "reading"),
                after_step=self._average if name == "G" and self.G_average is not None else None,
                clip_gradient=moves[name].clip_gradient,
            )
            for name, (network, objective) in turns.items()
        )
        self._heed_d()

    def begin_round(self, round: int) -> None:
        for optimization in self.moves.values():
            optimization.begin_round(round)

    @property
    def degradation(self) -> str:
        return self.translation.degradation

    @property
    def sampled(self) -> nn.Module:
        """The network whose outputs are shown and measured: G, or its moving average."""
        return self.G if self.G_average is None else self.G_average

    def translate(self, x: Tensor) -> Tensor:
        """Outputs (n, *shape) in [−1, 1] for inputs x (n, *shape), of G or its moving average; leaves it as it was."""
        with evaluated(self.sampled):
            translated: Tensor = self.sampled(x)
            return translated.clamp(-1.0, 1.0)

    def reconstruct(self, x: Tensor) -> Tensor:
        """G of x (n, *shape) degraded, always in the same way; leaves G and the streams as they were."""
        return self.translate(degraded(x, self.translation.degradation))

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        match knob:
            case "optimizers.discriminator.lr":
                self.moves["D"].set_rate(value)
            case "optimizers.generator.lr":
                self.moves["G"].set_rate(value)
            case "data.batch_size":
                self.data.batch_size = int(value)
            case "translation.distance_weight" | "translation.adversarial_weight":
                weight = knob.rpartition(".")[2]
                self.translation = self.translation.model_copy(update={weight: float(value)})
                self._heed_d()
            case _:
                raise ValueError(f"{knob} cannot change while the run trains")
        self.knobs[knob] = value

    def _heed_d(self) -> None:
        self.players[0].moves = self.translation.adversarial_weight > 0

    def _average(self) -> None:
        if self.G_average is not None:
            follow(self.G_average, self.G, self.ema_decay)

    def _pair(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets (n, *shape)."""
        batch = self.data.next()
        if batch.given is not None:  # data of pairs
            return batch.given, batch.x
        target = batch.x
        degrade = DEGRADATIONS[self.translation.degradation].apply
        return degrade(target, self.streams["degradation"]), target

    def _judged(self, given: Tensor, output: Tensor) -> Tensor:
        """The logits of the patches of an output, beside its input where D sees it."""
        logits: Tensor = self.D(output, given) if self.sees_input else self.D(output)
        return logits

    def _discriminate(self) -> Outcome:
        given, target = self._pair()
        if self.players[0].moves:
            with torch.no_grad():
                made = self.G(given)
        else:
            given, target = given[:UNHEEDED], target[:UNHEEDED]
            with evaluated(self.G):
                made = self.G(given)
        real, fake = self._judged(given, target), self._judged(given, made)
        terms = {"adv": (softplus(-real).mean() + softplus(fake).mean()) / 2}
        readings = {"accuracy_real": (real > 0).float().mean(), "accuracy_fake": (fake <= 0).float().mean()}
        return Outcome(terms, readings)

    def _generate(self) -> Outcome:
        given, target = self._pair()
        made, weights = self.G(given), self.translation
        error = DISTANCES[weights.distance][1](made, target)
        if weights.adversarial_weight:
            adversarial = softplus(-self._judged(given, made)).mean()
        else:
            with evaluated(self.D):  # only looked at, so that no normalisation hears of it
                adversarial = softplus(-self._judged(given[:UNHEEDED], made[:UNHEEDED])).mean()
        terms = {
            "weighted_distance": weights.distance_weight * error,
            "weighted_adv": weights.adversarial_weight * adversarial,
        }
        return Outcome(terms, {"error": error.detach(), "adv": adversarial.detach()})


# --- from settings ---


def _networks(config: Pix2pixConfig, source: Source) -> dict[str, nn.Module]:
    discriminator = config.model.discriminator
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G": _generator(config, source.shape),
            "D": patch_discriminator(source.shape, layers_of(discriminator), conditional=discriminator.sees_input),
        }
        normalize(networks, config.networks)
    return networks


def _generator(config: Pix2pixConfig, shape: tuple[int, ...]) -> Network:
    layers = layers_of(config.model.generator)
    if config.model.generator.architecture == "srresnet":
        return srresnet(shape, layers, DEGRADATIONS[config.translation.degradation].factor)
    return unet(shape, layers)


def _inputs(config: Pix2pixConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    x = torch.empty(2, *source.shape, device="meta")
    return {"G": (x, None), "D": (x, x if config.model.discriminator.sees_input else None)}


def _build(config: Pix2pixConfig, source: Source) -> Pix2pix:
    made = assemble(config, source, _networks(config, source), ("degradation",), config.model.initialization)
    moves = optimizations_of(config, made.networks)
    sees_input = config.model.discriminator.sees_input
    decay = config.tricks.ema_decay
    return Pix2pix(made, moves, _columns(config), config.translation, sees_input=sees_input, ema_decay=decay)


def _columns(config: Pix2pixConfig) -> tuple[Column, ...]:
    return tuple(_each(DISTANCES[config.translation.distance][0]))


def _each(distance: str) -> Iterator[Column]:
    balance = ((math.log(2), "log 2 = 0.693"),)
    yield Column("D", "loss", "D loss", "total", "adversary", balance)
    yield Column("D", "adv", "D adversarial term", "term")
    yield Column("D", "accuracy_real", "right on patches of targets", "reading", "accuracy", told=True, of="real")
    yield Column("D", "accuracy_fake", "right on patches of outputs", "reading", "accuracy", told=True, of="generated")
    yield Column("D", "grad_norm", "D gradient norm", "total", "gradients")
    yield Column("G", "loss", "G loss", "total", "losses")
    yield Column("G", "weighted_distance", "λ · distance", "term", "losses")
    yield Column("G", "weighted_adv", "weighted adversarial term", "term", "losses")
    yield Column("G", "error", f"{distance} of a pixel", "reading", "distance", told=True)
    yield Column("G", "adv", "G adversarial term", "reading", "adversary")
    yield Column("G", "grad_norm", "G gradient norm", "total", "gradients")


def _reading(config: Pix2pixConfig) -> Reading:
    field = receptive_field(halvings(config.model.discriminator.widths))
    told = f"Each opinion of D is of a patch of {field}×{field} pixels; its loss is halved: log 2 = 0.693 where it cannot tell."
    if not config.translation.adversarial_weight:
        told = "Nobody heeds D, which stands still: the weighted distance is all of the loss."
    return Reading(
        f"{told} The distance is a mean over pixels from −1 to 1 of training pairs; what held-out pairs read stands below."
    )


def _knobs(config: Pix2pixConfig) -> dict[str, float]:
    return {
        **rates_of(config),
        "data.batch_size": config.data.batch_size,
        "translation.distance_weight": config.translation.distance_weight,
        "translation.adversarial_weight": config.translation.adversarial_weight,
    }


def _problems(config: Pix2pixConfig, source: Source) -> Iterator[Problem]:
    if len(source.shape) != 3:
        yield Problem("data.name", "pairs are made of pictures, and these are points; choose pictures")
        return
    model, weights = config.model, config.translation
    if isinstance(source, ImageSource) and source.inputs is not None:
        said = "this data brings an input to each of its pictures: nothing is degraded"
        yield Problem("translation.degradation", said, fatal=False)
    sides, widths = source.shape[1:], model.discriminator.widths
    for field, network in (("generator", model.generator), ("discriminator", model.discriminator)):
        if network.attention:
            yield Problem(
                f"model.{field}.attention", "none of the networks from picture to picture has self-attention here"
            )
    yield from _of_generator(config, source)
    yield from of_patches(min(sides), halvings(widths))
    if not weights.distance_weight and not weights.adversarial_weight:
        yield Problem("translation.distance_weight", "with both weights at 0 G learns nothing; choose one above 0")
    if not model.discriminator.sees_input and weights.adversarial_weight and not weights.distance_weight:
        said = (
            "nothing tells G that its output belongs to its input: D does not see it, and the distance counts nothing"
        )
        yield Problem("model.discriminator.sees_input", said, fatal=False)


def _of_generator(config: Pix2pixConfig, source: Source) -> Iterator[Problem]:
    generator, degradation = config.model.generator, DEGRADATIONS[config.translation.degradation]
    if source.shape[0] < degradation.channels:
        said = f"the colours are taken away here, and pictures of {config.data.name} have none; choose data in colour"
        yield Problem("translation.degradation", said)
    if generator.architecture == "srresnet":
        if degradation.factor == 1:
            said = "this network enlarges, and its input is as fine as its target; choose half_size or quarter_size"
            yield Problem("translation.degradation", said)
        return
    yield from of_bottom("model.generator", generator, max(source.shape[1:]))


def of_bottom(field: str, network: NetworkConfig, side: int) -> Iterator[Problem]:
    """What is to be said of the U-Net at ``field`` for pictures of so many pixels a side."""
    if network.normalization == "instance" and smallest_side(side, len(network.widths)) == 1:
        said = "at the bottom of this U-Net there is one value of a channel to normalise over; choose fewer widths"
        yield Problem(f"{field}.widths", said)


def of_patches(side: int, strided: int) -> Iterator[Problem]:
    """What is to be said of a patch discriminator that halves pictures of so many pixels a side so many times."""
    field, logits = receptive_field(strided), logits_on_a_side(side, strided)
    if logits < 1:
        said = (
            f"no patch is left of pictures of {side} pixels a side: D halves them {strided} times; choose fewer widths"
        )
        yield Problem("model.discriminator.widths", said)
    elif field > side:
        said = f"one opinion of D sees {field} pixels a side, more than the picture has ({side}): it judges no patches"
        yield Problem("model.discriminator.widths", said, fatal=False)


def _kept(config: Pix2pixConfig, values: Values) -> int:
    # D sees targets and outputs in its own turn, and outputs again in that of G.
    return 2 * (2 * values["G"] + 3 * values["D"])


PIX2PIX = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("distance", "Output and target", "error"),
        Chart("adversary", "D, and what G hears of it", "loss"),
        Chart("accuracy", "D's accuracy", "share"),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=_knobs,
    abilities=("reconstruct", "translate"),
    verdict="translation",
    does={"D": "judge", "G": "maker"},
    problems=_problems,
    kept=_kept,
)
