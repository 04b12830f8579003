"""Connections for reading, so that no reader ever waits for the writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gan_core.failpoints import failpoint
from gan_core.store.records import StoreError, reason
from gan_core.store.schema import connect


class Readers:
    """A pool of read connections: each is lent to one thread at a time.

    A pool, not one connection per thread: a web server starts a thread per page view, and connections would pile up.
    """

    def __init__(self, path: Path, *, only_read: bool = False) -> None:
        self._path = path
        self._only_read = only_read
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees everything committed so far. A failing database is a StoreError of one sentence."""
        connection: sqlite3.Connection | None = None
        try:
            connection = self._take()
            yield connection
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise StoreError(f"The store {self._path} cannot be read: {reason(error)}.") from error
        finally:
            if connection is not None:
                self._give_back(connection)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreError("The store is closed.")
            if self._idle:
                return self._idle.pop()
        failpoint("store.read")
        return connect(self._path, only_read=self._only_read)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
