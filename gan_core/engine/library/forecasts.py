"""How long a run, or a comparison, will take on this machine; and on what that is based.

What the machine did says more than a measurement of a moment: where a run that costs the same was trained here, the
fastest of the last few is taken, since others only ever slow one down. Else some turns are played and their CPU time is
counted. Runs that train now share the cores with the new one, which is said.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.config import SETTINGS, RunConfig
from gan_core.engine.environment import environment
from gan_core.engine.library.describe import Forecast
from gan_core.store import DamagedRun, RunRecord, RunStore
from gan_core.training import resolve

LOOKED_AT = 200  # runs, the newest
LIKE_IT = 5  # of those that cost the same
FEWEST_ROUNDS, FEWEST_SECONDS = 100, 2.0  # below, what begins a run weighs too much
_OF_THE_COST = ("game", "data", "model", "tricks", "device", "objective.loss", "objective.penalties")
_THE_MACHINE = ("machine", "platform", "threads")


@dataclass(frozen=True)
class Expected:
    """``seconds`` until all is trained, by the clock on the wall, and a clause that says on what that is based."""

    seconds: float
    basis: str

    def __str__(self) -> str:
        return f"about {in_words(self.seconds)}, {self.basis}"


@dataclass(frozen=True)
class Pace:
    """Seconds of a core that a round takes, and how that is known."""

    seconds_per_round: float
    basis: str


def learned(store: RunStore, config: RunConfig) -> Pace | None:
    """The pace of the runs of this store that cost as much per round as one of ``config``, on this machine."""
    wanted, paces = _cost(resolve(config).to_dict()), list[float]()
    here = environment()
    for run in store.runs(limit=LOOKED_AT):
        if not isinstance(run, RunRecord) or run.active or run.parent is not None:
            continue
        if _cost(run.config) == wanted and all(run.environment.get(name) == here[name] for name in _THE_MACHINE):
            seconds = run.summary.get("seconds")
            if not isinstance(seconds, int | float) or seconds < FEWEST_SECONDS or run.rounds < FEWEST_ROUNDS:
                continue
            if not any(event.kind == "knob" for event in store.events(run.id)):  # it may have cost less then
                paces.append(seconds / run.rounds)
        if len(paces) == LIKE_IT:
            break
    if not paces:
        return None
    told = (
        "as the last run like it took here"
        if len(paces) == 1
        else f"as the fastest of {len(paces)} runs like it took here"
    )
    return Pace(min(paces), told)


def measured(forecast: Forecast) -> Pace:
    """The pace of what has just been measured."""
    what = "one core" if forecast.device == "cpu" else f"the {forecast.device} device"
    return Pace(forecast.seconds_per_1000_rounds / 1000, f"measured just now on {what} of this machine")


def expected(config: RunConfig, pace: Pace, *, training: int, cores: int | None = None) -> Expected:
    """How long a run of ``config`` takes beside so many that train now."""
    schedule = config.schedule
    seconds = pace.seconds_per_round * schedule.rounds
    basis = pace.basis
    if schedule.seconds is not None and schedule.seconds < seconds:
        seconds, basis = schedule.seconds, "which is its budget"
    return _beside(seconds * (1 + config.diagnostics.budget), basis, 1, training, cores)


def expected_of_all(
    runs: Sequence[tuple[RunConfig, Pace]], *, at_once: int, training: int, cores: int | None = None
) -> Expected:
    """How long the runs of a comparison take together, so many of them at once."""
    each = [expected(config, pace, training=0, cores=cores) for config, pace in runs]
    lanes = max(1, min(at_once, len(runs), cores or os.cpu_count() or 1))
    basis = " or ".join(dict.fromkeys(one.basis for one in each))
    seconds = max([sum(one.seconds for one in each) / lanes, *(one.seconds for one in each)])
    return _beside(
        seconds, f"{lanes} at once, {basis}" if lanes > 1 else f"one after the other, {basis}", lanes, training, cores
    )


def training_now(runs: Iterable[RunRecord | DamagedRun]) -> int:
    """How many of these runs compute now."""
    return sum(isinstance(run, RunRecord) and run.status == "running" for run in runs)


def in_words(seconds: float) -> str:
    """A time as a person would say it: ``40 s``, ``4 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{max(1, _rounded(seconds))} s"
    return f"{_rounded(seconds / 60)} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def _rounded(value: float) -> int:
    return round(value) if value < 20 else 5 * round(value / 5)


def _beside(seconds: float, basis: str, own: int, training: int, cores: int | None) -> Expected:
    slower = max(1.0, (own + training) / (cores or os.cpu_count() or 1))
    if not training:
        return Expected(seconds * slower, basis)
    others = "another run trains" if training == 1 else f"{training} other runs train"
    told = f"{others} beside it" + (f" and slow it {slower:.1f} times" if slower > 1.05 else ", on a core of its own")
    return Expected(seconds * slower, f"{basis}; {told}")


def _cost(config: dict[str, Any]) -> list[Any]:
    """The settings that decide how long a round takes, the steps of the players included."""

    def at(path: str) -> Any:
        node: Any = config
        for word in path.split("."):
            node = node.get(word) if isinstance(node, dict) else None
        return node

    game = SETTINGS.get(config.get("game", "gan"))
    steps = [path for _, path in game.PLAYERS.values() if path] if game else []
    return [at(path) for path in (*_OF_THE_COST, *steps)]
