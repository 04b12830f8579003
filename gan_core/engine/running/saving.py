"""The checkpoints of a run that trains: saved in time, kept for a reason, the best by what its samples measure."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import Any

from gan_core.checkpoints import best_scores, is_full, mark, path_of
from gan_core.engine.messages import Job, Keep, Note, State
from gan_core.engine.running.clock import Clock
from gan_core.engine.running.endings import Diverged
from gan_core.engine.running.hearing import Hearing
from gan_core.engine.running.mailbox import Outbox
from gan_core.engine.upkeep.best import judged
from gan_core.training import (
    capture,
    checkpoints,
    in_words,
    keep_checkpoint,
    not_finite,
    round_of,
    save_checkpoint,
    state_hash,
)
from gan_core.training.game import Game
from gan_core.training.state import flatten

# Seconds. A disk that is busy or full may be well again: the last checkpoint of a job is worth a moment's patience, any
# other is tried again while training goes on.
SAVE_RETRIES = (0.1, 0.4, 1.0)
SAVE_AGAIN_AFTER, SAVE_AGAIN_AT_LAST = 5.0, 80.0  # twice as long after each time that it failed
ROOM_SECONDS = 1.0  # between two attempts to save on a full disk
DISK_FULL = "Disk full: the run waits, and goes on by itself once there is room. The last checkpoint is whole."
# What a run was at its last looks stays in memory, so that the state before a collapse can be kept once it is known.
LOOKS_REMEMBERED, LOOKS_BYTES = 12, 64 * 2**20


class Saving:
    """Writes what a job has to keep into its folder, off the training clock; notes say what was written and what was not."""

    def __init__(self, job: Job, round: int, outbox: Outbox, clock: Clock, hearing: Hearing) -> None:
        self._outbox, self._clock, self._hearing = outbox, clock, hearing
        self._folder = job.checkpoint_dir
        self._every = job.config.schedule.checkpoint_seconds
        self.saved: tuple[int, str] | None = None
        self.saved_at = 0.0
        self._looks: deque[dict[str, Any]] = deque(maxlen=LOOKS_REMEMBERED)
        # Scores of the best state on disk, and a better one not yet written: (scores, words, state).
        self._best_kept = best_scores(job.checkpoint_dir, round)
        self._best: tuple[tuple[float, ...], str, dict[str, Any]] | None = None
        self._patience = SAVE_AGAIN_AFTER

    @property
    def due(self) -> bool:
        return self._clock.seconds - self.saved_at > self._every

    def save(self, game: Game, round: int, *, last: bool = False) -> str | None:
        """Write a checkpoint of this round, if there is none yet; returns the hash of the state in it.

        A state that is not finite is never written: it is a divergence if it is the ``last`` of the job. Otherwise a weight
        shows at the next round; a moment need not: one that has overflown stops its weights, so it is a divergence at once.
        A disk that cannot take it is an exception if it is the last, else a note.
        """
        if self.saved is not None and self.saved[0] == round:
            return self.saved[1]
        with self._clock.aside("saving a checkpoint"):
            state = capture(game, round)
            broken = not_finite(state)
            if broken and (last or not broken.startswith("networks/")):
                raise Diverged(round, in_words(broken))
            if broken:
                return None
            digest = state_hash(state)
            # What a clock says is not part of the state that two equal runs share.
            state = {**state, "seconds": self._clock.seconds, "measuring": self._clock.measuring}
            try:
                self._write(state, round, last)
                self.keep_best()
            except OSError as error:
                if last:
                    raise
                self._outbox.put(Note(round, "not_saved", {"message": f"{type(error).__name__}: {error}"}))
                self.saved_at = self._clock.seconds + self._patience - self._every
                self._patience = min(2 * self._patience, SAVE_AGAIN_AT_LAST)
                return None
            self._patience = SAVE_AGAIN_AFTER
            self._outbox.put(Note(round, "checkpoint", {"state_hash": digest}))
            self.saved = (round, digest)
            self.saved_at = self._clock.seconds
        return digest

    def save_on_the_way(self, game: Game, round: int) -> None:
        """Write a checkpoint of this round that stays; one that could not be marked is a checkpoint like the others."""
        if self.save(game, round) is not None:
            with suppress(OSError):
                mark(path_of(self._folder, round), "passed", "on the way")

    def _write(self, state: dict[str, Any], round: int, last: bool) -> None:
        """Save, with a moment's patience for a disk that is busy; where it is full, wait for room."""
        attempts = iter(SAVE_RETRIES if last else ())
        waited = False
        while True:
            try:
                save_checkpoint(self._folder, state)
                break
            except OSError as error:
                if is_full(error) and not self._hearing.leaving:
                    if not waited:
                        self._outbox.put(State("paused", round, DISK_FULL))
                    waited = True
                    self._hearing.wait_for_the_end(ROOM_SECONDS)
                elif not is_full(error) and (pause := next(attempts, None)) is not None:
                    time.sleep(pause)
                else:
                    raise
        if waited:
            self._outbox.put(State("paused" if self._hearing.pausing else "running", round))

    def keep(self, round: int, wish: Keep) -> None:
        """Put the newest state before a round on the disk for good: that of a look, else that of a checkpoint."""
        folder = self._folder
        state = next((look for look in reversed(self._looks) if look["round"] < wish.before), None)
        try:
            saved = next((path for path in reversed(checkpoints(folder)) if round_of(path) < wish.before), None)
            if saved is not None and (state is None or round_of(saved) >= state["round"]):
                state = {"round": round_of(saved)}
            if state is None or not_finite(state):
                return
            with self._clock.aside("keeping a checkpoint"):
                keep_checkpoint(folder, state, wish.reason)
        except OSError as error:
            self._outbox.put(Note(round, "not_saved", {"message": f"{type(error).__name__}: {error}"}))
        else:
            self._outbox.put(Note(state["round"], "kept", {"reason": wish.reason}))

    def remember(self, game: Game, round: int) -> None:
        """Keep the state of this look in memory, as many as there is room for."""
        if not self._looks.maxlen:
            return
        state = capture(game, round)
        size = sum(tensor.nbytes for tensor in flatten(state)[0].values())
        room = min(LOOKS_REMEMBERED, LOOKS_BYTES // size)
        if room != self._looks.maxlen:
            self._looks = deque(self._looks, maxlen=room)
        self._looks.append({**state, "seconds": self._clock.seconds, "measuring": self._clock.measuring})

    def compare(self, round: int, values: dict[str, float]) -> None:
        """Remember the state of this look if it is the best so far; `save` puts it on the disk."""
        found = judged(values)
        best = self._best_kept if self._best is None else max(self._best_kept, self._best[0])
        if round > 0 and found is not None and found[0] > best:
            state: dict[str, Any] = self._looks[-1] if self._looks else {"round": round}
            self._best = (*found, state)

    def keep_best(self) -> None:
        """Put the best state on the disk; one that was too large to be remembered only if it has just been saved."""
        if self._best is None:
            return
        scores, told, state = self._best
        self._best = None
        folder = self._folder
        if path_of(folder, state["round"]).is_file() or ("networks" in state and not not_finite(state)):
            keep_checkpoint(folder, state, told, what="best", scores=scores, most=1)
            self._best_kept = scores
