"""The protocols of studies. ``PROTOCOLS`` is the registry: a protocol is its cells, what is computed in one, what they say."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from gan_core.about import About
from gan_core.config import RunConfig
from gan_core.engine.studies import anomaly, augmentation, copying, few, price
from gan_core.engine.studies.anomaly_findings import parts_of
from gan_core.engine.studies.bench import Bench
from gan_core.engine.studies.findings import Cell, Findings, Row, Values


def _alone(cell: Cell) -> Hashable:
    return cell.key


def _of_a_size(cell: Cell) -> Hashable:
    return cell.seed, cell.size


def _of_a_case(cell: Cell) -> Hashable:
    return cell.seed, parts_of(cell)[1]


def _none_needed(config: RunConfig) -> str:
    return "This study asks no run."


@dataclass(frozen=True)
class Protocol:
    """How something is measured. What a protocol is given as settings is an instance of its model in `STUDY_SETTINGS`.

    ``cells(settings)`` are the smallest units of work in order, seed after seed, so that an interrupted study is a smaller
    study. ``compute(settings, cell, bench)`` is a function of the settings, the cell and the run that is asked: a second
    call gives the same numbers. ``findings(settings, rows)`` says what the rows that are there carry. ``work(settings, cell)``
    is about how many seconds a cell takes on an idle core. ``notes`` are sentences that stand beside every result. Cells of
    which ``together(cell)`` is the same are cheaper in one process. ``refuses(config)`` says in a sentence why a run cannot
    be asked, "" where it can; ``asks`` whether one must be.
    """

    name: str
    title: str
    about: About
    cells: Callable[[Any], tuple[Cell, ...]]
    compute: Callable[[Any, Cell, Bench], Values]
    findings: Callable[[Any, Sequence[Row]], Findings]
    work: Callable[[Any, Cell], float]
    notes: tuple[str, ...] = ()
    together: Callable[[Cell], Hashable] = _alone
    asks: bool = False
    refuses: Callable[[RunConfig], str] = _none_needed


PROTOCOLS: dict[str, Protocol] = {
    "augmentation": Protocol(
        "augmentation",
        "Does augmentation with a GAN help?",
        augmentation.ABOUT,
        augmentation.cells,
        augmentation.compute,
        augmentation.findings,
        augmentation.work,
        augmentation.NOTES,
        together=_of_a_size,
    ),
    "price": Protocol(
        "price",
        "What are its samples worth?",
        price.ABOUT,
        price.cells,
        price.compute,
        price.findings,
        price.work,
        price.NOTES,
        asks=True,
        refuses=price.refuses,
    ),
    "anomaly": Protocol(
        "anomaly",
        "Which pictures are unlike the others?",
        anomaly.ABOUT,
        anomaly.cells,
        anomaly.compute,
        anomaly.findings,
        anomaly.work,
        anomaly.NOTES,
        together=_of_a_case,
    ),
    "copying": Protocol(
        "copying",
        "Does it copy its training pictures?",
        copying.ABOUT,
        copying.cells,
        copying.compute,
        copying.findings,
        copying.work,
        copying.NOTES,
        asks=True,
        refuses=copying.refuses,
    ),
    "few": Protocol(
        "few",
        "What do few pictures cost?",
        few.ABOUT,
        few.cells,
        few.compute,
        few.findings,
        few.work,
        few.NOTES,
    ),
}
