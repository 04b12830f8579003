"""LAPGAN (Denton et al. 2015): players of the smallest pictures, and players of details at each of two levels above them.

No level hears of another: details are learned of real pictures made coarse, and only samples go all the way up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gan_core.config import Problem
from gan_core.config.games.lapgan import LEVELS, LapganConfig
from gan_core.data import DATASETS, BatchStream, Source, label_count
from gan_core.models import (
    ARCHITECTURES,
    Condition,
    Layers,
    detail_generator,
    enlarged,
    halvings,
    logits_on_a_side,
    patch_discriminator,
    shrunk,
)
from gan_core.training.assembly import Assembly, assemble, layers_of, normalize
from gan_core.training.averaging import average_of, follow
from gan_core.training.columns import GRADIENTS, LOSSES, Chart, Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.games.declaration import Declaration, Reading
from gan_core.training.games.pix2pix import of_bottom
from gan_core.training.latent import Latent
from gan_core.training.optimization import Optimization, optimizations_of, rates_of
from gan_core.training.player import Outcome, Player

DETAILS = len(LEVELS) - 1
"""How often a picture is halved, and how many levels add details."""


class Lapgan:
    """The players D0, G0 of the smallest pictures and D1, G1, D2, G2 of details. The assembly has all six networks and the
    stream ``z``; ``moves`` is by player; ``levels`` tells for each whether it moves. With an ``ema_decay`` above 0 samples are
    those of moving averages.

    z (n, dim) is the noise of the smallest picture and of a pixel of each level above.
    """

    def __init__(
        self,
        assembly: Assembly,
        moves: Mapping[str, Optimization],
        columns: Sequence[Column],
        shape: tuple[int, ...],
        *,
        latent_dim: int,
        conditional: bool,
        levels: Sequence[bool],
        ema_decay: float = 0.0,
    ) -> None:
        self.networks: dict[str, nn.Module] = dict(assembly.networks)
        self.ema_decay = ema_decay
        for name in [name for name in self.networks if name.startswith("G")]:
            if (average := average_of(self.networks[name], ema_decay)) is not None:
                self.networks[f"{name}_average"] = average
        self.data: BatchStream = assembly.data
        self.streams = assembly.streams
        self.moves, self.shapes, self.conditional = moves, shapes_of(shape), conditional
        self.latent = Latent(dim_of(latent_dim, shape))
        self.sizes = [latent_dim, *(math.prod(one[1:]) for one in self.shapes[1:])]
        self.memory: Memory = {}
        self.knobs: dict[str, float] = {}
        turns = {"D": self._discriminate, "G": self._generate}
        self.players = tuple(
            Player(
                f"{kind}{level}",
                (self.networks[f"{kind}{level}"],),
                partial(self._turn, turn, level),
                moves[f"{kind}{level}"].optimizer,
                terms=names_of(columns, f"{kind}{level}", "term"),
                readings=names_of(columns, f"{kind}{level}", "reading"),
                steps=moves[f"{kind}{level}"].steps,
                after_step=partial(self._average, level) if kind == "G" and ema_decay else None,
                clip_gradient=moves[f"{kind}{level}"].clip_gradient,
                moves=levels[level],
            )
            for level in range(DETAILS + 1)
            for kind, turn in turns.items()
        )

    def begin_round(self, round: int) -> None:
        for optimization in self.moves.values():
            optimization.begin_round(round)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x̂ (n, *shape) for z (n, dim), from the smallest picture up; leaves the networks as they were."""
        return self.climb(z, y)[-1].clamp(-1.0, 1.0)

    def climb(self, z: Tensor, y: Tensor | None = None, *, real: Tensor | None = None, level: int = 0) -> list[Tensor]:
        """The pictures of each level from ``level`` on, (n, C, height, width), for z (n, dim): the first is that of real
        pictures (n, *shape), if these are given. Nothing holds those above to the range of pixels. Leaves the networks alone.
        """
        noise = z.split(self.sizes, dim=1)
        with evaluated(*self.networks.values()):
            if real is None:
                level, x = 0, self._made(self._sampled(0), noise[0], None, y)
            else:
                x = _shrunk(real, DETAILS - level)
            steps = [x]
            for above in range(level + 1, DETAILS + 1):
                smooth = enlarged(steps[-1])
                steps.append(smooth + self._made(self._sampled(above), noise[above], smooth, None))
            return steps

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        match knob.split("."):
            case ["optimizers", "generator" | "discriminator" as who, "lr"]:
                for name, optimization in self.moves.items():
                    if name.startswith("G" if who == "generator" else "D"):
                        optimization.set_rate(value)
            case ["data", "batch_size"]:
                self.data.batch_size = int(value)
            case ["schedule", "coarse_steps" | "middle_steps" as steps]:
                at = 0 if steps == "coarse_steps" else 2
                for player in self.players[at : at + 2]:
                    player.steps = int(value)
            case ["levels", level] if level in LEVELS:
                at = 2 * LEVELS.index(level)
                for player in self.players[at : at + 2]:
                    player.moves = bool(value)
            case _:
                raise ValueError(f"{knob} cannot change while the run trains")
        self.knobs[knob] = value

    def _sampled(self, level: int) -> nn.Module:
        return self.networks.get(f"G{level}_average", self.networks[f"G{level}"])

    def _average(self, level: int) -> None:
        follow(self.networks[f"G{level}_average"], self.networks[f"G{level}"], self.ema_decay)

    @staticmethod
    def _made(G: nn.Module, z: Tensor, smooth: Tensor | None, y: Tensor | None) -> Tensor:
        """The smallest pictures, or the details that an enlargement lacks, for noise z (n, numbers)."""
        if smooth is None:
            made: Tensor = G(z, y)
        else:
            made = G(torch.cat([smooth, z.reshape(-1, 1, *smooth.shape[2:])], dim=1))
        return made

    def _judged(self, level: int, picture: Tensor, smooth: Tensor | None, y: Tensor | None) -> Tensor:
        """Logits of smallest pictures, or of patches of a level's pictures beside the enlargement below them."""
        logits: Tensor = self.networks[f"D{level}"](picture, y if smooth is None else smooth)
        return logits

    def _dealt(self, level: int) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor]:
        """Real pictures of a level, their enlargement from below, their classes where they are asked for, and noise."""
        batch = self.data.next()
        real = _shrunk(batch.x, DETAILS - level)
        z = torch.randn(len(real), self.sizes[level], generator=self.streams["z"], device=real.device)
        return real, enlarged(shrunk(real)) if level else None, self._class(batch.y, level), z

    def _class(self, y: Tensor | None, level: int) -> Tensor | None:
        return y if self.conditional and not level else None

    def _picture(self, level: int, z: Tensor, smooth: Tensor | None, y: Tensor | None) -> Tensor:
        made = self._made(self.networks[f"G{level}"], z, smooth, y)
        return made if smooth is None else smooth + made

    def _turn(self, objective: Callable[[int], Outcome], level: int) -> Outcome:
        """The networks of a level that stands still are only looked at, so that no normalisation hears of a batch."""
        if self.players[2 * level].moves:
            return objective(level)
        with evaluated(self.networks[f"G{level}"], self.networks[f"D{level}"]), torch.enable_grad():
            return objective(level)

    def _discriminate(self, level: int) -> Outcome:
        real, smooth, y, z = self._dealt(level)
        with torch.no_grad():
            made = self._picture(level, z, smooth, y)
        of_real, of_made = (self._judged(level, one, smooth, y) for one in (real, made))
        terms = {"adv": softplus(-of_real).mean() + softplus(of_made).mean()}
        right = torch.cat([of_real > 0, of_made <= 0])
        return Outcome(terms, {"accuracy": right.float().mean()})

    def _generate(self, level: int) -> Outcome:
        _, smooth, y, z = self._dealt(level)
        made = self._picture(level, z, smooth, y)
        return Outcome({"adv": softplus(-self._judged(level, made, smooth, y)).mean()})


def _shrunk(x: Tensor, times: int) -> Tensor:
    for _ in range(times):
        x = shrunk(x)
    return x


# --- from settings ---


def shapes_of(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes of the pictures of each level, the smallest first."""
    channels, height, width = shape
    return [(channels, height // 2**below, width // 2**below) for below in reversed(range(DETAILS + 1))]


def dim_of(latent_dim: int, shape: tuple[int, ...]) -> int:
    """How many numbers z has: those of the smallest picture, and one for each pixel of the levels above."""
    return latent_dim + sum(math.prod(one[1:]) for one in shapes_of(shape)[1:])


def _latent(config: LapganConfig) -> Latent:
    source = DATASETS[config.data.name].load(**config.data.options)
    return Latent(dim_of(config.model.latent_dim, source.shape))


def _conditional(config: LapganConfig) -> bool:
    return config.model.condition != "none"


def _networks(config: LapganConfig, source: Source) -> dict[str, nn.Module]:
    model, shapes = config.model, shapes_of(source.shape)
    condition = Condition(model.condition, label_count(source))

    def bottom(layers: object) -> Layers:
        return layers_of(layers, condition)  # type: ignore[arg-type]

    with torch.device("meta"):
        networks: dict[str, nn.Module] = {
            "G0": ARCHITECTURES["mlp"].generator(model.latent_dim, shapes[0], bottom(model.generator)),
            "D0": ARCHITECTURES["mlp"].discriminator(shapes[0], bottom(model.discriminator)),
        }
        for level in range(1, DETAILS + 1):
            networks[f"G{level}"] = detail_generator(shapes[level], layers_of(model.detail_generator))
            networks[f"D{level}"] = patch_discriminator(shapes[level], layers_of(model.detail_discriminator))
        normalize(networks, config.networks)
    return networks


def _inputs(config: LapganConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    shapes = shapes_of(source.shape)
    y = torch.empty(2, dtype=torch.int64, device="meta") if _conditional(config) else None
    inputs: dict[str, tuple[Tensor, Tensor | None]] = {
        "G0": (torch.empty(2, config.model.latent_dim, device="meta"), y),
        "D0": (torch.empty(2, *shapes[0], device="meta"), y),
    }
    for level in range(1, DETAILS + 1):
        channels, *sides = shapes[level]
        x = torch.empty(2, channels, *sides, device="meta")
        inputs |= {f"G{level}": (torch.empty(2, channels + 1, *sides, device="meta"), None), f"D{level}": (x, x)}
    return inputs


def _build(config: LapganConfig, source: Source) -> Lapgan:
    made = assemble(config, source, _networks(config, source), ("z",), config.model.initialization)
    levels = [getattr(config.levels, level) for level in LEVELS]
    return Lapgan(
        made,
        optimizations_of(config, made.networks),
        _columns(config),
        source.shape,
        latent_dim=config.model.latent_dim,
        conditional=_conditional(config),
        levels=levels,
        ema_decay=config.tricks.ema_decay,
    )


def _columns(config: LapganConfig) -> tuple[Column, ...]:
    return tuple(column for level in range(DETAILS + 1) for column in _of_level(level))


def _of_level(level: int) -> Iterator[Column]:
    chart, (d, g) = ("losses", f"losses_{level}")[level > 0], (f"D{level}", f"G{level}")
    yield Column(d, "loss", f"{d} loss", "total", chart, ((2 * math.log(2), "2 log 2 = 1.386"),))
    yield Column(d, "adv", f"{d} adversarial term", "term")
    yield Column(d, "accuracy", f"{d}: share right", "reading", "accuracy", told=True)
    yield Column(d, "grad_norm", f"{d} gradient norm", "total", "gradients")
    yield Column(g, "loss", f"{g} loss", "total", chart)
    yield Column(g, "adv", f"{g} adversarial term", "term")
    yield Column(g, "grad_norm", f"{g} gradient norm", "total", "gradients")


def _reading(config: LapganConfig) -> Reading:
    return Reading(
        "D0 and G0 play for the smallest pictures, D1 and G1 for the details at half the size, D2 and G2 for those at full "
        "size. Each D stands at 2 log 2 = 1.386 where it cannot tell; no pair hears of another."
    )


def _knobs(config: LapganConfig) -> dict[str, float]:
    return {
        **rates_of(config),
        "schedule.coarse_steps": config.schedule.coarse_steps,
        "schedule.middle_steps": config.schedule.middle_steps,
        "data.batch_size": config.data.batch_size,
        **{f"levels.{level}": float(getattr(config.levels, level)) for level in LEVELS},
    }


def _problems(config: LapganConfig, source: Source) -> Iterator[Problem]:
    if len(source.shape) != 3:
        yield Problem("data.name", "a pyramid is made of pictures, and these are points; choose pictures")
        return
    model, sides = config.model, source.shape[1:]
    if any(side % 2**DETAILS for side in sides):
        said = f"pictures of {sides[0]}×{sides[1]} are not halved {DETAILS} times without a rest; choose multiples of 4"
        yield Problem("data.name", said)
        return
    for field, network in (
        ("generator", model.generator),
        ("discriminator", model.discriminator),
        ("detail_generator", model.detail_generator),
        ("detail_discriminator", model.detail_discriminator),
    ):
        if network.attention:
            yield Problem(f"model.{field}.attention", "none of the networks of a pyramid has self-attention")
    if logits_on_a_side(min(sides) // 2, halvings(model.detail_discriminator.widths)) < 1:
        said = f"no patch is left of the details of {min(sides) // 2} pixels a side; choose fewer widths"
        yield Problem("model.detail_discriminator.widths", said)
    yield from of_bottom("model.detail_generator", model.detail_generator, max(sides) // 2)
    if _conditional(config) and not label_count(source):
        yield Problem("model.condition", f"{config.data.name} has no labels; choose 'none'")


LAPGAN = Declaration(
    networks=_networks,
    inputs=_inputs,
    build=_build,
    columns=_columns,
    charts=(
        LOSSES,
        Chart("losses_1", "Details at half the size", "loss"),
        Chart("losses_2", "Details at full size", "loss"),
        Chart("accuracy", "Accuracy of each D", "share"),
        GRADIENTS,
    ),
    reading=_reading,
    knobs=_knobs,
    abilities=("sample", "climb"),
    latent=_latent,
    conditional=_conditional,
    problems=_problems,
)
