"""Where the variants of a comparison stand by measures that do not depend on the loss, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np

from gan_core.metrics import METRICS
from gan_core.metrics.seeds import Difference, Interval, paired_difference, student_columns, student_interval
from gan_core.metrics.verdict import STATES, State
from gan_core.store import DamagedRun, RunNotFound, RunRecord, RunStore, StoreError

Curve = tuple[np.ndarray, np.ndarray]
Band = Literal["std", "interval", "none"]


@dataclass(frozen=True)
class Standing:
    """One run of a comparison. ``curves`` are its measurements by name: rounds (n,) and values (n,); ``verdict`` is what it
    is like by now (a state of `gan_core.metrics.verdict`), empty before anything was said."""

    variant: str
    seed: int
    run: RunRecord
    curves: dict[str, Curve] = field(repr=False)
    verdict: str = ""

    @property
    def broken(self) -> bool:
        return self.run.status in ("failed", "diverged")


@dataclass(frozen=True)
class Row:
    """One variant by one measure: over its seeds, ``rank`` from 1 among the variants; None where it cannot be ranked."""

    variant: str
    metric: str
    values: dict[int, float]
    interval: Interval
    rank: int | None


def read_standings(store: RunStore, comparison_id: str) -> list[Standing]:
    """The runs of a comparison with what was measured of them; one that is damaged or gone is left out."""
    found = []
    for member in store.comparison(comparison_id).members:
        try:
            run, track = store.run(member.run), store.track(member.run, "diagnostics")
        except (StoreError, RunNotFound):
            continue
        if isinstance(run, DamagedRun):
            continue
        curves = {
            name: (track.rounds, track.values[:, index]) for index, name in enumerate(track.columns) if name in METRICS
        }
        found.append(Standing(member.variant, member.seed, run, curves, _verdict(store, run)))
    return found


def _verdict(store: RunStore, run: RunRecord) -> str:
    told = run.summary.get("verdict") or next(
        (event.data for event in reversed(store.events(run.id)) if event.kind == "verdict"), {}
    )
    state = told.get("state") if isinstance(told, dict) else None
    return state if isinstance(state, str) else ""


def read_floors(store: RunStore, standings: Sequence[Standing]) -> dict[str, float]:
    """What the measures read on real data, as the runs have told."""
    for standing in standings:
        told: dict[str, Any] = {}
        for event in store.events(standing.run.id):
            if event.kind == "reference":
                told |= event.data.get("floors", {})
        if told:
            return {name: float(value) for name, value in told.items()}
    return {}


def measures(standings: Sequence[Standing]) -> list[str]:
    """The measures that every run with any has, in the order of the registry."""
    with_any = [standing for standing in standings if standing.curves]
    return [name for name in METRICS if with_any and all(name in standing.curves for standing in with_any)]


def variants(standings: Sequence[Standing]) -> list[str]:
    return list(dict.fromkeys(standing.variant for standing in standings))


def last_values(standing: Standing) -> dict[str, float]:
    """The last finite measurement of each measure; of a run that failed or diverged, none: it has no result."""
    values = {}
    for metric, (_, measured) in standing.curves.items():
        finite = measured[np.isfinite(measured)]
        if len(finite) and not standing.broken:
            values[metric] = float(finite[-1])
    return values


def values_of(standings: Sequence[Standing], variant: str, metric: str) -> dict[int, float]:
    """The last measurement of each seed that has a result."""
    mine = {standing.seed: last_values(standing) for standing in standings if standing.variant == variant}
    return {seed: values[metric] for seed, values in mine.items() if metric in values}


def table(standings: Sequence[Standing], metric: str, floor: float | None) -> list[Row]:
    """The variants by one measure."""
    rows = []
    for variant in variants(standings):
        values = values_of(standings, variant, metric)
        rows.append(Row(variant, metric, values, student_interval(np.array(list(values.values()))), None))
    scores = {row.variant: _score(metric, row.interval.mean, floor) for row in rows}
    ranked = sorted(score for score in scores.values() if score is not None)
    return [
        Row(row.variant, metric, row.values, row.interval, None if score is None else 1 + ranked.index(score))
        for row in rows
        for score in [scores[row.variant]]
    ]


def cell(row: Row) -> str:
    """A row as a table has it: ``6.3 ± 0.58 (1)``, mean, standard deviation and rank."""
    ranked = row.rank and math.isfinite(row.interval.mean)
    return spread(row.interval) + (f" ({row.rank})" if ranked else "")


def spread(interval: Interval) -> str:
    """``6.3 ± 0.58``: mean and standard deviation, as far as there are any."""
    if not math.isfinite(interval.mean):
        return "–"
    return f"{interval.mean:.3g}" + (f" ± {interval.std:.2g}" if math.isfinite(interval.std) else "")


def _score(metric: str, value: float, floor: float | None) -> float | None:
    """Less is better; None where there is no telling."""
    better = METRICS[metric].better
    if not math.isfinite(value) or (better == "closer" and floor is None):
        return None
    if better == "closer" and floor is not None:
        return abs(value - floor)
    return value if better == "lower" else -value


def mean_over_seeds(
    curves: Sequence[Curve], band: Band = "std"
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Places x (n,) that any of the curves has, with mean, low and high over those that have a finite value there.

    Curves are compared where they were measured, never in between. Low and high are NaN where there are fewer than two.
    """
    x = np.unique(np.concatenate([x for x, _ in curves])) if curves else np.empty(0)
    rows = np.full((len(curves), len(x)), np.nan)
    for row, (places, values) in zip(rows, curves, strict=True):
        row[np.searchsorted(x, places)] = values
    mean, std, half = student_columns(rows)
    spread = half if band == "interval" else std
    return x, mean, mean - spread, mean + spread


def title(metric: str) -> str:
    """What a measure is called."""
    return METRICS[metric].about.title


def paired(standings: Sequence[Standing], metric: str, a: str, b: str) -> Difference:
    """How much larger a measure is in variant ``a`` than in ``b``, over the seeds that both have finished."""
    left, right = values_of(standings, a, metric), values_of(standings, b, metric)
    seeds = [seed for seed in left if seed in right]
    return paired_difference(np.array([left[s] for s in seeds]), np.array([right[s] for s in seeds]))


def sentence(standings: Sequence[Standing], metric: str, a: str, b: str) -> str:
    """Whether two variants differ in a measure, and by how much: ``WGAN GP has 1.9 ± 0.4 modes covered more than NS``."""
    difference = paired(standings, metric, a, b)
    mean, seeds, name = difference.student.mean, _seeds(difference.n), title(metric)
    if difference.n < 2:
        return f"{name}: {a} and {b} {_too_few(difference.n)}"
    if not difference.distinguishable:
        told = f"difference {_signed(mean)} ± {_plain(difference.student.half)}"
        return f"{name}: {a} and {b} are not distinguishable with {seeds} ({told})."
    much = f"{_plain(abs(mean))} ± {_plain(difference.student.half)}"
    if metric in _DOES:
        return f"{a} {_DOES[metric]} {much} {'more' if mean > 0 else 'fewer'} modes than {b}, over {seeds}."
    return f"{name}: {a} is {much} {'higher' if mean > 0 else 'lower'} than {b}, over {seeds}."


def _seeds(n: int) -> str:
    return f"{n} seed{'s' if n != 1 else ''}"


def _too_few(n: int) -> str:
    return f"have {_seeds(n)} in common that ended; to tell them apart takes two or more."


_DOES = {"modes_covered": "covers", "modes_captured": "captures"}


def outcomes(standings: Sequence[Standing], variant: str) -> dict[str, int]:
    """How many seeds of a variant came to what: ``{"healthy": 2, "collapsed": 1}``, the worst last."""
    mine = [standing for standing in standings if standing.variant == variant]
    words = [s.run.status if s.broken else STATES.get(cast(State, s.verdict), s.run.status).lower() for s in mine]
    order = [*(title.lower() for title in STATES.values()), "failed"]
    return dict(sorted(Counter(words).items(), key=lambda entry: order.index(entry[0]) if entry[0] in order else -1))


def verdicts(standings: Sequence[Standing], metric: str, floor: float | None) -> list[str]:
    """The first in rank against each of the others; and how many seeds collapsed, or came to no result."""
    rows = table(standings, metric, floor)
    first = next((row.variant for row in rows if row.rank == 1), None)
    others = [row.variant for row in rows if first and row.variant != first]
    unclear: dict[int, list[str]] = {}
    for other in others:
        difference = paired(standings, metric, first or "", other)
        if difference.n < 2 or not difference.distinguishable:
            unclear.setdefault(difference.n, []).append(other)
    together = {other for some in unclear.values() if len(some) > 1 for other in some}
    told = [sentence(standings, metric, first or "", other) for other in others if other not in together]
    for n, some in unclear.items():
        if len(some) > 1:
            names = f"{', '.join(some[:-1])} and {some[-1]}"
            apart = f"is not distinguishable from {names} with {_seeds(n)}." if n >= 2 else f"and {names} {_too_few(n)}"
            told.append(f"{title(metric)}: {first} {apart}")
    for variant in variants(standings):
        mine = [standing for standing in standings if standing.variant == variant]
        counted = Counter(s.run.status if s.broken else s.verdict for s in mine)
        for state in ("collapsed", "diverged", "failed"):
            if counted[state]:
                told.append(f"{counted[state]} of {len(mine)} seeds of {variant} {state}.")
    return told


def to_json(standings: Sequence[Standing], floors: dict[str, float]) -> dict[str, Any]:
    """Everything for a script: each variant by each measure, with its values by seed."""
    told: dict[str, Any] = {"metrics": {}, "floors": floors, "sentences": {}}
    for metric in measures(standings):
        rows = table(standings, metric, floors.get(metric))
        told["metrics"][metric] = {
            row.variant: {
                "mean": row.interval.mean,
                "std": row.interval.std,
                "interval": [row.interval.low, row.interval.high],
                "rank": row.rank,
                "values": {str(seed): value for seed, value in row.values.items()},
            }
            for row in rows
        }
        told["sentences"][metric] = verdicts(standings, metric, floors.get(metric))
    told["runs"] = [
        {"run": s.run.id, "variant": s.variant, "seed": s.seed, "status": s.run.status, "rounds": s.run.rounds}
        for s in standings
    ]
    return told


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
