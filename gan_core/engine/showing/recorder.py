"""From a job's messages to the store and to the viewers."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from gan_core.engine.messages import Beat, Ended, Made, Message, Moment, Note, Rows, Sight, State
from gan_core.engine.showing.live import LiveView
from gan_core.engine.showing.making import made
from gan_core.failpoints import failpoint
from gan_core.metrics.states import Verdict
from gan_core.store import RunStore, StoreError

log = logging.getLogger(__name__)


class Recorder:
    """Writes down one run and shows it. Called by one thread at a time.

    While the store takes nothing (a full disk, and its memory used up), rows and pictures are lost, which is said; what
    says how the run stands is kept and written later.
    """

    def __init__(self, store: RunStore, view: LiveView, begins_at: int = 0) -> None:
        """``begins_at`` is the round at which the run begins: not 0 for a fork."""
        self._store = store
        self._begins_at = begins_at
        self._view = view
        self._run_id = view.run_id
        self._waiting: deque[Callable[[], None]] = deque()
        self._begun = False
        self._rounds = -1
        self._lost: int | None = None  # the round from which on something was not written
        self.why = ""  # a sentence, while the run waits and nobody asked it to
        self.verdicts: deque[Verdict] = deque()  # changes that whoever steers the run has not seen yet

    @property
    def behind(self) -> bool:
        """Whether something waits until the store takes it."""
        return bool(self._waiting)

    def record(self, messages: Iterable[Message]) -> None:
        """Store messages and show them. ``Ended`` comes by ``end``."""
        for message in _merged(messages):
            try:
                self._record(message)
            except StoreError as error:
                if self._lost is None:
                    log.warning("run %s: %s", self._run_id, error)
                self._lose(message)
            except Exception:
                # What was sent cannot be shown: no reason to lose what comes after it.
                log.exception("run %s: a message could not be recorded", self._run_id)
                if isinstance(message, Rows | Sight):
                    self._lose(message)
        try:
            self._note(self._view.judge())
        except Exception:
            log.exception("run %s could not be judged", self._run_id)

    def _lose(self, message: Message) -> None:
        if self._lost is None:
            self._lost = message.round if isinstance(message, Sight) else self._view.status["round"]

    def _note(self, changes: list[tuple[Verdict, dict[str, Any]]]) -> None:
        for change, data in changes:
            self.event(change.round, "verdict", data)
            self.verdicts.append(change)

    def event(self, round: int, kind: str, data: dict[str, Any]) -> None:
        self._view.add_event(round, kind, data)
        self._write(partial(self._store.add_event, self._run_id, round, kind, data))

    def progress(self) -> None:
        """Write down how far the run is, and what could not be written before."""
        round = self._view.status["round"]
        if round != self._rounds:
            self._rounds = round
            self._write(partial(self._store.update, self._run_id, wait=False, rounds=round))
        self.catch_up()

    def end(self, end: Ended) -> None:
        """Write down how the run ended; ``RunStore.flush`` says when that is done."""
        if end.state == "diverged":
            self._note(self._view.diverged(end.round, end.message))
        self.event(end.round, end.state, {"message": end.message} if end.message else {})
        fields = {"status": end.state, "rounds": end.round, "message": end.message, "ended_at": time.time()}
        summary = {**end.summary, "verdict": self._view.status["verdict"]}
        more = {"traceback": end.traceback, "summary": summary}
        self._write(partial(self._store.update, self._run_id, wait=False, **fields, **more))

    def catch_up(self) -> None:
        """Write what is waiting, in order, as far as the store takes it."""
        if self._lost is not None and self._store.problem is None:
            lost, self._lost = self._lost, None
            self.event(lost, "not_recorded", {"message": "From here on, rows or pictures could not be written."})
        while self._waiting:
            try:
                self._waiting[0]()
            except StoreError:
                return  # which the store has logged
            except Exception:
                log.exception("run %s: something could not be written", self._run_id)
            self._waiting.popleft()

    def _write(self, write: Callable[[], None]) -> None:
        self._waiting.append(write)
        self.catch_up()

    def _record(self, message: Message) -> None:
        match message:
            case Rows():
                failpoint("record")
                self._view.add_rows(message.track, message.columns, message.rounds, message.values)
                self._store.append(self._run_id, message.track, message.columns, message.rounds, message.values)
            case Sight():
                failpoint("record")
                parts = {name: self._kept(name, part) for name, part in made(message).parts.items()}
                self._view.add_frame(message.round, parts)
                self._view.set_status(measuring=message.measuring)
                self._store.add_frame(self._run_id, message.round, parts)
            case Note(kind="not_measured"):
                trace = message.data.get("traceback", "")  # for the log: viewers get the sentence
                log.error("run %s: something could not be measured\n%s", self._run_id, trace)
                self.event(message.round, message.kind, {"message": message.data["message"]})
            case Note():
                self.event(message.round, message.kind, message.data)
            case State():
                self._state(message)
            case Moment():
                self._view.set_status(caption=message.text)
            case Beat():
                pass  # the lab has heard it
            case Ended():
                raise TypeError("the end of a run comes by end()")

    def _state(self, message: State) -> None:
        self.why = message.why
        self._view.set_status(state=message.state, round=message.round, caption="")
        fields: dict[str, Any] = {"status": message.state, "rounds": message.round}
        kind: str = message.state
        if message.state == "running":
            kind = "resumed" if self._begun or message.round != self._begins_at else "started"
            if not self._begun:
                fields["started_at"] = time.time()
            self._begun = True
        self._write(partial(self._store.update, self._run_id, wait=False, **fields))
        self.event(message.round, kind, {"message": message.why} if message.why else {})

    def _kept(self, name: str, part: Any) -> Any:
        """A file that was made is put into the store, and its name into what is said of it."""
        if not isinstance(part, Made):
            return part
        return {"file": self._store.save_artefact(self._run_id, name, part.ending, part.content.tobytes()), **part.said}


def _merged(messages: Iterable[Message]) -> list[Message]:
    """The same messages, all rows of a track as one: a run hands them over more often than they should be written.

    Rows come last: a round that is in the store then has there all that was seen up to it.
    """
    rows: dict[tuple[str, tuple[str, ...]], list[Rows]] = {}
    merged: list[Message] = []
    for message in messages:
        if isinstance(message, Rows):
            rows.setdefault((message.track, message.columns), []).append(message)
        else:
            merged.append(message)
    for (track, columns), parts in rows.items():
        rounds, values = [part.rounds for part in parts], [part.values for part in parts]
        merged.append(Rows(track, columns, np.concatenate(rounds), np.concatenate(values)))
    return merged
