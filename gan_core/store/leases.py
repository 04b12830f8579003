"""How often each run was started on a cluster, and what it takes of a node there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from gan_core.store.fields import from_json, to_json
from gan_core.store.readers import Readers
from gan_core.store.records import StoreError

Call = Callable[[Callable[[sqlite3.Connection], Any]], Any]

_NEXT = """INSERT INTO leases (run, number) VALUES (?, 1)
    ON CONFLICT (run) DO UPDATE SET number = number + 1 RETURNING number"""
_TAKES = """INSERT INTO leases (run, takes) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET takes = excluded.takes"""


class Leases:
    """Of one store; ``call`` carries out a write and waits until it is committed."""

    def __init__(self, call: Call, readers: Readers) -> None:
        self._call, self._readers = call, readers

    def next(self, run_id: str) -> int:
        """The number of the start that is about to be made: of any two starts of a run the later has the larger.

        It is on the disk on return, so that a server that dies in between gives no number twice. Raises StoreError.
        """

        def raise_it(connection: sqlite3.Connection) -> int:
            return int(connection.execute(_NEXT, (run_id,)).fetchone()[0])

        try:
            return int(self._call(raise_it))
        except sqlite3.IntegrityError as error:
            raise StoreError(f"There is no run {run_id!r}.") from error

    def take(self, run_id: str, takes: Mapping[str, float]) -> None:
        """Keep what the run is to take of a node: ``cpus`` and ``gpus``; what is not named is left to the server."""
        text = to_json(dict(takes))
        self._call(lambda connection: connection.execute(_TAKES, (run_id, text)) and None)

    def takes(self, run_id: str) -> dict[str, float]:
        """What was kept by ``take``, {} where nothing was."""
        with self._readers.lend() as connection:
            row = connection.execute("SELECT takes FROM leases WHERE run = ?", (run_id,)).fetchone()
        said = (from_json(row["takes"]) if row else None) or {}
        return {str(key): float(value) for key, value in said.items()}
