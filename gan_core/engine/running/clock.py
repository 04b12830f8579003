"""The clock of a run: seconds of training, and what the run does while the clock stands still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """What a run does now, and its seconds of training: time spent paused, measuring or saving does not count."""

    def __init__(self) -> None:
        self.phase = "starting"
        self.before = 0.0
        self.measuring = 0.0  # seconds, of measurements that are not free
        self.since: float | None = None

    @property
    def running(self) -> bool:
        return self.since is not None

    @property
    def seconds(self) -> float:
        return self.before + (time.perf_counter() - self.since if self.since is not None else 0.0)

    def start(self) -> None:
        self.since = time.perf_counter()

    def stop(self) -> None:
        self.before, self.since = self.seconds, None

    @contextmanager
    def aside(self, phase: str) -> Iterator[None]:
        """Something that is not training: the clock stands still. An exception leaves its phase behind, to be told."""
        before, running = self.phase, self.running
        self.stop()
        self.phase = phase
        yield
        self.phase = before
        if running:
            self.start()
