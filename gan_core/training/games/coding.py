"""What the games with a code share: an encoder and a decoder that one player moves, and the units in which errors are counted.

E sees pixels from 0 to 1, so that black is nothing. The decoder gives one number for each of x: of images a logit, whose
sigmoid is the pixel; of points the coordinate itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from gan_core.config import Problem, RunConfig, unknown_name
from gan_core.config.fields import Network
from gan_core.config.games.coders import Coders, DecayingOptimizer
from gan_core.data import DATASETS, BatchStream, Source
from gan_core.models import ARCHITECTURES, decoder_from, encoder_from
from gan_core.training.assembly import Assembly, layers_of, normalize
from gan_core.training.columns import Column, names_of
from gan_core.training.evaluation import evaluated
from gan_core.training.game import Memory
from gan_core.training.optimization import Optimization, optimization_of
from gan_core.training.player import Outcome, Player

GREY = (0.25, 0.75)
"""Pixels between these are neither black nor white."""


class CodeConfig(Protocol):
    """The settings of a game with a code."""

    @property
    def model(self) -> Coders: ...


# --- units ---


def of_images(config: RunConfig) -> bool:
    return DATASETS[config.data.name].kind == "images"


def shares(x: Tensor) -> Tensor:
    """Pixels in network units, −1 to 1, as shares of white, 0 to 1."""
    return (x + 1) / 2


def bernoulli(output: Tensor, x: Tensor) -> Tensor:
    """−log p of each number of x, in nats, where the sigmoid of ``output`` is the probability of white; images alone."""
    return binary_cross_entropy_with_logits(output, shares(x), reduction="none")


def difference(output: Tensor, x: Tensor, images: bool) -> Tensor:
    """What is decoded less x: of images in shares of white, of points in network units."""
    return output.sigmoid() - shares(x) if images else output - x


def grey_share(white: Tensor) -> Tensor:
    """The share of pixels, 0 to 1 each, that are grey."""
    return ((white > GREY[0]) & (white < GREY[1])).float().mean()


# --- networks ---


def coder_networks(model: Coders, source: Source, outputs: int) -> dict[str, nn.Module]:
    """E, with so many outputs, and Dec, without storage."""
    parts = ARCHITECTURES[model.encoder.architecture], ARCHITECTURES[model.decoder.architecture]
    with torch.device("meta"):
        generator = parts[1].generator(model.code_dim, source.shape, layers_of(model.decoder))
        networks: dict[str, nn.Module] = {
            "E": encoder_from(parts[0].discriminator(source.shape, layers_of(model.encoder)), outputs),
            "Dec": decoder_from(generator, source.shape),
        }
        normalize(networks, {"E": model.encoder, "Dec": model.decoder})
    return networks


def coder_inputs(config: CodeConfig, source: Source) -> dict[str, tuple[Tensor, Tensor | None]]:
    shapes = {"E": source.shape, "Dec": (config.model.code_dim,)}
    return {role: (torch.empty(2, *shape, device="meta"), None) for role, shape in shapes.items()}


def moves_of(config: RunConfig, optimizer: DecayingOptimizer, assembly: Assembly) -> Optimization:
    """How the one player moves both networks."""
    networks = nn.ModuleDict(dict(assembly.networks))
    return optimization_of(optimizer, networks, steps=1, rounds=config.schedule.rounds)


# --- what goes together ---


def unknown_architectures(config: RunConfig, but: str = "") -> Iterator[Problem]:
    """Names of networks that nobody knows, of all roles ``but`` one whose names are a game's own."""
    for role, network in config.networks.items():
        if role != but and network.architecture not in ARCHITECTURES:
            yield unknown_name(f"{config.ROLES[role]}.architecture", network.architecture, ARCHITECTURES)


def coder_problems(config: CodeConfig, source: Source) -> Iterator[Problem]:
    """Why networks cannot be built (fatal), and that a code leaves nothing out (not fatal)."""
    for part, network in _parts(config):
        reason = ARCHITECTURES[network.architecture].fits(source.shape, layers_of(network))
        if reason:
            yield Problem(f"model.{part}", reason)
    numbers = prod(source.shape)
    if config.model.code_dim >= numbers:
        said = f"a code of {config.model.code_dim:,} numbers can copy the {numbers:,} of a sample"
        yield Problem("model.code_dim", said, fatal=False)


def points_are_not_shares(field: str, source: Source) -> Iterator[Problem]:
    """A Bernoulli likelihood of what is not between black and white."""
    if len(source.shape) != 3:
        said = "a cross-entropy is of shares between 0 and 1, and coordinates are none; choose a squared error"
        yield Problem(field, said)


def _parts(config: CodeConfig) -> tuple[tuple[str, Network], ...]:
    return ("encoder", config.model.encoder), ("decoder", config.model.decoder)


# --- the game ---


class Turned:
    """What one player is turned by: the rate of its ``moves``, and how many samples of ``data`` are a batch."""

    moves: Optimization
    data: BatchStream
    knobs: dict[str, float]

    def begin_round(self, round: int) -> None:
        self.moves.begin_round(round)

    def set_knob(self, knob: str, value: float) -> None:
        """Set a knob of ``knobs_of``, between two rounds. Raises ValueError for a setting that cannot change."""
        turn = self._turns().get(knob)
        if turn is None:
            raise ValueError(f"{knob} cannot change while the run trains")
        turn(value)
        self.knobs[knob] = value

    def _turns(self) -> dict[str, Callable[[float], None]]:
        """What each knob does."""
        return {"optimizer.lr": self.moves.set_rate, "data.batch_size": self._set_batch_size}

    def _set_batch_size(self, value: float) -> None:
        self.data.batch_size = int(value)


class CodeGame(Turned):
    """One player that moves the networks E and Dec of an assembly; what it minimises is ``_objective``.

    ``columns`` name the numbers of its turns. ``images`` says in which units x is decoded.
    """

    def __init__(self, assembly: Assembly, moves: Optimization, columns: Sequence[Column], *, images: bool) -> None:
        self.E, self.Dec = assembly.networks["E"], assembly.networks["Dec"]
        self.networks: dict[str, nn.Module] = {"E": self.E, "Dec": self.Dec}
        self.data = assembly.data
        self.streams = assembly.streams
        self.moves, self.images = moves, images
        self.memory: Memory = {}
        self.knobs = {}
        name = columns[0].player
        self.players: tuple[Player, ...] = (
            Player(
                name,
                (self.E, self.Dec),
                self._objective,
                moves.optimizer,
                terms=names_of(columns, name, "term"),
                readings=names_of(columns, name, "reading"),
                clip_gradient=moves.clip_gradient,
            ),
        )

    def reconstruct(self, x: Tensor) -> Tensor:
        """x̂ (n, *shape) from the code of x; leaves both networks as they were."""
        return self._shown(self.encode(x))

    def decode(self, z: Tensor) -> Tensor:
        """x̂ (n, *shape) for codes z (n, code_dim); leaves Dec as it was."""
        return self._shown(z)

    def encode(self, x: Tensor) -> Tensor:
        """The code of x, (n, code_dim); leaves E as it was."""
        with evaluated(self.E):
            return self._code(self._encoded(x))

    def _shown(self, z: Tensor) -> Tensor:
        """x̂ (n, *shape) in network units for codes (n, code_dim)."""
        with evaluated(self.Dec):
            output: Tensor = self.Dec(z)
            return output.sigmoid() * 2 - 1 if self.images else output

    def _encoded(self, x: Tensor) -> Tensor:
        """What E gives for x."""
        encoded: Tensor = self.E(shares(x) if self.images else x)
        return encoded

    def _code(self, encoded: Tensor) -> Tensor:
        """The code in what E gives."""
        return encoded

    def _objective(self) -> Outcome:
        raise NotImplementedError


def coder_knobs(config: RunConfig, optimizer: DecayingOptimizer) -> dict[str, float]:
    return {"optimizer.lr": optimizer.lr, "data.batch_size": config.data.batch_size}
