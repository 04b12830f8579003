"""A player: the networks it moves, the objective it minimises, its optimiser, and how often it moves in a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Outcome:
    """``terms`` are summed and minimised, weights already in them; ``readings`` are only looked at. All are scalars."""

    terms: Mapping[str, Tensor]
    readings: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass
class Player:
    """``objective()`` deals itself a fresh batch and fresh noise and returns an Outcome.

    It declares the names of its ``terms`` and ``readings``, so that charts, store and checkpoints can iterate over them.
    ``after_step`` is called after each step (weight clipping, a moving average). A gradient whose norm is above
    ``clip_gradient`` is scaled down to it. ``steps`` and ``moves`` may be changed between turns: one that does not move has its
    turns, and only its numbers are looked at.
    """

    name: str
    networks: tuple[nn.Module, ...]
    objective: Callable[[], Outcome]
    optimizer: torch.optim.Optimizer
    terms: tuple[str, ...]
    readings: tuple[str, ...] = ()
    steps: int = 1
    after_step: Callable[[], None] | None = None
    clip_gradient: float | None = None
    moves: bool = True

    def __post_init__(self) -> None:
        # Walking the modules at every turn would cost a small game a tenth of its speed.
        self.parameters = tuple(parameter for network in self.networks for parameter in network.parameters())

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the numbers that one turn returns."""
        return ("loss", *self.terms, *self.readings, "grad_norm")
