"""What a game declares of itself: everything that the rest of the program has to know to build, draw, describe and steer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor, nn

from gan_core.config import RunConfig
from gan_core.data import Source
from gan_core.training.columns import Column
from gan_core.training.game import Game

G = TypeVar("G", bound=Game)
Skeletons = dict[str, nn.Module]


@dataclass(frozen=True)
class Reading:
    """How the curves are read: in a sentence or two, and the unit and the middle (None for none) of D's opinions."""

    reading: str
    score_unit: str
    score_line: float | None


@dataclass(frozen=True)
class Declaration(Generic[G]):
    """Functions of a resolved config, and of its data where it matters.

    ``networks`` are modules by role without storage (on the device ``meta``), ``inputs`` what each of them is called with, for
    two samples; ``build`` is the game that plays. ``columns`` are the numbers of its turns, player by player in the order in
    which they are stored, and ``charts`` the names of the charts that draw them, in the order of the page. ``knobs`` are the
    settings that may change while it plays, where they stand at the beginning.
    """

    networks: Callable[[RunConfig, Source], Skeletons]
    inputs: Callable[[RunConfig, Source], Mapping[str, tuple[Tensor, Tensor | None]]]
    build: Callable[[RunConfig, Source], G]
    columns: Callable[[RunConfig], tuple[Column, ...]]
    charts: tuple[str, ...]
    reading: Callable[[RunConfig], Reading]
    knobs: Callable[[RunConfig], dict[str, float]]
