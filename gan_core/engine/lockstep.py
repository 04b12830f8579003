"""Runs that are looked at side by side play side by side: none gets more than a few rounds ahead of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterable

WINDOW = 8  # rounds: too few to be seen, enough that threads need not take turns at each


class Lockstep:
    """Which runs keep pace with each other. Asked before every round, by the threads that train; never blocks them."""

    def __init__(self) -> None:
        self._groups: dict[str, frozenset[str]] = {}
        self._reached: dict[str, int] = {}
        self._lock = threading.Lock()

    def together(self, run_ids: Iterable[str]) -> None:
        """From now on these runs keep pace; each leaves the company that it kept before. One plays alone."""
        group = frozenset(run_ids)
        with self._lock:
            for run_id in group:
                self._part(run_id)
            if len(group) > 1:
                self._groups |= dict.fromkeys(group, group)

    def may_play(self, run_id: str, played: int) -> bool:
        """Whether a run that has played so many rounds may play the next: not far ahead of any other that trains."""
        if run_id not in self._groups:
            return True
        with self._lock:
            self._reached[run_id] = played
            others = self._groups.get(run_id, frozenset()) - {run_id}
            return all(played - self._reached.get(other, played) < WINDOW for other in others)

    def leave(self, run_id: str) -> None:
        """The run has ended: nobody waits for it. It finds its company again when it goes on."""
        with self._lock:
            self._reached.pop(run_id, None)

    def company(self, run_id: str) -> frozenset[str]:
        """The runs that keep pace with this one, itself among them; none if it plays alone."""
        return self._groups.get(run_id, frozenset())

    def _part(self, run_id: str) -> None:
        before = self._groups.pop(run_id, frozenset()) - {run_id}
        self._reached.pop(run_id, None)
        for other in before:
            if len(before) > 1:
                self._groups[other] = before
            else:
                self._groups.pop(other, None)
