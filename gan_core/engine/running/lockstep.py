"""Runs that are looked at side by side play side by side: none gets more than a few rounds ahead of the others.

Where there are more of them than may compute at once, they take turns: threads that compute at the same time in one
process cost each other time, and a page its patience. A turn is short to the eye and long beside the cost of passing it on.
Runs of one *lane*, a worker process, never have a turn at the same time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable

WINDOW = 8  # rounds: too few to be seen, enough that threads need not wait for each other at each
TURN_SECONDS = 0.05
UNLIMITED = sys.maxsize  # rounds: for who plays alone


class _Company:
    def __init__(self, members: frozenset[str], at_once: int | None, wait_for_paused: bool) -> None:
        self.members = members
        self.at_once = at_once
        self.wait_for_paused = wait_for_paused
        self.turns: dict[str, float] = {}  # who may compute, and since when
        self.waiting: dict[str, None] = {}  # in the order in which they began to wait

    @property
    def room(self) -> int:
        """How many more may compute."""
        return len(self.members) if self.at_once is None else max(0, self.at_once - len(self.turns))

    def drop(self, run_id: str) -> None:
        self.turns.pop(run_id, None)
        self.waiting.pop(run_id, None)


class Lockstep:
    """Which runs keep pace with each other. Asked by those that train, before every round or some rounds ahead; never
    blocks them.

    ``nudge(run_id)`` is called when the last answer to a run is out of date, so that the run asks again. ``lane(run_id)`` names
    the process or thread in which a run computes.
    """

    def __init__(
        self, nudge: Callable[[str], None] = lambda run_id: None, lane: Callable[[str], object] = lambda run_id: run_id
    ) -> None:
        self._companies: dict[str, _Company] = {}
        self._reached: dict[str, int] = {}
        self._paused: set[str] = set()
        self._nudge, self._lane = nudge, lane
        self._lock = threading.Lock()

    def together(self, run_ids: Iterable[str], at_once: int | None = None, *, wait_for_paused: bool = True) -> None:
        """From now on these runs keep pace, at most ``at_once`` of them computing at a time, with or without one that is
        paused; each leaves the company that it kept before. One plays alone.
        """
        members = frozenset(run_ids)
        with self._lock:
            for run_id in members:
                self._part(run_id)
            if len(members) > 1:
                self._companies |= dict.fromkeys(members, _Company(members, at_once, wait_for_paused))
        for run_id in members:
            self._nudge(run_id)

    def expect(self, run_ids: Iterable[str], played: int = 0) -> None:
        """Announce that these runs begin to train at this round: the others of their group wait for them."""
        with self._lock:
            self._reached |= dict.fromkeys(run_ids, played)

    def allow(self, run_id: str, at_once: int) -> None:
        """Set how many runs of this run's group may compute at the same time."""
        with self._lock:
            company = self._companies.get(run_id)
            if company is not None and company.at_once is not None:
                company.at_once = max(1, at_once)
                self._wake(company)

    def how_far(self, run_id: str, played: int) -> int:
        """The round up to which a run that has played so many may play before it asks again; its own round means wait.

        At most ``WINDOW`` rounds ahead of the slowest run that trains; its own round while it waits for a turn.
        """
        if run_id not in self._companies:
            return UNLIMITED
        with self._lock:
            company = self._companies.get(run_id)
            if company is None:
                return UNLIMITED
            if run_id in self._paused:
                return played
            self._reached[run_id] = played
            end = self._window_end(company)
            may = played < end and self._has_turn(company, run_id, played)
            if may:
                company.waiting.pop(run_id, None)
            else:
                company.turns.pop(run_id, None)
                company.waiting.setdefault(run_id)
            self._wake(company)
            return end if may else min(played, end)

    def leave(self, run_id: str) -> None:
        """Take a run that has ended out of the lock-step; it joins its group again when it is resumed."""
        with self._lock:
            self._reached.pop(run_id, None)
            self._paused.discard(run_id)
            company = self._companies.get(run_id)
            if company is not None:
                company.drop(run_id)
                self._wake(company)

    def pause(self, run_id: str) -> None:
        """The run is paused, and needs no turn. Where nobody waits for it, the others go on until ``go_on``, and wait then."""
        with self._lock:
            company = self._companies.get(run_id)
            if company is not None:
                if not company.wait_for_paused:
                    self._paused.add(run_id)
                    self._reached.pop(run_id, None)
                company.drop(run_id)
                self._wake(company)

    def go_on(self, run_id: str) -> None:
        """The end of a pause: the run keeps pace again."""
        with self._lock:
            paused = run_id in self._paused
            self._paused.discard(run_id)
        if paused:
            self._nudge(run_id)

    def company(self, run_id: str) -> frozenset[str]:
        """The group of a run: all runs that keep pace with it, and itself; empty for a run that plays alone."""
        company = self._companies.get(run_id)
        return frozenset() if company is None else company.members

    def takes_turns(self, run_id: str) -> bool:
        """Whether the group of this run may compute only so many of its runs at the same time."""
        company = self._companies.get(run_id)
        return company is not None and company.at_once is not None

    def _window_end(self, company: _Company) -> int:
        """The last round of the window, which begins at the slowest run that trains."""
        return min(self._reached[run] for run in company.members if run in self._reached) + WINDOW

    def _has_turn(self, company: _Company, run_id: str, played: int) -> bool:
        """Whether a run may compute; a turn that is used up goes to a waiting run that is no further."""
        if company.at_once is None:
            return True
        now = time.monotonic()
        since = company.turns.get(run_id)
        others = self._lanes(company.turns.keys() - {run_id})
        if since is None:
            if company.room and self._lane(run_id) not in others:
                company.turns[run_id] = now
            return run_id in company.turns
        if len(company.turns) > company.at_once:
            return False
        if now - since < TURN_SECONDS:
            return True
        rivals = self._lanes(other for other in company.waiting if self._reached.get(other, played) <= played)
        if self._lane(run_id) in rivals or (not company.room and rivals - others):
            return False
        company.turns[run_id] = now
        return True

    def _wake(self, company: _Company) -> None:
        """Wake the waiting runs that may play now, the slowest first, as many as there is room for."""
        if not company.waiting or not company.room:
            return
        end, taken = self._window_end(company), self._lanes(company.turns)
        may = [run_id for run_id in company.waiting if self._reached[run_id] < end and self._lane(run_id) not in taken]
        first: dict[object, str] = {}  # of each lane that is free
        for run_id in sorted(may, key=lambda run: self._reached[run]):
            first.setdefault(self._lane(run_id), run_id)
        for run_id in list(first.values())[: company.room]:
            self._nudge(run_id)

    def _lanes(self, run_ids: Iterable[str]) -> set[object]:
        return {self._lane(run_id) for run_id in run_ids}

    def _part(self, run_id: str) -> None:
        before = self._companies.pop(run_id, None)
        self._reached.pop(run_id, None)
        self._paused.discard(run_id)
        if before is None:
            return
        before.drop(run_id)
        before.members -= {run_id}
        if len(before.members) < 2:
            for other in before.members:
                self._companies.pop(other, None)
