"""Comparisons and their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gan_core.api.runs import Result, read_result
from gan_core.config import Comparison
from gan_core.engine import Lab, advice, default_root, prepare_classifier, use_store
from gan_core.engine.comparing import standings
from gan_core.engine.comparing.headlines import as_sentence, headlines

ComparisonProgress = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True)
class ComparisonResult:
    """A comparison whose runs have ended. ``runs`` by variant and seed; ``table`` has a row per variant, measure and seed;
    ``metrics``, ``sentences`` and ``floors`` are what `gan_core.engine.comparing.standings.to_json` tells, ``headlines`` who is
    sharpest and who covers most, a sentence each.
    """

    comparison: str
    runs: dict[tuple[str, int], Result]
    table: pd.DataFrame
    metrics: dict[str, Any]
    sentences: dict[str, list[str]]
    floors: dict[str, float]
    headlines: list[str] = field(default_factory=list)


def compare(
    comparison: Comparison,
    *,
    store: Path | str | None = None,
    name: str = "",
    progress: ComparisonProgress | None = None,
    ray: str | None = None,
) -> ComparisonResult:
    """Train every run of a comparison, all of them together, and return where the variants stand.

    ``progress(statuses)`` is called about twice a second with the status of each run. Raises ConfigError, before anything
    is trained, where one of them cannot be built. ``ray`` is the address of a Ray cluster to train on.
    """
    use_store(Path(default_root() if store is None else store))
    for config in comparison.configs().values():
        advice(config)
    with Lab(default_root() if store is None else store, ray=ray) as lab:
        prepare_classifier(lab, comparison.base)
        return follow_comparison(lab, lab.compare(comparison, name=name), progress)


def follow_comparison(lab: Lab, comparison_id: str, progress: ComparisonProgress | None = None) -> ComparisonResult:
    """Wait for the runs of a comparison of this lab to end."""
    members = lab.store.comparison(comparison_id).members
    views = [lab.view(member.run) for member in members]
    while training := [member.run for member in members if lab.is_active(member.run)]:
        lab.wait(training[0], timeout=0.5)
        if progress is not None:
            progress([view.status for view in views])
    found = standings.read_standings(lab.store, comparison_id)
    told = standings.to_json(found, floors := standings.read_floors(lab.store, found))
    rows = [
        {"variant": variant, "metric": metric, "seed": int(seed), "value": value}
        for metric, by_variant in told["metrics"].items()
        for variant, entry in by_variant.items()
        for seed, value in entry["values"].items()
    ]
    return ComparisonResult(
        comparison_id,
        {(standing.variant, standing.seed): read_result(lab.store, standing.run) for standing in found},
        pd.DataFrame(rows, columns=["variant", "metric", "seed", "value"]),
        told["metrics"],
        told["sentences"],
        told["floors"],
        [as_sentence(headline) for headline in headlines(found, floors)],
    )
