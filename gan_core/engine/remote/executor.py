"""Runs on a Ray cluster, each in an actor of its own; for the lab, an executor like that of processes."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from gan_core.config import ConfigError, Problem
from gan_core.data import ImageSource
from gan_core.engine.messages import Job
from gan_core.engine.observers import GetClassifier
from gan_core.engine.remote.connection import Connection, Seen
from gan_core.engine.remote.lane import Lane
from gan_core.engine.running.executors import HowFar, Setting, setting_of
from gan_core.engine.running.lockstep import UNLIMITED
from gan_core.engine.running.processes import ProcessExecutor, _Host
from gan_core.store import StoreError
from gan_core.training.classifier import FrozenClassifier, files_of

AGAIN_SECONDS = (0.0, 1.0, 3.0, 10.0)  # before a lost run goes on for the first time, the second, …; then it stays
CPUS, GPUS = "GANSCOPE_RAY_CPUS", "GANSCOPE_RAY_GPUS"  # that a run takes of its node
_COUNTED = count(1)
NOT_INSTALLED = "Ray is not installed here: pip install -r requirements-ray.txt"


def address_of(given: str | None) -> str:
    """Where the cluster is: what is given, else ``GANSCOPE_RAY``. Raises ConfigError without any, or without Ray."""
    address = given or os.environ.get("GANSCOPE_RAY") or ""
    if not address:
        raise ConfigError(
            [Problem("executor", "ray needs the address of a cluster: --ray HOST:PORT, or GANSCOPE_RAY=HOST:PORT")]
        )
    for variable in (CPUS, GPUS):
        _said(variable, 1.0)
    if importlib.util.find_spec("ray") is None:  # looks for it, and imports nothing
        raise ConfigError([Problem("executor", NOT_INSTALLED)])
    return address


def where_to_train(executor: str | None, ray: str | None) -> tuple[Setting, str]:
    """In what jobs run, and the address of the cluster if that is one. Raises ConfigError where it cannot be so."""
    setting = setting_of(executor, ray)
    return setting, address_of(ray) if setting == "ray" else ""


class Leases(Protocol):
    """The starts of runs, numbered, and what each run takes of a node. Both raise StoreError."""

    def next(self, run_id: str) -> int: ...
    def takes(self, run_id: str) -> Mapping[str, float]: ...


class _Counted:
    """Without a store: numbers that grow while this process lives."""

    def next(self, run_id: str) -> int:
        return next(_COUNTED)

    def takes(self, run_id: str) -> Mapping[str, float]:
        return {}


class RayExecutor(ProcessExecutor):
    """Jobs on the cluster of which ``seen`` is kept up to date. ``store``, ``classifier``, ``wake`` and ``how_far`` are as for
    processes.

    ``found`` is called with runs of this store that go on there by themselves: to submit such a run from its newest
    checkpoint takes it over. ``lost`` holds the runs that ended because their node or worker did, and are to go on.
    ``recorded`` says to which round there are rows of a run in the store, ``leases`` number its starts.
    """

    def __init__(
        self,
        store: Path,
        seen: Seen,
        classifier: GetClassifier,
        wake: Callable[[], None] = lambda: None,
        how_far: HowFar = lambda run_id, played: UNLIMITED,
        found: Callable[[list[str]], None] = lambda runs: None,
        recorded: Callable[[str], int] = lambda run_id: sys.maxsize,
        leases: Leases | None = None,
    ) -> None:
        super().__init__(store, store / "cache", classifier, wake, how_far)
        self._store = Path(store).resolve()
        self._lanes: dict[str, Lane] = {}
        self._leases, self._recorded = leases or _Counted(), recorded
        self.lost: set[str] = set()
        self._losses: dict[str, tuple[int, int]] = {}  # how often in a row from the same checkpoint, and from which
        where = f"{socket.gethostname()}:{self._store}"
        namespace = f"ganscope-{hashlib.sha256(where.encode()).hexdigest()[:12]}"
        self.connection = Connection(seen, namespace, found)

    def keep_spare(self) -> None:
        """Nothing waits on a cluster."""

    def submit(self, job: Job) -> None:
        def hire(label: str) -> Any:
            try:
                lease = self._leases.next(job.run_id)
                needs = needs_of(job, self._leases.takes(job.run_id))
            except StoreError as error:  # without a number, what an older start says could not be told from this one
                raise OSError(str(error)) from error
            lane = Lane(job, lease, self.connection, self._store, needs, self._lose, self._recorded)
            self._lanes[job.run_id] = lane
            return lane

        def classify(source: ImageSource) -> FrozenClassifier | None:
            found = self._classifier(source)
            lane = self._lanes.get(job.run_id)
            if found is not None and lane is not None:
                for path in files_of(source, self._setup.cache):
                    if path.is_file():
                        lane.send_file(path, f"cache/{path.name}")
            return found

        self.lost.discard(job.run_id)
        self._jobs[job.run_id] = _Host(self._setup, hire, classify, self._how_far).begin(job, self._wake)

    def starting(self, run_id: str) -> bool:
        """Also while there is no contact: such a run does not hang."""
        lane = self._lanes.get(run_id)
        return super().starting(run_id) or (lane is not None and bool(lane.waits))

    def waits_for(self, run_id: str) -> str:
        lane = self._lanes.get(run_id)
        return lane.waits if lane is not None else ""

    def where(self, run_id: str) -> str:
        return self.connection.seen.places.get(run_id, "")

    def comes_back(self, run_id: str) -> bool:
        return run_id in self.lost

    def patience(self, run_id: str) -> float:
        """Seconds to wait before a run that was lost goes on: longer each time that it was lost without getting any further."""
        times, _ = self._losses.get(run_id, (1, 0))
        return AGAIN_SECONDS[min(times, len(AGAIN_SECONDS)) - 1]

    def forget(self, run_id: str) -> None:
        super().forget(run_id)
        self._lanes.pop(run_id, None)
        self.connection.seen.places.pop(run_id, None)

    def close(self, timeout: float) -> list[str]:
        late = super().close(timeout)
        self.connection.close()
        return late

    def _lose(self, lane: Lane) -> bool:
        """Whether it goes on by itself; not where it was lost again and again from the same checkpoint."""
        self.connection.seen.lost += 1
        times, began_at = self._losses.get(lane.run, (0, lane.begins_at))
        times = times + 1 if began_at == lane.begins_at else 1
        self._losses[lane.run] = times, lane.begins_at
        if times > len(AGAIN_SECONDS):
            del self._losses[lane.run]
            return False
        self.lost.add(lane.run)
        return True


def needs_of(job: Job, takes: Mapping[str, float]) -> dict[str, float]:
    """What a run takes of a node: what was said of this run, or by the environment of all; else one CPU, since one thread
    trains, and a GPU if the run is on one.
    """
    gpus = takes.get("gpus") or _said(GPUS, 1.0)
    return {"cpus": takes.get("cpus") or _said(CPUS, 1.0), "gpus": gpus if job.config.device == "cuda" else 0.0}


def _said(variable: str, usual: float) -> float:
    """A number of CPUs or GPUs, of which a run may have a part. Raises ConfigError for anything else."""
    said = os.environ.get(variable) or str(usual)
    try:
        count = float(said)
    except ValueError:
        count = -1.0
    if not (0 < count <= 1 or (count > 1 and count == int(count))):  # Ray shares out parts of one, and whole ones
        text = f"{variable} is {said[:40]!r}; it should be a part of one, as 0.25, or a whole number"
        raise ConfigError([Problem("executor", text)])
    return count
