"""Curves as a page shows them: smoothed, against what a run had done by then, in a range that few values do not decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from gan_core.config import RunConfig
from gan_core.store import Event, RunStore

Axis = Literal["round", "images", "steps", "seconds"]
AXES: tuple[Axis, ...] = get_args(Axis)
CUT = 0.02  # of the values at either end, that do not decide the range of an axis
MARGIN = 0.06  # of the range, at either end


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """The exponential moving average of ``values`` (n,) with bias correction (Kingma and Ba 2015, section 3).

    s_t = w s_(t−1) + (1 − w) y_t, divided by 1 − w^t, so that the first values are not drawn towards zero. A value that is
    not finite stays as it is and does not count. ``weight`` w is in [0, 1); 0 changes nothing. ValueError beyond that.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight is at least 0 and below 1, not {weight}")
    smoothed = np.array(values, np.float64)
    average, share = 0.0, 0.0
    for index in np.flatnonzero(np.isfinite(smoothed)):
        average = weight * average + (1 - weight) * smoothed[index]
        share = weight * share + (1 - weight)  # this is 1 − w^t
        smoothed[index] = average / share
    return smoothed


def thinned(rounds: np.ndarray, values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of ``values`` (n,) over every ``width`` rounds, at the last round of each stretch. NaN where it has none.

    Curves of runs that played other numbers of rounds stay comparable: stretches begin at round 1 whatever comes after.
    """
    if width <= 1 or not len(rounds):
        return rounds, values
    stretch = (np.asarray(rounds) - 1) // width
    starts = np.flatnonzero(np.diff(stretch, prepend=stretch[0] - 1))
    ends = np.append(starts[1:], len(rounds)) - 1
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    sums, counts = (np.add.reduceat(part, starts) for part in (np.where(finite, values, 0.0), finite.astype(float)))
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return np.asarray(rounds)[ends], means


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``; ``outside`` of the values lie beyond."""

    low: float
    high: float
    outside: int


def robust_range(series: Iterable[np.ndarray], line: float | None = None) -> Range | None:
    """The range of what lies between the 2 % and the 98 % quantile of all finite values, a little wider; None without any.

    A ``line`` that is drawn beside them is within the range.
    """
    values = np.concatenate([np.empty(0), *(np.ravel(one) for one in series)])
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = np.quantile(values, [CUT, 1 - CUT])
    if line is not None:
        low, high = min(low, line), max(high, line)
    margin = MARGIN * float(high - low or abs(high) or 1.0)
    low, high = float(low) - margin, float(high) + margin
    return Range(low, high, int(((values < low) | (values > high)).sum()))


def places(store: RunStore, run_id: str, config: RunConfig, rounds: np.ndarray, axis: Axis) -> np.ndarray:
    """Rounds (n,) of a run as what it had done by their end: images that D had seen, optimiser steps of all players, or
    seconds of training. Knobs that were turned on the way count from their round on.
    """
    if axis == "round":
        return np.asarray(rounds)
    if axis == "seconds":
        clock = store.track(run_id, "turns", ["seconds"])
        return np.interp(rounds, np.append(0, clock.rounds), np.append(0.0, clock.column("seconds")))
    return _counted(config, store.events(run_id), np.asarray(rounds), axis)


def _counted(
    config: RunConfig, events: Iterable[Event], rounds: np.ndarray, axis: Literal["images", "steps"]
) -> np.ndarray:
    steps_of = [seat.steps_key for seat in config.seats.values()]  # the first player is the one that sees the data
    settings: dict[str, float] = {seat.steps_key: seat.steps for seat in config.seats.values()}
    settings["data.batch_size"] = config.data.batch_size

    def per_round() -> float:
        if axis == "images":
            return settings[steps_of[0]] * settings["data.batch_size"]
        return sum(settings[key] for key in steps_of)

    at, done = [0], [0.0]
    for event in events:
        changes = event.data.get("changes", {}) if event.kind == "knob" else {}
        if settings.keys() & changes.keys():
            done.append(done[-1] + per_round() * (event.round - at[-1]))
            at.append(event.round)
            settings |= {name: value for name, value in changes.items() if name in settings}
    last = max([at[-1] + 1, *rounds.tolist()])
    return np.interp(rounds, [*at, last], [*done, done[-1] + per_round() * (last - at[-1])])
