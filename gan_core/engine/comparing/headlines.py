"""What a comparison came to in a sentence each: who is sharpest, who covers most, as far as its measures agree on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gan_core.engine.comparing.standings import Row, Standing, measures, paired, real, spread, table, title

QUESTIONS: dict[str, tuple[str, ...]] = {
    "Sharpest": ("sample_laplacian_variance", "sample_grey_share"),
    "Covers most": ("effective_modes", "coverage"),
}
"""By the measures that answer it. Coverage is asked for classes and, inside of them, for neighbourhoods of real samples: a
game may make each class equally often and yet of each only its mean."""


class Headline(NamedTuple):
    """``answer`` names who is first, where the measures agree and chance does not explain it; ``numbers`` has a line each."""

    question: str
    answer: str
    numbers: tuple[str, ...]


def headlines(standings: Sequence[Standing], floors: Mapping[str, float]) -> list[Headline]:
    """An answer to each question of which two variants or more have a number that can be ranked."""
    measured = measures(standings)
    found = []
    for question, metrics in QUESTIONS.items():
        ranked = {name: _ranked(standings, name, floors.get(name)) for name in metrics if name in measured}
        ranked = {name: rows for name, rows in ranked.items() if len(rows) > 1}
        if ranked:
            leaders = {name: _leaders(standings, rows) for name, rows in ranked.items()}
            numbers = (_line(rows, floors) for rows in ranked.values())
            found.append(Headline(question, _answer(leaders, ranked), tuple(numbers)))
    return found


def _ranked(standings: Sequence[Standing], metric: str, floor: float | None) -> list[Row]:
    """The variants that can be ranked by a measure, the best first."""
    rows = [row for row in table(standings, metric, floor) if row.rank is not None]
    return sorted(rows, key=lambda row: row.rank or 0)


def _leaders(standings: Sequence[Standing], rows: Sequence[Row]) -> list[str]:
    """The first, and those that cannot be told from it: all of them where there are too few seeds."""
    first, *others = rows
    alike = [
        row.variant for row in others if not paired(standings, row.metric, first.variant, row.variant).distinguishable
    ]
    return [first.variant, *alike]


def _answer(leaders: Mapping[str, Sequence[str]], ranked: Mapping[str, Sequence[Row]]) -> str:
    seeds = min(row.interval.n for rows in ranked.values() for row in rows)
    if seeds < 2:
        return f"open, since one seed may be chance; ahead is {_first_of(leaders)}"
    if any(len(some) > 1 for some in leaders.values()):
        told = ", ".join(f"{' or '.join(some)} by {_called(name)}" for name, some in leaders.items())
        return f"open with {seeds} seeds; {told}"
    return _first_of(leaders)


def _first_of(leaders: Mapping[str, Sequence[str]]) -> str:
    names = {some[0] for some in leaders.values()}
    if len(names) == 1:
        return names.pop()
    return ", ".join(f"{some[0]} by {_called(name)}" for name, some in leaders.items())


def _called(metric: str) -> str:
    name = title(metric)
    return name[0].lower() + name[1:]


def _line(rows: Sequence[Row], floors: Mapping[str, float]) -> str:
    metric = rows[0].metric
    numbers = ", ".join(f"{row.variant} {spread(row.interval, metric)}" for row in rows)
    known = math.isfinite(floors.get(metric, math.nan))
    return f"{title(metric)}: {numbers}" + (f"; real data {real(metric, floors)}" if known else "")


def as_sentence(headline: Headline) -> str:
    """All of it in plain text."""
    return f"{headline.question}: {headline.answer}. {'. '.join(headline.numbers)}."
