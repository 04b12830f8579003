"""How a player moves: its optimiser, its steps per round, and how its learning rate changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from gan_core.config import RunConfig
from gan_core.config.fields import Optimizer
from gan_core.config.games.coders import DecayingOptimizer
from gan_core.training import eager
from gan_core.training.timetable import share_of_rate


@dataclass(frozen=True)
class Optimization:
    """How one player moves: its optimiser over its own parameters, its steps per round, and how its rate changes.

    ``schedule`` leads the rate from ``initial_lr`` of the optimiser to the share ``final`` in the last of ``rounds``.
    """

    optimizer: torch.optim.Optimizer
    steps: int
    clip_gradient: float | None = None
    schedule: Literal["constant", "late_linear", "linear", "cosine", "late"] = "constant"
    final: float = 0.0
    rounds: int = 1

    def __post_init__(self) -> None:
        if self.schedule != "constant":
            for group in self.optimizer.param_groups:
                group["initial_lr"] = group["lr"]

    def begin_round(self, round: int) -> None:
        if self.schedule != "constant":
            share = share_of_rate(self.schedule, round, self.rounds, self.final)
            for group in self.optimizer.param_groups:
                group["lr"] = share * group["initial_lr"]

    def set_rate(self, rate: float) -> None:
        """Under a schedule the rate of each round is a share of the initial one, so that one is set."""
        for group in self.optimizer.param_groups:
            group["initial_lr" if "initial_lr" in group else "lr"] = rate


def optimization_of(settings: Optimizer, network: nn.Module, *, steps: int, rounds: int) -> Optimization:
    """The settings of an optimiser, over all parameters of a network, in a run of so many rounds."""
    return Optimization(
        _optimizer(settings, network),
        steps,
        clip_gradient=settings.clip_gradient,
        schedule=settings.lr_schedule,
        final=settings.lr_final,
        rounds=rounds,
    )


def optimizations_of(config: RunConfig, moved: Mapping[str, nn.Module]) -> dict[str, Optimization]:
    """How each player of a run moves, from its settings and the network, or the networks in one, that it moves."""
    return {
        player: optimization_of(seat.optimizer, moved[player], steps=seat.steps, rounds=config.schedule.rounds)
        for player, seat in config.seats.items()
    }


def rates_of(config: RunConfig) -> dict[str, float]:
    """The learning rate of each player, by its dotted name: knobs of every game."""
    return {f"{seat.optimizer_key}.lr": seat.optimizer.lr for seat in config.seats.values()}


def _optimizer(settings: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    parameters, lr = list(network.parameters()), settings.lr
    # An integer where none is set, as torch has it: 0.0 is written as other bytes, and a state that is hashed holds it.
    decay = settings.weight_decay if isinstance(settings, DecayingOptimizer) else 0
    match settings.name:
        case "adam":
            betas = (settings.beta1, settings.beta2)
            return eager.Adam(parameters, lr=lr, betas=betas, weight_decay=decay, fused=True)
        case "rmsprop":
            return eager.RMSprop(parameters, lr=lr, momentum=settings.momentum, weight_decay=decay)
        case "sgd":
            return eager.SGD(parameters, lr=lr, momentum=settings.momentum, weight_decay=decay)
