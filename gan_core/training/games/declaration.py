"""What a game declares of itself: everything that the rest of the program has to know to build, draw, describe and steer it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from gan_core.config import Problem, RunConfig
from gan_core.data import Source
from gan_core.metrics.course import Signal
from gan_core.metrics.judges import JudgeName
from gan_core.training.columns import Chart, Column, Function
from gan_core.training.game import Game
from gan_core.training.latent import Prior

C = TypeVar("C", bound=RunConfig)
Skeletons = dict[str, nn.Module]
Values = Mapping[str, int]


@dataclass(frozen=True)
class Reading:
    """How the curves are read: in a sentence or two, and the unit and the middle (None for none) of a judge's opinions."""

    reading: str
    score_unit: str = "score"
    score_line: float | None = None


def _no_latent(config: RunConfig) -> Prior | None:
    return None


def _no_classes(config: RunConfig) -> bool:
    return False


def _nothing_to_say(config: RunConfig) -> str:
    return ""


def _no_problems(config: RunConfig, source: Source) -> Iterable[Problem]:
    return ()


def _all_known(config: RunConfig) -> Iterable[Problem]:
    return ()


def _nothing_to_fill_in(config: RunConfig) -> Mapping[str, Any]:
    return {}


def _remembers_all(before: RunConfig, after: RunConfig) -> frozenset[str]:
    return frozenset()


def _kept_once(config: RunConfig, values: Values) -> int:
    """Each network computes once, and what is kept for the gradient is kept once more for its own."""
    return 2 * sum(values.values())


@dataclass(frozen=True)
class Declaration(Generic[C]):
    """Functions of a resolved config, and of its data where it matters.

    ``networks`` are modules by role without storage (on the device ``meta``), ``inputs`` what each of them is called with, for
    two samples; ``build`` is the game that plays. ``columns`` are the numbers of its turns, player by player in the order in
    which they are stored, and ``charts`` the charts that draw them, in the order of the page. ``reading`` says how these are
    read. ``knobs`` are the settings that may change while it plays, as they stand at the beginning. ``abilities`` are the names
    in `ABILITIES` of what the game can do.

    What a game may leave out: ``latent`` draws the z of a game that samples; ``conditional`` tells whether it asks for classes;
    ``note`` is what is to be said below its judge's opinion of places; ``unknown`` are the
    names in a config that no registry knows, ``problems`` what else is to be said of it; ``defaults`` are
    dotted settings that complete a config; ``forgets`` are the parts of the memory that a fork begins anew; ``kept`` is how
    many numbers a round keeps for each sample of the batch, from how many each network computes for one; ``finished`` are the
    roles of networks that nobody trains here, which a fork has to bring whole; ``verdict`` names the judge of its runs in
    `gan_core.metrics.judges.JUDGES`, "" for none, and ``reads`` the columns in which
    the game has what that judge reads off its turns; ``does`` is what each player is for.
    """

    networks: Callable[[C, Source], Skeletons]
    inputs: Callable[[C, Source], Mapping[str, tuple[Tensor, Tensor | None]]]
    build: Callable[[C, Source], Game]
    columns: Callable[[C], tuple[Column, ...]]
    charts: tuple[Chart, ...]
    reading: Callable[[C], Reading]
    knobs: Callable[[C], dict[str, float]]
    abilities: tuple[str, ...]
    latent: Callable[[C], Prior | None] = _no_latent
    conditional: Callable[[C], bool] = _no_classes
    note: Callable[[C], str] = _nothing_to_say
    unknown: Callable[[C], Iterable[Problem]] = _all_known
    problems: Callable[[C, Source], Iterable[Problem]] = _no_problems
    defaults: Callable[[C], Mapping[str, Any]] = _nothing_to_fill_in
    forgets: Callable[[C, C], frozenset[str]] = _remembers_all
    kept: Callable[[C, Values], int] = _kept_once
    finished: tuple[str, ...] = ()
    verdict: JudgeName = ""
    reads: Mapping[Signal, str] = field(default_factory=dict)
    does: Mapping[str, Function] = field(default_factory=dict)
