"""Where the variants of a comparison stand by measures that do not depend on the loss, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np

from gan_core.metrics import METRICS
from gan_core.metrics.metric import AMONG_REAL as AMONG_REAL
from gan_core.metrics.metric import MUSH as MUSH
from gan_core.metrics.metric import says_nothing as says_nothing
from gan_core.metrics.seeds import (
    MOST_SEEDS,
    Difference,
    Interval,
    paired_difference,
    seeds_for,
    student_columns,
    student_interval,
)
from gan_core.metrics.states import STATES, State
from gan_core.said import said
from gan_core.store import DamagedRun, RunNotFound, RunRecord, RunStore, StoreError
from gan_core.training import GAMES

NO_ENCODER = "its game has no encoder"
NO_PAIRS = "its game has no pairs"
NOT_MEASURED = "not measured in its game"
OF_RECONSTRUCTIONS = "of reconstructions"

Curve = tuple[np.ndarray, np.ndarray]
Band = Literal["std", "interval", "none"]


@dataclass(frozen=True)
class Standing:
    """One run of a comparison. ``curves`` are its measurements by name: rounds (n,) and values (n,); ``verdict`` is what it
    is like by now (a state of `gan_core.metrics.states`), empty before anything was said."""

    variant: str
    seed: int
    run: RunRecord
    curves: dict[str, Curve] = field(repr=False)
    verdict: str = ""
    samples: bool = True

    @property
    def broken(self) -> bool:
        return self.run.status in ("failed", "diverged")


@dataclass(frozen=True)
class Row:
    """One variant by one measure: over its seeds, ``rank`` from 1 among the variants; None where it cannot be ranked.

    ``why`` says in a few words why a variant has no value, or one that is not comparable; "" of all others."""

    variant: str
    metric: str
    values: dict[int, float]
    interval: Interval
    rank: int | None
    why: str = ""


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
        found.append(Standing(member.variant, member.seed, run, curves, _verdict(store, run), _samples(run)))
    return found


def _samples(run: RunRecord) -> bool:
    """Whether the game of a run draws samples."""
    return _can(run, "sample")


def _can(run: RunRecord, ability: str) -> bool:
    """Whether the game of a run has an ability; what cannot be told is taken for yes."""
    game = run.config.get("game", "gan")
    return game not in GAMES or ability in GAMES[game].abilities


def _verdict(store: RunStore, run: RunRecord) -> str:
    told = run.summary.get("verdict") or next(
        (event.data for event in reversed(store.events(run.id)) if event.kind == "verdict"), {}
    )
    state = told.get("state") if isinstance(told, dict) else None
    return state if isinstance(state, str) else ""


def read_floors(store: RunStore, standings: Sequence[Standing]) -> dict[str, float]:
    """What the measures read on real data, as the runs have told: one run of each set of measures is asked."""
    found: dict[str, float] = {}
    asked: set[frozenset[str]] = set()
    for standing in standings:
        measured = frozenset(standing.curves)
        if measured in asked:
            continue
        told: dict[str, Any] = {}
        for event in store.events(standing.run.id):
            if event.kind == "reference":
                told |= event.data.get("floors", {})
        if told:
            asked.add(measured)
            found = {name: float(value) for name, value in told.items()} | found
    return found


def measures(standings: Sequence[Standing]) -> list[str]:
    """The measures of these runs, in the order of the registry: those that every run with any has, then those that all runs
    of some variant have, which is how games differ in them."""
    with_any = [standing for standing in standings if standing.curves]
    everywhere = [name for name in METRICS if with_any and all(name in standing.curves for standing in with_any)]
    owned = {variant: [s.curves for s in with_any if s.variant == variant] for variant in variants(with_any)}
    somewhere = [name for name in METRICS if any(all(name in curves for curves in own) for own in owned.values())]
    return [*everywhere, *(name for name in somewhere if name not in everywhere)]


def variants(standings: Sequence[Standing]) -> list[str]:
    return list(dict.fromkeys(standing.variant for standing in standings))


def last_values(standing: Standing) -> dict[str, float]:
    """The last finite measurement of each measure; a run that failed or diverged has no result, so none."""
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
    """The rows of all variants by one measure, ranked."""
    rows = []
    for variant in variants(standings):
        values = values_of(standings, variant, metric)
        interval = student_interval(np.array(list(values.values())))
        rows.append(Row(variant, metric, values, interval, None, _why(standings, variant, metric)))
    scores = {row.variant: None if row.why else _score(metric, row.interval.mean, floor) for row in rows}
    ranked = sorted(score for score in scores.values() if score is not None)
    return [
        replace(row, rank=None if score is None else 1 + ranked.index(score))
        for row in rows
        for score in [scores[row.variant]]
    ]


def _why(standings: Sequence[Standing], variant: str, metric: str) -> str:
    """Why a variant has no such measure, or none that is comparable."""
    mine = [standing for standing in standings if standing.variant == variant and standing.curves]
    if mine and not any(metric in standing.curves for standing in mine):
        lacks = {"code": ("encode", NO_ENCODER), "pairs": ("translate", NO_PAIRS)}
        ability, why = lacks.get(METRICS[metric].of, ("", NOT_MEASURED))
        return why if ability and not all(_can(standing.run, ability) for standing in mine) else NOT_MEASURED
    if METRICS[metric].of == "samples" and any(not standing.samples for standing in mine):
        return OF_RECONSTRUCTIONS
    return ""


def cell(row: Row) -> str:
    """A row as a table has it: ``6.3 ± 0.58 (1)``, mean, standard deviation and rank, or why there is none."""
    if not math.isfinite(row.interval.mean):
        return row.why or spread(row.interval, row.metric)
    after = row.why or row.rank
    return spread(row.interval, row.metric) + (f" ({after})" if after else "")


def spread(interval: Interval, metric: str) -> str:
    """``6.3 ± 0.58``: mean and standard deviation, as far as there are any."""
    return told(metric, interval.mean) + (f" ± {told(metric, interval.std)}" if math.isfinite(interval.std) else "")


def told(metric: str, value: float) -> str:
    """A mean of a measure, or a difference of two, in words."""
    return said(value, "percent" if METRICS[metric].unit == "share" else "")


def real(metric: str, floors: Mapping[str, float]) -> str:
    """What a measure reads on real data, as it is said; ``–`` where that is not known."""
    return said(floors.get(metric), METRICS[metric].form)


def sure(row: Row, floor: float | None) -> str:
    """The interval of a row's mean, kept to the range of the quantity; or how many seeds would do where it says nothing.

    An interval says nothing where it takes up more than half of that range, or, where there is none, more on each side
    than the mean itself.
    """
    interval = row.interval
    if not math.isfinite(interval.mean):
        return "–"
    if not math.isfinite(interval.std):
        return "one seed has none"
    wide = _says_nothing_from(row.metric, interval.mean, floor)
    if interval.half > wide:
        return f"too wide with {_seeds(interval.n)}; {_would_do(interval.std, wide)}"
    low, high = (METRICS[row.metric].within(end, floor) for end in (interval.low, interval.high))
    return told(row.metric, low) if low == high else f"{told(row.metric, low)} to {told(row.metric, high)}"


def _says_nothing_from(metric: str, mean: float, floor: float | None) -> float:
    """Half of the width from which on an interval of a measure says nothing."""
    low, high = METRICS[metric].bounds
    if METRICS[metric].unit == "modes" and floor is not None:
        high = floor
    if math.isfinite(high) and math.isfinite(low):
        return (high - low) / 4
    return abs(mean) if low >= 0 else math.inf


def _would_do(std: float, half: float) -> str:
    n = seeds_for(std, half)
    return f"about {n} would do" if n is not None else f"more than {MOST_SEEDS} would be needed"


def _score(metric: str, value: float, floor: float | None) -> float | None:
    """The key by which values of a measure are ranked, smaller first; None of a value that cannot be ranked."""
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
    """The title of a measure."""
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
        return f"{name}: {a} and {b} are not distinguishable with {seeds}{_to_tell_apart(metric, difference)}."
    much = f"{told(metric, abs(mean))} ± {told(metric, difference.student.half)}"
    if metric in _DOES:
        return f"{a} {_DOES[metric]} {much} {'more' if mean > 0 else 'fewer'} modes than {b}, over {seeds}."
    way = f" ({METRICS[metric].way})"
    return f"{name}: {a} is {much} {'higher' if mean > 0 else 'lower'} than {b}, over {seeds}{way}."


def _to_tell_apart(metric: str, difference: Difference) -> str:
    """How large the difference is so far, and how many seeds would show one of that size."""
    mean, std = difference.student.mean, difference.student.std
    if not mean:
        return " (no difference in the mean)"
    n = seeds_for(std, abs(mean))
    if n is not None and n <= difference.n:  # Student's interval leaves out zero already, the bootstrap's does not
        n = difference.n + 1
    many = f"it would take about {n} seeds" if n is not None else f"more than {MOST_SEEDS} seeds would not show it"
    return f" (difference so far {told(metric, mean)}; if that is all there is, {many})"


def _seeds_for_all(differences: Sequence[Difference]) -> str:
    needed = [seeds_for(d.student.std, abs(d.student.mean)) for d in differences if d.student.mean]
    if not needed:
        return " (no difference in the means)"
    if None in needed:
        return f" (more than {MOST_SEEDS} would not show differences of this size)"
    most = max([differences[0].n + 1, *(n for n in needed if n is not None)])
    return f" (it would take about {most} to show differences of this size)"


def _seeds(n: int) -> str:
    return f"{n} seed{'s' if n != 1 else ''}"


def _too_few(n: int) -> str:
    return f"have {_seeds(n)} in common that ended; to tell them apart takes two or more."


_APART = {
    OF_RECONSTRUCTIONS: "draws no samples: its number is of reconstructions of held-out data, so it has no rank.",
    NO_ENCODER: "has no encoder, so there is no such number of it.",
    NO_PAIRS: "has no pairs of input and target, so there is no such number of it.",
}
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
    others = [row.variant for row in rows if first and row.variant != first and not row.why]
    unclear: dict[int, list[str]] = {}
    for other in others:
        difference = paired(standings, metric, first or "", other)
        if difference.n < 2 or not difference.distinguishable:
            unclear.setdefault(difference.n, []).append(other)
    together = {other for some in unclear.values() if len(some) > 1 for other in some}
    sentences = [sentence(standings, metric, first or "", other) for other in others if other not in together]
    for n, some in unclear.items():
        if len(some) > 1:
            names = f"{', '.join(some[:-1])} and {some[-1]}"
            apart = f"and {names} {_too_few(n)}"
            if n >= 2:
                most = _seeds_for_all([paired(standings, metric, first or "", other) for other in some])
                apart = f"is not distinguishable from {names} with {_seeds(n)}{most}."
            sentences.append(f"{title(metric)}: {first} {apart}")
    sentences += [f"{row.variant} {_APART[row.why]}" for row in rows if row.why in _APART]
    for variant in variants(standings):
        mine = [standing for standing in standings if standing.variant == variant]
        counted = Counter(s.run.status if s.broken else s.verdict for s in mine)
        for state in ("collapsed", "diverged", "failed"):
            if counted[state]:
                sentences.append(f"{counted[state]} of {len(mine)} seeds of {variant} {state}.")
    return sentences


def to_json(standings: Sequence[Standing], floors: dict[str, float]) -> dict[str, Any]:
    """Everything for a script: each variant by each measure, with its values by seed."""
    found: dict[str, Any] = {"metrics": {}, "floors": floors, "sentences": {}}
    for metric in measures(standings):
        rows = table(standings, metric, floors.get(metric))
        found["metrics"][metric] = {
            row.variant: {
                "mean": row.interval.mean,
                "std": row.interval.std,
                "interval": [row.interval.low, row.interval.high],
                "rank": row.rank,
                "why": row.why,
                "values": {str(seed): value for seed, value in row.values.items()},
            }
            for row in rows
        }
        found["sentences"][metric] = verdicts(standings, metric, floors.get(metric))
    found["runs"] = [
        {"run": s.run.id, "variant": s.variant, "seed": s.seed, "status": s.run.status, "rounds": s.run.rounds}
        for s in standings
    ]
    return found
