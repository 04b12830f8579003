"""One turn, and every player's loss on one batch before and after it: what a step did, and not what the next batch is like.

The loss that a turn returns is that of its batch before the step, and the next turn has another batch. So the turn is followed
by a look back: streams, data and memory as they were before it, the losses once with the old weights and once with the new
ones, and then all as the turn left it. The game goes on bit for bit as if nobody had looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gan_core.training.game import Game
from gan_core.training.loop import Turn
from gan_core.training.player import Player


@dataclass(frozen=True)
class Before:
    """What a turn starts from: weights and buffers by network, and all that its batch and its noise depend on."""

    networks: dict[str, dict[str, Tensor]]
    streams: dict[str, Tensor]
    data: dict[str, Any]
    memory: dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class SameBatch:
    """By the name of each player, what its objective reads before and after a turn on the same batch and the same noise.

    Each is ``{"loss": …, reading: …}``. The player whose turn it was has the batch of its step; another has the batch
    that it would have been dealt instead, with the same z.
    """

    before: Mapping[str, Mapping[str, float]]
    after: Mapping[str, Mapping[str, float]]


def moment_of(game: Game) -> Before:
    """Copies of all that a turn starts from, on the device of the game."""
    return Before(
        {name: _copied(network.state_dict()) for name, network in game.networks.items()},
        {name: generator.get_state().clone() for name, generator in game.streams.items()},
        _copied(game.data.state()),
        {part: _copied(known) for part, known in game.memory.items()},
    )


def look_back(game: Game, before: Before, turn: Turn) -> SameBatch:
    """What the turn that was just played from ``before`` did to the losses. Leaves the game as the turn left it.

    Costs two evaluations of each player's objective, without steps.
    """
    after = moment_of(game)
    told: list[dict[str, dict[str, float]]] = []
    with _put_back(game, after):
        for new in (False, True):
            read = {}
            for player in sorted(game.players, key=lambda player: player is not turn.player):
                _set(game, before, after if new else before)
                read[player.name] = _read(game, player)
            told.append(read)
    return SameBatch(*told)


def _read(game: Game, player: Player) -> dict[str, float]:
    for other in game.players:
        for parameter in other.parameters:
            parameter.requires_grad_(other is player)
    outcome = player.objective()
    loss = torch.stack(tuple(outcome.terms.values())).sum()
    return {name: value.item() for name, value in {"loss": loss, **outcome.readings}.items()}


@contextmanager
def _put_back(game: Game, after: Before) -> Iterator[None]:
    needed = [(parameter, parameter.requires_grad) for player in game.players for parameter in player.parameters]
    try:
        yield
    finally:
        _set(game, after, after)
        for parameter, wanted in needed:
            parameter.requires_grad_(wanted)


def _set(game: Game, dealt: Before, weights: Before) -> None:
    """Weights as in ``weights``, everything else (buffers, streams, data, memory) as in ``dealt``."""
    for name, network in game.networks.items():
        mine = {own for own, _ in network.named_parameters()}
        state = {own: (weights if own in mine else dealt).networks[name][own] for own in network.state_dict()}
        network.load_state_dict(state)
    for name, generator in game.streams.items():
        generator.set_state(dealt.streams[name])
    game.data.restore(_copied(dealt.data))
    for part, known in dealt.memory.items():
        game.memory[part] = _copied(known)


def _copied(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in state.items()}
