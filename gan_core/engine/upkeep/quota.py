"""How much room the checkpoints of all runs together may take."""

from __future__ import annotations

import os
import time
from collections.abc import Container

from gan_core.checkpoints import purge
from gan_core.config import ConfigError, Problem
from gan_core.store import RunStore

VARIABLE = "GANSCOPE_CHECKPOINTS_GB"
DEFAULT_GB = 20.0
LOOK_SECONDS = 60.0


class Quota:
    """Purges the oldest checkpoints of all runs, once a minute, where they take too much room.

    The newest of each run stays, and so do those of runs that train; what is kept for a reason goes last.
    """

    def __init__(self) -> None:
        """The bound is ``GANSCOPE_CHECKPOINTS_GB``, or 20. Raises ConfigError where that is no positive number."""
        self._due = 0.0
        text = os.environ.get(VARIABLE) or str(DEFAULT_GB)
        try:
            self._bytes = int(float(text) * 2**30)
        except (ValueError, OverflowError):
            self._bytes = 0
        if self._bytes <= 0:
            raise ConfigError([Problem(VARIABLE, f"{text[:40]!r} is not a positive number of GB")])

    def tend(self, store: RunStore, in_use: Container[str]) -> int:
        """Purge if a minute has passed since the last look; returns the bytes that this gave back."""
        if time.monotonic() < self._due:
            return 0
        self._due = time.monotonic() + LOOK_SECONDS
        runs = [run.id for run in store.runs(include_deleted=True)]
        folders = {run_id: store.root / run_id / "checkpoints" for run_id in runs}
        busy = [folder for run_id, folder in folders.items() if run_id in in_use]
        return purge(list(folders.values()), self._bytes, busy)
