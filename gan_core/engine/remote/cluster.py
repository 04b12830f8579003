"""The cluster of a lab: what trains there goes on when a node is lost, or when the server was away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from gan_core.config import ConfigError
from gan_core.engine.observers import GetClassifier
from gan_core.engine.remote.connection import Seen
from gan_core.engine.remote.executor import RayExecutor
from gan_core.engine.running.active import Refused
from gan_core.engine.running.executors import HowFar
from gan_core.engine.running.scheduler import Scheduler
from gan_core.intake.errors import DataError
from gan_core.store import RunRecord, RunStore, StoreError

log = logging.getLogger(__name__)


class Home(Protocol):
    """What a cluster asks of its lab."""

    store: RunStore

    def resume(self, run_id: str) -> int: ...
    def keep_pace(self, comparison_id: str) -> None: ...


class Cluster:
    """The executor of a lab's runs on the cluster at ``address``, and who goes on with what was lost or found there.

    ``seen`` is what is known of it.
    """

    def __init__(self, store: RunStore, address: str) -> None:
        self._store = store
        self.seen = Seen(address)
        self._home: Home | None = None
        self._open = threading.Event()

    def executor(self, classifier: GetClassifier, wake: Callable[[], None], how_far: HowFar) -> RayExecutor:
        """Connects, in a process of its own."""
        asked = (classifier, wake, how_far, self._find, self._recorded, self._store.leases)
        self._executor = RayExecutor(self._store.root, self.seen, *asked)
        return self._executor

    def _recorded(self, run_id: str) -> int:
        try:
            return self._store.last_round(run_id, "turns") or 0
        except StoreError:
            return 0

    def begin(self, home: Home, scheduler: Scheduler, *, takes_over: bool) -> None:
        """The lab is open. ``takes_over``: it goes on with interrupted runs that train by themselves."""
        self._home, self._settled, self._takes_over = home, scheduler.settled, takes_over
        scheduler.come_back = self.bring_back
        self._open.set()

    def bring_back(self, run_id: str) -> None:
        """Go on with a run that was lost from its last checkpoint, wherever there is room; later each time it is lost anew."""
        threading.Thread(target=self._bring_back, args=(run_id,), name="cluster-back", daemon=True).start()

    def _bring_back(self, run_id: str) -> None:
        try:
            time.sleep(self._executor.patience(run_id))
            if self._go_on(run_id):
                self.seen.returned += 1
        finally:
            self._settled(run_id)

    def _find(self, runs: list[str]) -> None:
        threading.Thread(target=self._take_over, args=(runs,), name="cluster-found", daemon=True).start()

    def _take_over(self, runs: list[str]) -> None:
        """Of runs that go on by themselves, those that were interrupted belong to nobody: they are taken over."""
        self._open.wait()
        if not self._takes_over or self._home is None:
            return
        known: dict[str, Any] = {run.id: run for run in self._store.runs() if isinstance(run, RunRecord)}
        mine = [run for run in runs if run in known and known[run].status == "interrupted"]
        for comparison in self._store.comparisons():
            if sum(member.run in mine for member in comparison.members) > 1:
                self._home.keep_pace(comparison.id)
        for run in mine:
            self._go_on(run)

    def _go_on(self, run_id: str) -> bool:
        assert self._home is not None
        try:
            self._home.resume(run_id)
        except (Refused, StoreError, ConfigError, DataError) as error:
            log.warning("run %s does not go on: %s", run_id, error)
            return False
        return True
