"""Columns: the numbers of a turn, as a game declares them once for its players, the charts, the legends and the captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Samples = Literal["", "real", "generated"]
Function = Literal["judge", "judge of B", "maker", "encoder", "coder"]
"""What a player is for; a coder is an encoder and its decoder in one. It decides the colour of the player's curves."""


@dataclass(frozen=True)
class Column:
    """One number per turn of ``player``, stored as ``<player>.<name>`` and called ``label`` in legends.

    ``term`` belongs to the loss that is minimised, ``reading`` is only looked at; ``total`` is what the loop adds to both.
    ``chart`` is the chart that draws it, "" for none. ``lines`` are (value, words) pairs at which it stands when the game is
    balanced. ``told`` readings stand in the sentence about a step. What is ``of`` real or generated samples has their colour.
    """

    player: str
    name: str
    label: str
    kind: Literal["term", "reading", "total"]
    chart: str = ""
    lines: tuple[tuple[float, str], ...] = ()
    told: bool = False
    of: Samples = ""

    @property
    def key(self) -> str:
        return f"{self.player}.{self.name}"


@dataclass(frozen=True)
class Chart:
    """A chart of a run's page, called ``name`` by the columns that stand in it.

    ``y_title`` is what its axis measures; "" for the unit of the judge's opinions. One that is not ``drawn`` has no panel:
    its columns are part of the reference alone.
    """

    name: str
    title: str
    y_title: str
    log_y: bool = False
    drawn: bool = True


LOSSES = Chart("losses", "Losses", "loss")
GRADIENTS = Chart("gradients", "Gradient norms", "norm", log_y=True)
"""The two charts of every game: the loop computes what stands in them."""


def names_of(columns: Sequence[Column], player: str, kind: Literal["term", "reading"]) -> tuple[str, ...]:
    """The terms or the readings of a player, as `Player` declares them."""
    return tuple(column.name for column in columns if column.player == player and column.kind == kind)
