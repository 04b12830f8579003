"""A game: who plays with which networks, and what it takes to save it, to go on exactly, and to change it amid a run."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from gan_core.data import BatchStream
from gan_core.training.player import Player

Memory = dict[str, dict[str, Tensor]]


class Playable(Protocol):
    """What the loop needs of a game."""

    @property
    def players(self) -> tuple[Player, ...]:
        """In the order in which they move."""
        ...

    @property
    def networks(self) -> dict[str, nn.Module]:
        """By role, those that nobody trains among them."""
        ...

    def begin_round(self, round: int) -> None:
        """Set what depends on the round: learning rates, noise."""
        ...


class Game(Playable, Protocol):
    """A game whose whole state can be captured, restored and forked.

    ``streams`` are its random generators by purpose; ``memory`` holds the numbers that its parts carry from turn to turn, by
    part and name; ``knobs`` the settings that were changed while it was played.
    """

    data: BatchStream
    streams: dict[str, torch.Generator]
    memory: Memory
    knobs: dict[str, float]

    def set_knob(self, knob: str, value: float) -> None:
        """Change a setting between two rounds, as if the game had been built so, and note it in ``knobs``.

        Raises ValueError for a setting that cannot change while the game is played.
        """
        ...
