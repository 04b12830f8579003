"""What a study still has to compute, cell by cell, in this process; and how a study begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from gan_core.config import ConfigError, RunConfig
from gan_core.config.studies import StudySettings, load_study
from gan_core.data import DATASETS
from gan_core.data.places import use_store
from gan_core.engine.library.forecasts import in_words
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Cell, Findings, Row, Values
from gan_core.engine.studies.protocols import PROTOCOLS, Protocol
from gan_core.engine.studies.states import kept
from gan_core.failpoints import failpoint
from gan_core.intake.errors import DataError
from gan_core.store import RunStore, StoreError, StudyRecord, new_run_id

Progress = Callable[[float, str], None]
OLD_STUDIES = 10  # whose times are looked at for a forecast
FEWEST_SECONDS = 2.0


@dataclass(frozen=True)
class Asked:
    """A study as it is asked for: its protocol, its settings and their cells."""

    protocol: Protocol
    settings: StudySettings
    cells: tuple[Cell, ...]

    @property
    def work(self) -> float:
        """About how many seconds all cells take on an idle core."""
        return sum(self.protocol.work(self.settings, cell) for cell in self.cells)

    def part(self, place: int, of: int) -> Asked:
        """The cells for one process of so many: in turn, and together what is cheaper together. The parts are fixed, so that
        no cell is computed twice, however much is stored.
        """
        turns: dict[Hashable, int] = {}
        for cell in self.cells:
            turns.setdefault(self.protocol.together(cell), len(turns))
        mine = tuple(cell for cell in self.cells if turns[self.protocol.together(cell)] % of == place)
        return replace(self, cells=mine)


def asked(settings: StudySettings | Mapping[str, Any]) -> Asked:
    """Raises ConfigError for settings that no protocol has."""
    loaded = settings if isinstance(settings, StudySettings) else load_study(settings)
    protocol = PROTOCOLS[loaded.protocol]
    return Asked(protocol, loaded, protocol.cells(loaded))


def begin(store: RunStore, settings: StudySettings | Mapping[str, Any], *, name: str = "") -> StudyRecord:
    """Put a study into the store, queued. Raises ConfigError, RunNotFound, and DataError for what cannot be asked."""
    one = asked(settings)
    use_store(store.root)
    protocol, loaded = one.protocol, one.settings
    if protocol.asks or loaded.run:
        loaded = _of_a_run(store, protocol, loaded)
    if loaded.data not in DATASETS:
        raise DataError(f"There is no data set {loaded.data!r}.")
    if missing := DATASETS[loaded.data].missing():
        raise DataError(missing)
    title = name or f"{protocol.title} {DATASETS[loaded.data].about.title}"
    return store.studies.create(new_run_id(), name=title, settings=loaded.to_dict(), cells=len(protocol.cells(loaded)))


def _of_a_run(store: RunStore, protocol: Protocol, settings: StudySettings) -> StudySettings:
    """The settings with the data of the run that is asked, and the round of its newest checkpoint where none was named."""
    if not settings.run:
        raise DataError("Say which run this study asks.")
    config = RunConfig.load(store.run(settings.run).config)
    if why := protocol.refuses(config):
        raise DataError(why)
    kept = [saved.round for saved in store.checkpoints(settings.run)]
    if not kept:
        raise DataError("No checkpoint of this run has been kept yet; save one first.")
    if settings.at is not None and settings.at not in kept:
        raise DataError(f"There is no checkpoint of round {settings.at:,}; there are {', '.join(map(str, kept))}.")
    changes = {"data": config.data.name, "options": dict(config.data.options), "at": settings.at or kept[-1]}
    return settings.model_copy(update=changes)


def rows_of(store: RunStore, study: StudyRecord) -> list[Row]:
    """The rows of a study that are there, in the order of its cells. Raises ConfigError for settings of another version."""
    one = asked(study.settings)
    found = {row.key: row.values for row in store.studies.rows(study.id)}
    return [Row(cell, found[cell.key]) for cell in one.cells if cell.key in found]


def findings_of(store: RunStore, study: StudyRecord) -> Findings:
    """What a study has found until now. Raises ConfigError for settings of another version."""
    one = asked(study.settings)
    return one.protocol.findings(one.settings, rows_of(store, study))


def compute(
    store: RunStore,
    study: StudyRecord,
    progress: Progress,
    stopped: Callable[[], bool],
    part: tuple[int, int] = (0, 1),
) -> Iterator[tuple[str, Values, float]]:
    """The key of each cell of a ``part`` that is missing, its values, and the seconds they took; all are one part. Raises
    DataError, StoreError, ConfigError; Cancelled where somebody asked for the end.
    """
    torch.set_num_threads(1)  # of more threads other bits come, and training needs them
    whole = asked(study.settings)
    one = whole.part(*part)
    places = {cell.key: place for place, cell in enumerate(whole.cells, start=1)}
    known = {row.key for row in store.studies.rows(study.id)}
    bench = Bench(store, study.id, one.settings, stopped=stopped)
    total, done = max(one.work, 1e-9), sum(one.protocol.work(one.settings, c) for c in one.cells if c.key in known)
    began, before = time.monotonic(), done
    for cell in one.cells:
        if cell.key in known:
            continue
        weight = one.protocol.work(one.settings, cell)

        def tell(share: float, done: float = done, weight: float = weight, cell: Cell = cell) -> None:
            now = done + share * weight
            spent = time.monotonic() - began
            left = spent / (now - before) * (total - now) if now > before and spent > FEWEST_SECONDS else None
            progress(now / total, _sentence(places[cell.key], len(places), cell, left))

        bench.progress = tell
        tell(0.0)
        bench.check()
        failpoint("study.cell")
        start = time.perf_counter()
        values = one.protocol.compute(one.settings, cell, bench)
        yield cell.key, values, time.perf_counter() - start
        done += weight


def _sentence(place: int, of: int, cell: Cell, left: float | None) -> str:
    ends = "" if left is None else f" · about {in_words(left)} left, as what is done took"
    return f"{place} of {of}: {cell.title or cell.arm}, seed {cell.seed}{ends}"


def compute_here(
    store: RunStore,
    study_id: str,
    progress: Progress = lambda share, sentence: None,
    stopped: Callable[[], bool] = lambda: False,
) -> StudyRecord:
    """Compute what is missing in this process and keep it. What raises leaves the study failed, stopped or interrupted."""
    with kept(store, study_id) as study:
        for key, values, seconds in compute(store, study, progress, stopped):
            store.studies.add_row(study_id, key, values, seconds)
    return store.studies.read(study_id)


def go_on(store: RunStore, study_id: str, progress: Progress) -> StudyRecord:
    """Compute what is left of a study in this process. Raises StoreError where it is computed elsewhere, or was deleted."""
    must_be_idle(store, study_id)
    return compute_here(store, study_id, progress)


def must_be_idle(store: RunStore, study_id: str) -> None:
    """Raises StoreError where a study is computed elsewhere, or was deleted."""
    study = store.studies.read(study_id)
    if study.active:
        raise StoreError("This study is being computed.")
    if study.deleted_at is not None:
        raise StoreError("This study was deleted; take it back first.")


def forecast(store: RunStore, settings: StudySettings | Mapping[str, Any], processes: int = 1) -> tuple[float, str]:
    """About how many seconds a study takes on this machine, and on what that is based: the last studies of its protocol, as far
    as they are stored here, else an idle core for each of so many processes.
    """
    one = asked(settings)
    paces = []
    for study in store.studies.listed()[:OLD_STUDIES]:
        if study.protocol == one.protocol.name and study.seconds > FEWEST_SECONDS:
            try:
                old = asked(study.settings)
            except ConfigError:
                continue
            done = {row.key for row in store.studies.rows(study.id)}
            work = sum(old.protocol.work(old.settings, cell) for cell in old.cells if cell.key in done)
            paces.append(study.seconds / max(work, 1e-9))
    alone = "on a core of its own" if processes == 1 else f"on {processes} free cores"
    longest = max(one.part(place, processes).work for place in range(processes))
    return longest * (min(paces) if paces else 1.0), "as the last one took here" if paces else alone
