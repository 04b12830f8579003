"""The two queues between a job and the lab."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from gan_core.engine.messages import Command, Ended, Message, State


class Outbox:
    """Messages of one job, appended by its thread and drained by the recorder; neither ever waits for the other.

    ``wake`` is called for what should not wait for the recorder's next tick: a change of the run's state.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._messages: deque[Message] = deque()
        self._wake = wake

    def put(self, message: Message) -> None:
        self._messages.append(message)
        if isinstance(message, State | Ended):
            self._wake()

    def drain(self) -> list[Message]:
        drained = []
        while self._messages:
            drained.append(self._messages.popleft())
        return drained


class Inbox:
    """Commands for one job, read by its thread between its rounds."""

    def __init__(self) -> None:
        self._commands: SimpleQueue[Command | None] = SimpleQueue()
        self.abandoned = False

    def put(self, command: Command) -> None:
        self._commands.put(command)

    def nudge(self) -> None:
        """Let ``wait_for`` return: what it waits for may have come."""
        self._commands.put(None)

    def abandon(self) -> None:
        """Nobody waits for this job any more: it should end after its turn, without saving."""
        self.abandoned = True
        self.put("interrupt")

    def take(self) -> Command | None:
        """The oldest command, or None; costs next to nothing when there is none."""
        return None if self._commands.empty() else self._commands.get()

    def wait(self) -> Command:
        """The oldest command, waiting for one to arrive."""
        while (command := self._commands.get()) is None:
            pass
        return command

    def wait_for(self, seconds: float) -> Command | None:
        """The oldest command, or None if none arrives in time, or at a nudge."""
        try:
            return self._commands.get(timeout=seconds)
        except Empty:
            return None
