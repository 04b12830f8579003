"""The one writer thread of a store: it takes writes in order and commits them in groups."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from gan_core.failpoints import failpoint
from gan_core.store.records import StoreError, reason

log = logging.getLogger(__name__)

GROUP_SECONDS = 0.25
MAX_WAITING_BYTES = 64 * 2**20

STORAGE_FAILURES = (sqlite3.Error, OSError, MemoryError)  # where SQLite finds no memory, Python says MemoryError

T = TypeVar("T")


@dataclass(frozen=True)
class _Write:
    apply: Callable[[sqlite3.Connection], Any]
    size: int = 0
    answer: Future[Any] | None = None  # None: nobody waits, so it is kept and tried again while the disk is full

    def is_wanted(self) -> bool:
        """Claim the write for this transaction; false when its caller gave up waiting."""
        return self.answer is None or self.answer.set_running_or_notify_cancel()


class Writer:
    """Applies functions of a connection, in order, each whole or not at all.

    Two ways to fail are kept apart. A write that is *refused* (unknown run, broken constraint) is rolled back alone:
    its waiting caller gets the exception, otherwise it is logged. When the *storage* fails (disk full, locked, I/O),
    the transaction is rolled back; waiting callers get a StoreError and their writes are dropped, so that what raised
    was never done, while writes that nobody waits for stay in memory, up to ``max_bytes``, and are tried again.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        group_seconds: float = GROUP_SECONDS,
        max_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._connection = connection
        self._group_seconds = group_seconds
        self._max_bytes = max_bytes
        self._queue: deque[_Write] = deque()
        self._bytes = 0
        self._problem: str | None = None
        self._hurry = False
        self._closing = False
        self._changed = threading.Condition()
        # A daemon: a program that ends without close() must not hang on it.
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """One sentence while the storage fails, else ``None``."""
        return self._problem

    def submit(self, apply: Callable[[sqlite3.Connection], Any], size: int = 0) -> None:
        """Queue a write of about ``size`` bytes without waiting for it.

        Blocks only while a healthy writer is behind by ``max_bytes``. StoreError when that much is waiting because
        the storage fails, or when the store is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._problem or self._closing or self._has_room(size))
            if self._problem and not self._has_room(size):
                raise StoreError(f"{self._problem} No more can be held in memory.")
            self._put(_Write(apply, size))

    def call(self, apply: Callable[[sqlite3.Connection], T], timeout: float = 30.0) -> T:
        """Apply a write, wait until it is committed and return its value. Everything queued before it is committed too.

        Raises what ``apply`` raised, or StoreError when the storage fails or ``timeout`` seconds were not enough;
        in each of these cases the write was not done and will not be.
        """
        answer: Future[T] = Future()
        with self._changed:
            self._hurry = True
            self._put(_Write(apply, answer=answer))
        try:
            return answer.result(timeout)
        except NotInTime:
            if answer.cancel():
                raise StoreError(f"The store did not answer within {timeout:g} s.") from None
            return answer.result()  # its transaction has begun, so the answer is near

    def close(self) -> None:
        """Make a last attempt at what is queued, then end the thread and close the connection."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _has_room(self, size: int) -> bool:
        return not self._bytes or self._bytes + size <= self._max_bytes

    def _put(self, write: _Write) -> None:
        if self._closing:
            raise StoreError("The store is closed.")
        self._queue.append(write)
        self._bytes += write.size
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                self._changed.wait_for(lambda: self._hurry or self._closing, self._group_seconds)
                last = self._closing
                batch = list(self._queue)
                self._queue.clear()
                self._hurry = False
            if batch:
                self._commit(batch)
            if last:
                self._connection.close()
                return

    def _commit(self, batch: list[_Write]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            failpoint("store.write")
            done = [(write, *self._apply(write)) for write in batch if write.is_wanted()]
            failpoint("store.before_commit")
            connection.execute("COMMIT")
        except STORAGE_FAILURES as error:
            with suppress(*STORAGE_FAILURES):
                connection.rollback()
            self._keep_for_later(batch, error)
            return
        failpoint("store.after_commit")
        with self._changed:
            self._problem = None
            self._bytes -= sum(write.size for write in batch)
            self._changed.notify_all()
        for write, value, refusal in done:
            if write.answer is None:
                if refusal:
                    log.warning("a write to the store was refused: %s", refusal)
            elif refusal:
                write.answer.set_exception(refusal)
            else:
                write.answer.set_result(value)

    def _apply(self, write: _Write) -> tuple[Any, Exception | None]:
        """The value of a write, or the exception that refused it, with its own changes undone."""
        self._connection.execute("SAVEPOINT one_write")
        try:
            return write.apply(self._connection), None
        except Exception as error:
            if _is_storage_failure(error):
                raise
            self._connection.execute("ROLLBACK TO one_write")
            return None, error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE one_write")

    def _keep_for_later(self, batch: list[_Write], error: Exception) -> None:
        problem = f"The store cannot be written: {reason(error)}."
        with self._changed:
            if problem != self._problem:
                log.error(problem)
            self._problem = problem
            self._queue.extendleft(write for write in reversed(batch) if write.answer is None)
            self._changed.notify_all()
        for write in batch:
            answer = write.answer
            if answer and not answer.cancelled() and (answer.running() or answer.set_running_or_notify_cancel()):
                answer.set_exception(StoreError(problem))


class NoWriter:
    """In place of a Writer where nothing may be written: every write is refused with the same sentence."""

    problem: str | None = None

    def __init__(self, why: str) -> None:
        self._why = why

    def submit(self, apply: Callable[[sqlite3.Connection], Any], size: int = 0) -> None:
        raise StoreError(self._why)

    def call(self, apply: Callable[[sqlite3.Connection], T], timeout: float = 30.0) -> T:
        raise StoreError(self._why)

    def close(self) -> None:
        pass


def _is_storage_failure(error: Exception) -> bool:
    # Full, locked, read-only and I/O are OperationalError; a malformed file is a plain DatabaseError.
    return isinstance(error, sqlite3.OperationalError | MemoryError) or type(error) is sqlite3.DatabaseError
