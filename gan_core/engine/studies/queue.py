"""The studies of a lab: one is computed at a time, in a process that gives way to training, the others wait in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gan_core.config.studies import StudySettings
from gan_core.engine.studies.computing import begin
from gan_core.engine.studies.side_by_side import compute_apart, processes_for
from gan_core.store import RunStore, StoreError
from gan_core.store.owner import this_process

log = logging.getLogger(__name__)

MOST_KEYS = 200


class StudyQueue:
    """Starts, stops and resumes the studies of a store. Safe to call from any thread."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._waiting: list[str] = []
        self._at_work = ""
        self._told: dict[str, tuple[float, str]] = {}
        self._keys: dict[str, str] = {}
        self._stop: set[str] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self, settings: StudySettings | Mapping[str, Any], *, name: str = "", key: str = "") -> str:
        """Begin a study, or queue it; returns its id. A second call with the same ``key`` (a double click) starts nothing.

        Raises ConfigError, DataError or RunNotFound where it cannot be asked.
        """
        with self._changed:
            if key and key in self._keys:
                return self._keys[key]
            study = begin(self._store, settings, name=name)
            if key:
                self._keys[key] = study.id
                while len(self._keys) > MOST_KEYS:
                    del self._keys[next(iter(self._keys))]
            self._enqueue(study.id)
            return study.id

    def resume(self, study_id: str) -> None:
        """Go on with a study that did not finish, where it was. Raises StoreError for one that is active or was deleted."""
        with self._changed:
            study = self._store.studies.read(study_id)
            if study.active or study_id in (self._at_work, *self._waiting):
                raise StoreError("This study is being computed.")
            if study.deleted_at is not None:
                raise StoreError("This study was deleted; take it back first.")
            self._store.studies.update(study_id, status="queued", message="", owner=this_process())
            self._enqueue(study_id)

    def stop(self, study_id: str) -> None:
        """Ask a study to end; what it has computed stays, and `resume` goes on with it."""
        with self._changed:
            self._store.studies.read(study_id)
            if study_id in self._waiting:
                self._waiting.remove(study_id)
                self._store.studies.update(study_id, status="stopped")
            elif study_id == self._at_work:
                self._stop.add(study_id)

    def progress(self, study_id: str) -> tuple[float, str] | None:
        """How far a study is that is computed here, (share, sentence); None for any other."""
        with self._changed:
            if study_id in self._waiting:
                return (0.0, f"waits for {self._waiting.index(study_id) + bool(self._at_work)} before it")
            return self._told.get(study_id, (0.0, "beginning")) if study_id == self._at_work else None

    def wait(self, study_id: str, timeout: float | None = None) -> bool:
        """Until a study is neither computed nor queued here, or for so many seconds; whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: study_id not in (self._at_work, *self._waiting), timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Let the study at work end; it and those that wait can be resumed."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _enqueue(self, study_id: str) -> None:
        if self._closing:
            raise StoreError("The lab is closing.")
        self._waiting.append(study_id)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="studies", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._at_work = ""
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    self._leave(self._waiting)
                    return
                self._at_work = study_id = self._waiting.pop(0)
            try:
                self._compute(study_id)
            except Exception as error:  # its status says what it was
                log.info("the study %s ended: %s", study_id, error)
            finally:
                self._stop.discard(study_id)
                self._told.pop(study_id, None)

    def _compute(self, study_id: str) -> None:
        try:
            compute_apart(
                self._store,
                study_id,
                processes_for(self._store, self._store.studies.read(study_id).settings),
                lambda share, sentence: self._told.__setitem__(study_id, (share, sentence)),
                lambda: self._closing or study_id in self._stop,
            )
        finally:
            if self._closing and study_id not in self._stop:
                self._leave([study_id])

    def _leave(self, study_ids: list[str]) -> None:
        for study_id in study_ids:
            with suppress(StoreError):
                if self._store.studies.read(study_id).status != "finished":
                    self._store.studies.update(
                        study_id, status="interrupted", message="The server ended before it did."
                    )
