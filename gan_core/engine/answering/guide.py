"""The server's side of the process that answers: who waits for what, and that it runs."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from gan_core.engine.answering.lanes import lane
from gan_core.engine.latent.recipes import Recipe
from gan_core.engine.programs import Program, start
from gan_core.store import StoreError

log = logging.getLogger(__name__)

MODULE = "gan_core.engine.answering.process"
MOST_WAITING = 200
"""Questions that are open at once, about three for each of a class; more are refused."""
BREATHER = 2.0
"""Seconds between two starts of the process: one that ends at once is not started again and again."""
ENDED = "The process that makes these pictures has ended; move anything to start it again."
FULL = "Too many people are waiting for a picture; try again in a moment."

SUPERSEDED = b""


class Unanswered(StoreError):
    """No answer will come; the text says why."""


@dataclass
class _Asked:
    visitor: tuple[str, str]
    line: list[object]
    future: Future[bytes] = field(default_factory=Future)


class Guide:
    """Asks the process, which is started by the first question, and anew by the first one after its death.

    Of each visitor only the latest question of a lane is waited for; what it replaces is answered with ``SUPERSEDED``. The
    questions of all who wait go together, as soon as the process is done with those before.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._waiting: dict[tuple[str, str], int] = {}
        self._open: dict[int, _Asked] = {}
        self._process: Program | None = None
        self._started = -BREATHER
        self._in_hand = False  # a batch is with the process
        self._closed = False

    def ask(self, visitor: str, run: str, at: int | None, recipe: Recipe) -> Future[bytes]:
        """The answer to a recipe as the JSON that travels. Raises Wrong for a recipe of no kind.

        Raises Unanswered, here or by the future, where no answer will come.
        """
        key = visitor, lane(recipe)
        with self._lock:
            if self._closed:
                raise Unanswered("The server is closing.")
            if len(self._open) >= MOST_WAITING and key not in self._waiting:
                raise Unanswered(FULL)
            self._begin()
            replaced = self._open.pop(self._waiting.pop(key, 0), None)
            id = next(self._ids)
            asked = _Asked(key, [id, visitor, run, at, dict(recipe)])
            asked.future.set_running_or_notify_cancel()  # who leaves cannot take it away from whoever answers
            self._open[id], self._waiting[key] = asked, id
            self._send()
        if replaced is not None:
            replaced.future.set_result(SUPERSEDED)
        return asked.future

    @property
    def process_id(self) -> int | None:
        """Of the process that answers; None while there is none."""
        process = self._process
        return process.pid if process is not None else None

    @property
    def has_in_hand(self) -> bool:
        """Whether the process has a batch that it is not done with."""
        return self._in_hand

    def close(self) -> None:
        with self._lock:
            self._closed, process = True, self._process
        if process is not None:
            process.kill()
            process.wait()

    # -- with the lock held ----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._process is not None:
            return
        if time.monotonic() - self._started < BREATHER:
            raise Unanswered(ENDED)
        self._started = time.monotonic()
        self._process = start(MODULE, str(self._store))
        threading.Thread(target=self._hear, args=(self._process,), name="answers", daemon=True).start()

    def _send(self) -> None:
        """Hand over all that waits, if the process has nothing in hand."""
        if self._in_hand or not self._waiting or self._process is None:
            return
        batch = [self._open[id].line for id in self._waiting.values()]
        self._waiting.clear()
        self._in_hand = True
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(batch).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it is dead, which the thread that hears it is about to tell

    # -- in a thread of its own ------------------------------------------------------------------------------------

    def _hear(self, process: Program) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            number, _, answer = line.rstrip(b"\n").partition(b" ")
            with self._lock:
                asked = self._open.pop(int(number), None)
                if number == b"0":
                    self._in_hand = False
                    self._send()
            if asked is not None:
                asked.future.set_result(answer)
        status = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        with self._lock:
            lost = list(self._open.values())
            self._open.clear()
            self._waiting.clear()
            self._process, self._in_hand = None, False
        if lost and not self._closed:
            log.warning("The process that answers visitors ended with status %s.", status)
        for asked in lost:
            asked.future.set_exception(Unanswered(ENDED))
