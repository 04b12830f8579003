"""Algorithm 1 beside the loop that this laboratory trains with."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gan_core.engine.theory.dirac import DiracGame, DiracRules
from gan_core.training import play, take_turn


@dataclass(frozen=True)
class Algorithm:
    """``play`` and ``take_turn`` are the source of the loop without docstrings and test hooks; ``turns`` who moves in the first
    rounds."""

    play: str
    take_turn: str
    turns: tuple[tuple[int, str], ...]


def algorithm(n_critic: int, rounds: int = 3) -> Algorithm:
    """The loop's own source, and the (round, player) of each turn of ``rounds`` rounds, taken by playing them."""
    game = DiracGame(DiracRules(n_critic=n_critic), 1.0, 1.0)
    turns = islice(play(game), rounds * (n_critic + 1))
    return Algorithm(_source(play), _source(take_turn), tuple((turn.round, turn.player.name) for turn in turns))


def _source(function: Callable[..., Any]) -> str:
    lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.lstrip().startswith("failpoint("))  # where tests make it fail
    doc = function.__doc__ or ""
    before, quotes, rest = text.partition('    """')
    return before + rest.partition('"""\n')[2] if doc and quotes else text
