"""Notices a run that hangs inside a step: says so, shows where, and ends it on request where that can be done."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gan_core.engine.running.executors import Executor

STUCK_SECONDS = 30.0  # without a word from a run that plays; every step says one
STOP_SECONDS = 15.0  # for a run that was asked to end to end by itself
NOT_TO_BE_ENDED = (
    "It was asked to stop, but hangs inside a step, and a thread cannot be ended from outside. Its last checkpoint is "
    "whole. Restart the server to be rid of it; runs in processes (GANSCOPE_EXECUTOR=process) can be ended."
)


@dataclass
class _Watched:
    heard: float = field(default_factory=time.monotonic)
    asked: float | None = None
    reported: bool = False
    message: str = ""


@dataclass(frozen=True)
class Hang:
    """A run has just been found to hang: a sentence, and where its threads stand."""

    message: str
    stack: str


class Watchdog:
    """Called by the recorder's thread alone, but for ``asked_to_end``."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._watched: dict[str, _Watched] = {}

    def heard(self, run_id: str) -> None:
        """It has said something: all is well."""
        watched = self._watched.setdefault(run_id, _Watched())
        watched.heard, watched.reported, watched.message = time.monotonic(), False, ""

    def asked_to_end(self, run_id: str) -> None:
        """From now on it should end; a second request is not a later one."""
        watched = self._watched.setdefault(run_id, _Watched())
        watched.asked = watched.asked or time.monotonic()

    def forget(self, run_id: str) -> None:
        self._watched.pop(run_id, None)

    def message(self, run_id: str) -> str:
        """What is to be said of it while it hangs, else nothing."""
        watched = self._watched.get(run_id)
        return watched.message if watched is not None else ""

    def look(self, run_id: str, *, resting: bool) -> Hang | None:
        """A hang that is news. One that is ``resting`` (paused, being started) has nothing to say, and is left alone.

        A run that was asked to end, and neither ends nor says anything, is ended whatever it does, where that can be done.
        """
        watched = self._watched.setdefault(run_id, _Watched())
        now = time.monotonic()
        silent = now - watched.heard
        if watched.asked is not None and min(now - watched.asked, silent) > STOP_SECONDS:
            if self._executor.kill(run_id, "It hung inside a step and was ended; it goes on from its last checkpoint."):
                return None
            watched.message = NOT_TO_BE_ENDED
        elif resting:
            watched.heard = now
        elif silent > STUCK_SECONDS:
            watched.message = (
                f"No sign of life for {silent:.0f} s: the run seems to hang. Stop ends it, if that can be done."
            )
        if not watched.message or watched.reported:
            return None
        watched.reported = True
        return Hang(watched.message, self._executor.stack(run_id))
