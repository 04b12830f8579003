"""Views of runs that do not train here: those that have ended, and those that another process trains."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from gan_core.engine.showing.live import LiveView, stored_view
from gan_core.store import RunRecord, RunStore

MAX_VIEWS = 16
LOOK_AGAIN_SECONDS = 2.0
READING_SHARE = 0.05  # of the time, at most, goes into reading one foreign run again


@dataclass
class _Kept:
    run: RunRecord
    view: LiveView
    due: float


class Gallery:
    """The last few views, kept: a stored run is read once, one that trains elsewhere every few seconds."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, run_id: str) -> LiveView:
        """The same object for everyone, brought up to date. Raises RunNotFound."""
        with self._lock:
            kept = self._kept.get(run_id)
            if kept is not None:
                self._kept.move_to_end(run_id)
        run = self._store.run(run_id)
        if kept is None:
            kept = self._keep(self._read(run))
        elif not run.active or time.monotonic() >= kept.due:
            self._look_again(kept, run)
        return kept.view

    def forget(self, run_id: str) -> None:
        with self._lock:
            self._kept.pop(run_id, None)

    def changed(self, run_id: str) -> None:
        """Read a run anew, for those who watch it: something was written down that its record does not show."""
        with self._lock:
            kept = self._kept.get(run_id)
        if kept is not None:
            self._read_anew(kept, self._store.run(run_id))

    def refresh(self) -> None:
        """Look again at what trains elsewhere and is watched here."""
        with self._lock:
            due = [k for k in self._kept.values() if k.run.active and k.view.watched and time.monotonic() >= k.due]
        for kept in due:
            self._look_again(kept, self._store.run(kept.run.id))

    def _keep(self, new: _Kept) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(new.run.id, new)  # someone may have been faster
            while len(self._kept) > MAX_VIEWS:
                self._kept.popitem(last=False)
        return kept

    def _look_again(self, kept: _Kept, run: RunRecord) -> None:
        if run == kept.run:
            kept.due = time.monotonic() + LOOK_AGAIN_SECONDS
        else:
            self._read_anew(kept, run)

    def _read_anew(self, kept: _Kept, run: RunRecord) -> None:
        new = self._read(run)
        kept.view.become(new.view)
        kept.run, kept.due = new.run, new.due

    def _read(self, run: RunRecord) -> _Kept:
        started = time.monotonic()
        view = stored_view(self._store, run)
        now = time.monotonic()
        return _Kept(run, view, now + max(LOOK_AGAIN_SECONDS, (now - started) / READING_SHARE))
