"""A study computed by several processes at once, each with its share of the cells, which this process keeps as they come."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

from gan_core.config.studies import StudySettings
from gan_core.engine.exchange.apart import told_by
from gan_core.engine.library.forecasts import training_now
from gan_core.engine.studies.computing import Progress, asked
from gan_core.engine.studies.states import kept
from gan_core.intake.errors import DataError
from gan_core.store import RunStore, StudyRecord

STUDIER = "gan_core.engine.studies.studier"
MOST = 2
"""Processes for one study: each holds torch and the data, and what trains later shall find a core."""
WORTH_ANOTHER = 20.0  # seconds of work, of which the start of a process is a small part
LOOKED_AT = 60  # runs, the newest
GONE = "The process that computed this study ended before it was done; go on with it."
Told = tuple[int, dict[str, Any] | Exception | None]
"""Which process, and what it said: None after its last word."""


def processes_for(store: RunStore, settings: StudySettings | Mapping[str, Any]) -> int:
    """As many as there are cores on which no run of the store trains, one at least, and one for a study that is soon done."""
    if asked(settings).work < WORTH_ANOTHER:
        return 1
    return max(1, min(MOST, (os.cpu_count() or 1) - training_now(store.runs(limit=LOOKED_AT))))


def compute_apart(
    store: RunStore, study_id: str, processes: int, progress: Progress, stopped: Callable[[], bool]
) -> StudyRecord:
    """Compute what is missing in so many processes and keep it. What raises leaves the study failed, stopped or interrupted:
    DataError with what a process refused, or where one was gone; Cancelled once ``stopped()``.
    """
    with kept(store, study_id) as study:
        shares, sentences = [0.0] * processes, [""] * processes
        weights = [max(asked(study.settings).part(place, processes).work, 1e-9) for place in range(processes)]
        for place, told in _told_by_all(store, study_id, processes, stopped):
            if "row" in told:
                store.studies.add_row(study_id, *told["row"])
            elif "progress" in told:
                shares[place], sentences[place] = float(told["progress"][0]), str(told["progress"][1])
            elif "refused" in told:
                raise DataError(told["refused"])
            else:
                shares[place] = 1.0
            last = min(range(processes), key=lambda one: (shares[one], not sentences[one]))
            progress(
                sum(weight * share for weight, share in zip(weights, shares, strict=True)) / sum(weights),
                sentences[last] or sentences[place],
            )
    return store.studies.read(study_id)


def _told_by_all(
    store: RunStore, study_id: str, processes: int, stopped: Callable[[], bool]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """What each process says, as it comes, until all are done; all end when nobody reads on. Raises DataError, Cancelled."""
    enough = threading.Event()
    came: SimpleQueue[Told] = SimpleQueue()

    def listen(place: int) -> None:
        words = (str(store.root), study_id, str(place), str(processes))
        try:
            for told in told_by(STUDIER, *words, cancel=lambda: enough.is_set() or stopped()):
                came.put((place, told))
        except Exception as error:  # whoever reads raises it
            came.put((place, error))
        came.put((place, None))

    threads = [
        threading.Thread(target=listen, args=(place,), name=f"study {place}", daemon=True) for place in range(processes)
    ]
    for thread in threads:
        thread.start()
    done: set[int] = set()
    try:
        ended = 0
        while ended < processes:
            place, told = came.get()
            if isinstance(told, Exception):
                raise told
            if told is None:
                if place not in done:
                    raise DataError(GONE)
                ended += 1
            else:
                done |= {place} if "done" in told else set()
                yield place, told
    finally:
        enough.set()
        for thread in threads:
            thread.join()
