"""The loop: Algorithm 1 of Goodfellow et al. (2014), for any number of players.

for number of training iterations do              |  for round in count(played + 1):
  for k steps do                                  |    for player in game.players:
    sample minibatches, update the discriminator  |      for step in range(player.steps):
  sample a minibatch, update the generator        |        take_turn(game, player)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from gan_core.failpoints import failpoint
from gan_core.training.game import Playable
from gan_core.training.player import Player


@dataclass(frozen=True)
class Turn:
    """One step of one player was taken in round ``round``; ``values`` are detached scalars named by ``player.columns``."""

    round: int
    player: Player
    step: int
    values: dict[str, Tensor]
    ends_round: bool


def play(game: Playable, played: int = 0) -> Iterator[Turn]:
    """Play for ever, yielding after every turn; whoever iterates decides when to stop.

    Rounds are counted from 1; ``played`` of them are over already.
    """
    *_, last = game.players
    for round in count(played + 1):
        game.begin_round(round)
        for player in game.players:
            steps = player.steps
            for step in range(steps):
                values = take_turn(game, player)
                ends_round = player is last and step == steps - 1
                yield Turn(round, player, step, values, ends_round)


def take_turn(game: Playable, player: Player) -> dict[str, Tensor]:
    """Freeze the others, zero gradients, backpropagate the sum of the player's terms, clip, step; then ``after_step``.

    ``grad_norm`` is that of the gradient before it was clipped.
    """
    for other in game.players:
        for parameter in other.parameters:
            parameter.requires_grad_(False)
    for parameter in player.parameters:
        parameter.requires_grad_(True)
    for parameter in player.parameters:
        parameter.grad = None
    failpoint("forward")
    outcome = player.objective()
    loss = torch.stack(tuple(outcome.terms.values())).sum()
    failpoint("backward")
    loss.backward()
    gradients = [p.grad for p in player.parameters if p.grad is not None]
    grad_norm = torch.nn.utils.get_total_norm(gradients, foreach=True)
    if player.clip_gradient is not None:
        torch.nn.utils.clip_grads_with_norm_(player.parameters, player.clip_gradient, grad_norm)
    failpoint("step")
    if player.moves:
        player.optimizer.step()
        if player.after_step is not None:
            player.after_step()
    values = {"loss": loss, **outcome.terms, **outcome.readings, "grad_norm": grad_norm}
    return {name: value.detach() for name, value in values.items()}
