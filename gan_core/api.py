"""The engine from Python: ``from gan_core import RunConfig, train``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gan_core.config import Comparison, RunConfig
from gan_core.engine import Chores, Lab, Own, advice, default_root, prepare_classifier, standings, use_store
from gan_core.engine.history import KnobsByRound
from gan_core.engine.live import stored_view
from gan_core.store import Deleted, RunRecord, RunStore

Progress = Callable[[dict[str, Any]], None]
ComparisonProgress = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True)
class Result:
    """A run that has ended. ``scalars`` has one row per round, ``diagnostics`` one per measurement, both with a column
    ``round``; ``samples`` maps rounds to pictures; ``metrics`` are the last measurements; ``verdict`` says what the run
    is like (``state``), since when (``onset_round``), why (``sentence``, ``evidence``) and what to try (``cures``);
    ``state_hash`` is the SHA-256 of the whole training state, equal for equal runs.
    """

    run: str
    status: str
    rounds: int
    seconds: float
    metrics: dict[str, float]
    state_hash: str | None
    scalars: pd.DataFrame
    diagnostics: pd.DataFrame
    samples: dict[int, Path]
    message: str = ""
    verdict: dict[str, Any] = field(default_factory=dict)


def train(
    config: RunConfig | None = None,
    *,
    store: Path | str | None = None,
    name: str = "",
    knobs: KnobsByRound | None = None,
    until: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train one run to its end in this process and return what was recorded.

    The run is kept in ``store`` (default: ``GANSCOPE_STORE`` or ``runs``), where the dashboard shows it. ``knobs`` are
    turned while it trains: ``{120: {"optimizers.generator.lr": 0.05}}`` acts from round 121 on. ``until`` stops it after so
    many rounds, whatever its clock says. A run that was steered by hand is this with what was turned, bit for bit.
    ``progress(status)`` is called about twice a second. Raises ConfigError for a config that cannot be built; a run
    that fails or diverges is returned with that status. Ctrl-C interrupts the run, saves it and is raised again.
    """
    config = RunConfig() if config is None else config
    use_store(Path(default_root() if store is None else store))  # where a data set of one's own is looked for
    advice(config)  # refused before a store is made for it
    with Lab(default_root() if store is None else store) as lab:
        prepare_classifier(lab, config)
        return follow(lab, lab.submit(config, name=name, knobs=knobs, until=until), progress)


def resume(run_id: str, *, store: Path | str | None = None, progress: Progress | None = None) -> Result:
    """Go on with a run that did not finish, exactly where its newest checkpoint left it. Raises RunNotFound, Refused."""
    with Lab(default_root() if store is None else store) as lab:
        lab.resume(run_id)
        return follow(lab, run_id, progress)


def delete(*whats: str, store: Path | str | None = None) -> None:
    """Put runs and comparisons into the bin, all of them or none. Raises RunNotFound, StoreError while one is active."""
    with _opened(store) as opened:
        opened.bin.delete(whats)


def deleted(*, store: Path | str | None = None) -> list[Deleted]:
    """What is in the bin, the last deleted first."""
    with _opened(store) as opened:
        return opened.bin.listed()


def restore_run(what: str, *, store: Path | str | None = None) -> None:
    """Take a run or a comparison back from the bin. Raises RunNotFound."""
    with _opened(store) as opened:
        opened.bin.restore(what)


def purge(what: str, *, store: Path | str | None = None) -> None:
    """Remove a run or a comparison that is in the bin for good. Raises RunNotFound, StoreError for one that is not there."""
    with _opened(store) as opened:
        opened.bin.purge(what)


def _opened(store: Path | str | None) -> RunStore:
    return RunStore(default_root() if store is None else store)


def fork(
    run_id: str,
    changes: Mapping[str, Any] | None = None,
    *,
    at: int | None = None,
    store: Path | str | None = None,
    name: str = "",
    knobs: KnobsByRound | None = None,
    until: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Go on from a checkpoint of a run as another run, with dotted settings changed, and train that one to its end.

    ``at`` is the round of the checkpoint; None is the newest. ``knobs`` and ``until`` are those of `train`, in the rounds of
    the fork, which go on counting. ``scalars`` of the result begin with the parent's rounds.
    Raises RunNotFound, Refused where there is no such checkpoint, ConfigError where the changed run cannot be built.
    """
    with Lab(default_root() if store is None else store) as lab:
        child = lab.fork(run_id, changes, at=at, name=name, knobs=knobs, until=until)
        return follow(lab, child, progress)


def bring_table(
    file: Path | str, columns: Sequence[str] | None = None, *, name: str = "", store: Path | str | None = None
) -> Own:
    """Keep the points in two columns of a table as a data set; ``name`` of the result is what a config calls it.

    ``columns`` names the two, or counts them from 1; a table of two columns of numbers needs none. Raises DataError,
    which says what the columns are where nobody said which; OSError for a file that cannot be opened.
    """
    content = Path(file).read_bytes()
    return Chores(default_root() if store is None else Path(store)).keep_table(
        content, name or Path(file).stem, columns
    )


@dataclass(frozen=True)
class ComparisonResult:
    """A comparison whose runs have ended. ``runs`` by variant and seed; ``table`` has a row per variant, measure and seed;
    ``metrics``, ``sentences`` and ``floors`` are what `gan_core.engine.standings.to_json` tells.
    """

    comparison: str
    runs: dict[tuple[str, int], Result]
    table: pd.DataFrame
    metrics: dict[str, Any]
    sentences: dict[str, list[str]]
    floors: dict[str, float]


def compare(
    comparison: Comparison,
    *,
    store: Path | str | None = None,
    name: str = "",
    progress: ComparisonProgress | None = None,
) -> ComparisonResult:
    """Train every run of a comparison, all of them together, and return where the variants stand.

    ``progress(statuses)`` is called about twice a second with the status of each run. Raises ConfigError, before anything
    is trained, where one of them cannot be built.
    """
    use_store(Path(default_root() if store is None else store))
    for config in comparison.configs().values():
        advice(config)
    with Lab(default_root() if store is None else store) as lab:
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
    told = standings.to_json(found, standings.read_floors(lab.store, found))
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
    )


def read_result(store: RunStore, run: RunRecord) -> Result:
    """What the store holds of a run, also of one that still trains."""
    frames = store.frames(run.id)
    return Result(
        run=run.id,
        status=run.status,
        rounds=run.rounds,
        seconds=float(run.summary.get("seconds", 0.0)),
        metrics=dict(run.summary.get("metrics", {})),
        state_hash=run.summary.get("state_hash"),
        scalars=store.track(run.id, "turns").frame(),
        diagnostics=store.track(run.id, "diagnostics").frame(),
        samples={
            frame.round: store.artefact_path(run.id, frame.parts["grid"]["file"])
            for frame in frames
            if "grid" in frame.parts
        },
        message=run.message,
        verdict=run.summary.get("verdict") or stored_view(store, run).status["verdict"],
    )


def follow(lab: Lab, run_id: str, progress: Progress | None = None) -> Result:
    """Wait for a run of this lab to end."""
    view = lab.view(run_id)
    while lab.is_active(run_id):
        lab.wait(run_id, timeout=0.5)
        if progress is not None:
            progress(view.status)
    return read_result(lab.store, lab.store.run(run_id))


__all__ = [
    "ComparisonResult",
    "Result",
    "compare",
    "delete",
    "deleted",
    "follow",
    "follow_comparison",
    "fork",
    "purge",
    "read_result",
    "restore_run",
    "resume",
    "train",
]
