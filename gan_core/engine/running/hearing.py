"""The commands that a job hears: some are obeyed at once, the rest when the run can obey."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gan_core.engine.messages import Beat, Command
from gan_core.engine.running.endings import Stopped
from gan_core.engine.running.mailbox import Inbox, Outbox

BEAT_SECONDS = 1.0


class Hearing:
    """``pausing`` says that the run was asked to pause, ``leaving`` that it was asked to end."""

    def __init__(self, inbox: Inbox, outbox: Outbox) -> None:
        self.inbox, self._outbox = inbox, outbox
        self.pausing = self.leaving = False
        self._queued: list[Command] = []  # heard while the run could obey none
        self._beaten_at = time.monotonic()

    def arrived(self) -> Iterator[Command]:
        """The commands that are there, those that were queued first."""
        while self._queued:
            yield self._queued.pop(0)
        while (command := self.inbox.take()) is not None:
            yield command

    def next(self) -> Command:
        """Wait for a command."""
        return self._queued.pop(0) if self._queued else self.inbox.wait()

    def wait_for_the_end(self, seconds: float) -> None:
        """Wait up to ``seconds`` for a command. Stop and interrupt raise Stopped; others are queued."""
        self.beat()
        command = self.inbox.wait_for(seconds)
        if command == "stop" or command == "interrupt":
            raise Stopped(command)
        if command is not None:
            self._queued.append(command)

    def beat(self) -> None:
        """Say now and then that the run goes on: a turn, a look or a save that never ends is silent."""
        now = time.monotonic()
        if now - self._beaten_at > BEAT_SECONDS:
            self._beaten_at = now
            self._outbox.put(Beat())
